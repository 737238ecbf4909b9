# All commands of this project, also for CI. They need Python 3.11 or later, a Rust toolchain and make;
# everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
WHEELS := target/wheels
ARGS ?=
ROOT ?=
PEERS ?=
CASES ?=
WITH ?=
SECONDS ?= 600
QUICK := target/bench-quick
DIST ?= $(firstword $(wildcard target/sdist/*.tar.gz))

ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
# -P: the working folder is not on sys.path, so the installed wheel is imported.
PY := $(BIN)/python -P
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# CI builds with the versions in Cargo.lock.
LOCKED := $(if $(CI),--locked)

# These variables could make imports use the source tree.
unexport PYTHONPATH PYTHONHOME

# The name of the stamp has the version, so another PYTHON makes a new .venv.
MADE := $(VENV)/.made-$(shell $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
BUILT := $(WHEELS)/.built
INSTALLED := $(VENV)/.installed
CHECKERS := $(VENV)/.checkers
OLDEST := target/sklearn-oldest
# Folders are listed with their files, because removing a file changes its folder.
SOURCES := Cargo.toml Cargo.lock pyproject.toml README.md LICENSE \
  $(shell find src python -name __pycache__ -prune -o -print)
TYPED := $(wildcard python/bpfast tests benches tools docs/conf.py)

EXPERIMENTS := hidden_neurons slowdown initial_weights l2 dropout early_stopping learning_rates depth \
  vanishing_gradient oscillator burgers restarts uncertainty

# A few tests of every concern, some seconds in total.
CHECKS := tests/numerics/test_equations.py tests/numerics/reference/test_parity.py tests/numerics/test_extremes.py \
  tests/numerics/test_golden_gradients.py tests/network/test_network.py tests/network/test_custom_cost.py \
  tests/training/fit/test_fit.py tests/training/optimizers/test_optimizer_state.py tests/io/test_store.py \
  tests/packaging/test_public_names.py

# These run in a few minutes, also on a busy machine.
NOT_SLOW := -m "not clock and not slow"
# A process for each core, up to 4: each needs about 1 GB, and imports every library. A file stays in one process.
# A process that dies is not replaced: with `loadfile`, pytest-xdist would then wait forever.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() or 1))')
IN_PARALLEL := --numprocesses $(WORKERS) --dist loadfile --max-worker-restart 0

# Tests that take too long to run after every change.
DEEP := test-slow test-torch fuzz test-memory test-loom test-asan test-tsan test-arm
NIGHTLY := cargo +nightly

# The schemas of GitHub's files, which come with check-jsonschema.
SCHEMA = $(BIN)/check-jsonschema --quiet --builtin-schema vendor.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')

.PHONY: help demo examples notebooks bench bench-quick bench-sklearn check test test-rust test-python test-dist test-deep $(DEEP) golden lint format docs wheel sdist clean
.DELETE_ON_ERROR:
# Two pips in one .venv, or two cargos in one folder of target, would block each other.
ifndef AT_ONCE
.NOTPARALLEL:
endif

help: ## show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

demo: $(INSTALLED) $(VENV)/.extra-examples ## train on MNIST with the wheel (ARGS="--help" for its options)
	$(BIN)/python examples/mnist.py $(ARGS)

# The figures and plots of docs/examples.md. With other options the plots are not those of the page.
PLOTS := $(if $(ARGS),target,docs)/examples

examples: $(INSTALLED) $(VENV)/.extra-examples ## run the examples; their plots go into docs/examples and docs/plots, with ARGS= into target/examples
	@mkdir -p $(PLOTS)
	@set -e; for name in $(EXPERIMENTS); do \
	  echo "examples/$$name.py"; $(BIN)/python examples/$$name.py --plot $(PLOTS)/$$name.png $(ARGS); \
	done
	$(if $(ARGS),,$(BIN)/python examples/plots_gallery.py --plots docs/plots)
	$(if $(ARGS),,$(BIN)/python examples/chapter2.py --plots $(PLOTS))

# The programs that are notebooks too.
NOTEBOOKS := get_started from_scikit_learn chapter2

notebooks: $(INSTALLED) $(VENV)/.extra-notebook ## write and run examples/notebooks/*.ipynb (NOTEBOOKS= to choose)
	$(BIN)/python -m tools.notebook $(NOTEBOOKS)

# The features of benches/kernels/products.rs at a SIMD level: the crates that it times choose AVX-512 by the build.
KERNEL_FEATURES = $$(test $$level = avx512 && echo bench-avx512 || echo bench)

# Nothing else may run during a benchmark. Each level of SIMD that the machine has gets a run.
bench: $(INSTALLED) $(VENV)/.extra-bench ## times of bpfast, NumPy, JAX, ... (PEERS="torch" installs more; CASES=, ARGS=)
	$(if $(PEERS),$(PIP) install $(PEERS))
	@set -e; levels=$$($(BIN)/python -m benches.machine.levels); for level in $$levels; do \
	  cargo bench $(LOCKED) --features $(KERNEL_FEATURES) --bench kernels --no-run; \
	done; \
	for level in $$levels; do set -x; \
	  $(BIN)/python -m benches.compare --simd $$level $(if $(CASES),--cases $(CASES)) $(ARGS); \
	  $(BIN)/python -m benches.fit --simd $$level $(ARGS); \
	  $(BIN)/python -m benches.epoch --simd $$level $(ARGS); \
	  BPFAST_SIMD=$$level cargo bench $(LOCKED) --features $(KERNEL_FEATURES) --bench kernels; \
	done
	$(BIN)/python -m benches.report

bench-sklearn: $(INSTALLED) $(VENV)/.extra-bench ## times of the estimators and of scikit-learn's: the table of docs/from_scikit_learn.md (ARGS=)
	$(BIN)/python -m benches.sklearn_estimators $(ARGS)

bench-quick: $(INSTALLED) $(VENV)/.extra-bench ## the small cases in a few rounds, in three minutes (ARGS=)
	@set -e; levels=$$($(BIN)/python -m benches.machine.levels); for level in $$levels; do \
	  for program in compare fit epoch; do \
	    $(BIN)/python -m benches.$$program --quick --simd $$level --output $(QUICK) $(ARGS); \
	  done; \
	done
	$(BIN)/python -m benches.report --input $(QUICK)

# The module of the profile `fast` is installed in place of the wheel; other targets install that anew.
check: $(CHECKERS) ## after each change: formats, clippy, ruff, a fast build, some tests (the first run builds all and takes longer)
	cargo fmt --check
	$(PY) -m ruff check --quiet .
	$(PY) -m ruff format --check --quiet .
	$(BIN)/python -m tools.check_walls
	cargo clippy $(LOCKED) --quiet --lib -- -D warnings
	@rm -rf target/fast-wheels $(INSTALLED)
	$(PY) -m maturin build --quiet --profile fast $(LOCKED) --interpreter $(BIN)/python --out target/fast-wheels
	$(PIP) install --force-reinstall --no-deps target/fast-wheels/bpfast-*.whl
	$(PY) -m pytest --quiet $(if $(ARGS),$(ARGS),$(CHECKS))

# The two builds at once, debug and release: each uses one core for most of its time.
test: ## cargo test, pytest on the wheel, lint
	@$(MAKE) --jobs=2 AT_ONCE=1 test-rust $(INSTALLED)
	@$(MAKE) test-python lint

# Without features, so the core is built, tested and linked without Python. A run without tests fails.
test-rust: ## cargo test
	@mkdir -p target
	@{ cargo test $(LOCKED) && echo "cargo test: done"; } 2>&1 | tee target/cargo-test.log
	@grep -q '^cargo test: done$$' target/cargo-test.log
	@grep -Eq '^test result: .* [1-9][0-9]* passed' target/cargo-test.log || { echo "cargo test ran no test" >&2; exit 1; }

test-python: $(INSTALLED) $(VENV)/.extra-test $(VENV)/.extra-test-formats $(OLDEST)/.installed ## pytest on the installed wheel (ARGS="-k name" to choose)
	$(PY) -m pytest $(NOT_SLOW) $(IN_PARALLEL) $(ARGS)

test-deep: $(DEEP) ## tests that take longer: slow tests, fuzzing, every call out of memory, models, sanitizers, AArch64

# Nothing else may run at the same time: some of these measure seconds.
test-slow: $(INSTALLED) $(VENV)/.extra-test ## tests that need a quiet clock, and those that take long
	$(PY) -m pytest -m "clock or slow" $(ARGS)

fuzz: $(INSTALLED) $(VENV)/.extra-test ## random calls and damaged files for SECONDS=600 (ARGS="--seed N" to choose)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(ARGS)

test-memory: $(INSTALLED) $(VENV)/.extra-test ## every call with failing allocations (ARGS="--help" to choose)
	$(BIN)/python -m tests.out_of_memory $(ARGS)

golden: $(INSTALLED) $(VENV)/.extra-test ## record the results of PyTorch for the tests (installs PyTorch: some GB)
	$(PIP) install torch
	$(BIN)/python -W ignore -m tools.torch_golden
	$(BIN)/python -W ignore -m tools.torch_models

# Models, and the pages and docstrings, of which some need PyTorch.
TORCH_TESTS := tests/formats tests/docs/test_docs.py
test-torch: $(INSTALLED) $(VENV)/.extra-test $(VENV)/.extra-test-formats ## tests of models and modules of PyTorch (installs it: some GB)
	$(PIP) install torch
	$(PY) -m pytest $(TORCH_TESTS) $(ARGS)

test-dist: ## pytest on DIST=FILE, a wheel or an sdist, in its own environment (WITH="numpy==1.26.*")
	@test -n "$(DIST)" || { echo "DIST=FILE is needed: a wheel or an sdist" >&2; exit 2; }
	$(PYTHON) -m venv --clear target/dist
	$(subst $(VENV),target/dist,$(PIP)) install "$(DIST)[test]" $(if $(WITH),"$(WITH)")
	$(subst $(VENV),target/dist,$(PY)) -m pytest $(NOT_SLOW) $(IN_PARALLEL) $(ARGS)

# LOOM_MAX_PREEMPTIONS: the most preemptions of a run. 3 takes about 15 s, 4 two minutes.
test-loom: ## models of the pool's threads, in every order of their steps
	CARGO_TARGET_DIR=target/loom RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=$(or $(LOOM_MAX_PREEMPTIONS),3) \
	  cargo test $(LOCKED) --lib pool::loom_models -- --nocapture --test-threads=1

# Needs Linux, a nightly toolchain and GCC, whose AddressSanitizer is loaded before CPython. -s, because
# its report is not captured. No search for leaks: CPython keeps much memory at exit.
ASAN := target/asan
ASAN_TESTS := network/test_network.py network/test_custom_cost.py network/test_copying.py network/memory/test_out.py \
  network/memory/test_aliasing.py network/input/test_array_likes.py network/sparse io/test_store.py \
  io/test_bad_saves.py concurrency/test_borrowed_copies.py training/optimizers/test_optimizer_input.py
ASAN_CARGO = CARGO_TARGET_DIR=$(ASAN) RUSTFLAGS=-Zsanitizer=address $(NIGHTLY)
ASAN_PY = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1024 PYTHONMALLOC=malloc \
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

# Needs a nightly toolchain with rust-src: the standard library is rebuilt, because ThreadSanitizer would
# not see its locks otherwise.
test-tsan: ## ThreadSanitizer on the core, with real threads
	CARGO_TARGET_DIR=target/tsan RUSTFLAGS="-Zsanitizer=thread" \
	  $(NIGHTLY) test $(LOCKED) -Zbuild-std --target $(HOST) --lib -- pool:: engine:: train::

test-arm: ## the kernels and recorded bits on AArch64 under qemu, in ten minutes (ROOT=DIR, a Debian system with the tools)
	tools/test_arm.sh "$(ROOT)"

lint: $(INSTALLED) $(VENV)/.extra-test $(VENV)/.extra-examples $(VENV)/.extra-lint ## formats, clippy, ruff, mypy, stubtest, walls, paths, workflows
	cargo fmt --check
	PYO3_PYTHON="$(CURDIR)/$(BIN)/python" cargo clippy $(LOCKED) --all-targets --features bench,python -- -D warnings
	PYO3_PYTHON="$(CURDIR)/$(BIN)/python" RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) --quiet --no-deps --document-private-items --features python
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(TYPED)
	MYPYPATH=examples $(PY) -m mypy examples
	$(PY) -m mypy.stubtest bpfast._core
	$(BIN)/python -m tools.check_walls
	$(PY) tools/check_paths.py
	$(BIN)/zizmor --quiet --offline .github
	$(SCHEMA)github-workflows .github/workflows/*.yml
	$(SCHEMA)github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(SCHEMA)github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA)dependabot .github/dependabot.yml

format: $(VENV)/.extra-lint ## format Rust and Python in place
	cargo fmt
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# Of jupyter_server_mathjax only the files of MathJax are used, so what it depends on is left out.
SITE = docs/_build/html/$(shell $(PY) -c 'from importlib.metadata import version; print(version("bpfast"))')

docs: $(INSTALLED) $(VENV)/.extra-docs ## the site, in docs/_build/html, with its links checked
	RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) --no-deps --quiet
	$(PIP) install --no-deps jupyter_server_mathjax
	rm -rf $(SITE)
	$(PY) -m sphinx -W --keep-going -q -b html docs $(SITE)
	$(BIN)/linkchecker --no-status --no-warnings $(SITE)/index.html
	@echo docs/_build/html/index.html

wheel: $(BUILT) ## the abi3 wheel, in target/wheels
	@ls -l $(WHEELS)/*.whl

sdist: $(MADE) ## the source distribution, in target/sdist
	rm -rf target/sdist
	$(PY) -m maturin sdist --out target/sdist

clean: ## remove everything that make has made
	rm -rf $(VENV) target docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# maturin is installed in the version that pyproject.toml requires.
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

# The version does not change with the sources, so the old wheel is uninstalled first.
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

# The oldest scikit-learn that bpfast.sklearn allows and that has wheels for this Python, by itself: tests
# put it before the newest one, and before nothing else.
$(OLDEST)/.installed: $(MADE)
	rm -rf $(OLDEST)
	$(PIP) install --target $(OLDEST) --no-deps --only-binary :all: \
	  "scikit-learn==1.5.*; python_version < '3.14'" "scikit-learn==1.7.*; python_version >= '3.14'"
	@touch $@

$(VENV)/.extra-%: pyproject.toml $(MADE) | $(INSTALLED)
	$(PIP) install "$$(echo $(WHEELS)/bpfast-*.whl)[$*]"
	@touch $@
