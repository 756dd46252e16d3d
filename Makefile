# Everything runs in .venv, which the first command makes. See README.md.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile # Python compiles what it imports

unexport PYTHONDONTWRITEBYTECODE # each of the many Pythons would compile all modules again

.PHONY: help learn test test-bridges check lab site serve notebooks bench verify mutants clean
help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

learn: .venv/learn ## install, build the site, train on digits, serve the site
	$(BIN)/python -m tools.site.build
	$(BIN)/stbp-edu train digits
	$(BIN)/python -m tools.site.serve --port $(PORT)

test: .venv/test ## all tests: lint, types, unit, notebooks, the site in a browser
	@$(FOUND) || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || $(FETCHED)
	$(MAKE) --no-print-directory -j 2 static
	STBP_EXAMPLES=more $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m ""
	$(MAKE) --no-print-directory -j 2 .outputs .built
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "" tests/site

FOUND := [ "$$(command -v coqc)" ] && [ "$$CHROMIUM$$(command -v chromium || command -v chromium-browser || command -v google-chrome)" ]
FETCHED := { apt-get -qq update && apt-get -qq install -y --no-install-recommends coq chromium; }

check: .venv/test ## the quick loop: lint, types, layers, fast tests
	$(MAKE) --no-print-directory -j 3 static .quick

.PHONY: static .style .types .quick
.quick: .venv/test # the types take one core, and mypy has most of them from before
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile
static: .style .types
.style: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
.types: .venv/test
	$(BIN)/mypy

.PHONY: .outputs .built
.outputs: .venv/test
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval notebooks

.built: .venv/test # one process, which waits for the network at first: the notebooks fill its time
	$(BIN)/python -m tools.site.build

lab: .venv/learn ## open your own copy of the notebooks, in work/, in JupyterLab
	@mkdir -p work
	@for book in notebooks/*.ipynb; do [ -e work/$${book##*/} ] || cp $$book work/; done
	@$(BIN)/jupyter trust work/*.ipynb >/dev/null 2>&1
	@echo "Your copies are in work/: delete one to begin it again. JupyterLab prints its address:"
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/work/00_map.ipynb

site: .venv/learn ## build the site into site/
	$(BIN)/python -m tools.site.build

serve: .venv/learn ## serve the built site
	$(BIN)/python -m tools.site.serve --port $(PORT)

notebooks: .venv/learn ## execute the notebooks again and write their outputs
	$(BIN)/python -m tools.notebooks run

verify: .venv/learn ## verify the gradients
	$(BIN)/stbp-edu verify

bench: .venv/bench ## measure speed, as ratios in one run
	$(BIN)/python -m benchmarks.frameworks

# The frameworks take gigabytes, so they get an environment of their own.
.PHONY: bench-frameworks
bench-frameworks:
	$(PYTHON) -m venv .venv-frameworks
	.venv-frameworks/bin/python -m pip install --quiet --upgrade pip
	.venv-frameworks/bin/python -m pip install --quiet --editable . --group frameworks
	.venv-frameworks/bin/python -m benchmarks.frameworks --write
	.venv-frameworks/bin/python -m benchmarks.frameworks.classify --write

test-bridges: .venv-bridges/installed ## the tests of the bridges: PyTorch, frameworks, NIR
	OMP_NUM_THREADS=1 .venv-bridges/bin/python -m pytest -q -n 2 --dist loadfile -m "" tests/bridges

.venv-bridges/installed: pyproject.toml
	@echo "Installing the group bridges into .venv-bridges (PyTorch is large: some minutes)"
	$(PYTHON) -m venv .venv-bridges
	.venv-bridges/bin/python -m pip install --quiet --upgrade pip
	.venv-bridges/bin/python -m pip install --quiet --editable . --group bridges
	@touch $@

mutants: .venv/mutants ## change the mathematics in one place at a time, and ask who notices
	OPENBLAS_NUM_THREADS=1 nice -n 15 $(BIN)/mutmut run $(NAMES)
	$(BIN)/mutmut export-cicd-stats

clean: ## remove what was built, keep the environment
	rm -rf site build dist .cache runs

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "stbp_edu needs Python 3.11 or newer: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "Python's venv module is missing (on Debian: apt install python3-venv)"; exit 1; }
	$(PIP) --upgrade pip

.venv/%: .venv/bin/python pyproject.toml
	@echo "Installing the group $(GROUP_$*) into .venv (a minute or two the first time)"
	$(PIP) 'pip>=25.1' # the first that knows groups
	$(PIP) --editable . --group $(GROUP_$*)
	@touch $@

GROUP_learn := docs
GROUP_test := test
GROUP_bench := bench
GROUP_mutants := mutants
