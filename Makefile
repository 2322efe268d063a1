# make demo   avatars of a real clinical trial, in demo/
# make demo-insitu   three holders answer together and no row leaves, in demo/insitu/
# make test   linters, types, layers, tests
# make lock   newest versions that pyproject.toml allows, into requirements/*.txt
#
# Both demo and test make .venv and install into it what requirements/*.txt pins, by hash.
# Another Python than python3: make demo PYTHON=python3.13

PYTHON ?= python3
PIP := .venv/bin/python -m pip --quiet --disable-pip-version-check
LOCKED := install --no-compile --require-hashes --no-deps --requirement

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: demo demo-insitu test lock clean

demo: .venv/.demo
	@.venv/bin/python demo/demo.py

demo-insitu: .venv/.demo
	@.venv/bin/python demo/demo_insitu.py

test: .venv/.test
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	@OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses 2 --dist loadfile --durations 15

# Two processes share two cores: threads of their own would only wait for each other.
# requirements/test.txt holds demo.txt with the same versions: either may come first.
.venv/.demo .venv/.test: .venv/.%: .venv/.build requirements/%.txt pyproject.toml
	@echo "Installing what 'make $*' needs into .venv"
	@$(PIP) $(LOCKED) requirements/$*.txt --no-build-isolation --use-pep517
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.build: requirements/build.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "sosie needs Python 3.11 or newer: run make again with PYTHON=python3.13, say." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) $(LOCKED) requirements/build.txt
	@touch $@

UV := .make/lock/bin/uv --cache-dir .make/uv --quiet
COMPILE := $(UV) pip compile --universal --python-version 3.11 --upgrade --generate-hashes \
  --no-header --no-annotate --no-emit-index-url

lock: .make/lock/bin/uv
	$(COMPILE) requirements/build.in --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --extra artificial --extra dp --extra evidence --extra insitu --extra postgresql --extra trust --group demo --group lint --group test \
	  --constraint requirements/build.txt --output-file requirements/test.txt
	$(COMPILE) pyproject.toml --extra evidence --extra insitu --group demo \
	  --constraint requirements/test.txt --output-file requirements/demo.txt

.make/lock/bin/uv:
	@$(PYTHON) -m venv --clear .make/lock
	@.make/lock/bin/python -m pip --quiet --disable-pip-version-check install 'uv>=0.9'

clean:
	rm -rf .venv .make
