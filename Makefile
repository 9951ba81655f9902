.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST ?= -m pytest

help: ## Show what can be made
	@grep -hE '^[a-z0-9-]+%?:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wherry needs Python 3.11 or newer: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(BIN)/.installed-%: pyproject.toml | $(BIN)/python
	@echo "installing wherry[$*] into $(VENV) ..."
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

.PRECIOUS: $(BIN)/.installed-%

install: $(BIN)/.installed-dev ## Create the virtual environment with everything

demo: $(BIN)/.installed-engine ## Push an artifact, run it, ask it once, see what that cost
	@PATH="$(abspath $(BIN)):$$PATH" examples/demo

test: $(BIN)/.installed-dev ## Run the tests that this machine can run
	@$(BIN)/python $(PYTEST) -n auto

lint: $(BIN)/.installed-dev ## Check style, types and layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

docs: $(BIN)/.installed-dev ## Write the pages that are generated
	@$(BIN)/python -m wherry_cli.reference > docs/cli-reference.md
	@$(BIN)/python -m wherry.spec.reference > docs/wasmapp-reference.md
	@$(BIN)/python -m wherry_operator.reference > docs/operator-settings.md
	@$(BIN)/python -m wherry_operator.status.reference > docs/conditions.md
	@$(BIN)/python -m dashboard > charts/wherry/dashboards/wherry.json
	@$(BIN)/python -m wherry.spec.schema | tee crds/wasmapps.yaml > charts/wherry/files/wasmapps.yaml

examples: $(BIN)/.installed-dev ## Build every example, and fetch the compilers for that once
	@$(BIN)/python -m examples.toolchain prepare

bench-%: $(BIN)/.installed-dev ## Compare with peers: serve reuse command inprocess native memory node pod_memory launcher images cluster (QUICK=1: a minute)
	@$(BIN)/python -m bench $* $(if $(QUICK),--quick)

cluster: ## Make a kind cluster with a local registry (needs docker, kind, kubectl)
	@cluster/up

cluster-down: ## Remove that cluster
	@cluster/down

deploy: cluster ## Build the images and install the chart in it (needs helm)
	@cluster/deploy

e2e: $(BIN)/.installed-dev cluster ## Tell the stories of tests/e2e on that cluster (STORIES=FILE: one)
	@WHERRY_KIND=$${WHERRY_KIND:-wherry} $(BIN)/python $(PYTEST) $(or $(STORIES),tests/e2e)

images: ## Build the images of operator, node agent and runner
	@images/build

locks: $(BIN)/.installed-dev ## Write the locks of the images (UPGRADE=1: with newer versions)
	@PYTHON=$(BIN)/python images/lock

golden: $(BIN)/.installed-dev ## Write what the chart renders, for tests to compare
	@WRITE_GOLDEN=1 $(BIN)/python $(PYTEST) -q tests/chart/test_golden.py

adapter: $(BIN)/.installed-dev ## Build the adapter components from their C source
	@$(BIN)/python -m wherry.engine.adapter.build

proto: $(BIN)/.installed-dev ## Generate the modules of the shim's messages
	@$(BIN)/python -m grpc_tools.protoc -I shim --python_out=shim --pyi_out=shim shim/wherry_shim/proto/*.proto

functions: $(BIN)/.installed-dev ## Write down which functions workers run, with the Python that Pods run with
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13) and "functions: got Python %d.%d, expected 3.13, as in the image of the agent; try make PYTHON=python3.13 VENV=.venv313 functions" % sys.version_info[:2])'
	@$(BIN)/python -m tests.support.worker_functions > $(BIN)/functions.txt
	@mv $(BIN)/functions.txt shim/wherry_shim/worker/functions.txt

.PHONY: adapter cluster cluster-down demo deploy docs e2e examples functions golden help images install lint locks proto test
