"""Times CLIP's image encoders: ours against PyTorch's and ONNX Runtime's, in turns, in one run.

As in peers_gemm.py every contender is a process that answers timing requests, and a figure is the median of its turns. The
networks have random weights and OpenAI's shapes. The peers: PyTorch as it is (channels last for the ResNets), compiled by
inductor with the weights frozen and packed, and ONNX Runtime; in float32 and, PyTorch's, in bfloat16.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import time

from peers_gemm import Contender

CASES = [("ViT-B/32", 64), ("ViT-B/32", 1), ("RN50x4", 16), ("RN50x4", 1)]


def timed(fn, seconds):
    """Seconds of one call of fn, the median of at least two; a network's first turn is its warm-up."""
    each, start = [], time.perf_counter()
    while len(each) < 2 or time.perf_counter() - start < seconds:
        t = time.perf_counter()
        fn()
        each.append(time.perf_counter() - t)
    return dict(Best=min(each), Median=statistics.median(each))


def networks():
    """The two kinds of image tower in plain PyTorch."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Layer(nn.Module):
        def __init__(self, d, heads):
            super().__init__()
            self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(d), nn.LayerNorm(d)
            self.qkv, self.out, self.up, self.down = nn.Linear(d, 3 * d), nn.Linear(d, d), nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

        def forward(self, x):
            b, n, d = x.shape
            q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
            x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))
            y = self.up(self.norm2(x))
            return x + self.down(y * torch.sigmoid(1.702 * y))

    class ViT(nn.Module):
        def __init__(self, size=224, patch=32, d=768, layers=12, heads=12, embed=512):
            super().__init__()
            self.size, grid = size, size // patch
            self.patches = nn.Conv2d(3, d, patch, patch, bias=False)
            self.first, self.positions = nn.Parameter(torch.randn(1, 1, d)), nn.Parameter(torch.randn(1, grid * grid + 1, d))
            self.before, self.after, self.proj = nn.LayerNorm(d), nn.LayerNorm(d), nn.Linear(d, embed, bias=False)
            self.layers = nn.Sequential(*(Layer(d, heads) for _ in range(layers)))

        def forward(self, x):
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat((self.first.expand(x.shape[0], -1, -1), x), 1) + self.positions
            return self.proj(self.after(self.layers(self.before(x))[:, 0]))

    def normed(i, o, k, stride=1):
        return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2, bias=False), nn.BatchNorm2d(o))

    class Block(nn.Module):
        def __init__(self, i, mid, stride):
            super().__init__()
            self.a, self.b, self.c = normed(i, mid, 1), normed(mid, mid, 3), normed(mid, 4 * mid, 1)
            self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
            self.short = nn.Sequential(self.pool, normed(i, 4 * mid, 1)) if stride > 1 or i != 4 * mid else nn.Identity()

        def forward(self, x):
            return F.relu(self.c(self.pool(F.relu(self.b(F.relu(self.a(x)))))) + self.short(x))

    class Pool(nn.Module):
        def __init__(self, side, d, heads, embed):
            super().__init__()
            self.heads, self.positions = heads, nn.Parameter(torch.randn(1, side * side + 1, d))
            self.q, self.k, self.v, self.out = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, embed)

        def forward(self, x):
            x = x.flatten(2).transpose(1, 2)
            x = torch.cat((x.mean(1, keepdim=True), x), 1) + self.positions
            split = lambda y: y.view(y.shape[0], y.shape[1], self.heads, -1).transpose(1, 2)
            return self.out(F.scaled_dot_product_attention(split(self.q(x[:, :1])), split(self.k(x)), split(self.v(x))).flatten(1))

    class ResNet(nn.Module):
        def __init__(self, size=288, w=80, stages=(4, 6, 10, 6), embed=640):
            super().__init__()
            self.size = size
            relu = nn.ReLU(inplace=True)
            parts, i = [normed(3, w // 2, 3, 2), relu, normed(w // 2, w // 2, 3), relu, normed(w // 2, w, 3), relu, nn.AvgPool2d(2)], w
            for s, blocks in enumerate(stages):
                for n in range(blocks):
                    parts.append(Block(i, w << s, 2 if s and not n else 1))
                    i = 4 * (w << s)
            self.body, self.pool = nn.Sequential(*parts), Pool(size // 32, i, i // 64, embed)

        def forward(self, x):
            return self.pool(self.body(x))

    return {"ViT-B/32": ViT, "RN50x4": ResNet}


class Peer:
    """One contender of PyTorch's side; networks are made once."""

    def __init__(self, kind, threads):
        import torch
        self.torch, self.kind, self.threads, self.runs = torch, kind, threads, {}
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)

    def network(self, name):
        self.torch.manual_seed(0)
        return networks()[name]().eval()

    def make(self, name, images, dtype):
        torch, net = self.torch, self.network(name)
        x = torch.randn(images, 3, net.size, net.size)
        if self.kind == "onnxruntime":
            return None if dtype != "float32" else self.onnx(net, x)
        if dtype == "bfloat16":
            net, x = net.bfloat16(), x.bfloat16()
        if name.startswith("RN"):
            net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        if self.kind == "compiled":
            import torch._inductor.config as config
            config.freezing = True
            net = torch.compile(net)
        return lambda: net(x)

    def onnx(self, net, x):
        import warnings

        import onnxruntime
        warnings.simplefilter("ignore")
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "net.onnx")
            self.torch.onnx.export(net, x, path, input_names=["x"], output_names=["y"], opset_version=17, dynamo=False)
            o = onnxruntime.SessionOptions()
            o.intra_op_num_threads = self.threads
            session = onnxruntime.InferenceSession(path, o, providers=["CPUExecutionProvider"])
        feed = {"x": x.numpy()}
        return lambda: session.run(None, feed)

    def serve(self):
        for line in sys.stdin:
            q = json.loads(line)
            key = q["CLIP"], q["M"], q["Precision"]
            if key not in self.runs:
                self.runs[key] = self.make(*key)
            fn = self.runs[key]
            print(json.dumps(timed(fn, q["Seconds"]) if fn else {"Error": "not this"}), flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", default="bin/bench", help="our timing program (internal/bench)")
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=1.0, help="one turn of one contender")
    ap.add_argument("--only", default="", help="cases that contain this text, as 'ViT' or 'b16'")
    ap.add_argument("--precisions", default="float32,high,bfloat16", help="ours; the peers' are float32 or bfloat16")
    ap.add_argument("--peers", default="torch,compiled,onnxruntime")
    ap.add_argument("--peer", help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.peer:
        return Peer(a.peer, a.threads).serve()
    env = dict(OMP_NUM_THREADS=str(a.threads), MKL_NUM_THREADS=str(a.threads), GOMAXPROCS=str(a.threads))
    me = [sys.executable, os.path.abspath(__file__), "--threads", str(a.threads), "--peer"]
    peers = a.peers.split(",")
    contenders = {"ours": Contender("ours", [a.ours, "-serve"], **env), **{p: Contender(p, me + [p], **env) for p in peers}}
    import onnxruntime
    import torch
    print(f"PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, {a.threads} threads, {torch.backends.cpu.get_cpu_capability()}; images/s")
    print(f"{'':>24} {'ours':>9} " + " ".join(f"{p:>12}" for p in peers) + f" {'ratio':>6}  to", flush=True)
    for name, images in CASES:
        if a.only not in f"{name} b{images}":
            continue
        for precision in a.precisions.split(","):
            got = {c: [] for c in contenders}
            for turn in range(a.rounds + 1):  # the first makes the networks
                for c, contender in contenders.items():
                    theirs = precision if c == "ours" or precision == "bfloat16" else "float32"
                    r = contender.ask(CLIP=name, M=images, Precision=theirs, Seconds=a.seconds if turn else 0)
                    if r and turn:
                        got[c].append(images / r["Median"])
            speed = {c: statistics.median(v) for c, v in got.items() if v}
            peer = max(peers, key=lambda c: speed.get(c, 0))
            print(f"{f'{name} b{images} {precision}':>24} {speed['ours']:9.1f} " +
                  " ".join(f"{speed[p]:12.1f}" if p in speed else f"{'-':>12}" for p in peers) + f" {speed['ours'] / speed[peer]:6.2f}  {peer}", flush=True)


if __name__ == "__main__":
    main()
