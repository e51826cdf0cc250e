"""What scripts/peers_gpu.py measures with: our timing program, PyTorch's device, the clock, and the rows, which are on disk as soon as they are known."""
import datetime
import hashlib
import importlib.metadata
import json
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import sysconfig
import time


class Ours:
    """Our timing program. One that ended, or did not answer in time, is started again for the next request."""

    def __init__(self, command):
        self.command, self.process = command, None

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def ask(self, q, limit):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.process.stdin.write(json.dumps(q) + "\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], max(1, limit))[0]:
                raise TimeoutError(f"ours did not answer in {limit:.0f} s")
            line = self.process.stdout.readline()
        except BaseException:
            self.close()
            raise
        if not line:
            code = self.process.wait()
            self.close()
            raise RuntimeError(f"our timing program ended with {code}")
        r = json.loads(line)
        if r.get("Error"):
            self.close()  # a device that is lost stays lost to a process
            raise RuntimeError(r["Error"])
        return r["Median"]


class Limit:
    """Ends what runs inside by TimeoutError after so many seconds, as soon as it comes back to Python."""

    def __init__(self, seconds):
        self.seconds = max(1, seconds)

    def __enter__(self):
        def late(*_):
            raise TimeoutError(f"not done in {self.seconds:.0f} s")
        self.before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, 3)  # again, for an exception in a callback of the collector's is ignored

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)


class PretendGraphs:
    """torch.cuda's streams and graphs for dry runs: work is done at once, and replaying does nothing."""

    class Stream:
        def wait_stream(self, other):
            pass

    class CUDAGraph:
        def replay(self):
            pass

    class stream:
        def __init__(self, what):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    graph = stream

    def current_stream(self):
        return self.Stream()


class Run:
    """The options, the clock, PyTorch's device, and what was found."""

    def __init__(self, a):
        self.a, self.start = a, time.monotonic()
        self.cuda = not a.dry_run
        self.rows, self.extra, self.left_out, self.rate, self.bandwidth, self.about = {}, {}, [], {}, 0, ""
        self.ways = None  # the ways of PyTorch that this pass takes; None: ours alone
        self.goals = False  # whether this pass takes nothing but the cases that the project's goals name
        self.tried, self.lost = set(), []
        self.of = dict(dry=a.dry_run, ours=digest(a.ours), gpu=gpu(), torch=version("torch"))  # what the rows are of
        self.ours = Ours([a.ours, "-device", "cuda" if self.cuda else "cpu", "-serve"] + ([] if self.cuda else ["-small"]))
        self.torch = self.device = self.graphs = None
        self.smi = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]
        if not self.cuda:
            self.smi = [sys.executable, "-c", "import time\nwhile True: print(50, flush=True); time.sleep(0.01)"]
        self.load()

    def use_torch(self):
        self.inductor = self.cuda or self.compiles()
        import torch
        self.torch, self.device = torch, torch.device("cuda" if self.cuda else "cpu")
        self.graphs = torch.cuda if self.cuda else PretendGraphs()

    def compiles(self):
        """Whether inductor can be tried on the CPU: it writes C++, and wants Python's headers. It is told of a compiler that it would not look for."""
        found = next(filter(shutil.which, filter(None, (os.environ.get("CXX"), "g++", "clang++", "c++"))), None)
        if not found:
            self.leave_out("inductor", "skipped, no C++ compiler is here; what is compiled stops before it")
        elif not os.path.exists(sysconfig.get_path("include") + "/Python.h"):
            self.leave_out("inductor", "skipped, Python's headers are not here; what is compiled stops before it")
        else:
            os.environ["CXX"] = found
            return True
        return False

    def ask(self, **q):
        """Our seconds for a request."""
        return self.ours.ask(q, min(self.left(), 90))

    def compiled(self, what, mode=None):
        """what under torch.compile, for the sizes of this case alone; in a dry run for the CPU, or as far as inductor where that cannot be had."""
        self.torch._dynamo.reset()
        return self.torch.compile(what, dynamic=False, **(dict(mode=mode) if self.inductor else dict(backend="aot_eager")))

    def sync(self):
        if self.cuda:
            self.torch.cuda.synchronize()

    def left(self):
        return self.a.budget - (time.monotonic() - self.start)

    def once(self, fn):
        t = time.perf_counter()
        fn()
        self.sync()
        return time.perf_counter() - t

    def timed(self, fn, seconds, calls=1):
        """Median seconds of one call, calls of them waited for together."""
        def turn():
            for _ in range(calls):
                fn()
        each, start = [], time.perf_counter()
        while len(each) < 3 or time.perf_counter() - start < seconds:
            each.append(self.once(turn) / calls)
        return statistics.median(each)

    def leave_out(self, what, why):
        self.had(what)
        self.left_out.append(f"{what}: {why}")
        print("left out: " + self.left_out[-1], flush=True)
        self.save()

    def failed(self, what, e):
        text = str(e).splitlines()
        self.leave_out(what, f"{type(e).__name__}: {text[0][:160] if text else ''}")
        self.lost.append(self.left_out[-1])

    def had(self, what):
        """what is not left out any more."""
        self.left_out = [x for x in self.left_out if not x.startswith(what + ": ")]

    def case(self, name, precision, request, ways, flops, moved, calls=1, cost=4.0, goal=False):
        """One row of the table, or what this pass adds to it. ways are (name, function that prepares and returns what to call). What was timed stays."""
        if self.goals and not goal:
            return
        row = self.rows.setdefault((name, precision), dict(case=name, precision=precision, ours=[], theirs={}, ratios={}, flops=flops, moved=moved))
        label = f"{name} {precision}"
        if self.ways is None:
            if row["ours"]:
                return
            if self.left() < cost / 2:
                return self.leave_out(label, "no time left")
            try:
                row["ours"].append(self.ask(Seconds=self.a.seconds, **request))
                self.had(label)
                return self.found(row)
            except Exception as e:
                return self.failed(label, e)
        for way, prepare in ways:
            if way.split()[0] not in self.ways or way in row["theirs"] or (label, way) in self.tried:
                continue
            self.tried.add((label, way))
            if self.left() < cost * (5 if way == "compiled" else 1):
                self.leave_out(f"{label} {way}", "no time left")
                continue
            try:
                with Limit(min(self.left() - 5, (120 if way == "compiled" else 60) * (1 if self.cuda else 4))):
                    self.against(row, way, prepare, request, calls)
                for what in (label, f"{label} {way}"):
                    self.had(what)
                self.found(row)
            except Exception as e:  # the table goes on
                self.failed(f"{label} {way}", e)
            if self.cuda:
                try:
                    self.torch.cuda.empty_cache()
                except Exception as e:
                    self.failed(f"{label} {way}, its memory", e)

    def against(self, row, way, prepare, request, calls):
        fn = prepare()
        for _ in range(3):  # the first call compiles
            fn()
        self.sync()
        ours, theirs, ratios = [], [], []
        for _ in range(self.a.rounds):
            ours.append(self.ask(Seconds=self.a.seconds, **request))
            theirs.append(self.timed(fn, self.a.seconds, calls))
            ratios.append(theirs[-1] / ours[-1])
        row["ours"] += ours
        row["theirs"][way], row["ratios"][way] = statistics.median(theirs), statistics.median(ratios)

    def found(self, row):
        peers = ", ".join(f"{w} {1e3 * t:.3g} ms, ratio {row['ratios'][w]:.2f}" for w, t in row["theirs"].items())
        print(f"{row['case']} {row['precision']}: ours {1e3 * statistics.median(row['ours']):.3g} ms" + (f"; {peers}" if peers else ""), flush=True)
        self.save()

    def note(self, key, text):
        """A finding that is no row of the table."""
        self.had(key)
        self.extra[key] = text
        print(text, flush=True)
        self.save()

    # what was found is kept beside the table, so that a run with PyTorch goes on where one of ours alone ended, and any run where the one before it ended

    def load(self):
        try:
            with open(self.a.out + ".json") as f:
                kept = json.load(f)
        except (OSError, ValueError):
            return
        if kept.get("of") == self.of:
            self.rows = {(x["case"], x["precision"]): x for x in kept["rows"]}
            self.extra, self.left_out = kept["extra"], kept["left_out"]
            print(f"going on from {sum(1 for x in self.rows.values() if x['ours'])} rows in {self.a.out}", flush=True)
        else:
            print(f"{self.a.out} is of another program, GPU or PyTorch, and begins anew", flush=True)

    def save(self):
        if not self.a.out:
            return
        for path, text in ((self.a.out, self.table()),
                           (self.a.out + ".json", json.dumps(dict(of=self.of, rows=list(self.rows.values()), extra=self.extra, left_out=self.left_out)))):
            with open(path + ".new", "w") as f:
                f.write(text)
            os.replace(path + ".new", path)

    def table(self):
        """The results as Markdown."""
        lines = [self.about or f"{datetime.date.today()}, {gpu()}; PyTorch was not asked yet.", "",
                 "| case | precision | ours, ms | PyTorch, ms | ratio to the best | share of the floor |", "|---|---|---|---|---|---|"]
        for x in self.rows.values():
            if not x["ours"]:
                continue
            o = statistics.median(x["ours"])
            best = min(x["ratios"].values(), default=None)
            peers = ", ".join(f"{w} {1e3 * t:.3g}" for w, t in x["theirs"].items()) or "–"
            floor = "–"
            if self.rate:
                floor = f"{100 * max(x['flops'] / self.rate[x['precision']], x['moved'] / self.bandwidth) / o:.0f} %"
            lines.append(f"| {x['case']} | {x['precision']} | {1e3 * o:.3g} | {peers} | {'–' if best is None else f'{best:.2f}'} | {floor} |")
        for text in self.extra.values():
            lines += ["", text]
        if self.left_out:
            lines += ["", "Left out:"] + [f"- {x}" for x in self.left_out]
        return "\n".join(lines) + "\n"


def digest(path):
    """What tells a program from another build of it."""
    try:
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError:
        return ""


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def gpu():
    """The first GPU and its driver, by nvidia-smi."""
    try:
        out = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True, check=True, timeout=20).stdout
        name, version = out.splitlines()[0].split(", ")
        return f"{name}, driver {version}"
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return "no GPU that nvidia-smi knows"
