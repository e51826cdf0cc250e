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
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# Go before 1.27 can end a run that found nothing with "context deadline exceeded" when a worker is slow to stop
# (go.dev/issue/75804). A finding always comes with a written input, so a failure without one and with just that line passes.
only_late() { # reads the log
  grep -qx ' *context deadline exceeded' "$log" && ! grep -qiE 'failing input|panic|fatal error|_test\.go:' "$log"
}
while read -r dir target; do
  if go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$each" -fuzzminimizetime 10x >"$log" 2>&1; then
    echo "fuzz: $dir $target:$(grep 'elapsed:' "$log" | tail -1 | sed 's/^fuzz: elapsed: [^,]*,//')"
  elif only_late; then
    echo "fuzz: $dir $target: found nothing; its workers stopped late (go.dev/issue/75804)"
  else
    cat "$log"
    echo "fuzz: $dir $target failed" >&2; bad=1
  fi
done <<<"$targets"
exit $bad
