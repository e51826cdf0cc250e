#!/usr/bin/env bash
# Static binaries of the commands, cross-compiled: dist/clipcap_VERSION_OS_ARCH.tar.gz (.zip for Windows) and their SHA-256 sums.
set -eu
version=${VERSION:-devel}
commands=$(ls -d cmd/*/ 2>/dev/null | while read -r d; do if ls "$d"*.go >/dev/null 2>&1; then echo "./${d%/}"; fi; done)
[ -n "$commands" ] || { echo "release: no command under cmd/ in this checkout" >&2; exit 1; }
rm -rf dist
for platform in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do
  os=${platform%/*} arch=${platform#*/} name=clipcap_${version}_${platform%/*}_${platform#*/}
  mkdir -p "dist/$name"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w -X github.com/clipcap-go/clipcap/internal/cli.version=$version" -o "dist/$name/" $commands
  cp LICENSE README.md "dist/$name/"
  if [ "$os" = windows ] && command -v zip >/dev/null; then (cd dist && zip -qr "$name.zip" "$name")
  else tar -C dist -czf "dist/$name.tar.gz" "$name"; fi
  rm -rf "dist/$name"
done
(cd dist && sha256sum clipcap_* >SHA256SUMS && cat SHA256SUMS)
