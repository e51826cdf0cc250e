#!/usr/bin/env bash
# Runs programs built with the tag gpu against a stand-in for NVIDIA's driver, where there is no GPU: internal/gpu/fakecuda holds every call to
# what CUDA's documentation asks of it (thread and context, handles, capture, page-locked memory, launch limits) and interprets the kernels, so what
# comes out is checked too. The programs check every pointer that they hand to C.
# Usage: gpu-fake.sh [FOLDER that "TESTS=1 GOEXPERIMENT=cgocheck2 scripts/gpu-build.sh FOLDER" made, default: a new one]
set -u
cd "$(dirname "$0")/.."
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
bad=0
fail() { echo "gpu-fake: $*" >&2; bad=1; }
folder=${1:-}
include=$(scripts/cuda-headers.sh) || exit 1
if [ -z "$folder" ]; then
  folder=$tmp/bin
  ONLY="internal/gpu nn train" TESTS=1 GOEXPERIMENT=cgocheck2 scripts/gpu-build.sh "$folder" || exit 1
fi
folder=$(realpath "$folder")
mkdir "$tmp/lib"
$(go env CC) -O1 -g -Wall -Wextra -Werror -Wno-parentheses -Wno-missing-field-initializers -shared -fPIC -I"$include" \
  -o "$tmp/lib/libcuda.so.1" internal/gpu/fakecuda/testdata/*.c -lpthread && go build -o "$tmp/fakecuda" ./internal/gpu/fakecuda || exit 1
export LD_LIBRARY_PATH=$tmp/lib FAKECUDA=$tmp/fakecuda FAKECUDA_LOG=$tmp/calls CLIPCAP_CUDA=0

# try runs a test program; what the library has to say of breaches is a failure too.
try() { # name, package, program, arguments …
  local name=$1 package=$2; shift 2
  : >"$tmp/calls"
  (cd "$package" && timeout 600 "$@") >"$tmp/log" 2>&1
  local rc=$?
  if [ $rc -ne 0 ] || grep -q '^fake libcuda' "$tmp/log"; then grep -v '^=== \|PASS' "$tmp/log" | tail -30 >&2; fail "$name"; return; fi
  echo "gpu-fake: $name: $(awk '{s += $2} END {print s + 0}' "$tmp/calls") calls of $(wc -l <"$tmp/calls") functions"
}
# refused runs a program that must fail, and say so in these words.
refused() { # name, words, failure, package, program, arguments …
  local name=$1 words=$2 failure=$3 package=$4; shift 4
  if (cd "$package" && FAKECUDA_FAIL=$failure timeout 600 "$@") >"$tmp/log" 2>&1; then fail "$name: nobody minds"; return; fi
  grep -q "$words" "$tmp/log" || { tail -5 "$tmp/log" >&2; fail "$name: not in these words: $words"; return; }
  echo "gpu-fake: $name"
}

try "loading" . "$folder/bench" -load 0
try "kernels" internal/gpu "$folder/gpu.test" -test.short
try "operations, a training step captured and replayed" nn "$folder/nn.test" -test.run 'GPUTraining|GPUStack'
FAKECUDA_NO_POOLS=1 try "a training step on a device without memory pools" nn "$folder/nn.test" -test.run 'GPUTraining$'
try "training runs, and one that fails" train "$folder/train.test" -test.run 'GPULostAndResumed|GPUOutOfMemory'
refused "kernels that do not load" 'load kernels: CUDA error 218' cuModuleLoadDataEx:1:218 . "$folder/bench" -load 0
refused "a kernel that fails in a graph" 'the GPU is lost to this program: CUDA error 700' cuGraphLaunch:1:700 nn "$folder/nn.test" -test.run 'GPUTraining$'
refused "no memory for a graph" '0 replays' cuGraphUpload:1:2 nn "$folder/nn.test" -test.run 'GPUTraining$'
grep -q 'run:' "$tmp/log" && fail "without a graph the step fails"
exit $bad
