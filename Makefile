# Each target prepares what it needs, once: the stamp files say what is installed in $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: help train mnist test acceptance lint clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 12

train: $(VENV)/.installed  ## Train and evaluate the article's parity network
	$(BIN)/mlp train configs/parity.yaml --overwrite
	$(BIN)/mlp evaluate --weights parity.npy

mnist: $(VENV)/.installed  ## Download MNIST; train and evaluate the article's network
	$(BIN)/mlp download mnist
	$(BIN)/mlp train configs/mnist.yaml --overwrite
	$(BIN)/mlp evaluate --weights mnist.npy

test: lint  ## Run lint, types and all tests
	$(BIN)/pytest

acceptance: $(VENV)/.installed  ## Train every configuration in full (needs MLP_TEST_MNIST; ten minutes)
	$(BIN)/python tests/acceptance.py

lint: $(VENV)/.dev  ## Run lint and types alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## Remove the virtual environment
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.installed
