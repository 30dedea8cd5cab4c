# Stable names for what .ci/run does; each is documented in CONTRIBUTING.md.
FUZZTIME ?= 6s
INPUTS ?= 10000000
SEEDS ?= 200
FROM ?= 1
KILLS ?= 50
NIGHT ?= $(shell date -u +%Y%m%d)
BIN := $(CURDIR)/bin

.PHONY: test lint race sim twice sweep sweep-all mutants fuzz parser flood clients scripts browser bench bench-all kills postgres nightly reproducible ci

test:
	go test ./...

lint: $(BIN)/staticcheck-0.8.2 $(BIN)/govulncheck-1.9.0
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these"; exit 1; }
	go vet ./...
	$(BIN)/staticcheck-0.8.2 ./...
	.ci/vulncheck $(BIN)/govulncheck-1.9.0

# What has goroutines; the pure rooms (views, language) would only take long. All of the program must be watched, also
# SQLite: what Go generates from generic code may be linked from any package, and one that is not watched sees no locks.
race:
	go test -race ./bot -args -flood 300
	go test -race ./bot/slacksim ./upgrade ./upgrade/store ./upgrade/gate ./upgrade/pager ./upgrade/azure/... ./cmd/...
	go test -race -run 'TestEveryStoryIsToldAsItWasRead/(one-domain|approve-rest|crash|double-click|pause|slack)' ./upgrade/upgradetest
	go test -race -count=1 -timeout 30m -run '^TestSimulation$$' ./upgrade/upgradetest -args -shards 2 -seeds 200

# All of them, or N in a row, which move on with the day of the year; RUN is a pattern of their names.
mutants:
	go run ./upgrade/upgradetest/mutants -n $(or $(N),0) $(if $(DAY),-day $(DAY)) -run '$(RUN)'

# Random rollouts, two processes with one processor each. A seed is the same rollout whenever it is played.
# SIM takes more flags: -lasting 150s plays more of them as long as there is time, -sometimes 20 -crashes 2000
# fails when some kind of trouble was too rare, -twice plays each of them twice.
sim: $(BIN)/sim.test
	@cd upgrade/upgradetest && $(BIN)/sim.test -test.run '^TestSimulation$$' -test.timeout 0 -shards 2 -seeds $(SEEDS) -from $(FROM) $(SIM)

twice:
	@$(MAKE) -s sim SIM=-twice

# Seven scenarios, the bot killed at each moment of each, two processes with one processor each. A moment are all the
# points (commits, requests, acknowledgements) between which nothing happens outside of the process. In sweep-all
# it is killed at every single point, and in the shortest one a second time at each moment of the next life.
sweep: $(BIN)/sim.test
	@cd upgrade/upgradetest && $(BIN)/sim.test -test.run WhereverTheBotIsKilled -test.timeout 0 -shards 2 -crashes 0 $(SWEEP)

sweep-all:
	@$(MAKE) -s sweep SWEEP='-literal -pairs $(SWEEP)'

# What takes a night: new rollouts each time, every mutant, and all that CI has time for a part of only.
nightly:
	$(MAKE) sim SEEDS=100000 FROM=$(NIGHT)000000 SIM='-sometimes 1000 -crashes 200000'
	$(MAKE) sweep-all
	$(MAKE) mutants
	$(MAKE) kills KILLS=500
	$(MAKE) parser INPUTS=100000000
	$(MAKE) fuzz FUZZTIME=30m

# Of each of a dozen targets: over a minute in all.
fuzz:
	.ci/fuzz $(FUZZTIME)
	go test -count=1 -run NoNameMentions ./bot/view -args -names 600

# Seeded texts for the parser: 10 million take two minutes of two quiet cores. They leave much garbage.
parser:
	GOGC=400 go test -count=1 -timeout 30m -run TakesAnyText -v ./commands -args -inputs $(INPUTS)

# As many clicks, and as many commands, as fast as the bot's sockets take them.
flood:
	go test -count=1 -run FloodOverTCP ./bot -args -flood 10000

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

# A PostgreSQL of its own, for as long as that takes: two minutes.
postgres:
	go vet -tags postgres ./upgrade/store/... ./cmd/demo
	.ci/postgres go test -count=1 -tags postgres ./upgrade/store
	.ci/postgres go test -count=1 -timeout 20m -tags postgres -run 'PostgreSQL|StandsBy|CutOff|WhoLoses|WhoSlept' ./cmd/demo -args -kills 20

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

.PHONY: $(BIN)/sim.test
$(BIN)/sim.test:
	@mkdir -p $(BIN)
	@go test -c -o $@ ./upgrade/upgradetest

$(BIN)/staticcheck-0.8.2:
	GOBIN=$(BIN) go install honnef.co/go/tools/cmd/staticcheck@v0.8.2 && mv $(BIN)/staticcheck $@

$(BIN)/govulncheck-1.9.0:
	GOBIN=$(BIN) go install golang.org/x/vuln/cmd/govulncheck@v1.9.0 && mv $(BIN)/govulncheck $@
