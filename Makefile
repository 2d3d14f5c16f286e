# `make` alone lists the targets.

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit lint format check bench record lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from requirements.lock; the targets below do it themselves
	@sh tools/setup.sh

demo: setup ## Run the demonstration: one whistle step by step, real cases, an audit
	@.venv/bin/whistle demo

test: setup ## Run the whole test suite
	.venv/bin/python -m pytest -n auto --dist loadfile

unit: setup ## Run the pure tests only
	.venv/bin/python -m pytest tests/unit -n auto --dist worksteal

lint: setup ## Check format, lint rules, types and import contracts
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports

format: setup ## Rewrite the code in the house format
	.venv/bin/python -m ruff check --select I --fix --quiet .
	.venv/bin/python -m ruff format .

check: lint test ## Run everything that CI runs

bench: setup ## Measure a lifecycle; prints JSON and nothing else
	@.venv/bin/python -m benchmarks.lifecycle

record: setup ## Record the replay fixtures and their transcripts anew
	.venv/bin/python -m tests.replay.record

lock: ## Resolve requirements.lock anew from pyproject.toml (needs uv)
	@sh tools/lock.sh
