"""Times ClipCap's work on a GPU: ours against the PyTorch that is installed there, in turns, in one run.

Ours is a process (internal/bench -device cuda -serve) that answers timing requests, one JSON line each; PyTorch runs in this
one. For every case each way of PyTorch takes turns with ours, --rounds times; a figure is the median of a contender's turns, a
ratio the median of the turns' ratios. Everything is waited for, as a user waits: a training step until its loss is read, captions
until they are there. PyTorch has every lever that ours has (one-operation GELU, attention and AdamW, no padding, logits of caption
rows alone, frozen weights without gradients), and is run as it is (eager), under torch.compile, and as a captured CUDA graph.

Our precisions are compared with theirs: high (two tf32 parts of each operand) and float32 with PyTorch's tf32, bfloat16 with
bfloat16 (weights under autocast in training, weights in bfloat16 elsewhere).

The floor of a case is the longer of its multiply-adds at the rate of the largest cuBLAS product measured in the run and its
bytes at the rate of a large copy; the share of the floor is how much of ours is that time.

--dry-run tries everything out on the CPU with hardly any work; its figures mean nothing.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from peers_gemm import Contender

VOCAB, D, PREFIX, WORDS = 50257, 768, 10, 12


class Run:
    """The options, the clock, PyTorch's device, and what was found."""

    def __init__(self, a):
        import torch
        self.a, self.torch, self.start = a, torch, time.monotonic()
        self.cuda = not a.dry_run
        self.device = torch.device("cuda" if self.cuda else "cpu")
        self.rows, self.left_out, self.rate, self.bandwidth = [], [], {}, 1e10
        command = [a.ours, "-device", "cuda" if self.cuda else "cpu", "-serve"] + ([] if self.cuda else ["-small"])
        self.ours = Contender("ours", command)

    def ask(self, **q):
        """Our seconds for a request."""
        p = self.ours.process
        p.stdin.write(json.dumps(q) + "\n")
        p.stdin.flush()
        line = p.stdout.readline()
        if not line:
            raise RuntimeError("our timing program ended")
        r = json.loads(line)
        if r.get("Error"):
            raise RuntimeError(r["Error"])
        return r["Median"]

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

    def case(self, name, precision, request, ways, flops, moved, calls=1, cost=4.0):
        """One row: ways are (name, function that prepares and returns what to call). Ways that would outlast the budget are left out."""
        ours, theirs, ratios = [], {}, {}
        seconds = self.a.seconds
        for way, prepare in ways or [("", None)]:
            if self.left() < cost * (12 if way == "compiled" else 1):
                self.left_out.append(f"{name} {precision} {way}".strip())
                continue
            try:
                fn = prepare() if prepare else None
                for _ in range(3 if fn else 0):  # the first call compiles
                    fn()
                self.sync()
                for _ in range(self.a.rounds):
                    o = self.ask(Seconds=seconds, **request)
                    ours.append(o)
                    if fn:
                        t = self.timed(fn, seconds, calls)
                        theirs.setdefault(way, []).append(t)
                        ratios.setdefault(way, []).append(t / o)
            except Exception as e:  # the table goes on
                self.left_out.append(f"{name} {precision} {way}: {type(e).__name__}: {str(e).splitlines()[0][:160] if str(e) else ''}")
            fn = None
            if self.cuda:
                self.torch.cuda.empty_cache()
        if not ours:
            return
        o = statistics.median(ours)
        floor = max(flops / self.rate[precision], moved / self.bandwidth)
        row = dict(case=name, precision=precision, ours_ms=1e3 * o, floor=floor / o,
                   peers={w: 1e3 * statistics.median(t) for w, t in theirs.items()},
                   ratios={w: statistics.median(r) for w, r in ratios.items()})
        self.rows.append(row)
        print(json.dumps(row), flush=True)


def peaks(r):
    """What the device can do: the largest products and a copy."""
    torch = r.torch
    n = 8192 if r.cuda else 256
    for precision, dtype in (("bfloat16", torch.bfloat16), ("tf32", torch.float32)):
        torch.backends.cuda.matmul.allow_tf32 = True
        x, y = (torch.randn(n, n, device=r.device, dtype=dtype) for _ in "xy")
        for _ in range(3):
            torch.matmul(x, y)
        r.rate[precision] = 2 * n ** 3 / r.timed(lambda: torch.matmul(x, y), 0.3, 5)
    r.rate["high"] = r.rate["float32"] = r.rate["tf32"]
    x = torch.empty((1 << 28) if r.cuda else (1 << 20), device=r.device)
    y = torch.empty_like(x)
    y.copy_(x)
    r.bandwidth = 2 * 4 * x.numel() / r.timed(lambda: y.copy_(x), 0.3, 5)


# ---- training steps

def train_ways(r, kind, batch, precision):
    torch = r.torch
    from torch.nn import functional as F

    from peers_train import build

    def prepare(way):
        torch.manual_seed(0)
        tuned = kind == "tuned"
        gpt, mlp, transformer = build(True)
        gpt, mapper = gpt.to(r.device), (mlp() if tuned else transformer()).to(r.device)
        gpt.train(tuned)
        gpt.requires_grad_(tuned)
        params = list(mapper.parameters()) + (list(gpt.parameters()) if tuned else [])
        graphed = way == "graph"
        opt = torch.optim.AdamW(params, lr=2e-5, weight_decay=0, eps=1e-6, fused=r.cuda, capturable=graphed)
        clip = torch.randn(batch, 512, device=r.device)
        tokens = torch.randint(1, VOCAB, (batch, WORDS), device=r.device)
        auto = lambda: torch.autocast(r.device.type, torch.bfloat16, enabled=precision == "bfloat16")

        def loss():
            with auto():
                x = torch.cat((mapper(clip), gpt.wte(tokens[:, :-1])), 1)
                hidden = gpt(x, None)[:, PREFIX - 1:].reshape(-1, D)
                logits = F.linear(hidden, gpt.wte.weight)
            return F.cross_entropy(logits.float(), tokens.flatten())

        run = torch.compile(loss) if way == "compiled" else loss

        def step():
            opt.zero_grad(set_to_none=True)
            l = run()
            l.backward()
            opt.step()
            return l

        if not graphed:
            return lambda: step().item()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        g = torch.cuda.CUDAGraph()
        opt.zero_grad(set_to_none=True)
        with torch.cuda.graph(g):
            l = run()
            l.backward()
            opt.step()

        def replay():
            g.replay()
            return l.item()
        return replay

    ways = ["eager"] + (["graph", "compiled"] if r.cuda else [])
    return [(w, lambda w=w: prepare(w)) for w in ways]


def train_work(kind, batch):
    """Multiply-adds times two, and the least bytes, of a step: forward, gradients of inputs, and gradients of what is trained."""
    rows, targets = batch * (PREFIX + WORDS - 1), batch * WORDS
    blocks, head = 12 * 12 * D * D, VOCAB * D
    passes = 3 if kind == "tuned" else 2
    flops = 2 * passes * (blocks * rows + head * targets)
    if kind == "tuned":
        mapper = 512 * 3840 + 3840 * 7680
        flops += 2 * 3 * mapper * batch
        params, trained = blocks + head + mapper, blocks + head + mapper
    else:
        mapper = 8 * (4 * D * D + 4 * D * D)
        flops += 2 * 3 * mapper * batch * 2 * PREFIX
        params, trained = blocks + head + mapper, mapper
    return flops, 4 * params * 2 + 4 * 7 * trained


def train(r):
    for batch in (40, 256, 1024) if r.cuda else (2,):
        for kind in ("frozen", "tuned"):
            for precision in ("bfloat16", "high"):
                r.torch.backends.cuda.matmul.allow_tf32 = True
                request = dict(Step=dict(Kind=kind, Batch=batch, Tokens=WORDS, Precision=precision))
                r.case(f"train {kind} b{batch}", precision, request, train_ways(r, kind, batch, precision), *train_work(kind, batch), cost=8)


# ---- captions

def decode_ways(r, images, width, steps, precision):
    torch = r.torch

    from peers_decode import build

    def prepare():
        net = build(True).to(r.device)
        if precision == "bfloat16":
            net = net.bfloat16()
        prefix = torch.randn(images, PREFIX, D, device=r.device).to(net.wte.weight.dtype) * 0.02

        @torch.inference_mode()
        def run():
            x, past, scores = prefix, None, None
            for i in range(steps):
                logits, past = net(x, past)
                logp = logits[:, -1].float().log_softmax(-1)
                if scores is None:
                    scores, tokens = logp.topk(width, -1)
                    tokens = tokens.flatten()
                    past = [(k.repeat_interleave(width, 0), v.repeat_interleave(width, 0)) for k, v in past]
                else:
                    mean = (scores.view(images, width, 1) + logp.view(images, width, VOCAB)).view(images, -1) / (i + 1)
                    best, at = mean.topk(width, -1)
                    scores, tokens = best * (i + 1), (at % VOCAB).flatten()
                    source = (at // VOCAB + torch.arange(images, device=r.device)[:, None] * width).flatten()
                    past = [(k[source], v[source]) for k, v in past]
                x = net.wte(tokens)[:, None]
            return tokens.cpu()
        return run
    return [("eager with cache", prepare)]


def decode(r):
    steps = 15 if r.cuda else 3
    for images in (64, 1) if r.cuda else (2,):
        for precision, form in (("bfloat16", "both"), ("high", "high")):
            request = dict(Decode=dict(Mode="beam", Beam=5, Images=images, Prefix=PREFIX, Steps=steps, Weights=form))
            weights = (12 * 12 * D * D + VOCAB * D) * (2 if precision == "bfloat16" else 4)
            flops = 2 * (12 * 12 * D * D + VOCAB * D) * images * 5 * steps
            r.case(f"beam 5, {images} images, {steps} tokens", precision, request, decode_ways(r, images, 5, steps, precision), flops, weights * steps)


# ---- image encoders

def encode_ways(r, name, images, precision):
    torch = r.torch

    from peers_clip import networks

    def prepare(way):
        torch.manual_seed(0)
        net = networks()[name]().eval().to(r.device)
        x = torch.randn(images, 3, net.size, net.size)
        if precision == "bfloat16":
            net = net.bfloat16()
        if name.startswith("RN"):
            net = net.to(memory_format=torch.channels_last)
        f = torch.compile(net, mode="max-autotune-no-cudagraphs" if r.a.autotune else None) if way == "compiled" else net

        @torch.inference_mode()
        def run():
            y = x.to(r.device, net.patches.weight.dtype if name.startswith("ViT") else next(net.parameters()).dtype)
            if name.startswith("RN"):
                y = y.to(memory_format=torch.channels_last)
            return f(y).float().cpu()
        return run
    return [(w, lambda w=w: prepare(w)) for w in ["eager"] + (["compiled"] if r.cuda else [])]


def encode(r):
    torch = r.torch
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    for name, images, flops in (("ViT-B/32", 256, 8.7e9), ("RN50x4", 64, 40e9)) if r.cuda else (("ViT-B/32", 1, 8.7e9), ("RN50x4", 1, 40e9)):
        for precision in ("bfloat16", "high"):
            request = dict(CLIP=name, M=images, Precision=precision)
            r.case(f"encode {name} b{images}", precision, request, encode_ways(r, name, images, precision), flops * images, 0)


# ---- products and attention

def products(r):
    torch = r.torch
    shapes = [(840, 768, 3072, "nn"), (840, 3072, 768, "nn"), (480, 768, 50257, "nt"), (5376, 768, 3072, "nn"), (21504, 768, 3072, "nn"),
              (768, 21504, 3072, "tn"), (320, 768, 50257, "nt"), (5, 768, 3072, "nn"), (8192, 8192, 8192, "nn")]
    for m, k, n, layout in shapes if r.cuda else [(17, 32, 20, "nt")]:
        for precision in ("bfloat16", "high"):
            torch.backends.cuda.matmul.allow_tf32 = True
            dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32

            def prepare():
                a = torch.randn((k, m) if layout == "tn" else (m, k), device=r.device, dtype=dtype)
                b = torch.randn((n, k) if layout == "nt" else (k, n), device=r.device, dtype=dtype)
                a, b = a.t() if layout == "tn" else a, b.t() if layout == "nt" else b
                out = torch.empty(m, n, device=r.device, dtype=dtype)
                return lambda: torch.matmul(a, b, out=out)
            size = 2 if precision == "bfloat16" else 4
            r.case(f"product {m}×{k}×{n} {layout}", precision, dict(M=m, K=k, N=n, Layout=layout, Precision=precision), [("cuBLAS", prepare)],
                   2 * m * k * n, size * (m * k + k * n + m * n), calls=20)


def attention(r):
    torch = r.torch
    from torch.nn import functional as F
    shapes = [(40, 21, 12, 64, True), (1024, 21, 12, 64, True), (256, 50, 12, 64, False), (8, 1024, 12, 64, True)]
    for n, length, heads, dim, causal in shapes if r.cuda else [(2, 9, 2, 8, True)]:
        for backward in (False, True):
            def prepare():
                q, k, v = (torch.randn(n, heads, length, dim, device=r.device, dtype=torch.bfloat16, requires_grad=backward) for _ in range(3))
                if not backward:
                    return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal)
                out = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
                g = torch.randn_like(out)
                return lambda: torch.autograd.grad(out, (q, k, v), g, retain_graph=True)
            request = dict(Attention=dict(Sequences=n, Length=length, Heads=heads, Dim=dim, Causal=causal, Backward=backward, Precision="bfloat16"))
            flops = 4 * n * heads * length * length * dim * (2.5 if backward else 1) * (0.5 if causal else 1)
            r.case(f"attention {'backward ' if backward else ''}{n}×{length}×{heads}×{dim}{' causal' if causal else ''}", "bfloat16", request,
                   [("SDPA", prepare)], flops, 2 * 4 * n * length * heads * dim * (2 if backward else 1), calls=20)


# ---- from image files to features, and how busy the GPU is

def pipeline(r):
    """Our clipcap-extract from JPEG files against PyTorch with a DataLoader: images a second beyond the start."""
    if not r.a.extract:
        r.left_out.append("extraction from files: --extract names no clipcap-extract")
        return
    import numpy as np
    from PIL import Image
    few, many = (1024, 5120) if r.cuda else (2, 6)
    torch = r.torch
    with tempfile.TemporaryDirectory() as d:
        rng, names = np.random.default_rng(0), []
        for i in range(many):
            if i < 128:
                small = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
                Image.fromarray(small).resize((640, 480), Image.BICUBIC).save(f"{d}/{i:05}.jpg", quality=92)
            else:
                os.link(f"{d}/{i % 128:05}.jpg", f"{d}/{i:05}.jpg")
            names.append(f"{d}/{i:05}.jpg")

        def ours(n):
            with open(f"{d}/list", "w") as f:
                f.write("\n".join(names[:n]))
            t = time.perf_counter()
            subprocess.run([r.a.extract, "--clip", "random:ViT-B/32", "--images", f"{d}/list", "--out", f"{d}/out{n}", "--batch", "256" if r.cuda else "2",
                            "--precision", "bfloat16" if r.cuda else "float32", "--device", "cuda" if r.cuda else "cpu"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            return time.perf_counter() - t

        from peers_clip import networks
        net = networks()["ViT-B/32"]().eval().to(r.device)
        net = net.bfloat16() if r.cuda else net
        run = torch.compile(net) if r.cuda else net
        mean, std = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1), torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)

        class Files(torch.utils.data.Dataset):
            def __init__(self, names):
                self.names = names

            def __len__(self):
                return len(self.names)

            def __getitem__(self, i):
                im = Image.open(self.names[i]).convert("RGB")
                s = 224 / min(im.size)
                im = im.resize((round(im.width * s), round(im.height * s)), Image.BICUBIC)
                x, y = (im.width - 224) // 2, (im.height - 224) // 2
                t = torch.from_numpy(np.array(im.crop((x, y, x + 224, y + 224)))).permute(2, 0, 1).float() / 255
                return (t - mean) / std

        workers = (os.cpu_count() or 1) if r.cuda else 0

        @torch.inference_mode()
        def theirs(n):
            t = time.perf_counter()
            for x in torch.utils.data.DataLoader(Files(names[:n]), batch_size=256 if r.cuda else 2, num_workers=workers, pin_memory=r.cuda):
                run(x.to(r.device, next(net.parameters()).dtype, non_blocking=True)).float().cpu()
            return time.perf_counter() - t
        theirs(min(few, 256))  # compiles
        rates = {}
        for name, f in (("ours", ours), ("theirs", theirs)):
            a, b = f(few), f(many)
            rates[name] = (many - few) / max(1e-3, b - a)
    row = dict(case="files to features, ViT-B/32, 640×480 JPEG", precision="bfloat16", ours_per_s=rates["ours"], peers_per_s={"compiled, DataLoader": rates["theirs"]},
               ratios={"compiled, DataLoader": rates["ours"] / rates["theirs"]})
    r.rows.append(row)
    print(json.dumps(row), flush=True)


def busy(r):
    """How much of the time of a steady training run the GPU computes, by the driver's own count."""
    if not r.cuda:
        return
    for batch in (40, 256):
        request = dict(Step=dict(Kind="frozen", Batch=batch, Tokens=WORDS, Precision="bfloat16"))
        r.ask(Seconds=0.5, **request)
        watch = subprocess.Popen(["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"], stdout=subprocess.PIPE, text=True)
        r.ask(Seconds=6, **request)
        watch.terminate()
        each = [float(x) for x in watch.communicate()[0].split() if x.strip().isdigit()][5:-2]
        if each:
            row = dict(case=f"GPU busy in steady training, frozen b{batch}", precision="bfloat16", busy_percent=statistics.mean(each), samples=len(each))
            r.rows.append(row)
            print(json.dumps(row), flush=True)


def driver():
    try:
        return subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "none"


def table(r):
    """The results as Markdown."""
    name = r.torch.cuda.get_device_name() if r.cuda else "a CPU (dry run: the figures mean nothing)"
    lines = [f"{datetime.date.today()}, {name}, driver {driver()}, PyTorch {r.torch.__version__}. Largest products: bfloat16 {r.rate['bfloat16'] * 1e-12:.0f}, "
             f"tf32 {r.rate['tf32'] * 1e-12:.0f} TFLOP/s; copying {r.bandwidth * 1e-12:.2f} TB/s. {r.a.rounds} rounds; command: `scripts/gpu-check.sh`.", "",
             "| case | precision | ours, ms | PyTorch, ms | ratio to the best | share of the floor |", "|---|---|---|---|---|---|"]
    for x in r.rows:
        if "ours_ms" not in x:
            continue
        best = min(x["ratios"].items(), key=lambda e: e[1], default=(None, None))
        peers = ", ".join(f"{w} {t:.3g}" for w, t in x["peers"].items()) or "–"
        ratio = f"{best[1]:.2f}" if best[0] else "–"
        lines.append(f"| {x['case']} | {x['precision']} | {x['ours_ms']:.3g} | {peers} | {ratio} | {100 * x['floor']:.0f} % |")
    for x in r.rows:
        if "ours_per_s" in x:
            (w, t), = x["peers_per_s"].items()
            lines += ["", f"{x['case']}: ours {x['ours_per_s']:.0f} images/s, {w} {t:.0f}, ratio {x['ours_per_s'] / t:.2f}."]
        if "busy_percent" in x:
            lines += ["", f"{x['case']}: {x['busy_percent']:.1f} % over {x['samples']} samples."]
    if r.left_out:
        lines += ["", "Left out:"] + [f"- {x}" for x in r.left_out]
    return "\n".join(lines) + "\n"


PARTS = dict(train=train, decode=decode, encode=encode, products=products, attention=attention, pipeline=pipeline, busy=busy)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", default="bin/gpu/bench", help="our timing program (internal/bench, built with the tag gpu)")
    ap.add_argument("--extract", default="", help="our clipcap-extract, for extraction from files")
    ap.add_argument("--out", default="", help="also write the table to this file")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--seconds", type=float, default=0.3, help="one turn of one contender")
    ap.add_argument("--budget", type=float, default=400, help="seconds for everything; what would not fit is left out and listed")
    ap.add_argument("--parts", default=",".join(PARTS))
    ap.add_argument("--autotune", action="store_true", help="compile the encoders with max-autotune, which takes minutes")
    ap.add_argument("--dry-run", action="store_true", help="on the CPU, with hardly any work")
    a = ap.parse_args()
    parts = a.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        sys.exit(f"--parts: no part {', '.join(sorted(unknown))}; want {', '.join(PARTS)}")
    import torch
    if not a.dry_run and not torch.cuda.is_available():
        sys.exit("peers_gpu: PyTorch sees no GPU here (--dry-run tries the script out on the CPU)")
    if a.dry_run:
        a.rounds, a.seconds = 1, 0
    r = Run(a)
    peaks(r)
    for p in parts:
        if p == "pipeline" and r.left() < 60 and r.cuda:
            r.left_out.append("extraction from files: the budget was spent")
            continue
        try:
            PARTS[p](r)
        except Exception as e:
            r.left_out.append(f"{p}: {type(e).__name__}: {e}")
    text = table(r)
    print("\n" + text)
    if a.out:
        with open(a.out, "w") as f:
            f.write(text)
    if not r.rows:
        sys.exit("peers_gpu: nothing was measured")


if __name__ == "__main__":
    main()
