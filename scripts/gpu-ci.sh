#!/usr/bin/env bash
# Checks the GPU code where there is no GPU: the committed PTX is what the sources compile to (with another release of clang, whose
# text differs, what that makes is assembled and tested instead), ptxas takes it for Ampere and Hopper and spills nothing, the commands build
# with the tag gpu against the headers of CUDA 12 and 13 and start, and test programs and the commands run on a stand-in for the driver. Each tool is installed
# where that is possible; where it is not the step says so and is left out. The kernels' arithmetic is tested by go test.
set -u
cd "$(dirname "$0")/.."
bad=0
skip() { echo "gpu-ci: left out: $*"; }
fail() { echo "gpu-ci: $*" >&2; bad=1; }

if ! command -v "${CLANG:-clang-19}" >/dev/null && [ -n "${CI:-}" ] && command -v apt-get >/dev/null; then
  timeout 240 sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends clang-19' >/dev/null 2>&1
fi
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
texts=(internal/gpu/kernels_sm80.ptx)
scripts/ptx.sh --check "$tmp/new.ptx"; case $? in 0) ;; 3) skip "compiling the kernels: no clang 19" ;;
4)
  texts+=("$tmp/new.ptx")
  echo "{\"Replace\": {\"$PWD/internal/gpu/kernels_sm80.ptx\": \"$tmp/new.ptx\"}}" >"$tmp/overlay.json"
  go test -overlay "$tmp/overlay.json" ./internal/gpu && echo "gpu-ci: the kernels that this clang makes pass the tests" || fail "the kernels that this clang makes fail the tests"
  ;;
*) fail "make ptx changes the committed PTX" ;; esac

ptxas=${PTXAS:-$(command -v ptxas)}
if [ -z "$ptxas" ]; then
  dir=${XDG_CACHE_HOME:-$HOME/.cache}/clipcap-cuda/nvcc
  ptxas=$(find "$dir" -name ptxas -type f 2>/dev/null | head -1)
  if [ -z "$ptxas" ]; then
    timeout 240 python3 -m pip install -q --no-deps --target "$dir" nvidia-cuda-nvcc-cu12 >/dev/null 2>&1
    ptxas=$(find "$dir" -name ptxas -type f 2>/dev/null | head -1)
  fi
fi
if [ -z "$ptxas" ]; then skip "assembling the kernels: no ptxas, and NVIDIA's wheel could not be installed"; else
  chmod +x "$ptxas"
  for ptx in "${texts[@]}"; do
    for sm in sm_80 sm_90; do
      if "$ptxas" -arch=$sm -v "$ptx" -o /dev/null 2>"$tmp/log"; then
        spills=$(awk -F"'" '/Compiling entry/ {name = $2} / bytes spill stores/ && !/ 0 bytes spill stores, 0 bytes spill loads/ {print name}' "$tmp/log")
        echo "gpu-ci: ptxas takes all $(grep -c 'Compiling entry' "$tmp/log") kernels of $(basename "$ptx") for $sm"
        # Another clang's text may well need more registers; the one that is shipped must not.
        [ -z "$spills" ] || [ "$ptx" != "${texts[0]}" ] || fail "registers spill for $sm in" $spills
      else
        cat "$tmp/log" >&2; fail "ptxas refuses $(basename "$ptx") for $sm"
      fi
    done
  done
fi

if ! command -v "$(go env CC | awk '{print $1}')" >/dev/null; then skip "building with the tag gpu: no C compiler"; exit $bad; fi
if CGO_ENABLED=1 go test -tags gpu ./internal/gpu/cublas; then
  echo "gpu-ci: cuBLASLt is opened and called as its documentation says, by a stand-in"
else
  fail "the calls of cuBLASLt"
fi
for cuda in 12 13; do
  if ! include=$(CUDA_INCLUDE= scripts/cuda-headers.sh $cuda); then skip "building against CUDA $cuda"; continue; fi
  if CGO_ENABLED=1 CGO_CFLAGS="-w -I$PWD/internal/gpu/compat -I$include" go vet -tags gpu ./internal/gpu/... ./nn; then
    echo "gpu-ci: go vet -tags gpu with the headers of CUDA $cuda"
  else
    fail "go vet -tags gpu with the headers of CUDA $cuda"
  fi
done
if [ -n "${include:-}" ]; then
  out=$tmp/bin
  if CUDA_INCLUDE=$include TESTS=1 ONLY="internal/gpu nn train" GOEXPERIMENT=cgocheck2 scripts/gpu-build.sh "$out"; then
    for c in "$out"/clipcap-*; do "$c" --version >/dev/null || fail "$(basename "$c") does not start"; done
    scripts/gpu-fake.sh "$out" || fail "what is asked of the driver"
  else
    fail "the commands do not build with the tag gpu"
  fi
fi
exit $bad
