# What can be done with this checkout; `make` alone lists it. Every target that runs code begins with `setup`.
# Variables: PYTHON=python3.12 (which Python makes .venv), WORKERS=2 (test processes), ARGS="--loans 800" (to demo, test).
SHELL := /bin/bash
.DEFAULT_GOAL := help
WORKERS ?= 2
ROOMS := data features decisions models scoring followup reports pipelines
PYTEST := .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --durations=15

export PYTHON
# The environment is .venv's own: nothing of the caller's Python leaks into it.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# No library we use may report to its makers, in tests either.
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export GX_ANALYTICS_ENABLED := false

.PHONY: help setup postgres demo test drill test-fast check format lint types lock hooks clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## .venv and .venv/bin/duesight from uv.lock; quick when nothing changed
	@tools/setup.sh

demo: setup ## a simulated lender from raw exports to today's call sheets, and where to look
	.venv/bin/duesight demo $(ARGS)

postgres: ## the PostgreSQL that tests of SQL sources start; make demo does without
	@tools/postgres.sh

test: setup postgres ## every test but the drills
	$(PYTEST) -m "not drill" $(ARGS)

drill: setup postgres ## what asks the same as the tests of many more cases: before a release
	$(PYTEST) -m drill $(ARGS)

test-fast: setup postgres ## the tests that take seconds, until the first failure
	$(PYTEST) -m "not slow and not drill" -x $(ARGS)

check: lint types test ## format, lint, types, the arrow between rooms, tests: what must hold before a commit

format: setup ## lay out the code and mend what can be mended
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lint: setup ## layout, lint and the arrow between rooms; changes nothing
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports

types: setup ## mypy over the rooms
	.venv/bin/mypy

lock: ## bring uv.lock in line with pyproject.toml (asks the package index)
	tools/uv lock

hooks: setup ## install the pre-commit hooks into this clone
	.venv/bin/pre-commit install

clean: ## remove caches and build/; .venv and workspaces stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .import_linter_cache
	find $(ROOMS) tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
