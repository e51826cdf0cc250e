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

# Each build by itself: what one of them does not use stands in a file that it does not have.
for build in linux/amd64 linux/amd64/noasm darwin/arm64 windows/amd64; do
  IFS=/ read -r os arch tags <<<"$build"
  GOOS=$os GOARCH=$arch "$1" -tags "$tags" ./... || fail "staticcheck for $build"
done
exit $bad
