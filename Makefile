# Every target can be run by root and by a user who has sudo. docs/testing.md says what each of them is for.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo build test check format lint bench fuzz soak prediction clean toolchain

STEP := scripts/step
SWIFT_SOURCES := Package.swift Sources Tests

# One release build serves the command, the benches and the tests. `swift test` left alone would build everything a
# second time with testable imports, which no test here uses; --skip-build keeps it to what `build` has made.
RELEASE := -c release
RUN_TESTS := swift test $(RELEASE) --disable-testable-imports --skip-build --disable-xctest
# Tests in real time want the processors to themselves: they run after the others, one at a time.
REAL_TIME := (RealGatewayTests|FreeRADIUSTests)
# And they enter network namespaces, which is root's business: they run without `swift test`, so that no file of the build
# becomes root's.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n -E)
RUN_REAL_TIME := $(AS_ROOT) .build/release/ikestormPackageTests.xctest --testing-library swift-testing --no-parallel
# The tests that have a long version, which SOAK=1 asks for.
SOAKED := IKEv2Tests.RobustnessTests|RunnerTests.SwarmTests|FuzzTests.FuzzTests

help:
	@echo 'make demo    build ikestorm and run its first workload'
	@echo 'make test    build everything and run every test, real gateways included'
	@echo 'make check   what CI runs: lint, then test'
	@echo 'make format  rewrite the sources in the project style'
	@echo 'make bench   the price of each operation'
	@echo 'make fuzz    fuzz the decoders, FUZZ_SECONDS each (60)'
	@echo 'make soak    the long versions of the tests'
	@echo 'make prediction   what the cost table predicts, beside what strongSwan does'
	@echo 'make clean   remove what was built'

toolchain:
	@scripts/toolchain

demo: toolchain
	@scripts/install build
	@$(STEP) 'build ikestorm' swift build $(RELEASE) --product ikestorm
	@.build/release/ikestorm run workloads/quickstart.yaml

# The debug command is there for the tests that hold debug and release to the same bytes.
build: toolchain
	@scripts/install build
	@$(STEP) 'build in release, with tests' swift build $(RELEASE) --build-tests
	@$(STEP) 'build ikestorm in debug' swift build --product ikestorm

test: build
	@scripts/install test
	@$(STEP) 'test' $(RUN_TESTS) --skip '^$(REAL_TIME)\.'
	@$(STEP) 'test in real time' $(RUN_REAL_TIME) --filter '^$(REAL_TIME)\.'

check: lint test

lint: toolchain
	@$(STEP) 'lint' swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format: toolchain
	@swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

# Handshakes of a whole simulated run come last; with ARGS only the named benches run.
bench: toolchain
	@scripts/install build
	@$(STEP) 'build the benches' swift build $(RELEASE) --product microbench
	@.build/release/microbench $(ARGS)
	@[ -n "$(ARGS)" ] || $(STEP) 'build ikestorm' swift build $(RELEASE) --product ikestorm
	@[ -n "$(ARGS)" ] || scripts/bench-handshakes

fuzz: toolchain
	@scripts/install build
	@scripts/fuzz

soak: build
	@$(STEP) 'soak' env SOAK=1 $(RUN_TESTS) --no-parallel --filter '^($(SOAKED))/'

# Measures in real time: the machine should have nothing else to do.
prediction: toolchain
	@scripts/install test
	@$(STEP) 'build ikestorm' swift build $(RELEASE) --product ikestorm
	@scripts/prediction compare

clean:
	@rm -rf .build .build-*
