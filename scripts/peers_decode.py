"""Times captions: ours against PyTorch's and ONNX Runtime's, in turns, in one run.

GPT-2 small with random weights writes --steps tokens after a prefix of 10 rows, nothing ending it early. All contenders do the whole of
it: the prefix, then one token after the other. Each is a process that answers requests, one JSON line each; all of them are asked in
turn, several times over; a figure is the median of the medians of a contender's turns, a ratio the median of the ratios of the turns.
On a machine with other load, which slows some contenders more than others, --best takes every contender's best time of all its turns.

The peers: the original's way (no cache, logits of every row, float32); PyTorch with a key/value cache, fused attention and GELU,
in float32 and in bfloat16; the same compiled by inductor, with a cache of fixed size and the weights frozen and packed; ONNX Runtime with a key/value cache in float32, all optimisations on. Ours takes the four forms of
weights; "both" is bfloat16 weights and activations.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

V, D, H, L, P = 50257, 768, 12, 12, 10  # GPT-2 small, and the prefix's rows


def build(fused, V=V, D=D, H=H, L=L):
    """GPT-2 small in PyTorch, or of other sizes: forward(x [b,t,D], past) gives the last row's logits, or all rows' for the original's way, and the cache."""
    import math

    import torch
    from torch import nn
    from torch.nn import functional as F

    def gelu_new(x):
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))

    class Conv1D(nn.Module):
        def __init__(self, i, o):
            super().__init__()
            self.w, self.b = nn.Parameter(torch.randn(i, o) * 0.02), nn.Parameter(torch.zeros(o))

        def forward(self, x):
            return torch.addmm(self.b, x.reshape(-1, x.size(-1)), self.w).view(*x.shape[:-1], -1)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.n1, self.n2 = nn.LayerNorm(D), nn.LayerNorm(D)
            self.qkv, self.proj, self.up, self.down = Conv1D(D, 3 * D), Conv1D(D, D), Conv1D(D, 4 * D), Conv1D(4 * D, D)

        def forward(self, x, past):
            q, k, v = (t.view(*t.shape[:-1], H, D // H).transpose(1, 2) for t in self.qkv(self.n1(x)).split(D, dim=2))
            if past is not None:
                k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
            if fused:
                o = F.scaled_dot_product_attention(q, k, v, is_causal=q.size(2) > 1)
            else:
                w = q @ k.transpose(2, 3) / math.sqrt(D // H)
                n, m = q.size(2), k.size(2)
                seen = torch.arange(m)[None] <= torch.arange(n)[:, None] + (m - n)
                o = torch.softmax(w.masked_fill(~seen, torch.finfo(w.dtype).min), -1) @ v
            x = x + self.proj(o.transpose(1, 2).reshape(x.shape))
            u = self.up(self.n2(x))
            return x + self.down(F.gelu(u, approximate="tanh") if fused else gelu_new(u)), (k, v)

    class GPT2(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(V, D), nn.Embedding(1024, D)
            self.h, self.nf = nn.ModuleList(Block() for _ in range(L)), nn.LayerNorm(D)
            nn.init.normal_(self.wte.weight, std=0.02)
            nn.init.normal_(self.wpe.weight, std=0.01)

        def forward(self, x, past=None, all_rows=False):
            at = 0 if past is None else past[0][0].size(2)
            x = x + self.wpe.weight[at:at + x.size(1)]
            new = []
            for i, b in enumerate(self.h):
                x, kv = b(x, None if past is None else past[i])
                new.append(kv)
            x = self.nf(x if all_rows else x[:, -1:])
            return F.linear(x, self.wte.weight), new

    torch.manual_seed(0)
    return GPT2().eval()


def torch_greedy(net, prefix, steps):
    import torch
    x, past = prefix, None
    for _ in range(steps):
        logits, past = net(x, past)
        x = net.wte(torch.argmax(logits[:, -1], -1, keepdim=True))


def torch_beam(net, prefix, steps, width, cache):
    """The original's generate_beam; with a cache where asked."""
    import torch
    gen, x, past, scores, lens = prefix, prefix, None, None, torch.ones(width)
    for _ in range(steps):
        logits, new = net(x, past) if cache else net(gen, None, True)
        logp = logits[:, -1].float().softmax(-1).log()
        past = new if cache else None
        if scores is None:
            scores, tokens = logp.topk(width, -1)
            scores, tokens = scores.squeeze(0), tokens.squeeze(0)
            gen = gen.expand(width, *gen.shape[1:])
            if cache:
                past = [(k.expand(width, -1, -1, -1), v.expand(width, -1, -1, -1)) for k, v in past]
        else:
            lens += 1
            mean, best = ((scores[:, None] + logp) / lens[:, None]).view(-1).topk(width)
            source, tokens = best // V, best % V
            gen, scores = gen[source], mean * lens
            if cache:
                past = [(k[source], v[source]) for k, v in past]
        x = net.wte(tokens).view(width, 1, -1)
        gen = torch.cat((gen, x), 1)


def build_compiled(dtype, compiled=None, device="cpu", **sizes):
    """The same for inductor: forward(x [b,t,D], at [t], cache) writes to a cache of fixed size and gives the last row's logits.
    compiled stands in for torch.compile and its settings for a CPU."""
    import torch
    from torch import nn
    from torch.nn import functional as F
    net = build(True, **sizes).to(device, dtype)
    heads, dim = sizes.get("H", H), net.wte.embedding_dim

    class Static(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x, at, cache):
            x = x + net.wpe.weight[at]
            seen = torch.arange(cache[0][0].size(2), device=x.device)[None] <= at[:, None]
            for b, (ks, vs) in zip(self.net.h, cache):
                q, k, v = (t.view(*t.shape[:-1], heads, dim // heads).transpose(1, 2) for t in b.qkv(b.n1(x)).split(dim, dim=2))
                ks.index_copy_(2, at, k)
                vs.index_copy_(2, at, v)
                o = F.scaled_dot_product_attention(q, ks, vs, attn_mask=seen)
                x = x + b.proj(o.transpose(1, 2).reshape(x.shape))
                x = x + b.down(F.gelu(b.up(b.n2(x)), approximate="tanh"))
            return F.linear(self.net.nf(x[:, -1:]), self.net.wte.weight)

    if compiled:
        return net, compiled(Static().eval())
    import torch._dynamo.config as dynamo
    import torch._inductor.config as inductor
    inductor.freezing, dynamo.cache_size_limit = True, 64
    return net, torch.compile(Static().eval(), dynamic=False, fullgraph=True)


def compiled_job(q, kind, cache={}):
    import torch
    dtype = torch.bfloat16 if kind == "compiled bf16" else torch.float32
    if kind not in cache:
        cache[kind] = build_compiled(dtype)
    net, forward = cache[kind]
    n, steps, width = q["Images"], q["Steps"], q["Beam"] if q["Mode"] == "beam" else 1
    prefix = torch.randn(n, P, D).to(dtype) * 0.02
    first = [torch.zeros(n, H, P + steps, D // H, dtype=dtype) for _ in range(2 * L)]
    spread = [torch.zeros(n * width, H, P + steps, D // H, dtype=dtype) for _ in range(2 * L)] if width > 1 else first
    places = [torch.arange(P)] + [torch.tensor([P + i]) for i in range(steps)]
    pairs = lambda flat: [(flat[2 * i], flat[2 * i + 1]) for i in range(L)]

    def run():
        with torch.no_grad():
            logits, scores = forward(prefix, places[0], pairs(first)), None
            for i in range(1, steps + 1):
                if width == 1:
                    tokens = torch.argmax(logits[:, -1], -1, keepdim=True)
                else:  # generate_beam's search
                    logp = logits[:, -1].float().softmax(-1).log()
                    if scores is None:
                        scores, tokens = (t.squeeze(0) for t in logp.topk(width, -1))
                        for a, b in zip(spread, first):
                            a.copy_(b.expand(width, -1, -1, -1))
                    else:
                        mean, best = ((scores[:, None] + logp) / i).view(-1).topk(width)
                        source, tokens, scores = best // V, best % V, mean * i
                        for a in spread:
                            a.copy_(a[source])
                x = net.wte(tokens).view(n * width, 1, -1)
                if i < steps:
                    logits = forward(x, places[i], pairs(spread))
    return run


def export(path):
    """The graph for ONNX Runtime: embeds [b,t,D] and past [L,2,b,H,p,D/H] to the last row's logits and the new past."""
    import torch
    from torch import nn

    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = build(False)

        def forward(self, x, past):
            logits, new = self.net(x, [(past[i, 0], past[i, 1]) for i in range(L)])
            return logits[:, -1], torch.stack([torch.stack(kv) for kv in new]), self.net.wte(torch.argmax(logits, -1))

    with torch.no_grad():
        torch.onnx.export(Flat().eval(), (torch.zeros(2, 3, D), torch.zeros(L, 2, 2, H, 4, D // H)), path, opset_version=17, dynamo=False,
                          input_names=["x", "past"], output_names=["logits", "new", "next"],
                          dynamic_axes={"x": {0: "b", 1: "t"}, "past": {2: "b", 4: "p"}, "logits": {0: "b"}, "new": {2: "b", 4: "n"}, "next": {0: "b"}})


def ort_job(q, threads, cache={}):
    import numpy as np
    import onnxruntime as ort
    if not cache:
        with tempfile.TemporaryDirectory() as d:
            export(d + "/gpt2.onnx")
            o = ort.SessionOptions()
            o.intra_op_num_threads, o.inter_op_num_threads = threads, 1
            o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
            cache["s"] = ort.InferenceSession(d + "/gpt2.onnx", o, providers=["CPUExecutionProvider"])
    s, b = cache["s"], q["Images"] * (q["Beam"] if q["Mode"] == "beam" else 1)
    prefix = np.random.default_rng(0).standard_normal((b, P, D), np.float32) * 0.02

    def run():
        x, past = prefix, np.zeros((L, 2, b, H, 0, D // H), np.float32)
        for _ in range(q["Steps"]):  # the next word is chosen and embedded in the graph; the search itself is left out
            past, x = s.run(["new", "next"], {"x": x, "past": past})
    return run


def torch_job(q, kind, cache={}):
    import torch
    dtype = torch.bfloat16 if kind == "torch bf16" else torch.float32
    if kind not in cache:
        cache[kind] = build(kind != "original").to(dtype)
    net, prefix = cache[kind], torch.randn(q["Images"], P, D).to(dtype) * 0.02
    if q["Mode"] == "greedy":
        if kind == "original":
            def run():
                gen = prefix
                for _ in range(q["Steps"]):
                    logits, _ = net(gen, None, True)
                    gen = torch.cat((gen, net.wte(torch.argmax(logits[:, -1], -1, keepdim=True))), 1)
            return run
        return lambda: torch_greedy(net, prefix, q["Steps"])
    return lambda: torch_beam(net, prefix, q["Steps"], q["Beam"], kind != "original")


def measure(fn, seconds):
    """Median and best seconds of fn, after one call that warms up."""
    fn()
    each, start = [], time.perf_counter()
    while len(each) < 2 or time.perf_counter() - start < seconds:
        t = time.perf_counter()
        fn()
        each.append(time.perf_counter() - t)
    return dict(Best=min(each), Median=statistics.median(each))


def serve(kind, threads):
    """A peer's process: answers requests until the input ends."""
    import torch
    torch.set_num_threads(threads)
    with torch.inference_mode():
        for line in sys.stdin:
            q = json.loads(line)
            d = q["Decode"]
            if kind == "ort" or kind.startswith("compiled"):
                with torch.inference_mode(False):
                    fn = ort_job(d, threads) if kind == "ort" else compiled_job(d, kind)
                    if kind != "ort":
                        print(json.dumps(measure(fn, q["Seconds"])), flush=True)
                        continue
            else:
                fn = torch_job(d, kind)
            print(json.dumps(measure(fn, q["Seconds"])), flush=True)


class Contender:
    def __init__(self, name, command, best, **env):
        self.name, self.best = name, best
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **env})

    def ask(self, **q):
        self.process.stdin.write(json.dumps(q) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended")
        r = json.loads(line)
        return sys.exit(f"{self.name}: {r['Error']}") if r.get("Error") else r["Best" if self.best else "Median"]


# A job, its forms of ours, and its peers.
JOBS = {
    "greedy": (dict(Mode="greedy", Images=1), ["float32", "bfloat16", "int8", "both"], ["ort", "torch", "compiled", "torch bf16", "compiled bf16"]),
    "beam": (dict(Mode="beam", Images=1), ["float32", "bfloat16", "int8", "both"], ["original", "ort", "torch", "compiled", "torch bf16", "compiled bf16"]),
    "sixteen": (dict(Mode="greedy", Images=16), ["float32", "bfloat16", "int8", "both"], ["ort", "torch", "compiled", "torch bf16", "compiled bf16"]),
}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", default="bin/bench", help="our timing program (internal/bench)")
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=0.5, help="one turn of one contender")
    ap.add_argument("--steps", type=int, default=15)
    ap.add_argument("--beam", type=int, default=5)
    ap.add_argument("--jobs", default="greedy,beam,sixteen")
    ap.add_argument("--peers", default="", help="only these, by commas: ort, torch, compiled, torch bf16, compiled bf16, original")
    ap.add_argument("--best", action="store_true", help="the best time of all of a contender's turns instead of medians")
    ap.add_argument("--peer", help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.peer:
        return serve(a.peer, a.threads)
    jobs = a.jobs.split(",")
    if unknown := set(jobs) - set(JOBS):
        sys.exit(f"--jobs: no job {', '.join(sorted(unknown))}; want {', '.join(JOBS)}")
    env = dict(OMP_NUM_THREADS=str(a.threads), MKL_NUM_THREADS=str(a.threads), OPENBLAS_NUM_THREADS=str(a.threads), GOMAXPROCS=str(a.threads))
    ours = Contender("ours", [a.ours, "-serve"], a.best, **env)
    peers = {}
    if only := set(filter(None, a.peers.split(","))):
        for j in JOBS:
            JOBS[j] = (*JOBS[j][:2], [p for p in JOBS[j][2] if p in only])
    for p in dict.fromkeys(p for j in jobs for p in JOBS[j][2]):
        peers[p] = Contender(p, [sys.executable, os.path.abspath(__file__), "--threads", str(a.threads), "--peer", p], a.best, **env)
    import onnxruntime
    import torch
    print(f"PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, {a.threads} threads, {torch.backends.cpu.get_cpu_capability()}")
    weights = {"float32": 4, "bfloat16": 2, "int8": 1, "both": 2}
    for j in jobs:
        job, forms, rivals = JOBS[j]
        job = dict(job, Beam=a.beam, Prefix=P, Steps=a.steps)
        got, memory = {c: [] for c in forms + rivals}, []
        for _ in range(a.rounds):
            memory.append(ours.ask(Memory=True))
            for c in forms:
                got[c].append(ours.ask(Seconds=a.seconds, Decode=dict(job, Weights=c)))
            for c in rivals:
                got[c].append(peers[c].ask(Seconds=a.seconds, Decode=job))
        if a.best:
            got, memory = {c: [min(v)] for c, v in got.items()}, [max(memory)]
        mid = {c: statistics.median(v) for c, v in got.items()}
        print(f"\n{j}: {a.steps} tokens each, milliseconds: " + ", ".join(f"{c} {1e3 * mid[c]:.1f}" for c in rivals) +
              f"; reading memory {statistics.median(memory) * 1e-9:.1f} GB/s")
        print(f"{'ours':>10} {'ms':>8} {'ms/step':>8} {'of floor':>9} " + " ".join(f"{'x ' + c:>13}" for c in rivals))
        for c in forms:
            floor = statistics.median(weights[c] * 123_532_032 * a.steps / m / t for m, t in zip(memory, got[c]))
            print(f"{c:>10} {1e3 * mid[c]:8.1f} {1e3 * mid[c] / a.steps:8.2f} {floor:9.2f} " +
                  " ".join(f"{statistics.median(p / o for p, o in zip(got[r], got[c])):13.2f}" for r in rivals), flush=True)


if __name__ == "__main__":
    main()
