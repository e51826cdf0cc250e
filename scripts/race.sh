#!/usr/bin/env bash
# The race detector on the packages that start goroutines or use package sync, tests in short form.
# Assembly is not instrumented, so the plain-Go kernels are what it sees: -tags noasm. Whole models on the simulated GPU take minutes here
# and share nothing that smaller tests of it do not.
set -eu
export CGO_ENABLED=1
if ! command -v "$(go env CC | awk '{print $1}')" >/dev/null; then
  echo "race: no C compiler here, which the race detector needs; skipped"
  exit 0
fi
packages=$(go list -f '{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... |
  awk '/ sync( |\/|$)/ || / testing\/synctest( |$)/ {print $1}')
[ -z "$packages" ] || go test -race -short -tags noasm -timeout 20m -skip '^TestGPUGolden' $packages
