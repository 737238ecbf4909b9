# The one door: every command of this project, and CI, goes through it.
# It needs Python 3.11 or later, a Rust toolchain and make. All else goes into .venv.

PYTHON ?= python3
VENV := .venv
WHEELS := target/wheels
ARGS ?=
PEERS ?=
CASES ?=
WITH ?=
SECONDS ?= 600
DIST ?= $(firstword $(wildcard target/sdist/*.tar.gz))

ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
# -P: the working folder is not on sys.path, so the installed wheel is what is imported.
PY := $(BIN)/python -P
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# CI builds exactly what Cargo.lock says.
LOCKED := $(if $(CI),--locked)

# Neither may lead an import back into the source tree.
unexport PYTHONPATH PYTHONHOME

# The stamp carries the version, so another PYTHON makes .venv anew.
MADE := $(VENV)/.made-$(shell $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
BUILT := $(WHEELS)/.built
INSTALLED := $(VENV)/.installed
CHECKERS := $(VENV)/.checkers
# Folders are listed with their files: a file that goes away changes its folder.
SOURCES := Cargo.toml Cargo.lock pyproject.toml README.md LICENSE \
  $(shell find src python -name __pycache__ -prune -o -print)
TYPED := $(wildcard python/bpfast tests benches tools docs/conf.py)

EXPERIMENTS := hidden_neurons slowdown initial_weights l2 dropout early_stopping learning_rates depth \
  vanishing_gradient

# A few seconds' worth of every concern.
CHECKS := tests/numerics/test_equations.py tests/numerics/test_parity.py tests/numerics/test_extremes.py \
  tests/numerics/test_golden_gradients.py tests/network/test_network.py tests/network/test_custom_cost.py \
  tests/training/fit/test_fit.py tests/training/optimizers/test_optimizer_state.py tests/io/test_store.py \
  tests/packaging/test_public_names.py

# A busy machine runs these, in a few minutes.
NOT_SLOW := -m "not clock and not slow"

# Tests that take longer than a change should wait for.
DEEP := test-slow fuzz test-memory test-loom test-asan test-tsan
NIGHTLY := cargo +nightly
HOST = $(shell rustc -vV | sed -n 's/^host: //p')

.PHONY: help demo examples bench check test test-rust test-python test-dist test-deep $(DEEP) golden lint format docs wheel sdist clean
.DELETE_ON_ERROR:
# Two pips in one .venv, or two cargos in one target, only wait for each other or worse.
.NOTPARALLEL:

help: ## show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: $(INSTALLED) $(VENV)/.extra-examples ## train on MNIST with the wheel (ARGS="--help" for its options)
	$(BIN)/python examples/mnist.py $(ARGS)

# What docs/examples.md shows.
examples: $(INSTALLED) $(VENV)/.extra-examples ## Nielsen's experiments on MNIST, plots into docs/examples
	@set -e; for name in $(EXPERIMENTS); do \
	  echo "examples/$$name.py"; $(BIN)/python examples/$$name.py --plot docs/examples/$$name.png $(ARGS); \
	done

# A benchmark has the machine to itself: nothing else may run meanwhile.
bench: $(INSTALLED) $(VENV)/.extra-bench ## times beside NumPy, JAX, ... (PEERS="torch" installs more; CASES=, ARGS=)
	$(if $(PEERS),$(PIP) install $(PEERS))
	cargo bench $(LOCKED) --features bench --bench kernels
	$(BIN)/python -m benches.compare $(if $(CASES),--cases $(CASES)) $(ARGS)
	$(BIN)/python -m benches.epoch $(ARGS)
	$(BIN)/python -m benches.report

# The module of the profile `fast` is installed in place of the wheel; other targets install that anew.
check: $(CHECKERS) ## the everyday loop: formats, clippy, ruff, a fast build, some tests, in a minute
	cargo fmt --check
	$(PY) -m ruff check --quiet .
	$(PY) -m ruff format --check --quiet .
	$(PY) tools/check_walls.py
	cargo clippy $(LOCKED) --quiet --lib -- -D warnings
	@rm -rf target/fast-wheels $(INSTALLED)
	$(PY) -m maturin build --quiet --profile fast $(LOCKED) --interpreter $(BIN)/python --out target/fast-wheels
	$(PIP) install --force-reinstall --no-deps target/fast-wheels/bpfast-*.whl
	$(PY) -m pytest --quiet $(if $(ARGS),$(ARGS),$(CHECKS))

test: test-rust test-python lint ## cargo test, pytest on the wheel, lint

# Without features: the core builds, tests and links without Python. A run of no test fails.
test-rust: ## cargo test
	@mkdir -p target
	@{ cargo test $(LOCKED) && echo "cargo test: done"; } 2>&1 | tee target/cargo-test.log
	@grep -q '^cargo test: done$$' target/cargo-test.log
	@grep -Eq '^test result: .* [1-9][0-9]* passed' target/cargo-test.log || { echo "cargo test ran no test" >&2; exit 1; }

test-python: $(INSTALLED) $(VENV)/.extra-test ## pytest on the installed wheel (ARGS="-k name" to choose)
	$(PY) -m pytest $(NOT_SLOW) $(ARGS)

test-deep: $(DEEP) ## what takes longer: slow tests, fuzzing, every call out of memory, models, sanitizers

# Nothing else may run meanwhile: some of these measure seconds.
test-slow: $(INSTALLED) $(VENV)/.extra-test ## tests that need a quiet clock, and those that take long
	$(PY) -m pytest -m "clock or slow" $(ARGS)

fuzz: $(INSTALLED) $(VENV)/.extra-test ## random calls and damaged files for SECONDS=600 (ARGS="--seed N" to choose)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(ARGS)

test-memory: $(INSTALLED) $(VENV)/.extra-test ## every call where memory runs out (ARGS="--help" to choose)
	$(BIN)/python -m tests.out_of_memory $(ARGS)

golden: $(INSTALLED) $(VENV)/.extra-test ## what PyTorch gives, for the tests (PyTorch is installed: some GB)
	$(PIP) install torch
	$(BIN)/python -W ignore -m tools.torch_golden

test-dist: ## pytest on DIST=FILE, a wheel or an sdist, in its own environment (WITH="numpy==1.26.*")
	@test -n "$(DIST)" || { echo "DIST=FILE is needed: a wheel or an sdist" >&2; exit 2; }
	$(PYTHON) -m venv --clear target/dist
	$(subst $(VENV),target/dist,$(PIP)) install "$(DIST)[test]" $(if $(WITH),"$(WITH)")
	$(subst $(VENV),target/dist,$(PY)) -m pytest $(NOT_SLOW) $(ARGS)

# LOOM_MAX_PREEMPTIONS: how often a thread may lose its turn. 3 takes some 15 s, 4 two minutes.
test-loom: ## every order in which the pool's threads can meet
	CARGO_TARGET_DIR=target/loom RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=$(or $(LOOM_MAX_PREEMPTIONS),3) \
	  cargo test $(LOCKED) --lib pool::loom_models -- --nocapture --test-threads=1

# Needs Linux, a nightly toolchain and GCC, whose AddressSanitizer is loaded before CPython. -s: its report
# is not captured. Leaks are not looked for: CPython keeps much at exit.
ASAN := target/asan
ASAN_TESTS := network/test_network.py network/test_custom_cost.py network/test_copying.py network/memory/test_out.py \
  network/memory/test_aliasing.py network/input/test_array_likes.py network/sparse io/test_store.py \
  io/test_bad_saves.py concurrency/test_borrowed_copies.py training/optimizers/test_optimizer_input.py
ASAN_CARGO = CARGO_TARGET_DIR=$(ASAN) RUSTFLAGS=-Zsanitizer=address $(NIGHTLY)
ASAN_PY = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 PYTHONMALLOC=malloc \
  PYTHONPATH=$(CURDIR)/$(ASAN)/python $(BIN)/python

test-asan: $(INSTALLED) $(VENV)/.extra-test ## AddressSanitizer on the kernels, tests of arrays and random calls
	ASAN_OPTIONS=detect_leaks=0 CARGO_PROFILE_TEST_DEBUG_ASSERTIONS=false CARGO_PROFILE_TEST_OVERFLOW_CHECKS=false \
	  $(ASAN_CARGO) test $(LOCKED) --target $(HOST) --lib -- kernels:: io:: pool::
	PYO3_PYTHON="$(CURDIR)/$(BIN)/python" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
	  CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
	  $(ASAN_CARGO) rustc $(LOCKED) --release --target $(HOST) --features python --lib --crate-type cdylib
	rm -rf $(ASAN)/python && mkdir -p $(ASAN)/python
	cp -R "$$($(PY) -c 'import bpfast; print(bpfast.__path__[0])')" $(ASAN)/python/bpfast
	cp $(ASAN)/$(HOST)/release/libbpfast.so $(ASAN)/python/bpfast/_core.abi3.so
	$(ASAN_PY) -m pytest -s $(NOT_SLOW) $(ASAN_TESTS:%=tests/%)
	$(ASAN_PY) -m tests.fuzz --count 200 $(ARGS)

# Needs a nightly toolchain with rust-src: the standard library is built with it too, as ThreadSanitizer
# would not see its locks.
test-tsan: ## ThreadSanitizer on the core, with real threads
	CARGO_TARGET_DIR=target/tsan RUSTFLAGS="-Zsanitizer=thread" \
	  $(NIGHTLY) test $(LOCKED) -Zbuild-std --target $(HOST) --lib -- pool:: engine:: train::

lint: $(INSTALLED) $(VENV)/.extra-test $(VENV)/.extra-examples $(VENV)/.extra-lint ## formats, clippy, ruff, mypy, stubtest, walls, workflows
	cargo fmt --check
	cargo clippy $(LOCKED) --all-targets --features bench -- -D warnings
	PYO3_PYTHON="$(CURDIR)/$(BIN)/python" cargo clippy $(LOCKED) --lib --features python -- -D warnings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(TYPED)
	MYPYPATH=examples $(PY) -m mypy examples
	$(PY) -m mypy.stubtest bpfast._core
	$(PY) tools/check_walls.py
	$(BIN)/zizmor --quiet --offline .github

format: $(VENV)/.extra-lint ## format Rust and Python in place
	cargo fmt
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: $(INSTALLED) $(VENV)/.extra-docs ## the manual, in docs/_build/html
	RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) --no-deps --quiet
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

wheel: $(BUILT) ## the abi3 wheel, in target/wheels
	@ls -l $(WHEELS)/*.whl

sdist: $(MADE) ## the source distribution, in target/sdist
	rm -rf target/sdist
	$(PY) -m maturin sdist --out target/sdist

clean: ## remove all that make made
	rm -rf $(VENV) target docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# maturin comes into .venv in the version that pyproject.toml asks for.
$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "PYTHON=$(PYTHON): Python 3.11 or later is needed" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install "$$($(PY) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')"
	@touch $@

$(BUILT): $(MADE) $(SOURCES)
	rm -rf $(WHEELS)
	$(PY) -m maturin build --release $(LOCKED) --interpreter $(BIN)/python --out $(WHEELS)
	@touch $@

# The version stays the same while the sources change, so pip is told to forget the old wheel.
$(INSTALLED): $(BUILT)
	@$(PIP) uninstall --yes bpfast 2>/dev/null || true
	$(PIP) install $(WHEELS)/bpfast-*.whl
	@touch $@

# What `make check` needs, without the wheel.
$(CHECKERS): pyproject.toml $(MADE)
	@mkdir -p target
	@$(PY) -c 'import tomllib; \
	  project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	  extras = project["optional-dependencies"]; \
	  print(*project["dependencies"], *extras["test"], *extras["lint"], sep="\n")' > target/checkers.txt
	$(PIP) install --requirement target/checkers.txt
	@touch $@

$(VENV)/.extra-%: pyproject.toml $(MADE) | $(INSTALLED)
	$(PIP) install "$$(echo $(WHEELS)/bpfast-*.whl)[$*]"
	@touch $@
