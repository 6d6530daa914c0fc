# `make` lists the targets. All of them work in a fresh clone: the first one that needs it makes .venv.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/sh

# Hundreds of test processes load the same modules, so compiled ones are always kept.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
# The name changes with what is installed, so that an old environment is updated.
INSTALLED := .venv/.installed-$(shell cat requirements/dev.txt pyproject.toml 2>/dev/null | cksum | tr ' ' '-')
SITE := .venv-docs/.installed-$(shell cat requirements/docs.txt 2>/dev/null | cksum | tr ' ' '-')
PEERS := .venv-peers/.installed-$(shell cat requirements/peers.txt 2>/dev/null | cksum | tr ' ' '-')
PYTEST := $(BIN)/python -m pytest
# Most tests wait, so more workers than processors help; with too many, tests wait too long.
# The tests of a file share what its fixtures start.
WORKERS := 3
PARALLEL := --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder
# With FILE="a b" or a path in ARGS, the tests of these files; otherwise those of a folder, in parallel.
FILES = $(FILE) $(filter tests/%,$(ARGS))
tests = $(PYTEST) $(if $(strip $(FILES)),$(FILE),$(PARALLEL) $(1)) $(ARGS)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(INSTALLED) ## Show a chain run: local environment, simulated Spacelift, live view
	@$(BIN)/python -m devenv demo $(ARGS)

.PHONY: dev
dev: $(INSTALLED) ## Run the local environment until Ctrl-C
	@$(BIN)/python -m devenv $(ARGS)

.PHONY: prepare
prepare: $(INSTALLED) $(SITE) ## Get all programs that the tests start (minutes, once per machine)
	@$(BIN)/python -m devenv.control_plane
	@$(BIN)/python -m tests.support.helm

.PHONY: test
test: $(if $(FILE),,lint types layers) prepare ## Lint, types, layers, all tests on this machine; only FILE="tests/e2e/test_x.py ..."
	$(call tests,--ignore=tests/cluster --ignore=tests/image --ignore=tests/benchmarks --ignore=tests/soak)

.PHONY: check
check: lint types layers ## Lint, types, layers and the quick tests
	$(call tests,--no-real-parts tests/unit tests/contract tests/simulation)

.PHONY: lint
lint: $(INSTALLED) ## Check style, format and words
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) --quiet tests/unit/test_plain_english.py tests/contract/test_plain_docs.py

.PHONY: fmt
fmt: $(INSTALLED) ## Format, and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(INSTALLED) ## Check types
	$(BIN)/mypy

.PHONY: layers
layers: $(INSTALLED) ## Check that imports go downward only
	$(BIN)/lint-imports

.PHONY: test-unit test-devenv test-workflows test-e2e test-chart
test-unit: $(INSTALLED) ## Tests of one kind: no sockets, seconds
	$(call tests,tests/unit)
test-devenv: $(INSTALLED) ## Tests of one kind: the local environment and the simulator
	$(call tests,tests/devenv)
test-workflows: $(INSTALLED) ## Tests of one kind: workflows on a Temporal dev server
	$(call tests,tests/workflows)
test-e2e: prepare ## Tests of one kind: all roles on the real API server and Temporal
	$(call tests,tests/e2e)
test-chart: prepare ## Tests of one kind: the Helm chart, on the real API server
	$(call tests,tests/chart)

.PHONY: simulate
simulate: $(INSTALLED) ## Play simulated schedules; ARGS="--seed N", "--count N" or "--fresh"
	@$(BIN)/python -m tests.simulation.world $(ARGS)

.PHONY: mutants
mutants: $(INSTALLED) ## Seed faults into a copy of the project, and show which tests catch them; ARGS="--only TEXT"
	@$(BIN)/python -m tests.mutants $(ARGS)

.PHONY: soak
soak: prepare ## Kill operator and worker over and over, leave Temporal or its database away
	@$(BIN)/python -m tests.simulation.world --fresh --count $(or $(SCHEDULES),100000)
	@$(BIN)/python -m tests.support.temporal_database
	$(PYTEST) tests/soak $(ARGS)

.PHONY: fuzz
fuzz: $(INSTALLED) ## Fuzz what the webhook receiver reads, for a minute
	$(BIN)/python -m tests.fuzz.deliveries -max_total_time=60 -max_len=4096 $(ARGS)

.PHONY: bench
bench: $(INSTALLED) ## Print the benchmark tables
	$(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: peers
peers: $(INSTALLED) $(PEERS) ## Roll the same stacks with StackChain, Prefect and a script (ARGS=--quick)
	@$(BIN)/python -m tests.benchmarks.peers --prefect .venv-peers/bin/python $(ARGS)

.PHONY: size
size: $(INSTALLED) ## What a number of chains asks of Temporal and Spacelift; ARGS="--chains 1000 --stacks 12"
	@$(BIN)/python -m devenv.scale $(ARGS)

.PHONY: e2e
e2e: $(INSTALLED) ## Image and chart on the cluster of KUBECONFIG (ARGS=--figures prints tables)
	@hack/e2e $(ARGS)

.PHONY: image
image: ## Build the container image (CONTAINER_ENGINE, BASE_IMAGE; ARGS="--archive FILE NAME:TAG")
	@hack/build-image $(ARGS)

.PHONY: plugin
plugin: $(INSTALLED) ## Build the kubectl plugin alone: wheel, zipapp, krew (ARGS="--output FOLDER --repository OWNER/NAME")
	@$(BIN)/python hack/build_plugin.py $(ARGS)

.PHONY: embeds
embeds: $(INSTALLED) ## Pack the graph for Headlamp and Argo CD (ARGS="--output FOLDER")
	@$(BIN)/python hack/build_embeds.py $(ARGS)

.PHONY: replay
replay: $(INSTALLED) ## Replay the recorded workflow histories
	$(PYTEST) tests/workflows/test_replay.py $(ARGS)

.PHONY: record
record: $(INSTALLED) ## Record new workflow histories
	$(BIN)/python -m tests.workflows.record $(ARGS)

.PHONY: test-ui
test-ui: $(INSTALLED) ## Drive page and packages in Chromium (needs Node.js and chromium; SHOTS=FOLDER keeps pictures)
	cd ui && npm ci --ignore-scripts && PYTHON=$(CURDIR)/$(BIN)/python node --test --test-concurrency=1 browser/*.test.mjs

.PHONY: pictures
pictures: prepare ## Draw and take all pictures of the documentation (needs Node.js, chromium and prometheus)
	cd ui && npm ci --ignore-scripts
	$(BIN)/python -m tests.pictures docs/pictures

.PHONY: ui
ui: ## Build the page into the package, and the graph for Headlamp and Argo CD (needs Node.js)
	cd ui && npm ci --ignore-scripts && npm run check && npm run build
	cd ui && npm run build:headlamp && npm run build:argocd

.PHONY: docs
docs: $(SITE) ## Build the documentation site into build/site (ARGS="--serve" or "--versions FOLDER")
	@.venv-docs/bin/python hack/site/build.py $(ARGS)

.PHONY: chart-docs
chart-docs: $(INSTALLED) ## Write the chart's table of values, and copy the definition into it
	@cp crds/*.yaml charts/stackchain/files/crds/
	@$(BIN)/python hack/generate_chart_docs.py $(ARGS)

.PHONY: lock
lock: $(INSTALLED) ## Pin the dependencies anew (ARGS=--upgrade for newer ones)
	@hack/lock $(ARGS)

.PHONY: clean
clean: ## Remove what the targets made in this folder
	rm -rf ui/node_modules .venv .venv-docs .venv-peers .stackchain .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		build dist plugin/build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements/dev.txt pyproject.toml
	@hack/bootstrap $@

$(SITE): requirements/docs.txt | $(INSTALLED)
	@hack/venv .venv-docs requirements/docs.txt $@

$(PEERS): requirements/peers.txt | $(INSTALLED)
	@hack/venv .venv-peers requirements/peers.txt $@
