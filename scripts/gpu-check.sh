#!/usr/bin/env bash
# Checks and times the GPU code on a GPU, in ten minutes at most. Usage: gpu-check.sh [GPU, default 0] [FOLDER, default bin/gpu] [tests|bench|all]
# The folder holds what "TESTS=1 scripts/gpu-build.sh FOLDER" built, here or on another machine, or is the archive that PACK=1 made
# of it; Go is not needed. First every
# kernel is held against the CPU's, whole graphs against the reference, and GPT-2, the mappers, CLIP and training against their
# golden files, all on the device; the kernel tests once more under the memory checker, where compute-sanitizer is installed.
# Then ours is timed beside the PyTorch that is installed (PEERS_PYTHON names its interpreter); the table goes to
# FOLDER/results.md, for docs/gpu.md.
# DRY_RUN=1 tries the flow out where there is no GPU: tests on the simulated device, timings that mean nothing on the CPU.
set -u
cd "$(dirname "$0")/.."
folder=$(realpath "${2:-bin/gpu}") what=${3:-all}
if [ -f "$folder" ]; then
  archive=$folder folder=${folder%.tar.xz}-unpacked
  mkdir -p "$folder" && tar xJf "$archive" -C "$folder" || exit 1
fi
case $what in tests | bench | all) ;; *) echo "gpu-check: $what: want tests, bench or all" >&2; exit 2 ;; esac
[ -d "$folder" ] || { echo "gpu-check: no folder $folder; TESTS=1 scripts/gpu-build.sh makes it" >&2; exit 2; }
dry=${DRY_RUN:-}
if [ -z "$dry" ]; then
  export CLIPCAP_CUDA=${1:-0} CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-}
  # With one GPU made visible it is number 0, for PyTorch as for us.
  if [ -z "$CUDA_VISIBLE_DEVICES" ]; then export CUDA_VISIBLE_DEVICES=$CLIPCAP_CUDA CLIPCAP_CUDA=0; fi
  command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
fi
[ -d "$folder/golden" ] && export CLIPCAP_GOLDEN="$folder/golden"
bad=0 start=$SECONDS
run() { # seconds, package, command …
  local limit=$1 package=$2 began=$SECONDS; shift 2
  echo "== $package: $(basename "$1") ${*:2}"
  (cd "$package" && timeout "$limit" "$@") >"$folder/log" 2>&1 || { bad=1; echo "gpu-check: failed: $*" >&2; tail -40 "$folder/log"; }
  echo "   $(grep -c '^ *--- PASS' "$folder/log") passed, $(grep -c '^ *--- FAIL' "$folder/log") failed, $(grep -c '^ *--- SKIP' "$folder/log") skipped, $((SECONDS - began)) s"
}
if [ "$what" != bench ]; then
  run 120 internal/gpu "$folder/gpu.test" -test.v ${dry:+-test.short}
  run 60 nn "$folder/nn.test" -test.v -test.run GPU
  for p in gpt2 mapping clip train; do
    run 90 $p "$folder/$p.test" -test.v -test.run 'GPU|GoldenForward|GoldenPrefixes'
  done
  if [ -z "$dry" ] && command -v compute-sanitizer >/dev/null; then
    run 100 internal/gpu compute-sanitizer --tool memcheck --error-exitcode 1 "$folder/gpu.test" -test.v -test.short
    run 60 internal/gpu compute-sanitizer --tool racecheck --error-exitcode 1 "$folder/gpu.test" -test.v -test.short -test.run 'Gemm|Attention'
  else
    echo "gpu-check: no compute-sanitizer here; memory is checked by the simulated device alone"
  fi
fi
if [ "$what" != tests ]; then
  python=${PEERS_PYTHON:-python3}
  if "$python" -c 'import torch' 2>/dev/null; then
    left=$((570 - (SECONDS - start)))
    timeout $((left + 20)) "$python" scripts/peers_gpu.py --ours "$folder/bench" --extract "$folder/clipcap-extract" --budget "$left" \
      --out "$folder/results.md" ${dry:+--dry-run --parts "${DRY_PARTS:-products,attention,decode}"} || { bad=1; echo "gpu-check: the timings failed" >&2; }
  else
    echo "gpu-check: $python has no PyTorch, so nothing is timed"
  fi
fi
[ $bad -eq 0 ] && echo "gpu-check: all well, $((SECONDS - start)) s"
exit $bad
