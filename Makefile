# GNU make 3.81 or newer. `make help` lists what there is.

# One interpreter may be named: make test PYTHON=python3.12
CANDIDATES = $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
BIN = .venv/bin

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_NO_INPUT = 1

# A stamp's name holds a checksum of what was installed: an unchanged lock is never installed twice.
sum = $(shell cat $(1) pyproject.toml | cksum | cut -d' ' -f1)
RUN = .venv/.run-$(call sum,requirements/run.lock)
DEV = .venv/.dev-$(call sum,requirements/run.lock requirements/dev.lock)
STUDIO = .venv-studio/.studio-$(call sum,requirements/studio.lock)
AWSCLI = .venv-awscli/.awscli-$(call sum,requirements/awscli.lock)

.DEFAULT_GOAL = help
.PHONY: help demo test check serve studio test-studio recording awscli lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

demo: $(RUN) ## solve a recorded incident, offline
	$(BIN)/opsleuth demo

test: check $(AWSCLI) ## check, then run the tests
	$(BIN)/pytest -n auto $(ARGS)

check: $(DEV) ## format, lint, types, direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

serve: $(RUN) ## the REST trigger, on loopback
	$(BIN)/opsleuth serve

studio: $(STUDIO) ## the graph in LangGraph Studio
	PATH="$(CURDIR)/.venv-studio/bin:$$PATH" LANGGRAPH_CLI_NO_ANALYTICS=1 \
		.venv-studio/bin/langgraph dev --no-browser $(ARGS)

test-studio: $(DEV) $(STUDIO) ## start it and drive it by a test
	$(BIN)/pytest tests/studio $(ARGS)

recording: $(DEV) ## record the demo's incident anew, and draw the README's picture
	$(BIN)/python -m evals.recorded
	$(BIN)/python -m api.render.picture docs/demo.svg

awscli: $(AWSCLI) ## the AWS command line, in an environment of its own, for one test

COMPILE = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header $(UPGRADE)
lock: ## refresh the locks (make lock UPGRADE=--upgrade takes newer versions)
	@$(call venv,.venv-lock)
	.venv-lock/bin/python -m pip install --quiet 'uv>=0.9,<1'
	$(COMPILE) pyproject.toml --group build -o requirements/run.lock
	$(COMPILE) pyproject.toml --group build --extra evals --group dev -c requirements/run.lock -o requirements/dev.lock
	$(COMPILE) pyproject.toml --group build --group studio -c requirements/run.lock -o requirements/studio.lock
	$(COMPILE) --group awscli -o requirements/awscli.lock

clean: ## remove the environments and everything built
	rm -rf .venv .venv-awscli .venv-lock .venv-studio build dist .langgraph_api
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find api evals graph prompts tools tests -name __pycache__ -prune -exec rm -rf {} +

$(RUN):
	@$(call venv,.venv)
	@$(call install,.venv,run)
	@touch $@

# The development lock holds everything of the run lock, in the same versions.
$(DEV):
	@$(call venv,.venv)
	@$(call install,.venv,dev)
	@touch $@ $(RUN)

$(STUDIO):
	@$(call venv,.venv-studio)
	@$(call install,.venv-studio,studio)
	@touch $@

$(AWSCLI):
	@$(call venv,.venv-awscli)
	.venv-awscli/bin/python -m pip install --quiet --require-hashes -r requirements/awscli.lock
	@touch $@

# An environment in folder $(1), if there is none that works.
define venv
if ! $(1)/bin/python -m pip --version >/dev/null 2>&1; then \
	for python in $(CANDIDATES); do \
		if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making $(1) with $$($$python --version)"; \
			exec $$python -m venv --clear $(1); \
		fi; \
	done; \
	$(advice); \
	exit 1; \
fi
endef

# Everything with its hash, then this folder itself. --no-deps hides a stale lock: pip check finds it.
define install
echo "Installing requirements/$(2).lock into $(1)" && \
$(1)/bin/python -m pip install --quiet --require-hashes -r requirements/$(2).lock && \
PATH="$(CURDIR)/$(1)/bin:$$PATH" $(1)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e . && \
$(1)/bin/python -m pip check
endef

# The one command that brings a Python 3.11 or newer with venv to this machine.
define advice
sudo=; [ "$$(id -u)" = 0 ] || sudo='sudo '; \
command='install Python 3.12 from https://www.python.org/downloads/'; \
if command -v apt-get >/dev/null; then \
	command="$${sudo}apt-get update && $${sudo}apt-get install -y python3-venv"; \
	for version in 3.11 3.12 3.13; do \
		if apt-cache show python$$version-venv >/dev/null 2>&1; then \
			command="$${sudo}apt-get install -y python$$version-venv"; \
		fi; \
	done; \
elif command -v dnf >/dev/null; then command="$${sudo}dnf install -y python3.12"; \
elif command -v apk >/dev/null; then command="$${sudo}apk add python3"; \
elif command -v pacman >/dev/null; then command="$${sudo}pacman -S --noconfirm python"; \
elif command -v brew >/dev/null; then command='brew install python@3.12'; \
fi; \
echo "opsleuth needs Python 3.11 or newer with venv; none of these is one: $(CANDIDATES)" >&2; \
echo "Run: $$command" >&2
endef
