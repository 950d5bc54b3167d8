# Everything a person needs: `make run` and `make test`. Both set up what is missing first.
PYTHON ?= python3.11
PY := $(shell command -v $(PYTHON) 2>/dev/null || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check coverage bench soak shots venv texts

# the tests of the rooms that `coverage` holds at 100 % of branches (pyproject.toml, tool.coverage)
HELD := tests/clinician/sync tests/clinician/commands tests/clinician/access \
	tests/clinician/cache/test_outbox.py tests/modules/homecare/rules

run: $(VENV)/.run-ready
	@installer/system-libraries
	@$(BIN)/clinician

test: check coverage
	@installer/system-libraries --offscreen
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2 --dist loadscope $(HELD:%=--ignore=%)

check: $(VENV)/.test-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m installer.catalogues check
	$(BIN)/python -m tests.house.sizes

coverage: $(VENV)/.test-ready
	@installer/system-libraries --offscreen
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest $(HELD) -n 2 --dist loadscope --cov

bench: $(VENV)/.test-ready
	QT_QPA_PLATFORM=offscreen $(BIN)/clinician bench

# HAZARDS=n: only the hazard matrix of SYNC 1.4, n runs of our rule per cell (docs/decisions/hazards.md)
soak: $(VENV)/.test-ready
ifdef HAZARDS
	$(BIN)/python -m tests.hazards.matrix --runs $(HAZARDS)
else
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m soak -n 2 -o timeout=0 -rP
endif

shots: $(VENV)/.test-ready
	QT_QPA_PLATFORM=offscreen $(BIN)/clinician shots build/shots

texts: $(VENV)/.test-ready
	$(BIN)/python -m installer.catalogues update

venv: $(VENV)/.run-ready

$(VENV)/.run-ready: requirements.txt pyproject.toml
	@installer/make-venv $(PY) $(VENV) requirements.txt
	@touch $@

$(VENV)/.test-ready: requirements-dev.txt pyproject.toml
	@installer/make-venv $(PY) $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.run-ready
