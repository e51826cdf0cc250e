#!/usr/bin/env bash
# The whole pipeline on real photos with human captions: extract, tune a small GPT-2 on the captions, train a mapper in front of
# it, caption photos it has not seen, score. CLIP has random weights, so this shows that the way is whole, not how good captions are.
# Usage: scripts/real-photos.sh [FOLDER [PHOTOS]]   (default photos-out, ../shared/photos: images/ and captions_photos.json)
set -eu -o pipefail
cd "$(dirname "$0")/.."
out=${1:-photos-out} photos=${2:-../shared/photos}
captions=$photos/captions_photos.json
[ -f "$captions" ] || { echo "real-photos: no $captions; name a folder with images/ and captions_photos.json" >&2; exit 1; }
[ ! -e "$out" ] || { echo "real-photos: $out exists; remove it or name another folder" >&2; exit 1; }
photos=$(cd "$photos" && pwd)
step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }
run() { echo "\$ $*"; "$@" 2>&1 | tail -n "${lines:-1}"; }

mkdir -p bin "$out/train" "$out/test"
CGO_ENABLED=0 go build -o bin/ ./cmd/...
PATH=$PWD/bin:$PATH
i=0
for photo in "$photos"/images/*; do # every fifth is held out
  part=train; [ $((i % 5)) -ne 4 ] || part=test
  ln -s "$photo" "$out/$part/"
  i=$((i + 1))
done

step "features of $i photos, by a ViT-B/32 with random weights"
for part in train test; do
  run clipcap-extract --clip random:ViT-B/32 --images "$out/$part" --out "$out/features-$part" --dtype f32
done

step "a small GPT-2 with the published vocabulary learns to write from the captions"
echo '{"n_embd": 128, "n_layer": 3, "n_head": 4, "n_positions": 128}' >"$out/gpt2.json"
run clipcap-train --features "$out/features-train" --captions "$captions" --max-missing 1 --gpt2 "random:$out/gpt2.json" --dropout 0 \
  --mapper linear --epochs 8 --lr 1e-3 --warmup auto --seed 1 --out "$out/gpt2"

step "a mapper, GPT-2 frozen"
run clipcap-train --frozen-lm --features "$out/features-train" --captions "$captions" --max-missing 1 --gpt2 "$out/gpt2" \
  --mapper linear --epochs 4 --lr 1e-3 --warmup auto --seed 1 --out "$out/mapper"

step "captions of the held-out photos"
echo "\$ clipcap-caption --model $out/mapper --gpt2 $out/gpt2 --clip random:ViT-B/32 --images $out/test --json > $out/captions.jsonl"
clipcap-caption --model "$out/mapper" --gpt2 "$out/gpt2" --clip random:ViT-B/32 --images "$out/test" --json >"$out/captions.jsonl" 2>"$out/caption.log" ||
  { cat "$out/caption.log" >&2; exit 1; }
head -n 8 "$out/captions.jsonl" | sed -E 's/.*"image":"([^"]*)".*"caption":"([^"]*)".*/\1: \2/'

step "scores against the human captions"
lines=20 run clipcap-eval --annotations "$captions" --results "$out/captions.jsonl" --subset --images "$out/test" --html "$out/report.html"
step "done: $out/report.html shows every photo with its caption"
