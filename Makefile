# The two commands a newcomer needs: make demo, make test. Everything else is for those who work on the code.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
XDIST  ?= 4

.PHONY: setup demo test lint format bench torture lock schema

setup: $(VENV)/.run

demo: $(VENV)/.run
	@$(BIN)/bridge demo

test: $(VENV)/.test
	@$(BIN)/python -m pytest -n $(XDIST) --dist worksteal $(ARGS)

lint: $(VENV)/.test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.test
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.test
	@$(BIN)/python -m bench $(ARGS)

torture: $(VENV)/.test
	@$(BIN)/python -m bench.torture $(ARGS)

schema: $(VENV)/.run
	@$(BIN)/python -m config.schema

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "making $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "installing the locked requirements (once)"
	@$(PIP) --require-hashes -r requirements/build.txt
	@$(PIP) --require-hashes --no-build-isolation -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@echo "installing the locked test requirements (once)"
	@$(PIP) --require-hashes --no-build-isolation -r requirements/test.txt
	@touch $@

# Needs uv on PATH. --universal: one file for every Python and platform we support.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
lock:
	$(LOCK) requirements/build.in -o requirements/build.txt
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) pyproject.toml --extra test -c requirements/run.txt -o requirements/test.txt
	$(LOCK) requirements/sdks.in -o requirements/sdks.txt
	$(LOCK) requirements/socket.in -o requirements/socket.txt
	{ sed -n '/^#/p' requirements.txt; grep -E '^[A-Za-z0-9]' requirements/run.txt | sed 's/ *\\$$//'; echo .; } > requirements.new
	mv requirements.new requirements.txt
