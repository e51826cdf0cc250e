#!/usr/bin/env bash
# For a newcomer, in two minutes: a drawn world goes through the real commands, from pictures to scored captions.
# Usage: scripts/demo.sh [--short] [FOLDER]   (default demo-out; what lies in it from an earlier demo is replaced)
# --short goes the same way with little data and few steps: it shows that every part works, and learns nothing.
set -eu
cd "$(dirname "$0")/.."
scenes=12000 test=300 tune=4000 map=1500 warm=100
if [ "${1:-}" = --short ]; then scenes=300 test=20 tune=40 map=40 warm=4; shift; fi
out=${1:-demo-out} clip=${1:-demo-out}/world/clip
if [ -e "$out" ] && [ ! -e "$out/world" ]; then
  [ -d "$out" ] && [ -z "$(ls -A "$out")" ] || { echo "demo: $out is not an earlier demo's folder; name another" >&2; exit 1; }
fi
seed=1
export CGO_ENABLED=0
set -o pipefail
step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }
run() { # the command, its last line of report, and its results
  echo "\$ $*"
  "$@" 2>&1 | tail -n "${lines:-1}"
}

step "build"
mkdir -p bin
go build -o bin/ ./cmd/...
rm -rf "$out"
mkdir -p "$out"
PATH=$PWD/bin:$PATH

step "draw $scenes scenes to train on and $test with pairs of colour and shape that training lacks"
run go run ./internal/demo draw -out "$out/world" -train $scenes -test $test -seed $seed

step "features of the scenes, by a small CLIP with random weights"
for part in train test; do
  run clipcap-extract --clip $clip --images "$out/world/$part" --annotations "$out/world/$part.json" --out "$out/features-$part" --dtype f32
done

step "a small GPT-2 learns to write from the captions"
run clipcap-train --features "$out/features-train" --captions "$out/world/train.json" --gpt2 "random:$out/world/gpt2/config.json" \
  --mapper linear --prefix-length 8 --steps $tune --batch-size 64 --lr 1e-3 --warmup $warm --seed $seed --out "$out/gpt2"

step "a mapper learns to speak to it, GPT-2 frozen"
run clipcap-train --frozen-lm --features "$out/features-train" --captions "$out/world/train.json" --gpt2 "$out/gpt2" \
  --mapper linear --prefix-length 8 --steps $map --batch-size 64 --lr 2e-3 --warmup $warm --seed $seed --out "$out/mapper"

step "captions of the held-out scenes"
echo "\$ clipcap-caption --model $out/mapper --gpt2 $out/gpt2 --clip $clip --images $out/world/test --json > $out/captions.jsonl"
clipcap-caption --model "$out/mapper" --gpt2 "$out/gpt2" --clip $clip --images "$out/world/test" --json 2>"$out/caption.log" >"$out/captions.jsonl" ||
  { cat "$out/caption.log" >&2; exit 1; }
head -n 5 "$out/captions.jsonl" | sed -E 's/.*"image":"([^"]*)".*"caption":"([^"]*)".*/\1: \2/'

step "scores against the scenes' own captions"
lines=20 run clipcap-eval --annotations "$out/world/test.json" --results "$out/captions.jsonl" --images "$out/world/test" --html "$out/report.html"
lines=20 run go run ./internal/demo check -captions "$out/captions.jsonl" -annotations "$out/world/test.json"
run go run ./internal/demo sheet -captions "$out/captions.jsonl" -images "$out/world/test" -out "$out/contact-sheet.png"

cat <<END

Look at
  $out/contact-sheet.png    24 held-out scenes and what the model said of them
  $out/report.html          the scores, image by image
  $out/gpt2/report.html, $out/mapper/report.html    the two training runs
All of it was trained here, in $SECONDS s, from random weights. With the published ones
(clipcap-weights list), photos are captioned the same way:
  bin/clipcap-caption --model coco --download photo.jpg
END
