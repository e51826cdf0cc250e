#!/usr/bin/env bash
# The acceptance checks (../shared/check): each drives one command on golden files and compares. A check whose command is not
# in this checkout yet is named and left out; a check that is not on the list below is run and reported, but only the list must hold.
set -u
holds="ptb-parity eval-parity extract-parity train-parity weights-inspect hostile-files caption-parity" # a check joins when what it drives is finished
checks=${CHECKS:-../shared/check} ran=0 bad=0 left=0
[ -d "$checks" ] || { echo "parity: no folder $checks, nothing to check against"; exit 0; }
command -v python3 >/dev/null || { echo "parity: the checks need python3" >&2; exit 1; }
for check in "$checks"/*; do
  command=$(sed -nE 's/^exe = build\("([a-z-]+)"\).*/\1/p' "$check" | head -n 1)
  [ -n "$command" ] && [ -x "$check" ] || continue
  name=$(basename "$check")
  if ! ls "cmd/$command"/*.go >/dev/null 2>&1; then
    echo "$name: left out: $command is not written yet"; left=$((left + 1)); continue
  fi
  ran=$((ran + 1))
  if out=$(timeout 600 "$check" 2>&1); then echo "$name: ok: $(tail -n 1 <<<"$out")"
  elif [[ " $holds " == *" $name "* ]]; then bad=$((bad + 1)); echo "$name: falls short: $(tail -n 1 <<<"$out")"
  else echo "$name: not finished yet: $(tail -n 1 <<<"$out")"; fi
done
echo "parity: $ran run, $bad fell short, $left left out"
[ "$bad" -eq 0 ]
