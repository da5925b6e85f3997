# SPDX-License-Identifier: GPL-2.0-only
# Each target is a command or two that can as well be typed; the first one to run makes .venv.
#   make demo [KERNEL=path]    make test    make lint    make man    make bench [KERNEL=path] [PEERS=path]

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
KERNEL ?=
PEERS ?=

.PHONY: demo test lint man bench goldens clean

demo: $(READY)
	@$(VENV)/bin/python -m tests.demo $(KERNEL)

test: $(READY)
	@$(VENV)/bin/python -m pytest -q

lint: $(READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

man: $(READY)
	@mkdir -p build
	@$(VENV)/bin/mmlint man > build/mmlint.1.new && mv build/mmlint.1.new build/mmlint.1

bench: $(READY)
	@$(VENV)/bin/python -m tests.bench $(if $(KERNEL),--kernel $(KERNEL)) $(if $(PEERS),--peers $(PEERS))
	@$(VENV)/bin/python -m tests.bench --series --runs 3 $(if $(KERNEL),--kernel $(KERNEL))

goldens: $(READY)
	@$(VENV)/bin/python -m tests.update_goldens

clean:
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'mmlint needs Python 3.11 or newer: make PYTHON=/path/to/python3 ...' >&2; exit 1; }
	@echo 'making $(VENV) ...' >&2
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(VENV)/bin/python -m compileall -q mmlint rules
	@touch $@
