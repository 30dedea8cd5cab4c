# Stable names for what .ci/run does; each is documented in CONTRIBUTING.md.
FUZZTIME ?= 10s
BIN := $(CURDIR)/bin

.PHONY: test lint race fuzz clients scripts browser bench bench-all ci

test:
	go test ./...

lint: $(BIN)/staticcheck-0.8.2 $(BIN)/govulncheck-1.9.0
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these"; exit 1; }
	go vet ./...
	$(BIN)/staticcheck-0.8.2 ./...
	.ci/vulncheck $(BIN)/govulncheck-1.9.0

# What has goroutines; the pure rooms (views, language) would only take long.
race:
	go test -race ./bot ./bot/slacksim ./upgrade ./upgrade/store ./upgrade/azure/... ./cmd/...
	go test -race -run 'TestEveryStoryIsToldAsItWasRead/(one-domain|approve-rest|crash|double-click|pause|slack)' ./upgrade/upgradetest

fuzz:
	.ci/fuzz $(FUZZTIME)

clients:
	.ci/clients/run

scripts:
	go run ./cmd/demo --addr 127.0.0.1:0 --azure-addr 127.0.0.1:0 --script happy
	go run ./cmd/demo --addr 127.0.0.1:0 --azure-addr 127.0.0.1:0 --script resume
	go run ./cmd/demo --addr 127.0.0.1:0 --azure-addr 127.0.0.1:0 --script failure

browser:
	go vet -tags browser ./cmd/demo
	go test -count=1 -tags browser -run 'Clicking|AForm' ./cmd/demo

bench:
	.ci/bench

bench-all: bench
	.ci/bench large
	go test -run '^$$' -bench . -benchtime 200x $$(go list ./... | grep -v /bench$$)

ci:
	.ci/run

$(BIN)/staticcheck-0.8.2:
	GOBIN=$(BIN) go install honnef.co/go/tools/cmd/staticcheck@v0.8.2 && mv $(BIN)/staticcheck $@

$(BIN)/govulncheck-1.9.0:
	GOBIN=$(BIN) go install golang.org/x/vuln/cmd/govulncheck@v1.9.0 && mv $(BIN)/govulncheck $@
