# What a developer does with this repository. `make help` lists it; `.ci/run` is all of the checking at once.

GO          ?= go
BIN         := bin
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 10s
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# A build without tags has no cgo; the race detector and the tag gpu switch it on for themselves.
export CGO_ENABLED ?= 0

.PHONY: help build test bench bench-peers demo lint race fuzz parity ptx gpu-ci release clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## every package, and the commands found under cmd/ into bin/
	$(GO) build ./...
	@mkdir -p $(BIN)
	@for d in cmd/*/; do if ls $$d*.go >/dev/null 2>&1; then $(GO) build -o $(BIN)/ ./$$d || exit 1; fi; done

test: ## every test
	$(GO) test ./...

bench: ## one table: kernel, shape, ours, limit, ratio
	$(GO) run ./internal/bench $(ARGS)

bench-peers: ## our products against PyTorch's in one run (installs it, or PEERS_PYTHON names a Python); ARGS=train, decode, clip
	scripts/peers.sh $(ARGS)

demo: ## from drawn scenes to scored captions with the real commands
	scripts/demo.sh

lint: $(BIN)/staticcheck ## gofmt, go mod tidy, vet for every architecture we ship, staticcheck
	scripts/lint.sh $(BIN)/staticcheck

race: ## the race detector on every package that starts goroutines or locks (needs a C compiler)
	scripts/race.sh

fuzz: ## every fuzz target for FUZZTIME (10s) each
	scripts/fuzz.sh $(FUZZTIME)

parity: ## the acceptance checks whose commands exist, where ../shared/check is there
	scripts/parity.sh

ptx: ## the GPU kernels, from CUDA C to the PTX that is committed (needs clang 19)
	scripts/ptx.sh

gpu-ci: ## what can be checked of the GPU code without a GPU
	scripts/gpu-ci.sh

release: ## static binaries of the commands for four platforms into dist/
	VERSION=$(VERSION) scripts/release.sh

clean: ## what the other targets made
	rm -rf $(BIN) dist demo-out photos-out

# The module proxy sometimes drops a connection, hence three tries.
$(BIN)/staticcheck:
	@for try in 1 2 3; do GOBIN=$(CURDIR)/$(BIN) $(GO) install $(STATICCHECK) && exit 0; sleep $$((try * 5)); done; exit 1
