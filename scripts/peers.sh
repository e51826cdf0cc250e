#!/usr/bin/env bash
# Our matrix products against PyTorch's (oneDNN, MKL) and NumPy's (OpenBLAS), in turns, in one run; with "train" in front, our training steps
# against PyTorch's, with "clip" our image encoders against PyTorch's and ONNX Runtime's (which needs onnxruntime and onnx too).
# Usage: peers.sh [train | clip] [ARGS of peers_gemm.py, peers_train.py or peers_clip.py]
# PEERS_PYTHON names an interpreter that has torch and numpy; without it they are installed into bin/peers (several GB on x86 Linux).
set -eu
python=${PEERS_PYTHON:-}
if [ -z "$python" ]; then
  python=bin/peers/bin/python
  if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
    python3 -m venv bin/peers
    for try in 1 2 3; do
      bin/peers/bin/pip install --quiet torch numpy && break
      [ "$try" -lt 3 ] || { echo "bench-peers: PyTorch could not be installed here" >&2; exit 1; }
    done
  fi
fi
"$python" -c 'import torch, numpy' || { echo "bench-peers: $python has no torch or no numpy" >&2; exit 1; }
mkdir -p bin
CGO_ENABLED=0 go build -o bin/bench ./internal/bench
# No page faults from malloc: large buffers stay with the process.
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
script=peers_gemm.py
if [ "${1:-}" = train ]; then
  script=peers_train.py
  shift
elif [ "${1:-}" = clip ]; then
  script=peers_clip.py
  shift
fi
exec "$python" "scripts/$script" --ours bin/bench "$@"
