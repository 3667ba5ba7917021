# Jiesu. `make help` lists what can be done; every target sets up .venv by itself when needed.
# Variables: JSON=1 (demo: plain lines), ARGS="…" (handed to pytest or to jiesu), PYTHON=… (the Python to build .venv with).

MAKEFLAGS += --no-print-directory
BIN := .venv/bin
UV := var/uv/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11
.DEFAULT_GOAL := help
# Each worker has servers of its own, unless they are the user's.
WORKERS := $(if $(KAFKA_BOOTSTRAP_SERVERS)$(DATABASE_URL),0,2)
PREPARE = $(BIN)/python -m deploy.embedded --prepare
# Without compiled files each of the hundreds of processes that the tests start would compile every library: 10 s instead of 2.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup demo up test lint format bench chaos schemas dashboards docs sbom audit lock clean

help:
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: ## Build .venv from the locked requirements (needs Python 3.11 with pip)
	@for python in $(or $(PYTHON),python3.11 python3 python); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exec "$$python" -B deploy/create_venv.py; fi; \
	done; echo 'Python 3.11 or newer was not found: install it (Debian or Ubuntu: apt-get install python3.11), or name it with PYTHON=….' >&2; exit 1

demo: setup ## Run a month of complaints through everything, in about a minute (JSON=1: plain lines)
	@$(BIN)/jiesu demo $(if $(JSON),--json) $(ARGS)

up: setup ## Run everything on this machine until stopped
	@$(BIN)/jiesu up $(ARGS)

test: setup ## Run every test but chaos and bench, or those of ARGS="tests/…"; lists the slowest
	@$(PREPARE)
	@$(BIN)/python -m pytest $(if $(findstring tests/,$(ARGS)),,tests) --ignore=tests/chaos --ignore=tests/bench -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=15 --durations-min=1 $(ARGS)

lint: setup ## Check style, types, import rules, spelling and the lock file
	@$(BIN)/mypy & types=$$!; \
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/typos && \
	$(BIN)/python -m pytest -q tests/architecture/test_lock.py tests/architecture/test_repository.py; style=$$?; \
	wait $$types && exit $$style

format: setup ## Put the code into shape
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

bench: setup ## Measure everything, or the benches of ARGS="accept latency"; writes docs/reference/performance.md
	@$(PREPARE)
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: setup ## Long runs under faults (ARGS="tests/chaos/test_faults.py --faults 1000 --minutes 90 --seed 1": that one)
	@$(PREPARE)
	@$(BIN)/python -m pytest $(if $(findstring tests/,$(ARGS)),,tests/chaos) -s --timeout=7200 $(ARGS)

schemas: setup ## Write the golden JSON Schemas and examples
	@$(BIN)/jiesu schemas write $(ARGS)

dashboards: setup ## Write Grafana's dashboards from deploy/grafana/boards
	@$(BIN)/python -m deploy.grafana $(ARGS)

docs: setup ## Write the generated reference pages
	@$(BIN)/jiesu docs write $(ARGS)

sbom: setup ## Write the bill of materials of the image's packages (CycloneDX) to var/sbom.cdx.json
	@$(BIN)/python -m deploy.supply.sbom $(ARGS)

audit: setup ## Look up known vulnerabilities of the locked packages; status 2 when nothing could be looked up
	@$(BIN)/python -m deploy.supply.audit $(ARGS)

lock: setup ## Resolve every dependency anew within pyproject.toml's bounds, Kafka's jars included
	@$(COMPILE) --upgrade --extra dev pyproject.toml -o requirements.lock
	@$(COMPILE) --upgrade --custom-compile-command 'make lock' deploy/uv.in -o deploy/uv.txt
	@$(BIN)/python -m deploy.embedded.kafka.write_checksums

clean: ## Remove .venv, caches and all data but those of `make up`
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var/demo var/test* var/bench* var/embedded var/kafka var/uv
