# `make run` and `make test` do everything from nothing; they need Python 3.11 or newer and, once,
# a package index. PYTHON=... chooses the interpreter, VENV=... the virtual environment.

VENV ?= .venv
PYTHON ?=
BIN = $(VENV)/bin
# What is installed is known by the lock file's checksum; a changed lock installs anew.
key = $(shell cksum requirements/$(1).txt | cut -d ' ' -f 1)
RUN_STAMP = $(VENV)/.run-$(call key,run)
TEST_STAMP = $(VENV)/.test-$(call key,run)-$(call key,test)

.PHONY: help run test lint bench scorecard lock clean
.DEFAULT_GOAL = help

help:
	@echo "make run    start the portal on this machine (AXON_PORT, AXON_DATA_DIR, docs/how-to/run.md)"
	@echo "make test   run the tests            make lint   run the linters and type checks"
	@echo "make bench  measure                  make lock   renew requirements/*.txt from pyproject.toml"
	@echo "make scorecard   what the detectors find and miss (ARGS=--write: into the docs)"
	@echo "make clean  remove what was installed and cached, not the data"

# 1: run or test. 2: the stamp. 3: other stamps that the same packages satisfy. Everything is
# locked, so pip has nothing to resolve; wheels only, so nothing is built or run.
define install
@if [ -e $(2) ] && $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
  found=; \
  for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
    then found=$$python; break; fi; \
  done; \
  if [ -z "$$found" ]; then \
    echo "make: Axon Portal needs Python 3.11 or newer; found $$(python3 --version 2>&1 | head -n 1)." >&2; \
    exit 1; \
  fi; \
  if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
    echo "make: $$found has no venv module; install it (Debian, Ubuntu: apt install python3-venv)." >&2; \
    exit 1; \
  fi; \
  if ! "$$found" -m venv --clear $(VENV); then \
    echo "make: the virtual environment $(VENV) cannot be made; see the line above." >&2; \
    exit 1; \
  fi; \
fi; \
echo "Installing the locked packages of requirements/$(1).txt into $(VENV)."; \
if ! $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps \
  --only-binary :all: --require-hashes -r requirements/$(1).txt; then \
  echo "make: the locked packages could not be installed; see the lines above." >&2; \
  exit 1; \
fi; \
touch $(2) $(3)
endef

# `exec`, so that a signal for the recipe reaches the launcher itself.
run:
	$(call install,run,$(RUN_STAMP))
	@exec $(BIN)/python manage.py up

# A file's tests stay together, because some share processes that take seconds to start.
test:
	$(call install,test,$(TEST_STAMP),$(RUN_STAMP))
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile

lint: export DJANGO_SETTINGS_MODULE = tests.settings
lint:
	$(call install,test,$(TEST_STAMP),$(RUN_STAMP))
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

bench:
	$(call install,test,$(TEST_STAMP),$(RUN_STAMP))
	@exec $(BIN)/python -m benchmarks.run

scorecard:
	$(call install,test,$(TEST_STAMP),$(RUN_STAMP))
	@exec $(BIN)/python -m benchmarks.scorecard $(ARGS)

lock: export UV_CUSTOM_COMPILE_COMMAND = make lock
lock:
	@command -v uv >/dev/null || { echo "make: lock needs uv (https://docs.astral.sh/uv/)." >&2; exit 1; }
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url -o requirements/run.txt pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --group dev -c requirements/run.txt -o requirements/test.txt pyproject.toml

clean:
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
