# What a person would type. Each target is thin; the longer ones live in scripts/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
# rustup's default place, for shells that have not read its profile yet.
export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)
ARGS ?=
export ROUNDS SCENARIO DIALECT

.DEFAULT_GOAL := help
.PHONY: help setup setup-build setup-test run test check model bench bench-compare clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: setup-build setup-test ## install what building and testing need

setup-build: ## a C compiler and cargo
	@scripts/setup.sh build

setup-test: ## what `make test` needs besides: make, pkg-config, node, npm and python3
	@scripts/setup.sh build test

run: setup-build ## build and start the server on ./data; ARGS="--set …" is passed on
	cargo build --release --locked -p crosstalk
	@exec $(TARGET)/release/crosstalk serve $(ARGS)

test: ## install what the tests need and run them all
	@scripts/test.sh

check: setup-build ## formatting, lints, tidy, licences
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@# A dialect that is left out leaves nothing behind: each of them builds alone.
	for dialect in wukong stomp mqtt gyyx wg; do \
	  cargo check --locked --quiet -p crosstalk --no-default-features --features $$dialect; \
	done
	cargo xtask tidy
	cargo xtask licences
	@if cargo deny --version >/dev/null 2>&1; then \
	  echo 'cargo deny check'; cargo deny check; \
	else \
	  echo 'cargo-deny is not installed: advisories and bans were not checked'; \
	fi

model: setup-build ## random histories against a simple model; STEPS=… SEED=…
	CROSSTALK_MODEL_STEPS=$(or $(STEPS),100000) $(if $(SEED),CROSSTALK_MODEL_SEED=$(SEED)) \
	  cargo test --locked -p crosstalk-backends --test model -- --nocapture

bench: setup-build ## the standard load scenarios, with a report; ROUNDS=5 for medians
	cargo build --release --locked -p crosstalk -p crosstalk-bench
	@scripts/bench.sh

bench-compare: setup-build ## two builds in turn: A=… B=… (executables or git revisions)
	cargo build --release --locked -p crosstalk-bench
	@scripts/bench.sh compare "$(A)" "$(B)"

clean: ## remove build output and installed test clients, never ./data
	cargo clean
	rm -rf tests/clients/*/node_modules tests/clients/*/.venv
