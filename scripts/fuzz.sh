#!/usr/bin/env bash
# Every fuzz target of the module, one after the other. Usage: fuzz.sh TIME-EACH [TOTAL-SECONDS]
# An input that reaches something new is made smaller in ten tries; the default would spend the whole time on the first one.
# With a total, the time each shrinks so that all of them fit (never below 2 s).
set -u
each=$1 total=${2:-0} bad=0
# Lines "./folder Target", one per target.
targets=$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's|^(.*)/[^/]*:func (Fuzz.*)$|\1 \2|' | sort -u)
[ -n "$targets" ] || { echo "fuzz: no target"; exit 0; }
n=$(wc -l <<<"$targets")
if [ "$total" -gt 0 ]; then
  s=$((total / n)); most=${each%s}
  [ "$s" -gt "$most" ] && s=$most
  [ "$s" -lt 2 ] && s=2
  each=${s}s
fi
echo "fuzz: $n targets, $each each"
while read -r dir target; do
  go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$each" -fuzzminimizetime 10x || { echo "fuzz: $dir $target failed" >&2; bad=1; }
done <<<"$targets"
exit $bad
