"""Writes the fixtures of tests that hold ours against PyTorch and Hugging Face transformers. Usage: fixtures.py PART...

  init      gpt2/testdata/init.json and mapping/testdata/init.json: quantiles of the numbers each parameter starts from
  sampling  gpt2/testdata/sampling.json: what temperature, top-k and top-p make of some logits
  sizes     gpt2/testdata/sizes.json: hidden states, logits and losses of the published sizes with weights of a formula (XL: 20 GB of memory)

Needs torch, numpy and transformers. The files are the same whenever the versions are.
"""
import json
import math
import os
import sys

import numpy as np
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation.logits_process import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def write(name, value):
    path = os.path.join(ROOT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(json.dumps(value, separators=(",", ":")).replace('},"', '},\n"').replace('],"', '],\n"') + "\n")


def small_gpt2():
    return GPT2LMHeadModel(GPT2Config(vocab_size=101, n_positions=60, n_embd=24, n_layer=3, n_head=3, bos_token_id=0, eos_token_id=0))


class Transformer(nn.Module):
    """The parameters of the original's transformer mapper, made as it makes them: nn.Linear's own and randn."""

    def __init__(self, feature=7, dim=24, prefix=5, clip=3, layers=2):
        super().__init__()
        self.linear = nn.Linear(feature, clip * dim)
        self.prefix_const = nn.Parameter(torch.randn(prefix, dim))
        self.transformer = nn.Module()
        self.transformer.layers = nn.ModuleList()
        for _ in range(layers):
            layer = nn.Module()
            layer.norm1, layer.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
            layer.attn, layer.mlp = nn.Module(), nn.Module()
            layer.attn.to_queries, layer.attn.to_keys_values = nn.Linear(dim, dim, bias=False), nn.Linear(dim, 2 * dim, bias=False)
            layer.attn.project = nn.Linear(dim, dim)
            layer.mlp.fc1, layer.mlp.fc2 = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)
            self.transformer.layers.append(layer)


class MLP(nn.Module):
    def __init__(self, feature=7, dim=24, prefix=3):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(feature, dim * prefix // 2), nn.Tanh(), nn.Linear(dim * prefix // 2, dim * prefix))


def quantiles(make, numbers=100_000):
    """Of every parameter of make(), pooled over as many models as give that many numbers."""
    torch.manual_seed(1)
    drawn, have = {}, 0
    while have < numbers:
        have = numbers
        for k, p in make().named_parameters():
            v, (list_, n) = p.detach().double().flatten().numpy(), drawn.setdefault(k, ([], [0]))
            if n[0] < numbers and not (list_ and (v == v[0]).all()):  # one look at constants is enough
                list_.append(v)
                n[0] += len(v)
            if not (v == v[0]).all():
                have = min(have, n[0])
    drawn = {k: list_ for k, (list_, _) in drawn.items()}
    return {k: [float(f"{x:.6g}") for x in np.quantile(np.concatenate(v), np.linspace(0, 1, 101))] for k, v in drawn.items()}


def init():
    write("gpt2/testdata/init.json", {k.removeprefix("transformer."): v for k, v in quantiles(small_gpt2).items() if k != "lm_head.weight"})
    write("mapping/testdata/init.json", {"transformer": quantiles(Transformer), "mlp": quantiles(MLP), "linear": quantiles(lambda: nn.Linear(7, 72))})


def sampling():
    torch.manual_seed(2)
    logits = (3 * torch.randn(60)).double()
    cases = []
    for temperature in (1.0, 0.5, 2.0):
        for top_k, top_p in ((0, 1.0), (5, 1.0), (1, 1.0), (100, 1.0), (0, 0.9), (0, 0.5), (0, 1e-6), (20, 0.8), (3, 0.3)):
            steps = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
            if top_k:
                steps.append(TopKLogitsWarper(top_k))
            if top_p < 1:
                steps.append(TopPLogitsWarper(top_p))
            p = torch.softmax(steps(None, logits[None].clone()), -1)[0]
            cases.append(dict(temperature=temperature, top_k=top_k, top_p=top_p, p=[float(f"{x:.9g}") for x in p]))
    write("gpt2/testdata/sampling.json", dict(logits=logits.tolist(), cases=cases))


def formula(name, shape, scale, shift):
    """internal/testkit.Formula."""
    key = 0xCBF29CE484222325
    for b in name.encode():
        key = (key ^ b) * 0x100000001B3 % 2**64
    key ^= 0x0123456789ABCDEF
    n = math.prod(shape)
    out = np.empty(n, np.float32)
    for i in range(0, n, 1 << 22):
        z = np.arange(i + 1, min(i + (1 << 22), n) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        u = ((z >> np.uint64(40)).astype(np.int64) - (1 << 23)).astype(np.float32) / np.float32(1 << 23)
        out[i:i + len(z)] = np.float32(shift) + np.float32(scale) * u
    return torch.from_numpy(out.reshape(shape))


SIZES = {"distilgpt2": (6, 768, 12), "gpt2-medium": (24, 1024, 16), "gpt2-large": (36, 1280, 20), "gpt2-xl": (48, 1600, 25)}


def sizes(only=None):
    """The whole network in float32, and in float64 where it fits: that tells how far float32 may be off."""
    path = os.path.join(ROOT, "gpt2/testdata/sizes.json")
    found = json.load(open(path)) if os.path.exists(path) else {}
    for name, (layers, dim, heads) in SIZES.items():
        if only and name not in only:
            continue
        with torch.device("meta"):
            model = GPT2LMHeadModel(GPT2Config(n_layer=layers, n_embd=dim, n_head=heads))
        model = model.to_empty(device="cpu").eval()
        model.tie_weights()
        with torch.no_grad():
            for k, p in model.transformer.named_parameters():
                scale, shift = (0.02, 0) if k.endswith("bias") else (0.1, 1) if "ln_" in k else (0.03, 0)
                p.copy_(formula(f"{name}/{k}", p.shape, scale, shift))
            ids = [(i * 7919 + 13) % 50257 for i in range(24)]
            results = {}
            for dtype in (torch.float32, torch.float64):
                if dtype == torch.float64:
                    if dim > 1024:
                        break
                    model = model.double()
                o = model.transformer(torch.tensor([ids]), output_hidden_states=True)
                logits = model.lm_head(o.last_hidden_state)[0]
                loss = nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none")
                results[dtype] = dict(hidden=torch.stack([h[0, -1, ::dim // 16] for h in o.hidden_states]).double(), logits=logits[-1, ::499].double(), loss=loss.double())
            best = results.get(torch.float64, results[torch.float32])
            error = max(float((best[k] - results[torch.float32][k]).abs().max()) for k in best)
            found[name] = dict(ids=ids, error=float(f"{error:.2g}"), **{k: [float(f"{x:.8g}") for x in v.flatten()] for k, v in best.items()})
        print(name, "float32 differs from float64 by", error, file=sys.stderr)
        write("gpt2/testdata/sizes.json", found)


if __name__ == "__main__":
    for part in sys.argv[1:] or sys.exit(__doc__):
        part, _, only = part.partition("=")
        sizes(only.split(",") if only else None) if part == "sizes" else {"init": init, "sampling": sampling}[part]()
