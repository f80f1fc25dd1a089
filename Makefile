# `make demo` shows the whole job, `make test` proves it; both need no more than Python 3.11, git and make.
# Nothing is installed twice: a stamp in .venv is renewed when the file it was installed from changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
# unpacked test tools first, then the places where Debian keeps servers off the PATH
TOOLS_PATH := $(CURDIR)/.tools/bin:$(PATH):/usr/sbin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint bench soak docs constraints caniemail clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.runtime ## install, then do the whole job once in a temporary workspace
	$(BIN)/newsletter demo

test: $(VENV)/.dev .tools/.installed ## install what the tests need, then run them all with branch coverage
	PATH="$(TOOLS_PATH)" $(BIN)/python -m pytest -n 2 --cov --cov-report=term

lint: $(VENV)/.dev ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev .tools/.installed ## measure start-up, rendering, import and delivery; read mutated mails
	sh tests/packages.sh bench/packages.txt
	@set -e; for bench in startup rendering render fuzz_mjml fuzz_bounces importing pages preview webhooks providers; do $(BIN)/python bench/$$bench.py; done
	@PATH="$(TOOLS_PATH)" $(BIN)/python bench/results.py

soak: $(VENV)/.dev .tools/.installed ## watch the sender's memory; real mail servers, a million fuzzed inputs
	@PATH="$(TOOLS_PATH)" $(BIN)/python bench/soak.py
	sh tests/packages.sh tests/soak/packages.txt
	PATH="$(TOOLS_PATH)" $(BIN)/python -m pytest -m soak

docs: $(VENV)/.dev ## write the generated parts of docs/ again from the code
	@set -e; for writer in docs/write_*.py; do $(BIN)/python $$writer; done
	$(BIN)/python docs/write_checks.py

UPGRADE ?= --upgrade
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links $(UPGRADE) pyproject.toml --group build

constraints: $(VENV)/.dev ## pin the newest versions again (UPGRADE= keeps the pins and only adds what is new)
	$(COMPILE) --output-file constraints/runtime.txt
	$(COMPILE) --group dev --extra postgres --constraint constraints/runtime.txt --output-file constraints/dev.txt

caniemail: $(VENV)/.dev ## take the newest data on what mail programs support (needs npm)
	mkdir -p .tools/caniemail
	cd .tools/caniemail && tar -xzf "$$(npm pack --silent caniemail@latest)"
	$(BIN)/python tools/caniemail.py .tools/caniemail/package/dist/data/caniemail.json

clean: ## remove what was installed and measured; workspaces are not touched
	rm -rf $(VENV) .tools .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: Python 3.11 or newer is needed; name one with make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		sh tests/packages.sh install python3-venv "$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The project goes in editable, built by the pinned hatchling. dkimpy, which the tests verify signatures with, comes
# as source only; everything else is a wheel.
$(VENV)/.%: constraints/%.txt pyproject.toml | $(BIN)/python
	@echo "installing what $< pins into $(VENV)"
	@$(PIP) install --require-hashes --only-binary :all: --no-binary dkimpy -r $<
	@$(PIP) install --no-deps --no-index --no-build-isolation --editable .
	@touch $@

.tools/.installed: tests/packages.txt tests/packages.sh tests/npm/package-lock.json
	sh tests/packages.sh
	@touch $@
