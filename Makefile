# Two commands do everything on a fresh machine:  make demo   and   make test
PYTHON ?= python3
PIP_FLAGS ?= --quiet
DEMO = .venv/.installed
TEST = .venv-test/.installed
ANNDATA = .venv-anndata/.installed
SOURCES := $(shell find src -type f ! -path '*/__pycache__/*')

.PHONY: demo test check lint types scripts layers site licences docs clean

demo: $(DEMO)
	.venv/bin/cellmetry demo --out demo-output

# Two processes of one thread each; files in the order of tests/conftest.py.
test: $(TEST) $(ANNDATA)
	OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	.venv-anndata/bin/python -m pytest -q tests/export/test_anndata_file.py tests/cli/test_cli_compare.py

check: lint types scripts layers site licences

lint: $(TEST)
	.venv-test/bin/ruff check --no-fix .
	.venv-test/bin/ruff format --check .

types: $(TEST)
	.venv-test/bin/mypy

# The app needs no npm; only these checks of its scripts' layout and of the types in their comments do.
scripts:
	@command -v npx >/dev/null || { echo 'npx is not installed: the scripts are not checked'; exit 0; }; \
	  npx --yes prettier@3.10.1 --log-level warn --check 'src/cellmetry/web/**/*.js' && \
	  npx --yes --package typescript@5.9 tsc -p jsconfig.json

layers: $(TEST)
	.venv-test/bin/lint-imports

site: $(TEST)
	NO_MKDOCS_2_WARNING=1 .venv-test/bin/mkdocs build --strict

licences: $(TEST)
	.venv-test/bin/python -m pytest -q tests/test_licences.py

docs: $(TEST)
	NO_MKDOCS_2_WARNING=1 .venv-test/bin/mkdocs serve

clean:
	rm -rf .venv .venv-test .venv-anndata demo-output site build dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The user's environment: Cellmetry as anyone would install it, anew when its sources change.
$(DEMO): pyproject.toml $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Cellmetry needs Python 3.11 or newer: make PYTHON=python3.12 demo'; exit 2; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install $(PIP_FLAGS) .
	@touch $@

# The developer's environment: the sources in place, with what tests, checks and documentation need.
$(TEST): pyproject.toml constraints-test.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Cellmetry needs Python 3.11 or newer: make PYTHON=python3.12 test'; exit 2; }
	@test -x .venv-test/bin/python || $(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install $(PIP_FLAGS) --upgrade 'pip>=25.1'
	.venv-test/bin/python -m pip install $(PIP_FLAGS) -c constraints-test.txt -e '.[train]' --group dev
	@touch $@

# AnnData needs pandas 2, everything else is tested with the newest: its own environment.
$(ANNDATA): pyproject.toml
	test -x .venv-anndata/bin/python || $(PYTHON) -m venv .venv-anndata
	.venv-anndata/bin/python -m pip install $(PIP_FLAGS) -e '.[anndata]' hypothesis pytest pytest-timeout
	@touch $@
