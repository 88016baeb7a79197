# Midspan: every habit of the team is a target. `make` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
T ?= tests

.DEFAULT_GOAL := help
.PHONY: help demo run install test check check-style check-types check-structure lint bench clean

##@ Use

demo: $(VENV)/installed ## start all of Midspan with a simulated platform and partners, in a throw-away home
	@exec $(RUN) -m demo

run: $(VENV)/installed ## start all of Midspan on your own registry and traffic
	@exec $(RUN) -m demo run

install: $(VENV)/installed ## make .venv and install what requirements.txt pins

##@ Work

test: $(VENV)/installed-dev ## run every test, on all cores (T=path for some); MIDSPAN_TEST_ALL=1 makes a skip a failure
	@exec $(RUN) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(T)

check: check-style check-types check-structure ## ruff, mypy, import contracts and structure tests; changes nothing (also with -j2)

check-style: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-types: $(VENV)/installed-dev
	$(BIN)/mypy

check-structure: $(VENV)/installed-dev
	$(BIN)/lint-imports
	$(RUN) -m pytest tests/structure

lint: $(VENV)/installed-dev ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: bench-journal bench-loader bench-queries bench-freshness bench-crash bench-restarts bench-memory bench-proxy bench-fuzz bench-pages bench-alerts bench-alert-truth bench-alert-crash bench-alert-clock bench-funnel bench-reconcile bench-revenue ## every benchmark; each also alone

bench-%: $(VENV)/installed-dev ## one benchmark: journal, loader, queries, freshness, crash, restarts, memory, proxy, fuzz, pages, alerts, alert-truth, alert-crash, alert-clock, funnel, reconcile, revenue
	@exec $(RUN) -m bench.$(subst -,_,$*)

clean: ## remove .venv and caches; your home stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

##@ Help

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z%-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Midspan needs Python 3.11 or newer, this is %d.%d: make PYTHON=/path/to/python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/installed
