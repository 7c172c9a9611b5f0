# Everything a fresh machine needs: Python 3.11+, pip and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: help demo test test-all lint browser bench clean
help:
	@echo "make demo      start a simulator and the gateway, send calls, print the joined books (ARGS=--exit to end)"
	@echo "make test      lint, types, import floors and the tests"
	@echo "make test-all  the same with the slow suites"
	@echo "make browser   bring what the tests in a browser need; the tests do it by themselves"
	@echo "make bench     the short benchmarks"

$(VENV)/run: requirements/run.txt requirements/build.txt pyproject.toml hatch_build.py assets/package-lock.json
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what Headgate runs on ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/run
	@echo "installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/run
	@$(BIN)/headgate demo $(ARGS)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Says so and goes on where it cannot: the tests in a browser are then skipped.
browser: $(VENV)/dev
	@$(BIN)/python -m tests.browser.brought

test: lint browser
	$(BIN)/pytest -n auto -m "not slow" $(ARGS)

test-all: lint browser
	$(BIN)/pytest -n auto $(ARGS)

bench: $(VENV)/dev
	$(BIN)/python -m bench --quick $(ARGS)

clean:
	rm -rf $(VENV) .venvs .demo .browser
