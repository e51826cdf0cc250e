#!/usr/bin/env bash
# gofmt, go mod tidy, go vet for the builds we ship, staticcheck. Usage: lint.sh STATICCHECK
set -u
bad=0
fail() { echo "lint: $*" >&2; bad=1; }

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l)
[ -z "$unformatted" ] || fail "gofmt would change: $unformatted"

# A module that the proxy would not give is no fault of go.mod's: only a difference counts.
untidy=$(go mod tidy -diff)
[ -z "$untidy" ] || fail "go mod tidy would change go.mod or go.sum: $untidy"

# The assembly's declarations are checked against the assembly by vet, once per build.
go vet ./... || fail "go vet"
go vet -tags noasm ./... || fail "go vet -tags noasm"
for platform in linux/arm64 darwin/arm64 windows/amd64; do
  GOOS=${platform%/*} GOARCH=${platform#*/} go vet ./... || fail "go vet for $platform"
done

# One matrix, so that a function used in one build only is not called unused. What no build uses is listed, not refused:
# a part may land a step before its user.
"$1" -matrix -fail all,-U1000 ./... <<MATRIX || fail "staticcheck"
amd64: GOOS=linux GOARCH=amd64
noasm: GOOS=linux GOARCH=amd64 -tags=noasm
arm64: GOOS=darwin GOARCH=arm64
windows: GOOS=windows GOARCH=amd64
MATRIX
exit $bad
