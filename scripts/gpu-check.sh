#!/usr/bin/env bash
# Checks and times the GPU code on a GPU, in ten minutes at most. Usage: gpu-check.sh [GPU, default 0] [FOLDER, default bin/gpu] [tests|bench|all]
# The folder holds what "TESTS=1 scripts/gpu-build.sh FOLDER" built, here or on another machine, or is the archive that PACK=1 made
# of it; Go is not needed. Steps come in the order of what they are worth, each with a limit of its own within SECONDS_IN_ALL (570), and one that fails or
# is cut short does not end the check:
#   how long loading the kernels takes, with an empty cache and from it;
#   every kernel against the CPU's, whole graphs against the reference, and GPT-2, the mappers, CLIP and training against their golden files;
#   our timings alone, one row after the other; the kernel tests once more under the memory checker, where compute-sanitizer is installed;
#   our timings beside the PyTorch that is installed (PEERS_PYTHON names its interpreter), the cases that the goals name first.
# RESULTS (default: the folder) receives results.md, for docs/gpu.md, written anew after every row, summary.txt, and a log of every step.
# A second check with the same RESULTS, programs, GPU and PyTorch goes on with the timings that are not there yet ("bench" leaves out the tests, which all come
# again); FRESH=1 forgets them, as dry runs do unless FRESH is set to nothing. What PyTorch's compiler makes is kept in TORCHINDUCTOR_CACHE_DIR (default: RESULTS/inductor).
# DRY_RUN=1 tries the flow out where there is no GPU: tests on the simulated device, timings that mean nothing on the CPU.
set -u
cd "$(dirname "$0")/.."
dry=${DRY_RUN:-} slow=${DRY_RUN:+5} # a simulated device takes longer
slow=${slow:-1} start=$SECONDS bad=0 child=
all=${SECONDS_IN_ALL:-$((570 * slow))}
folder=$(realpath "${2:-bin/gpu}") what=${3:-all} python=${PEERS_PYTHON:-python3}
if [ -f "$folder" ]; then
  archive=$folder folder=${folder%.tar.xz}-unpacked
  mkdir -p "$folder" || exit 1
  tar xJf "$archive" -C "$folder" || "$python" -m tarfile -e "$archive" "$folder" || exit 1 # Python needs no xz
fi
case $what in tests | bench | all) ;; *) echo "gpu-check: $what: want tests, bench or all" >&2; exit 2 ;; esac
[ -d "$folder" ] || { echo "gpu-check: no folder $folder; TESTS=1 scripts/gpu-build.sh makes it" >&2; exit 2; }
results=$(realpath -m "${RESULTS:-$folder}")
mkdir -p "$results/logs" && : >"$results/summary.txt" || exit 1
if [ -n "${FRESH-$dry}" ]; then rm -f "$results/results.md" "$results/results.md.json"; fi
export TORCHINDUCTOR_CACHE_DIR=${TORCHINDUCTOR_CACHE_DIR:-$results/inductor}
tell() { echo "$*" | tee -a "$results/summary.txt"; }
finish() {
  trap - EXIT TERM INT
  [ -n "$child" ] && kill "$child" 2>/dev/null
  echo; echo "gpu-check: summary"; cat "$results/summary.txt"
  [ $bad -eq 0 ] && echo "gpu-check: all well, $((SECONDS - start)) s" || echo "gpu-check: not all well, $((SECONDS - start)) s"
  exit $bad
}
trap finish EXIT
trap 'bad=1; tell "cut: the check itself was ended"; exit 1' TERM INT

if [ -z "$dry" ]; then
  export CLIPCAP_CUDA=${1:-0} CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-}
  # With one GPU made visible it is number 0, for PyTorch as for us.
  if [ -z "$CUDA_VISIBLE_DEVICES" ]; then export CUDA_VISIBLE_DEVICES=$CLIPCAP_CUDA CLIPCAP_CUDA=0; fi
  command -v nvidia-smi >/dev/null && timeout 20 nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
fi
# PyTorch's wheels keep cuBLASLt where the loader does not look, and ours is to be timed with the one that PyTorch has.
if [ -z "$dry" ] && [ -z "${CLIPCAP_CUBLAS:-}" ]; then
  CLIPCAP_CUBLAS=$("$python" -c 'import glob, nvidia
print(max(f for p in nvidia.__path__ for f in glob.glob(p + "/**/libcublasLt.so.[0-9]*", recursive=True)))' 2>/dev/null) && export CLIPCAP_CUBLAS
fi
[ -d "$folder/golden" ] && export CLIPCAP_GOLDEN="$folder/golden"
# A cache of our own, empty at first, so that the driver translates the kernels once, whatever the machine's settings are.
rm -rf "$folder/jit"
export CUDA_CACHE_PATH=$folder/jit CUDA_CACHE_MAXSIZE=1073741824 CUDA_CACHE_DISABLE=0

left() { echo $((all - (SECONDS - start))); }
# step runs a command within its limit and what is left, keeping so many seconds back for what comes after.
step() { # name, limit, kept back, package, command …
  local name=$1 limit=$(($2 * slow)) room=$(($(left) - $3)) package=$4 began=$SECONDS rc log="$results/logs/$1.log" counts=; shift 4
  [ "$limit" -lt "$room" ] || limit=$room
  if [ "$limit" -lt 5 ]; then bad=1; tell "cut: $name: no time left"; return 1; fi
  echo "== $name, $limit s at most: $(basename "$1") ${*:2}"
  (cd "$package" && exec timeout -k 10 "$limit" "$@") >"$log" 2>&1 &
  child=$!
  wait $child; rc=$?
  child=
  if grep -q -- '--- \(PASS\|FAIL\|SKIP\)' "$log"; then
    counts=": $(grep -c '^ *--- PASS' "$log") passed, $(grep -c '^ *--- FAIL' "$log") failed, $(grep -c '^ *--- SKIP' "$log") skipped"
  fi
  case $rc in
  0) tell "passed: $name$counts, $((SECONDS - began)) s" ;;
  124 | 137) bad=1; tell "cut: $name after $((SECONDS - began)) s$counts"; tail -5 "$log" ;;
  *) bad=1; tell "failed: $name ($rc)$counts, $((SECONDS - began)) s"; grep -A12 -- '--- FAIL' "$log" | head -40; tail -25 "$log" ;;
  esac
  return $rc
}

small=${dry:+-small}
for cache in empty filled; do
  step "load-$cache" 90 0 . "$folder/bench" -load "${CLIPCAP_CUDA:-0}" $small && tell "  cache $cache: $(tail -1 "$results/logs/load-$cache.log")"
done
if [ "$what" != bench ]; then
  keep=0; [ "$what" = all ] && keep=200
  step gpu 110 $keep internal/gpu "$folder/gpu.test" -test.v ${dry:+-test.short}
  step nn 60 $keep nn "$folder/nn.test" -test.v -test.run GPU
  for p in gpt2 train clip mapping; do
    step $p 60 $keep $p "$folder/$p.test" -test.v -test.run 'GPU|GoldenForward|GoldenPrefixes'
  done
fi
timings() { # name, limit, kept back, options …
  local name=$1 limit=$(($2 * slow)) keep=$3 budget=$(($(left) - $3 - 10)); shift 3
  [ "$limit" -lt "$budget" ] && budget=$((limit - 10))
  step "$name" $((limit / slow)) "$keep" . "$python" -u scripts/peers_gpu.py --ours "$folder/bench" --extract "$folder/clipcap-extract" --budget "$budget" --out "$results/results.md" \
    ${DRY_PARTS:+--parts "$DRY_PARTS"} ${dry:+--dry-run} "$@"
}
if [ "$what" != tests ]; then
  if command -v "$python" >/dev/null; then timings ours-alone 120 60 --alone; else tell "left out: timings: no $python"; fi
fi
if [ "$what" != bench ]; then
  if [ -z "$dry" ] && command -v compute-sanitizer >/dev/null; then
    keep=0; [ "$what" = all ] && keep=150
    step memcheck 60 $keep internal/gpu compute-sanitizer --tool memcheck --error-exitcode 1 "$folder/gpu.test" -test.v -test.short
    step racecheck 40 $keep internal/gpu compute-sanitizer --tool racecheck --error-exitcode 1 "$folder/gpu.test" -test.v -test.short -test.run 'Gemm|Attention'
  else
    tell "left out: compute-sanitizer is not here; memory is checked by the simulated device alone"
  fi
fi
if [ "$what" != tests ]; then
  if "$python" -c 'import torch' 2>/dev/null; then
    timings beside-pytorch 600 0
  else
    tell "left out: PyTorch: $python has none"
  fi
  [ -f "$results/results.md" ] && cat "$results/results.md"
fi
