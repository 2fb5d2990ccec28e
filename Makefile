# Everything runs in .venv; nothing is installed anywhere else, but for sshd, which the tests need.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check crash bench clean

demo: .venv/installed ## the main job, end to end, on the dummy cloud
	scripts/demo.sh

test: .venv/dev sshd ## every test
	$(BIN)/python -m pytest -n auto -rs

check: .venv/dev ## style, types, layers, sizes, modes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_tree.py

crash: .venv/dev ## the long crash run
	$(BIN)/python -m tests.scenario.crash --long

bench: .venv/dev ## the figures we hold ourselves to
	benchmarks/cli_start
	benchmarks/driver_overhead

.venv/bin/pip:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'

# Editable, so that a checkout that is edited is the one that runs.
.venv/installed: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/dev: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@ .venv/installed

.PHONY: sshd
sshd:
	@command -v sshd >/dev/null || test -x /usr/sbin/sshd || scripts/install-sshd.sh

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
