#!/usr/bin/env bash
# Prints a folder that holds cuda.h, or says on stderr why there is none. Usage: cuda-headers.sh [12|13]
# CUDA_INCLUDE names one; else that of an installed toolkit is taken, else NVIDIA's Python wheel is installed into a
# folder of its own under the user's cache.
set -u
version=${1:-12}
if [ -n "${CUDA_INCLUDE:-}" ]; then echo "$CUDA_INCLUDE"; exit 0; fi
if [ $# -eq 0 ] && [ -f /usr/local/cuda/include/cuda.h ]; then echo /usr/local/cuda/include; exit 0; fi
dir=${XDG_CACHE_HOME:-$HOME/.cache}/clipcap-cuda/$version
find_header() { find "$dir" -name cuda.h -printf '%h\n' 2>/dev/null | head -1; }
if [ -z "$(find_header)" ]; then
  case $version in
    12) wheels="nvidia-cuda-runtime-cu12" ;;
    13) wheels="nvidia-cuda-runtime>=13,<14 nvidia-cuda-crt>=13,<14" ;;
    *) echo "cuda-headers: version $version: want 12 or 13" >&2; exit 2 ;;
  esac
  if ! python3 -m pip install -q --no-deps --no-warn-script-location --target "$dir" $wheels >/dev/null 2>"/tmp/cuda-headers.$$"; then
    echo "cuda-headers: no CUDA toolkit, and NVIDIA's wheels could not be installed: $(tail -1 "/tmp/cuda-headers.$$")" >&2
    rm -f "/tmp/cuda-headers.$$"; exit 1
  fi
  rm -f "/tmp/cuda-headers.$$"
fi
found=$(find_header)
[ -n "$found" ] || { echo "cuda-headers: no cuda.h in the wheels" >&2; exit 1; }
echo "$found"
