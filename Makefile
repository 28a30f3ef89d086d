# Every target does its own set-up and keeps everything it makes under .lab/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .lab/venv
UV := .lab/tools/bin/uv
PYTHON ?= python3
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
export PYTHONPYCACHEPREFIX := $(CURDIR)/.lab/pycache
unexport PYTHONDONTWRITEBYTECODE # else each of the many processes compiles everything anew
BIN := $(VENV)/bin
LAB := $(BIN)/python -m lab
ENGINES := 20.10 26 28 29
CLUSTER := kubernetes
BUILT := $(if $(SAU_TEST_KUBECONFIG),,$(CLUSTER)) # one that is lent needs no build
SUITE := $(BIN)/python -m lab.suite
TOOLS = $(BIN)/python -m lab.dashboards && $(PYTEST) tests/tools
PYTEST := $(BIN)/python -m pytest -o cache_dir=.lab/pytest

.PHONY: help setup demo test test-unit test-full lint types check docs site bench lab-up lab-down clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## the virtual environment, from the lock file

$(UV):
	@lab/bootstrap $(PYTHON)

$(VENV)/.ready: $(UV) pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen
	@touch $@

demo: setup ## an update that succeeds, one rolled back, one that waits: on a real engine
	@$(LAB) run --down-if-started -- $(BIN)/python -m lab.demo
	@$(BIN)/python -m lab.demo_release

test: OR_AGAIN = || { [ $$? = 1 ] && echo "== unit tests: UNSTEADY, what failed is repeated alone" \
	&& $(PYTEST) tests/unit --last-failed --last-failed-no-failures=none; }
test: check site ## everything on the oldest and newest engine and a cluster, kill instants sampled
	@for one in 20.10 29 $(BUILT); do $(LAB) --engine $$one build || exit; done
	@$(TOOLS)
	@$(SUITE) --repeat 20.10 and not every_instant
	@$(SUITE) --repeat 29 and not every_instant and not any_engine
	@$(SUITE) --repeat $(CLUSTER) and not every_instant and not other_helm

test-full: check site ## everything everywhere, every kill instant, properties at length
	HYPOTHESIS_PROFILE=full $(PYTEST) tests/unit -n 2
	@for one in $(ENGINES) $(BUILT); do $(LAB) --engine $$one build || exit; done
	@$(TOOLS)
	@for one in $(ENGINES) $(CLUSTER); do $(SUITE) $$one || exit; done

test-unit: setup ## the tests that need no lab and are not slow, in seconds
	$(PYTEST) tests/unit -n 3 -m "not slow"

lint: setup ## style and formatting
	$(BIN)/ruff check --cache-dir .lab/ruff
	$(BIN)/ruff format --check --cache-dir .lab/ruff

types: setup ## strict types
	$(BIN)/mypy --cache-dir .lab/mypy

docs: setup ## every key, event, option and plugin group is documented; links lead somewhere
	$(PYTEST) tests/unit -k "documented or docs"

site: setup ## the documents as a site, in .lab/site
	@$(UV) sync --quiet --frozen --group site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: lint types ## lint, types, layers, docs and unit tests, in a minute
	$(BIN)/lint-imports --cache-dir .lab/imports
	$(PYTEST) tests/unit -n 2 $(OR_AGAIN)

bench: setup ## downtime and speed, each beside its own limit in one run
	$(LAB) run --down-if-started -- $(BIN)/python -m lab.bench
	@$(LAB) --engine $(CLUSTER) build && $(BIN)/python -m lab.cluster.kwok
	$(LAB) --engine $(CLUSTER) run --down-if-started -- $(BIN)/python -m lab.bench.cluster

lab-up: setup ## start the lab's own engine and cluster, each with a registry
	@$(LAB) up
	@$(LAB) --engine $(CLUSTER) up

lab-down: setup ## end them and wipe their data
	@$(LAB) --engine $(CLUSTER) down
	@$(LAB) down

clean: ## remove everything that was made here (builds stay in ~/.cache/safe-auto-updater)
	@if [ -x $(BIN)/python ]; then for one in $(ENGINES) $(CLUSTER); do $(LAB) --engine $$one down; done; fi
	rm -rf .lab
