PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench tasks tables docs clean

demo: .venv/.installed
	$(BIN)/dfar-bench demo

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.installed
	$(BIN)/python -m tests.bench --out runs/bench.json

# lm_eval indexes YAML files only, so each task needs one; they follow from the data sets and kinds of task.
tasks: .venv/.installed
	$(BIN)/python -m dfar_bench.runs.task_files tasks

# Both the generated parts of the pages and the test of them need the published data.
tables: .venv/.installed
	PYTHONPATH=docs $(BIN)/python -m tables

docs: .venv/.installed
	$(BIN)/zensical build --clean --strict

# The task files are copied into lm_eval when the package is installed, so a changed one means installing again.
.venv/.installed: pyproject.toml constraints.txt $(wildcard tasks/*)
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all]'
	touch $@

clean:
	rm -rf .venv build dist site .cache .mypy_cache .pytest_cache .ruff_cache
