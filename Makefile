# Each line of a recipe is one that a person could type; CONTRIBUTING.md has them for a machine without make.
PYTHON ?= $(if $(filter Windows_NT,$(OS)),py,python3)
WORKERS ?= 2
LESSON ?= $(firstword $(wildcard work/index.ipynb work/01_*.ipynb) notebooks/index.ipynb)
LAB_ARGS ?=

BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n $(WORKERS) --dist loadfile
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=240 --nbval-sanitize-with tests/nbval.cfg
# JupyterLab refuses to run as root, which is who one is in a container, unless it is told to.
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# On a busy machine, such as a class's server, small matrix products on two threads took a hundred times as long
# as on one (OpenBLAS, for numpy), and waiting threads that spin made it worse (OpenMP, for torch).
export OPENBLAS_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help lab work test notebooks html slides handout bench clean
.NOTPARALLEL:

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

lab:  ## open the course in JupyterLab (your own copy after `make work`)
	@$(PYTHON) tools/environment.py lab
	$(BIN)/python -m jupyterlab --ip=127.0.0.1 --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/$(LESSON) $(ROOT) $(LAB_ARGS)

work:  ## make or update work/, your own copy of the notebooks; what you changed is never overwritten
	@$(PYTHON) tools/environment.py lab
	@$(BIN)/python tools/work.py

test:  ## check everything: style, import rules, unit tests, every notebook's outputs
	@$(PYTHON) tools/environment.py test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(PYTEST) $(PARALLEL) -m "not slow and not browser" $(NBVAL) tests notebooks

notebooks:  ## run the notebooks that changed and store their outputs
	@$(PYTHON) tools/environment.py test
	$(BIN)/python tools/notebooks.py

html:  ## export the lessons to HTML pages that need no kernel
	@$(PYTHON) tools/environment.py test
	$(BIN)/python tools/export_html.py

slides:  ## export the lessons to reveal.js decks that need no network
	@$(PYTHON) tools/environment.py test
	$(BIN)/python tools/slides.py

handout:  ## the notebooks without their solutions for a class, and a key for the teacher
	@$(PYTHON) tools/environment.py test
	$(BIN)/python tools/handout.py

bench:  ## measure speed against other libraries; writes the README's table
	@$(PYTHON) tools/environment.py test
	$(PYTEST) tests/benchmarks --store

clean:  ## remove what can be made again; .venv and work/ stay
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis .benchmarks .import_linter_cache
