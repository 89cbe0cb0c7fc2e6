# `make help` lists the targets. They need Python 3.11 or later and make; some tests use Node if it is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup fuzz test quick lint documents bench mutation package docs clean

help: ## List the targets.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY) ## Make .venv with tracksync and its tools in it.

# The stamp is written last, so that an installation that was cut short is done again.
$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "tracksync needs Python 3.11 or later; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

fuzz: $(READY) ## Test the embedded mock against the contract. ARGS="--seed 7" for more.
	$(BIN)/tracksync fuzz $(ARGS)

test: $(READY) ## Run the tests. ARGS="-k times" for some of them.
	$(BIN)/pytest -q -n 3 --dist worksteal $(ARGS)

quick: $(READY) ## Run the tests that matter while working, in about a minute.
	$(BIN)/pytest -q -n 3 --dist worksteal -m "not slow" $(ARGS)

documents: $(READY) ## Bring the examples and figures of the documents up to date.
	$(BIN)/python tools/documents.py --write

lint: $(READY) ## Style, types, import layers, words, and the spec.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/words.py
	@if [ -x tools/spec-lint ]; then PATH="$(CURDIR)/$(BIN):$$PATH" tools/spec-lint; fi

bench: $(READY) ## Measure speed; tools/bench says what.
	$(BIN)/python tools/bench.py $(ARGS)

mutation: $(READY) ## Test the tests: change the oracle in one place at a time. ARGS="values/times.py".
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[mutation]'
	$(BIN)/python tools/mutation $(ARGS)

package: $(READY) ## Build sdist, wheel and pyz; install and run each in a bare environment. ARGS="--python python3.12".
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[package]'
	$(BIN)/python tools/package.py $(ARGS)

docs: $(READY) ## Write the documentation as HTML pages to build/site.
	$(BIN)/tracksync docs --directory build/site --no-browser

clean: ## Remove the environment and all caches.
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
