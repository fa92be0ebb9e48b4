# Everything runs in a virtual environment made here; nothing outside the checkout is needed.
VENV   ?= .venv
PYTHON ?= python3
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Two tests at a time; what is dear to make is made once for both (tests/once.py). What was left out is
# listed in the end, with the reason.
PYTEST := $(BIN)/python -m pytest -rs -n 2 --dist worksteal

.PHONY: demo test test-all check hooks docs bench mutants model clean

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(STAMP)          ## the whole chain on a fictional département, with a table and a map page
	$(BIN)/geomatch demo --out demo-out

test: $(STAMP)          ## the tests
	$(PYTEST)

test-all: $(STAMP)      ## the slow ones too, JupyterLab's among them, one by one: some measure seconds
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[review]'
	$(PYTEST)
	$(BIN)/python -m pytest -rs -m slow

check: $(STAMP)         ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py

hooks: $(STAMP)         ## every commit is checked from now on, and what is there already
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[hooks]'
	$(BIN)/pre-commit install
	$(BIN)/pre-commit run --all-files

docs: $(STAMP)          ## the documentation site, into site/: open site/index.html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/zensical build --strict

bench: $(STAMP)         ## quality and speed on the shared sets; one JSON line each
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/geocoding.py --store build/store --bench ../shared/bench

mutants: $(STAMP)       ## deliberate changes of the code: which of them no test notices (an hour)
	$(BIN)/python benchmarks/mutants.py --sample 200

model: $(STAMP)         ## the shipped model, learned again from both shared sets (a few minutes)
	$(BIN)/geomatch build --ban ../shared/data/ban --sirene ../shared/data/sirene \
		--cog ../shared/data/reference --out build/store
	$(BIN)/python benchmarks/learn_activities.py --store build/store
	$(BIN)/python benchmarks/learn.py --store build/store

clean:
	rm -rf $(VENV) demo-out
