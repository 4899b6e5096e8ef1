# Krait's verbs. `make help` lists them; each needs only Swift and make, and says so when something
# else would help.

SWIFT ?= swift
KRAIT := .build/release/krait
# Arguments for the command: make train ARGS="--preset 124m"
ARGS ?=

.PHONY: help build train test check bench format docs clean blas nvrtc

help: ## Lists what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Builds the command, .build/release/krait
	$(SWIFT) build -c release --static-swift-stdlib --product krait

train: blas build ## Pre-trains the tiny preset on the built-in corpus, sparsely; ARGS are passed on
	$(KRAIT) train $(ARGS)

test: blas nvrtc ## Builds and runs all tests; GPU kernels are compiled where NVRTC is found
	$(SWIFT) build -c release --build-tests
	KRAIT_CUDA_LIBRARIES="$${KRAIT_CUDA_LIBRARIES:-$$(Scripts/install-nvrtc.sh --where)}" $(SWIFT) test -c release --skip-build --disable-testable-imports

check: ## Checks formatting, imports between modules, and what a commit must not hold
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift
	Scripts/check-imports.sh
	Scripts/check-repository.sh

bench: blas build ## Measures dense and sparse side by side on this machine
	$(KRAIT) bench $(ARGS)

format: ## Formats all Swift files in place
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

docs: ## Builds the documentation of the library modules
	Scripts/build-docs.sh

clean: ## Deletes everything that was built
	rm -rf .build

# OpenBLAS makes dense products faster. Its absence is no error: Krait has kernels of its own.
blas:
	@Scripts/install-blas.sh

# NVIDIA's run-time compiler, so that tests can compile the GPU kernels without a GPU.
nvrtc:
	@Scripts/install-nvrtc.sh
