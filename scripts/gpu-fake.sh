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

# The commands as a user has them, from pictures to captions, beside what they make without a GPU. A drawn world, and small networks.
ours=$tmp/ours
go run ./internal/demo draw -out "$ours/world" -train 3 -test 3 -seed 1 || exit 1
# on runs a command on the CPU and on the device; what it makes is $ours/cpu.NAME and $ours/cuda.NAME.
on() { # name, command, arguments with DEVICE for cpu or cuda
  local name=$1 command=$2; shift 2
  "$folder/$command" --device cpu "${@//DEVICE/cpu}" >"$ours/cpu.out" 2>"$tmp/log" || { tail -5 "$tmp/log" >&2; fail "$name on the CPU"; return; }
  try "$name" . sh -c 'out=$1; shift; exec "$@" >"$out"' sh "$ours/cuda.out" "$folder/$command" --device cuda "${@//DEVICE/cuda}"
}
# alike compares two columns of numbers.
alike() { # name, largest difference, the file of a device with %s for its name, a command that prints its numbers
  local name=$1 most=$2 file=$3; shift 3
  paste <("$@" "${file/\%s/cpu}") <("$@" "${file/\%s/cuda}") | awk -v most="$most" '
    NF != 2 || $1 - $2 > most || $2 - $1 > most { print; bad = 1 } END { exit bad || NR == 0 }' >&2 || fail "$name: other numbers than the CPU's"
}
features() { od -An -v -tf4 -w4 -j128 "$1"; }
losses() { grep -o '"\(val_\)\?loss":[^,]*' "$1" | cut -d: -f2; }
scores() { grep -o '"score":[^}]*' "$1" | cut -d: -f2; }
words() { sed 's/"score":[^}]*//g' "$1"; }

on "clipcap-extract" clipcap-extract --clip "$ours/world/clip" --images "$ours/world/test" --annotations "$ours/world/test.json" --dtype f32 --out "$ours/DEVICE.features"
alike "features" 1e-4 "$ours/%s.features/00000.npy" features
train=(--features "$ours/cpu.features" --captions "$ours/world/test.json" --batch-size 4 --lr 1e-3 --warmup 1 --seed 1)
tune=("${train[@]}" --gpt2 "random:$ours/world/gpt2/config.json" --mapper linear --prefix-length 3)
on "clipcap-train, all of it, with validation" clipcap-train "${tune[@]}" --steps 4 --val-share 0.34 --eval-every 4 --val-images 1 --out "$ours/DEVICE.gpt2"
alike "losses of tuning" 1e-4 "$ours/%s.gpt2/log.jsonl" losses
for precision in high bfloat16; do
  on "clipcap-train --frozen-lm --precision $precision" clipcap-train --frozen-lm "${train[@]}" --gpt2 "$ours/cpu.gpt2" --steps 4 \
    --mapper transformer --layers 1 --prefix-length 2 --clip-length 2 --precision $precision --out "$ours/DEVICE.$precision"
  alike "losses of the mapper" 1e-3 "$ours/%s.$precision/log.jsonl" losses
done
for form in "--decode beam" "--decode greedy --weights int8"; do
  on "clipcap-caption $form" clipcap-caption --model "$ours/cpu.high" --gpt2 "$ours/cpu.gpt2" --clip "$ours/world/clip" \
    --images "$ours/world/test" --json --max-tokens 6 $form
  alike "scores of captions" 1e-4 "$ours/%s.out" scores
  cmp <(words "$ours/cpu.out") <(words "$ours/cuda.out") || fail "other captions than the CPU's"
done
on "clipcap-eval with a model" clipcap-eval --annotations "$ours/world/test.json" --model "$ours/cpu.gpt2" --clip "$ours/world/clip" \
  --images "$ours/world/test" --metrics bleu,rouge,cider --json --max-tokens 6 --per-image "$ours/DEVICE.images"
cmp "$ours/cpu.out" "$ours/cuda.out" && cmp "$ours/cpu.images" "$ours/cuda.images" || fail "clipcap-eval: other scores than the CPU's"
refused "clipcap-train on a GPU that is lost" 'the GPU is lost to this program' cuLaunchKernel:400:700 . \
  "$folder/clipcap-train" --device cuda "${tune[@]}" --steps 6 --save-every 1 --out "$ours/cuda.lost"
"$folder/clipcap-train" --device cpu "${tune[@]}" --steps 6 --save-every 1 --out "$ours/cpu.lost" >"$tmp/log" 2>&1 || fail "the same run on the CPU"
saved=$(losses "$ours/cuda.lost/log.jsonl" | wc -l)
[ "$saved" -ge 1 ] && [ "$saved" -lt 6 ] || fail "the lost run should end between two of its six steps, not after $saved"
"$folder/clipcap-train" --resume --device cpu "${tune[@]}" --steps 6 --save-every 1 --out "$ours/cuda.lost" >"$tmp/log" 2>&1 || { tail -5 "$tmp/log" >&2; fail "what a lost GPU leaves does not resume"; }
alike "losses of a run that lost its GPU after $saved steps and went on without" 1e-4 "$ours/%s.lost/log.jsonl" losses
exit $bad
