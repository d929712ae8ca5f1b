# make demo   set up, then run a first campaign (3 minutes on 2 free cores) and say where its report is
# make test   set up, then lint, type-check and test, two at a time
# The other targets use the same .venv: setup lint bench notebooks soak clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
OUT ?= runs/demo
BENCHMARKS := startup intake reading entities_model relations normalisation search answering \
  docking_gpu docking_parity redocking rescoring enrichment first_pose pockets charges mmgbsa moses moses_lstm sampling conditions \
  fragment_tasks steering pmo series learned grid

# the tests in two halves of about the same length: two cores run them side by side
GROUND := tests/browser tests/discovery tests/faults tests/house tests/notebooks
WORKSHOPS := tests/docking tests/generative tests/literature

.PHONY: setup demo test lint test-ground test-workshops bench notebooks soak clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed; this is ' + sys.version.split()[0] if sys.version_info < (3, 11) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	touch $(STAMP)

demo: setup
	$(BIN)/discovery demo --out $(OUT)

test: setup
	$(MAKE) --jobs=2 test-workshops test-ground lint

test-ground: setup
	$(BIN)/python -m pytest $(GROUND)

test-workshops: setup
	$(BIN)/python -m pytest $(WORKSHOPS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check discovery generative docking literature tests
	$(BIN)/mypy

bench: setup
	for name in $(BENCHMARKS); do $(BIN)/python -m tests.benchmarks.$$name --quick || exit 1; done
	$(BIN)/python -m tests.benchmarks.tables

notebooks: setup
	$(BIN)/python -m pytest tests/notebooks -m 'slow or not slow'

soak: setup
	$(BIN)/python -m pytest -m slow

clean:
	rm -rf $(VENV) runs build *.egg-info
