# Each target prepares what it needs, once: the stamp files say what is installed in $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
MLP = $(abspath $(BIN))/mlp
BENCH_VENV ?= .venv-bench
# One more than there are processors, since tests wait, too.
WORKERS ?= $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)")
# One release, so that figures can be compared; tests/benchmarks/README.md says how to get others.
TORCH ?= torch==2.13.0

.PHONY: help train mnist test acceptance soak fuzz coverage lint figures bench bench-mpi profile clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 12

train: $(VENV)/.installed  ## Train and evaluate the article's parity network
	$(BIN)/mlp train configs/parity.yaml --overwrite
	$(BIN)/mlp evaluate --weights parity.npy

mnist: $(VENV)/.installed  ## Download MNIST; train and evaluate the article's network
	$(BIN)/mlp download mnist
	$(BIN)/mlp train configs/mnist.yaml --overwrite
	$(BIN)/mlp evaluate --weights mnist.npy

test: lint  ## Run lint, types and all tests, on all cores
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

acceptance: $(VENV)/.dev  ## Train every configuration in full, and tables, and tune (needs MLP_TEST_MNIST; an hour)
	$(BIN)/python tests/acceptance.py
	$(BIN)/python tests/tables.py
	$(BIN)/python tests/quantity_tables.py
	$(BIN)/python tests/tuning.py

soak: $(VENV)/.installed  ## Interrupt saves and runs hundreds of times (minutes)
	$(BIN)/python tests/soak.py

fuzz: $(VENV)/.dev  ## Try hostile files and command lines, from fresh seeds (minutes)
	cd tests && $(abspath $(BIN))/python -m fuzz $(FLAGS)

coverage: $(VENV)/.dev  ## Measure which lines and branches the tests run
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto --dist worksteal -m "not unmeasured"
	$(BIN)/coverage combine
	$(BIN)/coverage report

lint: $(VENV)/.dev  ## Run lint and types alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

figures: $(VENV)/.dev  ## Draw the README's pictures (trains parity and MNIST, which must be there)
	mkdir -p .github/figures
	cd .github/figures && for name in parity mnist; do $(MLP) train ../../configs/$$name.yaml --quiet --overwrite; done
	cd .github/figures && $(MLP) plot history mnist.npy --log -o history.png
	cd .github/figures && $(MLP) plot weights parity.npy -o weights.png
	cd .github/figures && $(MLP) plot mistakes mnist.npy -o mistakes.png
	cd .github/figures && $(MLP) plot descent -o descent.png
	rm .github/figures/*.npy

bench: $(BENCH_VENV)/.bench  ## Compare speed with other libraries; FLAGS="--help" says how
	cd tests && $(abspath $(BENCH_VENV))/bin/python -m benchmarks $(FLAGS)

bench-mpi: $(VENV)/.dev  ## Measure ranks of MPI: steps, all-reduce, and a model of many machines
	cd tests && $(abspath $(BIN))/python -m benchmarks.mpi $(FLAGS)

profile: $(VENV)/.installed  ## Show where a step's time goes, for WORKLOAD=article
	cd tests && $(abspath $(BIN))/python -m benchmarks.profiler $(WORKLOAD) $(FLAGS)

clean:  ## Remove the virtual environments
	rm -rf $(VENV) $(BENCH_VENV)

$(VENV)/bin/python $(BENCH_VENV)/bin/python:
	$(PYTHON) -m venv $(@:/bin/python=)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(BENCH_VENV)/.bench: pyproject.toml | $(BENCH_VENV)/bin/python
	$(BENCH_VENV)/bin/python -m pip install --quiet $(TORCH)
	$(BENCH_VENV)/bin/python -m pip install --quiet --editable '.[bench]'
	touch $@
