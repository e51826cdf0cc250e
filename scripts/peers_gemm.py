"""Times matrix products: ours against PyTorch's and NumPy's, in turns, in one run.

Every contender is a process that answers timing requests, one JSON line each. For a shape all of them are asked in turn,
several times over; a figure is the median of a contender's turns (the best call of each), so load on the machine that
comes and goes hits all alike. Ratios are ours over the peer, in speed.

The peers in their best form: float32 and bfloat16 with the weight packed once by oneDNN (as an inference does), MKL and
oneDNN without packing (what torch.matmul calls), OpenBLAS through NumPy. For a weight's gradient (layout tn) nobody can pack.
"""
import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import time

SHAPES = [(1200, 768, 3072, "nn"), (1200, 3072, 768, "nn"), (1200, 768, 2304, "nn"), (2000, 768, 3072, "nn"), (3200, 768, 3072, "nn"),
          (480, 768, 50257, "nt"), (1200, 768, 50257, "nt"), (5, 768, 50257, "nt"), (1, 768, 50257, "nt"), (16, 768, 3072, "nn"), (1, 768, 3072, "nn"),
          (1200, 3072, 768, "nt"), (1200, 768, 768, "nt"), (768, 1200, 3072, "tn"), (3072, 1200, 768, "tn"), (768, 480, 50257, "tn")]


def best_and_median(fn, seconds):
    """Seconds of one call of fn: best and median of as many as fit, after two that warm up."""
    fn()
    fn()
    each, start = [], time.perf_counter()
    while len(each) < 3 or time.perf_counter() - start < seconds:
        t = time.perf_counter()
        fn()
        each.append(time.perf_counter() - t)
    return dict(Best=min(each), Median=statistics.median(each))


def torch_product(kind, m, k, n, layout, dtype):
    import torch
    torch.manual_seed(0)
    t = torch.bfloat16 if dtype == "bfloat16" else torch.float32
    x = (torch.randn(k, m).t() if layout == "tn" else torch.randn(m, k)).to(t)
    w = torch.randn(n, k).to(t)                     # as a Linear layer keeps it
    if kind == "packed":
        if layout == "tn":
            return None
        p = torch.ops.mkldnn._reorder_linear_weight(w, m)
        return lambda: torch.ops.mkldnn._linear_pointwise(x, p, None, "none", [], "")
    b = w.t() if layout == "nt" else w.t().contiguous()
    return lambda: torch.matmul(x, b)


def numpy_product(m, k, n, layout, dtype):
    import numpy as np
    if dtype != "float32":
        return None
    r = np.random.default_rng(0)
    x = r.random((k, m), dtype=np.float32).T if layout == "tn" else r.random((m, k), dtype=np.float32)
    w = r.random((n, k), dtype=np.float32).T if layout == "nt" else r.random((k, n), dtype=np.float32)
    return lambda: x @ w


def serve(kind, threads):
    """A peer's process: answers requests until the input ends."""
    if kind != "numpy":
        import torch
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
    for line in sys.stdin:
        q = json.loads(line)
        args = q["M"], q["K"], q["N"], q["Layout"], q["Precision"]
        fn = numpy_product(*args) if kind == "numpy" else torch_product(kind, *args)
        print(json.dumps(best_and_median(fn, q["Seconds"]) if fn else {"Error": "not this"}), flush=True)


class Contender:
    def __init__(self, name, command, **env):
        self.name, self.also = name, {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **env})

    def but(self, **also):
        """The same process asked for something else besides."""
        c = copy.copy(self)
        c.also = also
        return c

    def ask(self, **q):
        q = {**q, **self.also}
        self.process.stdin.write(json.dumps(q) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended")
        r = json.loads(line)
        return None if r.get("Error") == "not this" else r if not r.get("Error") else sys.exit(f"{self.name}: {r['Error']}")


def table(contenders, ours, precision, peers, shapes, rounds, seconds, mine=None):
    """One table: the shape, everyone's GFLOP/s, and ours over the fastest of the peers."""
    names = (mine or [ours]) + peers  # mine: forms of ours, of which the first takes the ratio
    own = set(mine or [ours])
    print(f"\n{ours} ({precision[0]}), GFLOP/s; peers at {precision[1]}")
    print(f"{'M x K x N':>20} " + " ".join(f"{n:>14}" for n in names) + f" {'ratio':>7}  to", flush=True)
    for m, k, n, layout in shapes:
        got = {c: [] for c in names}
        for _ in range(rounds):
            for c in names:
                r = contenders[c].ask(M=m, K=k, N=n, Layout=layout, Precision=precision[c not in own], Seconds=seconds)
                if r:
                    got[c].append(2e-9 * m * k * n / r["Best"])
        speed = {c: statistics.median(v) for c, v in got.items() if v}
        peer = max(peers, key=lambda c: speed.get(c, 0))
        print(f"{f'{m}x{k}x{n} {layout}':>20} " + " ".join(f"{speed[c]:14.1f}" if c in speed else f"{'-':>14}" for c in names) +
              f" {speed[ours] / speed[peer]:7.2f}  {peer}", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", default="bin/bench", help="our timing program (internal/bench)")
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=0.2, help="one turn of one contender")
    ap.add_argument("--only", default="", help="shapes that contain this text, as 768x50257 or tn")
    ap.add_argument("--tables", default="float32,high,bfloat16,avx2", help="also rounded: ours with a bfloat16 result, or left operand, as the peers have both")
    ap.add_argument("--peer", help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.peer:
        return serve(a.peer, a.threads)
    env = dict(OMP_NUM_THREADS=str(a.threads), MKL_NUM_THREADS=str(a.threads), OPENBLAS_NUM_THREADS=str(a.threads), GOMAXPROCS=str(a.threads))
    me = [sys.executable, os.path.abspath(__file__), "--threads", str(a.threads), "--peer"]
    ours = [a.ours, "-serve"]
    c = {"ours": Contender("ours", ours, **env),
         "torch": Contender("torch", me + ["torch"], **env),
         "onednn packed": Contender("onednn packed", me + ["packed"], **env),
         "openblas": Contender("openblas", me + ["numpy"], **env)}
    if "avx2" in a.tables:
        c["ours avx2"] = Contender("ours avx2", ours, CLIPCAP_CPU="avx2", **env)
        c["openblas avx2"] = Contender("openblas avx2", me + ["numpy"], OPENBLAS_CORETYPE="Haswell", **env)
    import numpy
    import torch
    print(f"PyTorch {torch.__version__}, NumPy {numpy.__version__}, {a.threads} threads, {torch.backends.cpu.get_cpu_capability()}")
    shapes = [s for s in SHAPES if a.only in "{}x{}x{} {}".format(*s)]
    rest = (shapes, a.rounds, a.seconds)
    for t in a.tables.split(","):
        if t == "float32":
            table(c, "ours", ("float32", "float32"), ["torch", "onednn packed", "openblas"], *rest)
        elif t == "high":
            table(c, "ours", ("high", "float32"), ["torch", "onednn packed", "openblas"], *rest)
        elif t == "bfloat16":
            table(c, "ours", ("bfloat16", "bfloat16"), ["torch", "onednn packed"], *rest)
        elif t == "avx2":
            table(c, "ours avx2", ("float32", "float32"), ["openblas avx2"], *rest)
        elif t == "rounded":
            c["bf16 in"], c["bf16 out"] = c["ours"].but(Rounded="in"), c["ours"].but(Rounded="out")
            table(c, "bf16 out", ("bfloat16", "bfloat16"), ["torch", "onednn packed"], [s for s in shapes if s[0] > 64 and s[3] != "tn"],
                  a.rounds, a.seconds, ["bf16 out", "bf16 in", "ours"])
        else:
            sys.exit(f"--tables: no table {t!r}; want float32, high, bfloat16, rounded, avx2")


if __name__ == "__main__":
    main()
