# `make help` lists the targets

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# for what DVC starts; recipes name their programs by path, as make 3.81, that of macOS, would not look for them here
export PATH := $(abspath $(BIN)):$(PATH)

# a user's settings that would put the packages elsewhere, or install others than the lock's
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIREMENT PIP_EDITABLE PIP_NO_DEPS PIP_DRY_RUN \
    PIP_REQUIRE_VIRTUALENV UV_SYSTEM_PYTHON UV_PYTHON UV_CONSTRAINT UV_OVERRIDE UV_EXCLUDE UV_EXCLUDE_NEWER UV_OFFLINE \
    UV_NO_BINARY UV_ONLY_BINARY UV_PRERELEASE UV_RESOLUTION PYTHONHOME PYTHONPATH

# which columns `dvc exp show` keeps: what matters, in at most 120 characters
EXP_COLUMNS ?= Exp|verdict|gain|with_acc|corruption|noise$$

.PHONY: help report demo study experiments plots test bench verify audit lint format deps readme environment clean lock

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/make \1\t\2/p' Makefile | expand -t 20

report: $(VENV)/.ready  ## make the environment, run the pipeline, print the verdict
	$(BIN)/dvc repro
	@echo
	@echo "Report: reports/report.html, or reports/report.md (English), reports/relatorio.md (português)"
	@sed -n 's/^> //p' reports/report.md

demo: $(VENV)/.ready  ## make and open the page to play with
	$(BIN)/dvc repro demo
	@$(BIN)/python -c "import pathlib, webbrowser; webbrowser.open(pathlib.Path('data/demo/demo.html').resolve().as_uri())"
	@echo
	@echo "Page to play with: data/demo/demo.html"

study: $(VENV)/.ready  ## run the studies; they can be stopped and started again
	$(BIN)/dvc repro -P
	@echo
	@echo "Studies: reports/studies/studies.html, or studies.md (English), estudos.md (português)"

experiments: $(VENV)/.ready  ## the columns of `dvc exp show` that matter
	$(BIN)/dvc exp show --no-pager --drop '.*' --keep '$(EXP_COLUMNS)'

plots: $(VENV)/.ready  ## the plots as a page, dvc_plots/index.html
	$(BIN)/python -m tools.plots

test: $(VENV)/.ready-dev  ## test the code; CI also runs the slow tests and those of the committed results
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

verify: $(VENV)/.ready  ## make the commit again in a fresh clone: the same bytes? OPTIONS=--elsewhere or --arithmetic
	$(BIN)/python -m tools.verify $(OPTIONS)

bench: $(VENV)/.ready  ## the speed table, benchmarks/results.md; PART=pretrain for one part
	$(BIN)/dvc repro --quiet download
	$(BIN)/python -m benchmarks.run $(PART)

lint: $(VENV)/.ready-dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready-dev  ## fix what ruff can fix by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

deps: $(VENV)/.ready-dev  ## write the code that each stage imports into both dvc.yaml
	$(BIN)/python -m tools.dependencies

readme: $(VENV)/.ready  ## write the results that README.md quotes, after a change of results
	$(BIN)/python -m tools.readme

environment: $(VENV)/.ready  ## write machine and times of the last runs to reports/environment.md
	$(BIN)/python -m tools.environment

audit:  ## look for known vulnerabilities in requirements-dev.lock
	$(PYTHON) -m venv --clear $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)-audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements-dev.lock

# exactly the versions of the lock, each checked against its hashes; INSTALLER=pip does without uv
INSTALLER ?= uv
pip := $(BIN)/python -m pip install --no-user --progress-bar on --disable-pip-version-check
uv := $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode

$(VENV)/.ready: requirements.lock requirements-uv.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v < (3, 14) and f"Python {v[0]}.{v[1]} will not do: Python 3.11, 3.12 or 3.13 is needed (make PYTHON=python3.12)")'
	$(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the packages of requirements.lock into $(VENV); this takes a minute"
	@if [ $(INSTALLER) = uv ]; then $(pip) --quiet --require-hashes -r requirements-uv.lock; fi
	@$($(INSTALLER)) --require-hashes -r requirements.lock
	@touch $@

# what only tests, lint, remotes and clusters need
$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	@echo "Installing the packages of requirements-dev.lock into $(VENV)"
	@$($(INSTALLER)) --require-hashes -r requirements-dev.lock
	@touch $@

clean:  ## remove what can be made again; DVC's cache and finished work of the studies stay
	rm -rf $(VENV) $(VENV)-audit dvc_plots .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find data -mindepth 1 -maxdepth 1 ! -name .gitignore ! -name sources ! -name studies -exec rm -rf {} +
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# after a change of the dependencies in pyproject.toml; needs uv. What suits the oldest Python suits all, so that every
# package has one version. requirements-dev.lock has all packages, requirements.lock those that the pipeline needs,
# requirements-numeric.lock those that can change a byte of a result
COMPILE := uv pip compile --no-emit-index-url --no-annotate --no-header --quiet --python-version 3.11
HASHED := --universal --generate-hashes --constraints
lock:  ## renew requirements*.lock from pyproject.toml
	oldest=$$(mktemp) && trap 'rm -f "$$oldest"' EXIT && cp requirements-dev.lock "$$oldest" && \
	$(COMPILE) pyproject.toml --group dev --output-file "$$oldest" && \
	$(COMPILE) pyproject.toml --group dev $(HASHED) "$$oldest" --output-file requirements-dev.lock && \
	$(COMPILE) pyproject.toml $(HASHED) "$$oldest" --output-file requirements.lock && \
	$(COMPILE) --group uv --universal --generate-hashes --output-file requirements-uv.lock && \
	$(COMPILE) --group numeric --no-deps --constraints "$$oldest" --output-file requirements-numeric.lock
