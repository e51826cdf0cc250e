"""The cases of scripts/peers_gpu.py: what ours is asked for, and the same in PyTorch."""
VOCAB, D, PREFIX, WORDS = 50257, 768, 10, 12

# of dry runs, where figures mean nothing
SMALL = dict(vocab=500, dim=96, heads=4, layers=2)
SMALL_NETWORKS = {"ViT-B/32": dict(size=64, d=64, layers=2, heads=2), "RN50x4": dict(size=64, w=32, stages=(1, 1, 1, 1))}


# ---- training steps

def train_ways(r, kind, batch, precision):
    def prepare(way):
        torch, graphs = r.torch, r.graphs
        from torch.nn import functional as F

        from peers_train import build
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.manual_seed(0)
        tuned = kind == "tuned"
        gpt, mlp, transformer = build(True, **({} if r.cuda else dict(SMALL, mapper_layers=2)))
        gpt, mapper = gpt.to(r.device), (mlp() if tuned else transformer()).to(r.device)
        gpt.train(tuned)
        gpt.requires_grad_(tuned)
        params = list(mapper.parameters()) + (list(gpt.parameters()) if tuned else [])
        graphed = way == "graph"
        opt = torch.optim.AdamW(params, lr=2e-5, weight_decay=0, eps=1e-6, fused=r.cuda, capturable=graphed and r.cuda)
        clip = torch.randn(batch, 512, device=r.device)
        tokens = torch.randint(1, gpt.wte.num_embeddings, (batch, WORDS), device=r.device)
        auto = lambda: torch.autocast(r.device.type, torch.bfloat16, enabled=precision == "bfloat16")

        def loss():
            with auto():
                x = torch.cat((mapper(clip), gpt.wte(tokens[:, :-1])), 1)
                hidden = gpt(x, None)[:, PREFIX - 1:].flatten(0, 1)
                logits = F.linear(hidden, gpt.wte.weight)
            return F.cross_entropy(logits.float(), tokens.flatten())

        run = r.compiled(loss) if way == "compiled" else loss

        def step():
            opt.zero_grad(set_to_none=True)
            l = run()
            l.backward()
            opt.step()
            return l

        if not graphed:
            return lambda: step().item()
        side = graphs.Stream()
        side.wait_stream(graphs.current_stream())
        with graphs.stream(side):
            for _ in range(3):
                step()
        graphs.current_stream().wait_stream(side)
        g = graphs.CUDAGraph()
        opt.zero_grad(set_to_none=True)
        with graphs.graph(g):
            l = run()
            l.backward()
            opt.step()

        def replay():
            g.replay()
            return l.item()
        return replay

    return [(w, lambda w=w: prepare(w)) for w in ("eager", "graph", "compiled")]


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
                request = dict(Step=dict(Kind=kind, Batch=batch, Tokens=WORDS, Precision=precision))
                r.case(f"train {kind} b{batch}", precision, request, train_ways(r, kind, batch, precision), *train_work(kind, batch), cost=8,
                       goal=precision == "bfloat16" and batch in (2, 40))


# ---- captions

def decode_ways(r, images, width, steps, precision):
    sizes = {} if r.cuda else dict(V=SMALL["vocab"], D=SMALL["dim"], H=SMALL["heads"], L=SMALL["layers"])

    def dtype():
        r.torch.backends.cuda.matmul.allow_tf32 = True
        return r.torch.bfloat16 if precision == "bfloat16" else r.torch.float32

    def start(net):
        return r.torch.randn(images, PREFIX, net.wte.embedding_dim, device=r.device).to(net.wte.weight.dtype) * 0.02

    def choose(logits, scores, i):
        """The beams after i steps: their scores, last tokens, and where they come from, nowhere at first."""
        torch = r.torch
        logp = logits[:, -1].float().log_softmax(-1)
        if scores is None:
            scores, tokens = logp.topk(width, -1)
            return scores, tokens.flatten(), None
        vocab = logp.size(-1)
        mean = (scores.view(images, width, 1) + logp.view(images, width, vocab)).view(images, -1) / (i + 1)
        best, at = mean.topk(width, -1)
        return best * (i + 1), (at % vocab).flatten(), (at // vocab + torch.arange(images, device=r.device)[:, None] * width).flatten()

    def eager():
        from peers_decode import build
        net = build(True, **sizes).to(r.device, dtype())
        prefix = start(net)

        @r.torch.inference_mode()
        def run():
            x, past, scores = prefix, None, None
            for i in range(steps):
                logits, past = net(x, past)
                scores, tokens, source = choose(logits, scores, i)
                past = [tuple(t.repeat_interleave(width, 0) if source is None else t[source] for t in kv) for kv in past]
                x = net.wte(tokens)[:, None]
            return tokens.cpu()
        return run

    def compiled():
        """With a cache of fixed size."""
        torch = r.torch

        from peers_decode import H, L, build_compiled
        heads, layers = sizes.get("H", H), sizes.get("L", L)
        net, forward = build_compiled(dtype(), r.compiled, r.device, **sizes)
        prefix = start(net)
        first, spread = ([torch.zeros(n, heads, PREFIX + steps, net.wte.embedding_dim // heads, dtype=dtype(), device=r.device) for _ in range(2 * layers)]
                         for n in (images, images * width))
        places = [torch.arange(PREFIX, device=r.device)] + [torch.tensor([PREFIX + i], device=r.device) for i in range(steps)]
        pairs = lambda flat: list(zip(flat[::2], flat[1::2]))

        @torch.no_grad()
        def run():
            logits, scores = forward(prefix, places[0], pairs(first)), None
            for i in range(steps):
                scores, tokens, source = choose(logits, scores, i)
                for a, b in zip(spread, first):
                    a.copy_(b.repeat_interleave(width, 0) if source is None else a[source])
                if i + 1 < steps:
                    logits = forward(net.wte(tokens)[:, None], places[i + 1], pairs(spread))
            return tokens.cpu()
        return run

    return [("eager with cache", eager), ("compiled", compiled)]


def decode(r):
    steps = 15 if r.cuda else 3
    for images in (64, 1) if r.cuda else (2,):
        for precision, form in (("bfloat16", "both"), ("high", "high")):
            request = dict(Decode=dict(Mode="beam", Beam=5, Images=images, Prefix=PREFIX, Steps=steps, Weights=form))
            weights = (12 * 12 * D * D + VOCAB * D) * (2 if precision == "bfloat16" else 4)
            flops = 2 * (12 * 12 * D * D + VOCAB * D) * images * 5 * steps
            r.case(f"beam 5, {images} images, {steps} tokens", precision, request, decode_ways(r, images, 5, steps, precision), flops, weights * steps,
                   goal=images > 1 and precision == "bfloat16")


# ---- image encoders

def encode_ways(r, name, images, precision):
    def prepare(way):
        torch = r.torch

        from peers_clip import networks
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
        torch.manual_seed(0)
        net = networks()[name](**({} if r.cuda else SMALL_NETWORKS[name])).eval().to(r.device)
        x = torch.randn(images, 3, net.size, net.size)
        if precision == "bfloat16":
            net = net.bfloat16()
        if name.startswith("RN"):
            net = net.to(memory_format=torch.channels_last)
        f = r.compiled(net, mode="max-autotune-no-cudagraphs" if r.a.autotune else None) if way == "compiled" else net

        @torch.inference_mode()
        def run():
            y = x.to(r.device, net.patches.weight.dtype if name.startswith("ViT") else next(net.parameters()).dtype)
            if name.startswith("RN"):
                y = y.to(memory_format=torch.channels_last)
            return f(y).float().cpu()
        return run
    return [(w, lambda w=w: prepare(w)) for w in ("eager", "compiled")]


def encode(r):
    for name, images, flops in (("ViT-B/32", 256, 8.7e9), ("RN50x4", 64, 40e9)) if r.cuda else (("ViT-B/32", 1, 8.7e9), ("RN50x4", 1, 40e9)):
        for precision in ("bfloat16", "high"):
            request = dict(CLIP=name, M=images, Precision=precision)
            r.case(f"encode {name} b{images}", precision, request, encode_ways(r, name, images, precision), flops * images, 0,
                   goal=name == "ViT-B/32" and precision == "bfloat16")


# ---- products and attention

def products(r):
    shapes = [(840, 768, 3072, "nn"), (840, 3072, 768, "nn"), (480, 768, 50257, "nt"), (5376, 768, 3072, "nn"), (21504, 768, 3072, "nn"),
              (768, 21504, 3072, "tn"), (320, 768, 50257, "nt"), (5, 768, 3072, "nn"), (8192, 8192, 8192, "nn")]
    for m, k, n, layout in shapes if r.cuda else [(17, 32, 20, "nt")]:
        for precision in ("bfloat16", "high"):
            def prepare(m=m, k=k, n=n, layout=layout, precision=precision):
                torch = r.torch
                torch.backends.cuda.matmul.allow_tf32 = True
                dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
                a = torch.randn((k, m) if layout == "tn" else (m, k), device=r.device, dtype=dtype)
                b = torch.randn((n, k) if layout == "nt" else (k, n), device=r.device, dtype=dtype)
                a, b = a.t() if layout == "tn" else a, b.t() if layout == "nt" else b
                out = torch.empty(m, n, device=r.device, dtype=dtype)
                return lambda: torch.matmul(a, b, out=out)
            size = 2 if precision == "bfloat16" else 4
            r.case(f"product {m}×{k}×{n} {layout}", precision, dict(M=m, K=k, N=n, Layout=layout, Precision=precision), [("cuBLAS", prepare)],
                   2 * m * k * n, size * (m * k + k * n + m * n), calls=20)


def attention(r):
    shapes = [(40, 21, 12, 64, True), (1024, 21, 12, 64, True), (256, 50, 12, 64, False), (8, 1024, 12, 64, True)]
    for n, length, heads, dim, causal in shapes if r.cuda else [(2, 9, 2, 8, True)]:
        for backward in (False, True):
            def prepare():
                torch = r.torch
                from torch.nn import functional as F
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
