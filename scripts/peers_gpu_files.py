"""Cases of scripts/peers_gpu.py that are no row of its table: extraction from files, and how busy the GPU is."""
import os
import statistics
import subprocess
import tempfile
import time

from peers_gpu_cases import SMALL_NETWORKS, WORDS


def pictures(folder, count):
    """JPEG files of 640×480, many of them the same ones."""
    import numpy as np
    from PIL import Image
    rng, names = np.random.default_rng(0), []
    for i in range(count):
        name = f"{folder}/{i:05}.jpg"
        if i < 128:
            small = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
            Image.fromarray(small).resize((640, 480), Image.BICUBIC).save(name, quality=92)
        else:
            os.link(f"{folder}/{i % 128:05}.jpg", name)
        names.append(name)
    return names


class Files:
    """A data set for PyTorch's DataLoader: the images as CLIP takes them."""

    def __init__(self, names, size):
        self.names, self.size = names, size

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        import numpy as np
        import torch
        from PIL import Image
        mean, std = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1), torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
        im, n = Image.open(self.names[i]).convert("RGB"), self.size
        s = n / min(im.size)
        im = im.resize((round(im.width * s), round(im.height * s)), Image.BICUBIC)
        x, y = (im.width - n) // 2, (im.height - n) // 2
        t = torch.from_numpy(np.array(im.crop((x, y, x + n, y + n)))).permute(2, 0, 1).float() / 255
        return (t - mean) / std


def pipeline(r):
    """Our clipcap-extract from JPEG files against PyTorch with a DataLoader: images a second beyond the start."""
    if r.ways is None or "compiled" not in r.ways or r.goals or "files" in r.extra:
        return
    if not r.a.extract:
        return r.leave_out("files", "--extract names no clipcap-extract")
    few, many = (1024, 5120) if r.cuda else (2, 6)
    torch = r.torch
    with tempfile.TemporaryDirectory() as d:
        names = pictures(d, many)

        def ours(n):
            with open(f"{d}/list", "w") as f:
                f.write("\n".join(names[:n]))
            t = time.perf_counter()
            done = subprocess.run([r.a.extract, "--clip", "random:ViT-B/32", "--images", f"{d}/list", "--out", f"{d}/out{n}", "--batch", "256" if r.cuda else "2",
                                   "--precision", "bfloat16" if r.cuda else "float32", "--device", "cuda" if r.cuda else "cpu"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=max(1, r.left()))
            if done.returncode:
                raise RuntimeError(f"clipcap-extract: {done.stderr.strip().splitlines()[-1:]}")
            return time.perf_counter() - t

        from peers_clip import networks
        net = networks()["ViT-B/32"](**({} if r.cuda else SMALL_NETWORKS["ViT-B/32"])).eval().to(r.device)
        net = net.bfloat16() if r.cuda else net
        run = r.compiled(net)
        workers = (os.cpu_count() or 1) if r.cuda else 1

        @torch.inference_mode()
        def theirs(n):
            t = time.perf_counter()
            for x in torch.utils.data.DataLoader(Files(names[:n], net.size), batch_size=256 if r.cuda else 2, num_workers=workers, pin_memory=r.cuda):
                run(x.to(r.device, next(net.parameters()).dtype, non_blocking=True)).float().cpu()
            return time.perf_counter() - t
        theirs(min(few, 256))  # compiles
        rates = []
        for f in (ours, theirs):
            a, b = f(few), f(many)
            rates.append((many - few) / max(1e-3, b - a))
    r.note("files", f"Files to features, ViT-B/32, bfloat16, 640×480 JPEG: ours {rates[0]:.0f} images/s, PyTorch compiled with a DataLoader {rates[1]:.0f}, "
                    f"ratio {rates[0] / rates[1]:.2f}.")


def busy(r):
    """How much of the time of a steady training run the GPU computes, by the driver's own count."""
    if r.ways is not None:
        return
    for batch in (40, 256) if r.cuda else (2,):
        if f"busy {batch}" in r.extra:
            continue
        request = dict(Step=dict(Kind="frozen", Batch=batch, Tokens=WORDS, Precision="bfloat16"))
        try:
            r.ask(Seconds=0.5, **request)
            watch = subprocess.Popen(r.smi, stdout=subprocess.PIPE, text=True)
            try:
                r.ask(Seconds=5 if r.cuda else 2, **request)
            finally:
                watch.terminate()
                seen = watch.communicate()[0]
            each = [float(x) for x in seen.split() if x.strip().isdigit()]
            each = each[5:-2] or each
            if each:
                r.note(f"busy {batch}", f"GPU busy in steady training, frozen, batch {batch}, bfloat16: {statistics.mean(each):.1f} % over {len(each)} samples.")
            else:
                r.leave_out(f"busy {batch}", "nvidia-smi gave no samples")
        except Exception as e:
            r.failed(f"busy {batch}", e)
