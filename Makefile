# `make help` lists what there is. Every command sets the environment up first; a variable that it does not take is
# refused, not ignored.

PYTHON ?= python3.11
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATASETS_MIRROR ?= $(abspath $(wildcard ../shared/data))
NOTEBOOKS := $(wildcard papers/*/*.ipynb)

# What each target takes beside EVERY.
EVERY := PYTHON VENV DATASETS_MIRROR
PAPERS_ := PAPER PAPERS
TAKES_run := $(PAPERS_) SCALE SEEDS ARGS JOBS OUT
TAKES_test := JOBS
TAKES_lab := FLAGS
TAKES_rerun := $(PAPERS_) SCALE SEEDS ARGS JOBS GPUS FLAGS
TAKES_text := $(PAPERS_)
TAKES_notebook := $(PAPERS_)
TAKES_check := $(PAPERS_)
TAKES_tune := PAPER SCALE SEEDS ARGS ARMS GRID JOBS
TAKES_profile := $(PAPERS_) SCALE ARGS
TAKES_publish := $(PAPERS_) SCALE SEEDS ARGS
TAKES_verify := $(PAPERS_) SCALE JOBS
TAKES_site := RUNS
TAKES_bench := PARTS

GOALS := $(or $(MAKECMDGOALS),help)
TAKEN := $(foreach goal,$(GOALS),$(TAKES_$(goal)))
TYPED := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
REFUSED := $(firstword $(filter-out $(EVERY) $(TAKEN),$(TYPED)))
define SUGGEST
import difflib, sys; near = difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1, 0.5); \
print(f"; did you mean {near[0]}?" if near else ";", f"it takes {(chr(44) + chr(32)).join(sys.argv[2:])}" if sys.argv[2:] else "it takes none")
endef
ifneq ($(REFUSED),)
$(error $(REFUSED)= is no variable of `make $(firstword $(GOALS))`$(shell $(PYTHON) -c '$(SUGGEST)' $(REFUSED) $(TAKEN)))
endif

export JOBS
ifneq ($(DATASETS_MIRROR),)
export DATASETS_MIRROR
endif

# Every variable that a person sets reaches the commands through the environment, whatever characters it has.
CHOSEN = --papers="$$PAPER $$PAPERS" --scale="$$SCALE"
GIVEN = $(CHOSEN) --seeds="$$SEEDS" --args="$$ARGS"
# Python that ends with make, however make ends.
BOUND = AUTODIDACT_OWNER=$$PPID $(BIN)/python -m ci.ending $(BIN)/python

.PHONY: help run test lab rerun text notebook check tune profile publish verify gallery site bench setup clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

run: setup ## the tour: every paper with two seeds beside its published record. PAPER, SCALE, SEEDS=10, ARGS="-p beta 0.05", JOBS, OUT
	$(BOUND) -m ci.run $(GIVEN) --jobs="$$JOBS" --out="$$OUT"

test: setup ## all tests, and every notebook's first seed against its published record. JOBS
	MAX_SEEDS=1 AUTODIDACT_CHECK=1 AUTODIDACT_WORKERS=1 HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest \
	  -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=25 --nbmake --nbmake-timeout=3600 tests $(NOTEBOOKS)

lab: setup ## JupyterLab on a copy of the papers, build/lab. FLAGS="--port 9000"
	$(BIN)/python -m ci.lab --flags="$$FLAGS"

rerun: setup ## papers by seeds through Snakemake, pooled into one report. PAPER, SCALE, SEEDS, ARGS, JOBS, GPUS, FLAGS
	$(BOUND) -m ci.batch $(GIVEN) --jobs="$$JOBS" --gpus="$$GPUS" --flags="$$FLAGS"

text: setup ## a notebook as text to edit, build/text/<slug>.py. PAPER
	$(BIN)/python -m ci.text to-text --papers="$$PAPER $$PAPERS"

notebook: setup ## the edited text back into the notebook; outputs stay where the code is equal. PAPER
	$(BIN)/python -m ci.text to-notebook --papers="$$PAPER $$PAPERS"

check: setup ## is a notebook fit to be run for long? Form, lint, parameters, claims, a dry run. PAPER
	$(BOUND) -m ci.check --papers="$$PAPER $$PAPERS"

tune: setup ## a paper on a grid of parameters, seeds 100 and up. PAPER, GRID="beta=0.05,0.1", ARMS, SEEDS, SCALE, ARGS, JOBS
	$(BOUND) -m ci.tune $(GIVEN) --jobs="$$JOBS" --arms="$$ARMS" --grid="$$GRID"

profile: setup ## where the CPU seconds of a seed go, with a cold and a warm base. PAPER, SCALE, ARGS
	$(BOUND) -m ci.profiling $(CHOSEN) --args="$$ARGS"

publish: setup ## execute a paper's notebook and write it, outputs and record, in its place. PAPER, SCALE, SEEDS, ARGS
	$(BOUND) -m ci.publish $(GIVEN)

verify: setup ## is every published number what the present code gives? Stamps the records where it is. PAPER, SCALE, JOBS
	$(BOUND) -m ci.verify $(CHOSEN) --jobs="$$JOBS"

gallery: setup ## the gallery, in README.md and papers/README.md
	$(BIN)/python -m ci.gallery

site: setup ## the site of the published notebooks, build/site, or of a run, RUNS=build/run/...
	$(BIN)/python -m ci.site $(if $(RUNS),--runs "$$RUNS")

bench: setup ## measurements with the bounds that they must keep. PARTS="sampler batch"
	$(BOUND) -m ci.bench $(PARTS)

setup: $(READY) ## the environment, .venv

$(READY): requirements.lock requirements-nodeps.lock
	@echo "Setting up $(VENV): pip downloads about 2.7 GB, most of it torch with the CUDA libraries, unless it has them."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --progress-bar on -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --progress-bar on --no-deps -r requirements-nodeps.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $(READY)

clean: ## remove build (runs, edited copies and texts, too) and caches; .venv and the cache of models stay
	rm -rf build .pytest_cache .ruff_cache .hypothesis .import_linter_cache _vizdoom *.egg-info src/*.egg-info
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +
