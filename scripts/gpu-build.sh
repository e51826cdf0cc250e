#!/usr/bin/env bash
# Builds the commands with the tag gpu. Usage: gpu-build.sh [FOLDER, default bin/gpu] [CUDA version of the headers, 12 or 13]
# TESTS=1 also builds what scripts/gpu-check.sh runs on a GPU, which may be another machine: test programs, the timing program,
# and the golden files of the models beside them, all in the folder; ONLY lists the packages whose test programs are wanted, without golden files. PACK=1 also packs what that machine needs into FOLDER.tar.xz
# (28 MB), which gpu-check.sh takes instead of the folder.
# No CUDA toolkit and no driver are needed: headers come from scripts/cuda-headers.sh, and instead of libcuda the programs are
# linked with trampolines that look for libcuda.so.1 when they start. So they also run where there is no GPU, and say so.
set -eu
cd "$(dirname "$0")/.."
out=${1:-bin/gpu} include=$(scripts/cuda-headers.sh ${2:+"$2"})
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cc=$(go env CC)
export CGO_ENABLED=1
export CGO_CFLAGS="-O2 -g -w -I$PWD/internal/gpu/compat -I$include"
export CGO_LDFLAGS="-L$tmp"

# What the programs want of libcuda: link with an empty one, and read the complaints.
ar cr "$tmp/libcuda.a"
if go build -tags gpu -o "$tmp/none" ./cmd/clipcap-caption 2>"$tmp/log"; then
  echo "gpu-build: the linker found a libcuda of its own" >&2; exit 1
fi
symbols=$(grep -o "undefined reference to [\`']cu[A-Za-z0-9_]*" "$tmp/log" | sed "s/.*[\`']//" | sort -u)
if [ -z "$symbols" ]; then cat "$tmp/log" >&2; exit 1; fi

{
  cat <<'C'
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
static char why[512];
// What kept libcuda from being used, or NULL.
const char *clipcap_cuda_missing(void) { return why[0] ? why : NULL; }
// Stands for every function that is not there. 0 is success: gorgonia.org/cu ends the program where cuInit fails.
static int absent_init(unsigned flags) { (void)flags; return 0; }
static int absent(void) { return 100; /* no device */ }
#if defined(__x86_64__)
#define TRAMPOLINE(name) void *slot_##name; __asm__(".globl " #name "\n.type " #name ",@function\n" #name ":\n jmp *slot_" #name "(%rip)\n");
#elif defined(__aarch64__)
#define TRAMPOLINE(name) void *slot_##name; __asm__(".globl " #name "\n.type " #name ",%function\n" #name ":\n adrp x16, slot_" #name "\n ldr x16, [x16, :lo12:slot_" #name "]\n br x16\n");
#else
#error "no trampolines for this architecture"
#endif
C
  for s in $symbols; do echo "TRAMPOLINE($s)"; done
  echo '__attribute__((constructor(101))) static void find(void) {'
  echo '  void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);'
  echo '  if (!lib) snprintf(why, sizeof why, "%s", dlerror());'
  for s in $symbols; do echo "  if (!lib || !(slot_$s = dlsym(lib, \"$s\"))) slot_$s = (void *)absent;"; done
  echo '  int (*init)(unsigned) = lib ? (int (*)(unsigned))slot_cuInit : NULL;'
  echo '  int r = init ? init(0) : 0;'
  echo '  if (r) snprintf(why, sizeof why, r == 100 ? "the driver sees no GPU (CUDA error %d)" : "the driver cannot start (CUDA error %d)", r);'
  echo '  if (why[0]) slot_cuInit = (void *)absent_init;'
  echo '}'
} >"$tmp/stub.c"
$cc -O2 -fPIC -c "$tmp/stub.c" -o "$tmp/stub.o"
rm "$tmp/libcuda.a"; ar cr "$tmp/libcuda.a" "$tmp/stub.o"
mkdir -p "$out"
export CGO_LDFLAGS="-L$tmp -ldl"
go build -tags gpu -ldflags "-s -w" -o "$out/" ./cmd/...
if [ -n "${TESTS:-}" ]; then
  go build -tags gpu -ldflags "-s -w" -o "$out/bench" ./internal/bench
  for p in ${ONLY:-internal/gpu nn gpt2 mapping clip train}; do
    go test -c -tags gpu -ldflags "-s -w" -o "$out/$(basename "$p").test" "./$p"
  done
  golden=${CLIPCAP_GOLDEN:-../shared/golden}
  if [ -n "${ONLY:-}" ]; then
    golden=
  elif [ -d "$golden/models" ]; then
    rm -rf "$out/golden"; mkdir -p "$out/golden/models"
    cp -r "$golden/models/weights" "$golden/models/fullsize" "$out/golden/models/"
  else
    echo "gpu-build: no golden files at $golden; tests that need them will be skipped" >&2
  fi
  if [ -n "${PACK:-}" ]; then # the programs are much alike: a dictionary as large as all of them finds that
    (cd "$out" && tar c bench clipcap-extract *.test $([ -d golden ] && echo golden)) | xz --lzma2=preset=3,dict=192MiB >"$out.tar.xz"
  fi
fi
echo "gpu-build: $(ls "$out" | wc -l) commands in $out, $(echo $symbols | wc -w) functions of libcuda, headers of CUDA $(sed -n 's/^#define CUDA_VERSION //p' "$include/cuda.h")"
