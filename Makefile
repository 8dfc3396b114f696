# Everything that is done with Podium from a checkout. `make help` lists it.

PYTHON ?= python3
JOBS ?= auto
STORY := tests/browser/test_story.py
PAGES = $(filter-out $(STORY),$(shell grep -rl --include='test_*.py' 'pytestmark = pytest.mark.browser' tests))

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --jobs=2

VENV := .venv
ENVIRONMENT_VENV := user-environment/.venv
HUB := $(VENV)/.installed
ENVIRONMENT := $(ENVIRONMENT_VENV)/.installed
TOOLS := $(VENV)/.tools-installed
AXE := tests/node_modules/.package-lock.json
PYTEST := $(VENV)/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=10

.PHONY: help up down doctor test test-crash test-pages test-story test-cluster test-compose test-guards test-fresh test-quota bench bench-cluster picture lock settings api manifests cases fmt

help:  ## List what can be made.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

up: $(HUB) $(ENVIRONMENT)  ## Install what is missing and serve Podium; Ctrl-C ends the hub and leaves environments running.
	@exec $(VENV)/bin/python -m hub up

down: $(HUB)  ## End the hub and every environment on this machine; workspaces stay.
	@exec $(VENV)/bin/python -m hub down

doctor: $(HUB) $(ENVIRONMENT)  ## Check this installation and say what to do.
	@exec $(VENV)/bin/python -m hub doctor

test: $(TOOLS) $(ENVIRONMENT)  ## Check style, types and layers, and run all tests but those of pages, crashes, clusters and Docker; as root some once more as an ordinary user.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	cd user-environment/app && ../../$(VENV)/bin/mypy --config-file ../../pyproject.toml .
	PYTHONPATH=user-environment $(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/hadolint $(wildcard */Dockerfile tests/cluster/*/Dockerfile)
	$(PYTEST) tests --ignore=tests/faults --ignore=tests/cluster --ignore=tests/compose --ignore=tests/quotas $(PAGES:%=--ignore=%)
	@$(VENV)/bin/python -m tests.ordinary.run

test-crash: $(TOOLS) $(ENVIRONMENT)  ## Kill the hub and the agent at every step of an environment's life and see that nothing is lost.
	$(PYTEST) --dist worksteal tests/faults

test-pages: $(TOOLS) $(ENVIRONMENT)  ## Drive every page and door in a browser, and look at them in both themes (pictures in build/screenshots).
	$(PYTEST) $(PAGES)

test-story: $(TOOLS) $(ENVIRONMENT)  ## Run the main story in a browser, and try to get out of an environment, alone.
	$(PYTEST) $(STORY) tests/isolation

test-cluster: $(TOOLS) build/stand-in  ## Build the images and run the tests that need a Kubernetes (CLUSTER or KUBECONFIG; docs/developing.md).
	@$(VENV)/bin/python -m tests.cluster.run

test-compose: $(TOOLS)  ## Build compose.yml's image and try it on a Docker engine (ENGINE or DOCKER_HOST; docs/developing.md).
	@$(VENV)/bin/python -m tests.compose.run

build/stand-in: tests/cluster/stand-in/Dockerfile tests/spawners/stand_in.py $(wildcard user-environment/environment/*.py user-environment/environment/*/*.py)
	@rm -rf $@ && mkdir -p build && cp -r tests/cluster/stand-in $@
	@cp -r user-environment/environment tests/spawners/stand_in.py $@/ && find $@ -name __pycache__ -prune -exec rm -rf {} +

test-guards: $(TOOLS) $(ENVIRONMENT)  ## Disable each guard of docs/security/cases.md in a copy and see that its test notices.
	@$(VENV)/bin/python -m tests.guards.run

test-fresh: $(TOOLS)  ## Follow the README in a bare Debian as an ordinary user (needs root and debootstrap).
	@$(VENV)/bin/python -m tests.fresh.run

test-quota: $(TOOLS)  ## Run the tests of disk quotas on a kernel that has them (needs root and user-mode Linux).
	@$(VENV)/bin/python -m tests.quotas.run

bench: $(TOOLS) $(ENVIRONMENT)  ## Measure launch time, memory and the proxies beside their baselines.
	@$(VENV)/bin/python -m tests.bench.run

bench-cluster: $(TOOLS) build/stand-in  ## Measure launches on a Kubernetes beside KubeSpawner (CLUSTER or KUBECONFIG; docs/developing.md).
	@$(VENV)/bin/python -m tests.bench.run_cluster

picture: $(TOOLS) $(ENVIRONMENT)  ## Take README's picture of the Environments page anew.
	$(PYTEST) tests/browser/test_look.py -k things_on_them
	cp build/screenshots/environments-full-light.png docs/images/environments.png

lock:  ## Write the three pinned sets of dependencies again; UPGRADE=--upgrade takes newer versions.
	@tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	$(PYTHON) -m venv "$$tools" && "$$tools/bin/pip" install --quiet uv; \
	compile() { "$$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header $(UPGRADE) "$$@"; }; \
	compile pyproject.toml -o requirements.txt; \
	compile --group dev -c requirements.txt -o tests/requirements.txt; \
	compile user-environment/requirements.in -o user-environment/requirements.txt

settings: $(HUB)  ## Write .env.example and docs/settings.md from hub/settings.py.
	$(VENV)/bin/python -m tests.house.settings_documents

api: $(HUB)  ## Write docs/api.md from the API's schema.
	$(VENV)/bin/python -m tests.house.api_document

k8s/podium.yaml: $(shell find helm -type f 2>/dev/null)
	helm template podium helm/podium --skip-tests --namespace podium --set existingSecret=podium-secrets > $@

manifests: k8s/podium.yaml  ## Write the plain manifests of k8s/ from the chart (needs helm).

cases: $(HUB)  ## Fill in the tests of docs/security/cases.md from their marks.
	$(VENV)/bin/python -m tests.house.cases

fmt: $(TOOLS)  ## Format the code and repair what can be repaired.
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# Each virtual environment is made once and renewed when its lock file changes. Modules are compiled as they are first imported: to
# compile all of them takes as long as the rest, and most are never used.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Podium needs Python 3.11 or newer and found $$($(PYTHON) --version 2>&1). Name another one: make up PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(1)/bin/pip || $(PYTHON) -m venv --clear $(1) || { \
	  echo "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing $(2) …"
	@$(1)/bin/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $(2)
	@touch $@
endef

$(HUB): requirements.txt
	$(call install,$(VENV),$<)
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/$(VENV)/bin/python" -m hub "$$@"\n' '$(CURDIR)' '$(CURDIR)' > $(VENV)/bin/podium
	@chmod +x $(VENV)/bin/podium

$(TOOLS): tests/requirements.txt $(HUB) | $(AXE)
	$(call install,$(VENV),$<)

# Without npm, or without a way to its registry, accessibility goes unchecked and the tests say so.
$(AXE): tests/package-lock.json
	@! command -v npm >/dev/null || npm ci --prefix tests --silent --no-audit --no-fund || echo "npm could not install axe-core."

$(ENVIRONMENT): user-environment/requirements.txt
	$(call install,$(ENVIRONMENT_VENV),$<)
