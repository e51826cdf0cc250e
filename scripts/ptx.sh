#!/usr/bin/env bash
# Compiles internal/gpu/kernels to PTX with clang 19 (CLANG names another). Usage: ptx.sh [--check [FILE]]
# --check compares with what is committed instead of replacing it, and leaves 3 where there is no such compiler. The text depends
# on the compiler's release, which the first line names: where the one at hand is another, there is nothing to compare, so the
# new text goes to FILE and 4 is left.
set -eu
cd "$(dirname "$0")/../internal/gpu/kernels"
clang=${CLANG:-clang-19}
if ! command -v "$clang" >/dev/null; then
  echo "ptx: $clang is not here (Debian: apt-get install clang-19), so the committed PTX stays as it is" >&2
  exit 3
fi
out=$(mktemp); trap 'rm -f "$out"' EXIT
# No CUDA header and no device library: what comes out is compiled from this folder alone. PTX 7.0 is what CUDA 11.0 and
# later read, sm_80 what every GPU from Ampere on runs.
"$clang" -x cuda -std=c++17 --cuda-device-only --cuda-gpu-arch=sm_80 -nocudainc -nocudalib -O3 -Wall -Werror \
  -Wno-unknown-cuda-version -Xclang -target-feature -Xclang +ptx70 -S -o "$out" kernels.cu
# The compiler's comments name its version and source lines.
sed -i -e 's,[[:space:]]*//.*$,,' -e '/^[[:space:]]*$/d' "$out"
version=$("$clang" --version | sed -n 's/.*clang version \([0-9.]*\).*/\1/p')
sed -i "1i // What clang $version makes of kernels/kernels.cu: change that and run make ptx." "$out"
if [ "${1:-}" = --check ]; then
  committed=$(sed -n '1s/.*clang \([0-9.]*\) .*/\1/p' ../kernels_sm80.ptx)
  if [ "$version" != "$committed" ]; then
    echo "ptx: $clang is release $version and the committed PTX comes from $committed, so the texts are not compared"
    [ -n "${2:-}" ] && cp "$out" "$2"
    exit 4
  fi
  cmp "$out" ../kernels_sm80.ptx && echo "ptx: the committed PTX is what $clang makes of the sources"
else
  cp "$out" ../kernels_sm80.ptx
  chmod 644 ../kernels_sm80.ptx
fi
