# Every target can be run by root and by a user who has sudo. docs/testing.md says what each of them is for.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo accelerate build test test-in-real-time build-debug check format lint bench bench-gate numa fuzz soak prediction clean toolchain

STEP := scripts/step
SWIFT_SOURCES := Package.swift Sources Tests

# One release build serves the command, the benches and the tests. `swift test` left alone would build everything a
# second time with testable imports, which no test here uses; --skip-build keeps it to what `build` has made.
RELEASE := -c release
RUN_TESTS := swift test $(RELEASE) --disable-testable-imports --skip-build --disable-xctest
# What `swift test` would run. It lets nobody else in meanwhile, and tests that wait go beside those that work.
TESTS := .build/release/ikestormPackageTests.xctest --testing-library swift-testing
# Tests of live runs on loopback wait most of the time.
LOOPBACK := ^(CommandTests\.(LiveCommandTests|MatrixTests)|RunnerTests\.(Live\w+Tests|LifeCycleLiveTests|Matrix\w*Tests))/
# Tests of the command wait for it, and would keep others from the processors that it leaves.
COMMANDS := ^CommandTests\.
# They measure the memory of their process, and so have one of their own.
MEASURED := ^(IKEv2Tests\.RobustnessTests|ESPTests\.AllocationTests|RunnerTests\.PacketAllocationTests)/
# Tests in real time are late where much else is done, so they run after the others. Those that work or measure much have
# the machine to themselves; of the others each lane runs one at a time, and the last lane what no other names.
REAL_TIME := ^(RealGatewayTests|FreeRADIUSTests)\.
ALONE := ^RealGatewayTests\.(CalibrationTests|CrossingRekeyTests|LiveCommandTests|LiveRunTests|LiveTrafficTests)/
LANES := \
	^(FreeRADIUSTests\.|RealGatewayTests\.(AlgorithmTests|EAPTests|GatewayEAPTests|SharedKeyTests|UnknownSPITests)/) \
	^RealGatewayTests\.(CertificateTests|FragmentationTests|LifeCycleTests)/ \
	^RealGatewayTests\.(InspectionTests|MatrixTests)/ \
	^RealGatewayTests\.Charon\w+Tests/
NEEDS_DEBUG := ^CommandTests\.RunTests/isTheSameInDebug
# They enter network namespaces, which is root's business, and write no file of the build.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n -E)
# The tests that have a long version, which SOAK=1 asks for.
SOAKED := IKEv2Tests.RobustnessTests|RunnerTests.SwarmTests|FuzzTests.FuzzTests

help:
	@echo 'make demo    build ikestorm and run its first workload'
	@echo 'make test    build everything and run every test, real gateways included'
	@echo 'make check   what CI runs: lint, then test'
	@echo 'make format  rewrite the sources in the project style'
	@echo 'make bench   the price of each operation; JSON=FILE writes it down'
	@echo 'make bench-gate   fails when an operation takes 5 % more instructions than is written down'
	@echo 'make numa    shows on emulated machines with several nodes that memory is where its workers are'
	@echo 'make accelerate   a program with its code in the order in which runs need it, and libcrypto_mb'
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

build: toolchain
	@scripts/install build
	@$(STEP) 'build in release, with tests' swift build $(RELEASE) --build-tests

# The command in debug is there for the test that holds debug and release to the same bytes. It is built while tests wait,
# by what they leave of the processors.
test: build
	@scripts/install test
	@$(STEP) 'test' scripts/lanes '--filter $(LOOPBACK)' '--no-parallel --filter $(MEASURED)' \
		'--filter $(COMMANDS) --skip $(LOOPBACK) --skip $(NEEDS_DEBUG)' \
		'--skip $(COMMANDS) --skip $(LOOPBACK) --skip $(MEASURED) --skip $(REAL_TIME)' -- $(TESTS)
	@$(STEP) 'test in real time, alone' $(AS_ROOT) $(TESTS) --no-parallel --filter '$(ALONE)'
	@$(MAKE) --no-print-directory --output-sync=target -j2 test-in-real-time build-debug
	@$(STEP) 'test debug against release' $(TESTS) --filter '$(NEEDS_DEBUG)'

test-in-real-time:
	@$(STEP) 'test in real time' scripts/lanes $(foreach lane,$(LANES),'--filter $(lane)') \
		'--filter $(REAL_TIME) $(addprefix --skip ,$(ALONE) $(LANES))' -- $(AS_ROOT) $(TESTS) --no-parallel

build-debug:
	@$(STEP) 'build ikestorm in debug' chrt --idle 0 swift build --product ikestorm

check: lint test

lint: toolchain
	@$(STEP) 'lint' swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format: toolchain
	@swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

# Whole runs come last; with ARGS only the named benches run, with JSON=FILE they are written to a file, too.
WHOLE_RUNS := $(patsubst scripts/bench-%,%,$(wildcard scripts/bench-*))
bench: toolchain
	@scripts/install $(if $(if $(ARGS),$(filter $(WHOLE_RUNS),$(ARGS)),all),bench,build)
	@$(STEP) 'build the benches' swift build $(RELEASE) --product microbench
	@[ -z "$(if $(ARGS),$(filter $(WHOLE_RUNS),$(ARGS)),all)" ] || \
		$(STEP) 'build ikestorm' swift build $(RELEASE) --product ikestorm
	@JSON='$(JSON)' scripts/bench $(ARGS)

# Instructions do not depend on what else the machine does.
bench-gate: toolchain
	@scripts/install gate
	@$(STEP) 'build the benches' swift build $(RELEASE) --product microbench
	@$(STEP) 'build ikestorm' swift build $(RELEASE) --product ikestorm
	@scripts/bench-gate

# The machines are emulated without hardware that helps: it takes minutes, and needs none.
numa: toolchain
	@scripts/install numa
	@$(STEP) 'build ikestorm' swift build $(RELEASE) --product ikestorm
	@$(STEP) 'numa' scripts/numa

# For large simulations: .build/accelerated/ikestorm; `make bench` prints what it takes (docs/decisions/0020). With
# libcrypto_mb one with real cryptography takes a third (docs/decisions/0022), whichever program runs it.
accelerate: toolchain
	@scripts/install accelerate
	@$(STEP) 'build ikestorm' swift build $(RELEASE) --product ikestorm
	@$(STEP) 'move its code' scripts/accelerate

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
