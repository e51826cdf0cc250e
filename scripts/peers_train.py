"""Times training steps: ours against PyTorch's, in turns, in one run, with everybody's peak memory.

The two workloads of the paper at its sizes (GPT-2 small, features of 512 numbers, prefix 10): the MLP mapper with GPT-2
tuned, and the transformer mapper with GPT-2 frozen. Captions have 8 tokens and an exponential tail, 11.6 on average, 24 at most.
Every contender is a process of its own that holds its model and makes one step when asked. Ours and a peer take turns, --rounds
times; seconds are the median of a contender's steps and the ratio the median of the rounds' ratios, which other load on the machine
changes least; then the next peer. (Two models at a time fit a small machine's memory.)

  O   the original's way, in float32: captions padded to 40, logits for every row, attention mask, GPT-2's gradients computed
      and dropped where it is frozen, AdamW one parameter at a time, GELU in eight operations
  T   PyTorch with every lever of ours that it can have: logits at caption tokens alone, no padding (captions sorted by length
      into one length a batch, an ideal no shuffled run reaches), one-operation GELU, attention and AdamW, frozen weights without gradients
  TC  T under torch.compile, where a C++ compiler is at hand

T's captions all have 12 tokens: it computes a little more useful work than ours (480 against 463 of 40 captions) and no waste.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time

VOCAB, PREFIX, PAD = 50257, 10, 40


def lengths(n, seed=0):
    """Token counts like COCO's."""
    import random
    r = random.Random(seed)
    return [min(24, 8 + int(r.expovariate(1 / 4.1))) for _ in range(n)]


def build(fused, vocab=VOCAB, dim=768, heads=12, layers=12, mapper_layers=8):
    import torch
    from torch import nn
    from torch.nn import functional as F
    D, H = dim, heads

    def gelu_new(x):
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))

    class Conv1D(nn.Module):
        def __init__(self, a, b):
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.randn(a, b) * 0.02), nn.Parameter(torch.zeros(b))

        def forward(self, x):
            return torch.addmm(self.bias, x.reshape(-1, x.size(-1)), self.weight).view(*x.shape[:-1], -1)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.n1, self.n2 = nn.LayerNorm(D), nn.LayerNorm(D)
            self.qkv, self.o, self.up, self.down = Conv1D(D, 3 * D), Conv1D(D, D), Conv1D(D, 4 * D), Conv1D(4 * D, D)
            self.drop = nn.Dropout(0.1)
            if not fused:
                self.register_buffer("causal", torch.tril(torch.ones(1024, 1024, dtype=torch.bool)).view(1, 1, 1024, 1024))

        def attend(self, x, mask):
            b, t, _ = x.shape
            q, k, v = (z.view(b, t, H, D // H).transpose(1, 2) for z in self.qkv(x).split(D, dim=2))
            if fused:
                a = F.scaled_dot_product_attention(q, k, v, dropout_p=0.1 if self.training else 0.0, is_causal=True)
            else:
                w = q @ k.transpose(-1, -2) / math.sqrt(D // H)
                w = torch.where(self.causal[:, :, :t, :t], w, torch.tensor(-1e4, dtype=w.dtype)) + mask
                a = self.drop(F.softmax(w, dim=-1)) @ v
            return self.drop(self.o(a.transpose(1, 2).reshape(b, t, D)))

        def forward(self, x, mask):
            x = x + self.attend(self.n1(x), mask)
            y = self.up(self.n2(x))
            y = F.gelu(y, approximate="tanh") if fused else gelu_new(y)
            return x + self.drop(self.down(y))

    class GPT2(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(vocab, D), nn.Embedding(1024, D)
            self.h, self.norm, self.drop = nn.ModuleList(Block() for _ in range(layers)), nn.LayerNorm(D), nn.Dropout(0.1)
            nn.init.normal_(self.wte.weight, std=0.02)
            nn.init.normal_(self.wpe.weight, std=0.01)

        def forward(self, x, mask):
            x = self.drop(x + self.wpe.weight[:x.size(1)])
            for b in self.h:
                x = b(x, mask)
            return self.norm(x)

    class MLP(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(512, D * PREFIX // 2), nn.Tanh(), nn.Linear(D * PREFIX // 2, D * PREFIX))

        def forward(self, x):
            return super().forward(x).view(-1, PREFIX, D)

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.n1, self.n2 = nn.LayerNorm(D), nn.LayerNorm(D)
            self.q, self.kv, self.o = nn.Linear(D, D, bias=False), nn.Linear(D, 2 * D, bias=False), nn.Linear(D, D)
            self.up, self.down = nn.Linear(D, 2 * D), nn.Linear(2 * D, D)

        def forward(self, x):
            b, t, _ = x.shape
            y = self.n1(x)
            if fused:
                q = self.q(y).view(b, t, 8, D // 8).transpose(1, 2)
                k, v = (z.view(b, t, 8, D // 8).transpose(1, 2) for z in self.kv(y).split(D, dim=2))
                a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
            else:
                q, kv = self.q(y).view(b, t, 8, D // 8), self.kv(y).view(b, t, 2, 8, D // 8)
                w = torch.einsum("bnhd,bmhd->bnmh", q, kv[:, :, 0]) * (D // 8) ** -0.5
                a = torch.einsum("bnmh,bmhd->bnhd", w.softmax(dim=2), kv[:, :, 1])
            x = x + self.o(a.reshape(b, t, D))
            return x + self.down(F.relu(self.up(self.n2(x))))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.const = nn.Linear(512, 10 * D), nn.Parameter(torch.randn(PREFIX, D))
            self.layers = nn.ModuleList(Layer() for _ in range(mapper_layers))

        def forward(self, x):
            x = torch.cat((self.linear(x).view(-1, 10, D), self.const.expand(x.size(0), -1, -1)), 1)
            for l in self.layers:
                x = l(x)
            return x[:, 10:]

    return GPT2(), MLP, Transformer


def hf_adamw(params, lr):
    """transformers' AdamW: one parameter at a time."""
    import torch
    state = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in params]
    count = [0]

    @torch.no_grad()
    def step():
        count[0] += 1
        t = count[0]
        rate = lr * math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
        for p, m, v in state:
            if p.grad is not None:
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                p.addcdiv_(m, v.sqrt().add_(1e-6), value=-rate)
    return step


def torch_step(way, workload, precision, batch):
    import torch
    from torch.nn import functional as F
    torch.manual_seed(0)
    tuned, best = workload == "tuned", way != "O"
    gpt, mlp, transformer = build(best)
    mapper = mlp() if tuned else transformer()
    gpt.train(tuned)
    params = list(mapper.parameters()) + (list(gpt.parameters()) if tuned else [])
    if best and not tuned:
        gpt.requires_grad_(False)
    clip = torch.randn(batch, 512)
    if best:
        tokens = torch.randint(1, VOCAB, (batch, 12))
        optimizer = torch.optim.AdamW(params, lr=2e-5, weight_decay=0, eps=1e-6, fused=True)
        update = optimizer.step
    else:
        tokens = torch.zeros(batch, PAD, dtype=torch.long)
        for i, n in enumerate(lengths(batch)):
            tokens[i, :n] = torch.randint(1, VOCAB, (n,))
        update = hf_adamw(params, 2e-5)
    mask = None if best else (1.0 - torch.cat((torch.ones(batch, PREFIX), (tokens > 0).float()), 1))[:, None, None, :] * -1e4

    def loss():
        x = torch.cat((mapper(clip), gpt.wte(tokens if not best else tokens[:, :-1])), 1)
        hidden = gpt(x, mask)
        if best:
            hidden = hidden[:, PREFIX - 1:].reshape(-1, hidden.size(-1))
            return F.cross_entropy(F.linear(hidden, gpt.wte.weight).float(), tokens.flatten())
        logits = F.linear(hidden, gpt.wte.weight)[:, PREFIX - 1:-1].float()
        return F.cross_entropy(logits.reshape(-1, VOCAB), tokens.flatten(), ignore_index=0)

    run = torch.compile(loss) if way == "TC" else loss

    def step():
        for p in params:
            if best:
                p.grad = None
            elif p.grad is not None:
                p.grad.zero_()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            l = run()
        l.backward()
        update()
        return l.item()
    return step


def peak():
    """The process's largest memory so far, MB."""
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def serve(way, workload, precision, batch, threads):
    import torch
    torch.set_num_threads(threads)
    step = torch_step(way, workload, precision, batch)
    for _ in range(1 if way == "O" else 2):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        t = time.perf_counter()
        step()
        print(json.dumps(dict(Seconds=time.perf_counter() - t, PeakMB=peak())), flush=True)


class Contender:
    def __init__(self, name, command, env):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **env})
        self.times, self.memory = [], 0.0
        if self.process.stdout.readline().strip() != "ready":
            sys.exit(f"{name} did not start")

    def ask(self):
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended")
        r = json.loads(line)
        self.times.append(r["Seconds"])
        self.memory = max(self.memory, r["PeakMB"])

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def report(title, batch, contenders):
    ours = contenders[0]
    for x in contenders:
        s = statistics.median(x.times)
        turns = statistics.median(t / o for t, o in zip(x.times, ours.times))
        ratio = "" if x is ours else f"  {turns:5.2f}x {ours.memory / x.memory:5.2f}"
        print(f"{title:>24} {x.name:>8} {s:8.3f} {batch / s:11.1f} {x.memory:8.0f}{ratio}", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", default="bin/bench", help="our timing program (internal/bench)")
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--workload", default="tuned,frozen")
    ap.add_argument("--precision", default="float32,bfloat16")
    ap.add_argument("--batch", default="40")
    ap.add_argument("--peers", default="O,T,TC", help="O is the float32 one in every precision")
    ap.add_argument("--each", action="store_true", help="print after every round")
    ap.add_argument("--peer", help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.peer:
        return serve(a.peer, a.workload, a.precision, int(a.batch), a.threads)
    n = str(a.threads)
    # No page faults from malloc: large buffers stay with the process.
    env = dict(OMP_NUM_THREADS=n, MKL_NUM_THREADS=n, GOMAXPROCS=n, MALLOC_MMAP_THRESHOLD_="4294967296", MALLOC_TRIM_THRESHOLD_="8589934592")
    print(f"{'step':>24} {'':>8} {'s':>8} {'captions/s':>11} {'peak MB':>8}  ours/it: speed, memory", flush=True)
    for workload in a.workload.split(","):
        for batch in a.batch.split(","):
            for precision in a.precision.split(","):
                flags = ["--workload", workload, "--batch", batch, "--threads", n]
                ours = Contender("ours", [a.ours, "-serve-step", "-step", workload, "-batch", batch, "-precision", precision, "-tokens", "0"], env)
                for way in sorted(a.peers.split(","), reverse=True):  # the slow original last
                    p = "float32" if way == "O" else precision
                    peer = Contender(way, [sys.executable, os.path.abspath(__file__), "--peer", way, "--precision", p] + flags, env)
                    ours.times = []
                    rounds = max(2, a.rounds // 2) if way == "O" else a.rounds
                    for r in range(rounds):
                        ours.ask()
                        peer.ask()
                        if r + 1 == rounds or a.each:
                            report(f"{workload} {precision} b{batch}", int(batch), [ours, peer])
                    peer.end()
                ours.end()


if __name__ == "__main__":
    main()
