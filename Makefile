# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone: `make demo` and `make test`. Each installs what it needs first (tools/setup). docs/building.md tells more.
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# Seconds of fuzzing in `make test`; seconds of soak tests, and of fuzzing, in `make soak`.
FUZZ_TOTAL ?= 180
SOAK_SECONDS ?= 1800

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

deps: ## install what building and testing need, nothing more
	@tools/setup build test

build: ## the optimised program: build/release/bin/tern
	@tools/setup build
	@tools/build release

demo: build ## detect, segment and classify the demo data; results in out/
	@tools/demo

bench: build ## build the micro benchmarks: build/release/bin/*_bench
	@tools/build release benches

test: ## all tests under AddressSanitizer and UBSan, then every fuzzer for a while
	@tools/setup build test
	@tools/build dev
	@tools/run-tests dev
	@tools/run-tests dev-fuzz $(FUZZ_TOTAL)

cuda: ## the optimised program with its CUDA library, and the tests: build/cuda
	@tools/setup build test cuda
	@tools/build cuda

cuda-check: ## compile the CUDA library and both TensorRT backends, and run their tests; those that need a GPU only where one is
	@tools/setup build test cuda
	@tools/build cuda tern_cuda tern_cuda_check tern_cuda_tests tern_cuda_loader_tests tern_cuda_kernel_checks tern_tensorrt_checks
	@tools/run-tests cuda-parts
	@tools/run-tests gpu-parts

soak: ## long runs: SOAK_SECONDS of soak tests, then as much fuzzing
	@tools/setup build test
	@tools/build dev
	@tools/run-tests soak $(SOAK_SECONDS)
	@tools/run-tests dev-fuzz $(SOAK_SECONDS)

fuzz: ## every fuzzer, optimised, FUZZ_TOTAL seconds in all
	@tools/setup build test
	@tools/build fuzz
	@tools/run-tests fuzz $(FUZZ_TOTAL)

format: ## format all C++ with clang-format 16
	@tools/setup format
	@tools/format

format-check: ## name the files that are not formatted
	@tools/setup format
	@tools/format --check

tidy: ## clang-tidy over every source, warnings are errors
	@tools/setup build tidy
	@tools/build tidy

clean: ## remove build/ and out/
	rm -rf build out

distclean: clean ## also the fetched OpenVINO and ONNX schema
	rm -rf .deps

.PHONY: help deps build demo bench test cuda cuda-check soak fuzz format format-check tidy clean distclean
