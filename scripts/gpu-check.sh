#!/usr/bin/env bash
# Runs the GPU tests on a GPU. Usage: gpu-check.sh [GPU, default 0] [FOLDER, default bin/gpu]
# The folder holds what "TESTS=1 scripts/gpu-build.sh FOLDER" built, here or on another machine; Go is not needed. Every kernel is held
# against the CPU's, and whole graphs against the reference, on the device; then the same small tests under the memory
# checker, where compute-sanitizer is installed. This script has never seen a GPU; docs/gpu.md says what that leaves open.
set -u
cd "$(dirname "$0")/.."
export CLIPCAP_CUDA=${1:-0}
folder=$(realpath "${2:-bin/gpu}")
bad=0
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
run() { echo "== $*"; timeout 240 "$@" || { echo "gpu-check: failed: $*" >&2; bad=1; }; }
(cd internal/gpu && run "$folder/gpu.test" -test.v -test.run 'Test' && exit $bad) || bad=1
(cd nn && run "$folder/nn.test" -test.v -test.run 'TestGPU' && exit $bad) || bad=1
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    (cd internal/gpu && run compute-sanitizer --tool $tool --error-exitcode 1 "$folder/gpu.test" -test.short && exit $bad) || bad=1
  done
else
  echo "gpu-check: no compute-sanitizer here; memory is checked by the simulated device alone"
fi
exit $bad
