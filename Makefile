# All there is to do here; `make help` lists it. Everything happens in ./.venv and ./target.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DATA   ?=
DEMO   := build/demo
STAMP  := $(VENV)/.ready

.DEFAULT_GOAL := help
RUST_FEATURES ?= gpu

.PHONY: help dev demo test test-rust test-py test-gpu targets vulkan check format snapshots bench wheel protos signatures clean cargo

help: ## lists these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

cargo:
	@command -v cargo >/dev/null 2>&1 || { echo "cargo is missing: install Rust from https://rustup.rs, then run make again" >&2; exit 1; }

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "maturin>=1.16,<2" $$($(BIN)/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*["\"" + d.replace(" ", "") + "\"" for d in p["dependencies"] + p["optional-dependencies"]["demo"] + p["optional-dependencies"]["test"]])' | tr -d '"')
	@touch $@

# The release build, put into the virtual environment; cargo knows what is stale.
dev: cargo $(STAMP) ## builds the extension (optimised) into .venv
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --quiet
	@$(BIN)/python -m compileall -q python/ferroflow

demo: dev ## trains and evaluates the MNIST programs (DATA=folder for real MNIST)
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@$(BIN)/python examples/prepare_data.py $(DEMO)/data $(DATA)
	@$(BIN)/ferroflow run examples/mnist_train.py --data=$(DEMO)/data --logs=$(DEMO)/logs
	@$(BIN)/ferroflow run examples/mnist_eval.py --data=$(DEMO)/data --logs=$(DEMO)/logs
	@echo "To see the curves: $(BIN)/tensorboard --logdir $(DEMO)/logs   (then open http://localhost:6006)"

test: dev test-rust test-py test-gpu targets ## all tests: Rust, Python, the oracle's cases, all that again on a (software) GPU

test-rust: cargo vulkan ## Rust's tests
	cargo test --quiet --features "$(RUST_FEATURES)"

test-py: dev ## Python's tests, two at a time (those of the GPU: make test-gpu)
	$(BIN)/python -m pytest -n 2 -q tests --ignore=tests/gpu --ignore=tests/shaders

# On the adapter that Mesa computes in software; a real GPU gives the same with FERROFLOW_GPU unset.
test-gpu: dev vulkan ## the tests of the GPU, every op's row and the oracle's cases on it
	FERROFLOW_GPU=$${FERROFLOW_GPU-software} $(BIN)/python -m pytest -n 2 -q tests/gpu tests/shaders tests/ops tests/oracle
	FERROFLOW_GPU=$${FERROFLOW_GPU-software} FERROFLOW_GPU_LIMITS=default $(BIN)/python -m pytest -n 2 -q tests/gpu

targets: cargo ## checks that Windows' and macOS's builds (DirectX 12, Metal) compile
	@sh tests/gpu/targets.sh

vulkan:
	@sh tests/gpu/vulkan.sh

check: cargo $(STAMP) ## format, lints and types
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	cargo clippy --quiet --features python,gpu -- -D warnings
	$(BIN)/ruff check python tests examples benches
	$(BIN)/pyright

format: cargo $(STAMP) ## formats Rust and Python
	cargo fmt
	$(BIN)/ruff format python tests examples benches

snapshots: cargo ## reviews changed plan snapshots
	INSTA_UPDATE=always cargo test --quiet plan

bench: dev ## criterion's benches, then the rows beside the peers where they are installed (ROWS='--only MLP')
	cargo bench
	@if [ -f ../shared/bench/compare.py ]; then \
		$(BIN)/python ../shared/bench/compare.py $(ROWS) ferroflow=$(CURDIR)/$(BIN)/python:ferroflow $$(../shared/bench/setup.sh | tail -1); \
	else echo "no peers here: see docs/performance.md"; fi

wheel: cargo $(STAMP) ## builds the wheel into target/wheels
	$(BIN)/maturin build --release

protos: ## makes the generated code of the messages again
	$(BIN)/python src/formats/generated/build/descriptors.py && cargo run --manifest-path src/formats/generated/build/Cargo.toml

clean: ## removes what was built
	rm -rf $(VENV) target build
