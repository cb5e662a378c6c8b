# Everything a builder, a tester and CI do. `make test` is the whole of it.

SHELL := /bin/bash

# FUZZTIME is how long each fuzz target searches for new inputs in `make fuzz`. `make test` counts
# inputs instead: the end of a search by time is itself now and then taken for a failure.
FUZZTIME ?= 30s
# CYCLES is how often `make crash` kills what it tests.
CYCLES ?= 1000
# RACE selects the packages whose tests run again under the race detector: those in which
# goroutines share something.
RACE := limit|store|blob|gateway|mtproto/session|mtproto/handshake|chat/fanout|chat/message|chat/group|chat/channel|chat/device|chat/presence|chat/restrict|api/chats|api/channels

export PARLEY_TEST_VERSITYGW ?= $(CURDIR)/bin/tools/versitygw
export PARLEY_TEST_LITEWITNESS ?= $(CURDIR)/bin/tools/litewitness

.PHONY: build check test packages unit race fuzz crash bench generate

build: ## builds the programs into bin/
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/...

check: ## looks at the code without running it
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt these:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	shellcheck scripts/* .ci/run

test: packages ## installs what the tests need, then runs all of them
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory race
	@$(MAKE) --no-print-directory fuzz FUZZTIME=2000x
	@$(MAKE) --no-print-directory unit

packages: ## installs what the tests need and the machine lacks
	scripts/install-test-packages

unit: ## all tests once, the conversations with other people's clients among them
	scripts/with-postgres go test -count=1 -timeout 20m ./...

race: ## the packages with goroutines, under the race detector
	scripts/with-postgres go test -race -short -timeout 20m \
		$$(go list ./internal/... | grep -E '^parley/internal/($(RACE))(/|$$)')

fuzz: ## each fuzz target for FUZZTIME
	scripts/fuzz $(FUZZTIME)

crash: ## kills and power cuts, CYCLES times
	PARLEY_TEST_CYCLES=$(CYCLES) scripts/with-postgres \
		go test -count=1 -timeout 12h -run 'Crash|Kill|PowerCut' ./...

bench: ## all benchmarks, with allocations
	go test -run '^$$' -bench . -benchmem ./...

generate: ## generated files anew
	go generate ./...
	go test ./internal/config -run TestManualIsCurrent -update
