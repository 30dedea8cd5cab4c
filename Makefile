# Stable names for what .ci/run does; each is documented in CONTRIBUTING.md.
FUZZTIME ?= 10s
SEEDS ?= 200
FROM ?= 1
KILLS ?= 50
BIN := $(CURDIR)/bin

.PHONY: test lint race sim sweep sweep-all mutants fuzz clients scripts browser bench bench-all kills reproducible ci

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

# All of them, or N in a row, which move on with the day of the year; RUN is a pattern of their names.
mutants:
	go run ./upgrade/upgradetest/mutants -n $(or $(N),0) $(if $(DAY),-day $(DAY)) -run '$(RUN)'

# Random rollouts, two processes with one processor each. A seed is the same rollout whenever it is played.
sim:
	@mkdir -p $(BIN)
	@go test -c -o $(BIN)/sim.test ./upgrade/upgradetest
	@cd upgrade/upgradetest && $(BIN)/sim.test -test.run '^TestSimulation$$' -test.timeout 0 -shards 2 -seeds $(SEEDS) -from $(FROM) $(SIM)

# Six rollouts, the bot killed at each moment of each, two processes with one processor each. A moment are all the
# points (commits, requests, acknowledgements) between which nothing happens outside of the process. In sweep-all
# it is killed at every single point, and in the shortest one a second time at each moment of the next life.
sweep:
	@mkdir -p $(BIN)
	@go test -c -o $(BIN)/sim.test ./upgrade/upgradetest
	@cd upgrade/upgradetest && $(BIN)/sim.test -test.run WhereverTheBotIsKilled -test.timeout 0 -shards 2 -crashes 0 $(SWEEP)

sweep-all:
	@$(MAKE) -s sweep SWEEP='-literal -pairs $(SWEEP)'

fuzz:
	.ci/fuzz $(FUZZTIME)
	go test -count=1 -run NoNameMentions ./bot/view -args -names 600

clients:
	.ci/clients/run

scripts:
	go run ./cmd/demo --addr 127.0.0.1:0 --azure-addr 127.0.0.1:0 --script happy
	go run ./cmd/demo --addr 127.0.0.1:0 --azure-addr 127.0.0.1:0 --script resume
	go run ./cmd/demo --addr 127.0.0.1:0 --azure-addr 127.0.0.1:0 --script failure

browser:
	go vet -tags browser ./cmd/demo
	go test -count=1 -tags browser -run 'Clicking|AForm' ./cmd/demo

kills:
	go test -count=1 -timeout 0 -run KilledAgain -v ./cmd/demo -args -kills $(KILLS)

bench:
	.ci/bench

bench-all: bench
	.ci/bench large
	go test -run '^$$' -bench . -benchtime 200x $$(go list ./... | grep -v /bench$$)

# Two builds of one commit, from two folders and two caches: about a minute of one processor's time.
reproducible:
	.ci/reproducible

ci:
	.ci/run

$(BIN)/staticcheck-0.8.2:
	GOBIN=$(BIN) go install honnef.co/go/tools/cmd/staticcheck@v0.8.2 && mv $(BIN)/staticcheck $@

$(BIN)/govulncheck-1.9.0:
	GOBIN=$(BIN) go install golang.org/x/vuln/cmd/govulncheck@v1.9.0 && mv $(BIN)/govulncheck $@
