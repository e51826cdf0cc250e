#!/usr/bin/env bash
# Ours against the peers, in turns, in one run. Usage:
#   peers.sh [ARGS of peers_gemm.py]           matrix products: PyTorch (oneDNN, MKL), NumPy (OpenBLAS)
#   peers.sh train [ARGS of peers_train.py]    training steps: PyTorch
#   peers.sh clip [ARGS of peers_clip.py]      image encoders: PyTorch, ONNX Runtime
#   peers.sh decode [ARGS of peers_decode.py]  captions: PyTorch, ONNX Runtime
# PEERS_PYTHON names an interpreter that has the peers; without it they are installed into bin/peers (several GB on x86 Linux).
set -eu
compare=gemm need="torch, numpy" install="torch numpy"
case "${1:-}" in
train) compare=train; shift ;;
clip | decode) compare=$1 need="torch, numpy, onnx, onnxruntime" install="torch numpy onnx onnxruntime"; shift ;;
esac
case " $* " in *" --help "* | *" -h "*) exec python3 "scripts/peers_$compare.py" --help ;; esac # for which nothing need be installed
python=${PEERS_PYTHON:-}
if [ -z "$python" ]; then
  python=bin/peers/bin/python
  if ! "$python" -c "import $need" 2>/dev/null; then
    python3 -m venv bin/peers
    for try in 1 2 3; do
      bin/peers/bin/pip install --quiet $install && break
      [ "$try" -lt 3 ] || { echo "bench-peers: the peers could not be installed here" >&2; exit 1; }
    done
  fi
fi
"$python" -c "import $need" || { echo "bench-peers: $python lacks one of: $need" >&2; exit 1; }
mkdir -p bin
CGO_ENABLED=0 go build -o bin/bench ./internal/bench
# No page faults from malloc: large buffers stay with the process.
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
exec "$python" "scripts/peers_$compare.py" --ours bin/bench "$@"
