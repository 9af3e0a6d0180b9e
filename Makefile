# Every command for this checkout. It needs make and Python 3.11 or newer, and nothing else to be set up.
# All paths are relative, and commands run as modules: a folder with a space in its path is fine.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PY := .venv/bin/python
READY := .venv/.ready
PEERS := .venv-peers/bin/python
PEERS_READY := .venv-peers/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-fast histories check bench bench-small bench-lookups bench-pit conformance zip docs notebooks clean install

help: ## this list
	@echo "Ziggurat: a batch feature platform on Spark and Delta Lake"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## fetch a year of real groceries, build every feature, show the result
	@$(PY) -m ziggurat.cli.demo.data
	@$(PY) -m ziggurat demo

# Each worker has a session of its own (2 GB of heap): more workers need more memory. TESTS narrows what runs.
WORKERS := 2
TESTS :=
PYTEST := -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(READY) check ## everything that CI runs: check, then all tests, in two processes side by side
	@$(PY) $(PYTEST) $(TESTS)

test-fast: $(READY) check ## check, then the tests that need no Spark: about a minute
	@$(PY) $(PYTEST) -m "not spark" $(TESTS)

# HISTORIES and SPARK_HISTORIES say how many are drawn without and with Spark.
HISTORIES := 600
SPARK_HISTORIES := 30

histories: $(READY) ## drawn histories of small projects, built night by night, each compared with a rebuild
	@HISTORIES=$(HISTORIES) SPARK_HISTORIES=$(SPARK_HISTORIES) $(PY) -m pytest -q \
		tests/properties/test_nights_planned.py tests/e2e/test_nights_drawn.py

check: $(READY) ## style, types and who may import whom
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy .
	@$(PY) -c "from importlinter.cli import lint_imports_command as lint; lint()" --no-logo

bench: $(READY) ## the demo's wall time by step and its peak memory
	@$(PY) -m benchmarks.demo

bench-small: $(READY) ## a small project's first build, next as-of and idle run, beside a bare Spark session
	@$(PY) -m benchmarks.small $(ARGS)

bench-lookups: $(PEERS_READY) ## look-ups of derived views beside DuckDB's ASOF join, and ranks over millions of entities
	@$(PEERS) -m benchmarks.lookups $(ARGS)

# ARGS takes its options: make bench-pit ARGS=--quick
bench-pit: $(PEERS_READY) ## point-in-time joins, ours and what others would use, by size, histories and skew
	@$(PEERS) -m benchmarks.pit $(ARGS)

conformance: $(PEERS_READY) ## which of them answer the point-in-time cases of tests/spec
	@$(PEERS) -m benchmarks.conformance $(ARGS)

zip: $(READY) ## dist/: the wheel, and the same archive as .zip for spark-submit --py-files
	@rm -rf build dist ziggurat_features.egg-info
	@output=$$($(PY) -m build --wheel --no-isolation . 2>&1) || { echo "$$output"; exit 1; }
	@for wheel in dist/*.whl; do cp "$$wheel" "$${wheel%.whl}.zip"; done
	@rm -rf build; ls dist

docs: $(READY) ## write the generated pages of docs/
	@$(PY) -m docs

notebooks: $(READY) ## run the notebooks on warehouse/ (make demo) and write their pages in docs/notebooks/
	@$(PY) -m pip install --quiet --use-pep517 --constraint requirements/lock.txt --editable ".[notebooks]"
	@$(PY) -m docs.render_notebooks

clean: ## remove what was built and installed here; published tables, benchmark data and the cache stay
	@rm -rf .venv .venv-peers build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info

install: $(READY) ## only create .venv with the pinned dependencies (and Java, if there is none)

$(READY): setup.py requirements/lock.txt .ci/install
	@sh .ci/install .venv
	@touch $(READY)

# The peers need other versions than the runtime: never in .venv, never in CI.
$(PEERS_READY): setup.py requirements/peers.txt .ci/install
	@sh .ci/install .venv-peers requirements/peers.txt local,peers
	@touch $(PEERS_READY)
