"""Times ClipCap's work on a GPU: ours against the PyTorch that is installed there, in turns, in one run.

Ours is a process (internal/bench -device cuda -serve) that answers timing requests, one JSON line each; PyTorch runs in this
one. For every case each way of PyTorch takes turns with ours, --rounds times; a figure is the median of a contender's turns, a
ratio the median of the turns' ratios. Everything is waited for, as a user waits: a training step until its loss is read, captions
until they are there. PyTorch has every lever that ours has (one-operation GELU, attention and AdamW, no padding, logits of caption
rows alone, frozen weights without gradients), and is run as it is (eager), as a captured CUDA graph, and under torch.compile.

With --alone ours is timed once a case and PyTorch is not needed. A run with it begins with the cases that the project's goals name, first against
what needs no compiling, then against what does, which takes most of a minute each; the other cases follow likewise. The file --out is written anew
after each row, so a run that is cut short leaves what it measured, and a later run with the same program, GPU and PyTorch goes on with what is not in it.
What inductor made is in the folder TORCHINDUCTOR_CACHE_DIR and found there again. A case that fails or takes too long is listed and the next goes on.

Our precisions are compared with theirs: high (two tf32 parts of each operand) and float32 with PyTorch's tf32, bfloat16 with
bfloat16 (weights under autocast in training, weights in bfloat16 elsewhere).

The floor of a case is the longer of its multiply-adds at the rate of the largest cuBLAS product measured in the run and its
bytes at the rate of a large copy; the share of the floor is how much of ours is that time.

--dry-run tries everything out on the CPU with tiny networks, CUDA graphs pretended, inductor writing C++ where there is a compiler for it; its figures mean nothing.
"""
import argparse
import datetime
import sys

from peers_gpu_cases import attention, decode, encode, products, train
from peers_gpu_files import busy, pipeline
from peers_gpu_run import Limit, Run, gpu


def peaks(r):
    """What the device can do: the largest products and a copy."""
    torch = r.torch
    n = 8192 if r.cuda else 256
    torch.backends.cuda.matmul.allow_tf32 = True
    for precision, dtype in (("bfloat16", torch.bfloat16), ("tf32", torch.float32)):
        x, y = (torch.randn(n, n, device=r.device, dtype=dtype) for _ in "xy")
        for _ in range(3):
            torch.matmul(x, y)
        r.rate[precision] = 2 * n ** 3 / r.timed(lambda: torch.matmul(x, y), 0.3, 5)
    r.rate["high"] = r.rate["float32"] = r.rate["tf32"]
    x = torch.empty((1 << 28) if r.cuda else (1 << 20), device=r.device)
    y = torch.empty_like(x)
    y.copy_(x)
    r.bandwidth = 2 * 4 * x.numel() / r.timed(lambda: y.copy_(x), 0.3, 5)
    name = gpu() if r.cuda else f"a CPU (dry run: the figures mean nothing; what is compiled {'went through inductor, to C++' if r.inductor else 'stopped before inductor'})"
    r.about = (f"{datetime.date.today()}, {name}, PyTorch {torch.__version__}. Largest products: bfloat16 {r.rate['bfloat16'] * 1e-12:.0f}, "
               f"tf32 {r.rate['tf32'] * 1e-12:.0f} TFLOP/s; copying {r.bandwidth * 1e-12:.2f} TB/s. {r.a.rounds} rounds; command: `scripts/gpu-check.sh`.")
    r.save()


PARTS = dict(train=train, encode=encode, decode=decode, products=products, attention=attention, pipeline=pipeline, busy=busy)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", default="bin/gpu/bench", help="our timing program (internal/bench, built with the tag gpu)")
    ap.add_argument("--extract", default="", help="our clipcap-extract, for extraction from files")
    ap.add_argument("--out", default="", help="keep the table in this file, and its numbers beside it")
    ap.add_argument("--alone", action="store_true", help="ours without PyTorch")
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
    if a.dry_run:
        a.rounds, a.seconds = 1, 0
    r = Run(a)
    passes = [(None, False)]
    if not a.alone:
        r.use_torch()
        if r.cuda and not r.torch.cuda.is_available():
            sys.exit("peers_gpu: PyTorch sees no GPU here (--dry-run tries the script out on the CPU)")
        passes = [(ways, goals) for goals in (True, False) for ways in (("eager", "graph", "cuBLAS", "SDPA"), ("compiled",))]
        try:
            peaks(r)
        except Exception as e:
            r.failed("the largest products and a copy", e)
    for r.ways, r.goals in passes:
        for p in parts:
            try:
                with Limit(r.left()):
                    PARTS[p](r)
            except Exception as e:
                r.failed(p, e)
    r.ours.close()
    print("\n" + r.table())
    if not any(x["ours"] for x in r.rows.values()):
        sys.exit("peers_gpu: nothing was measured")
    if r.lost:
        sys.exit(f"peers_gpu: {len(r.lost)} failed, the first: {r.lost[0]}")


if __name__ == "__main__":
    main()
