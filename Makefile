# `make run` and `make test` are all one needs; both set the environment up first.
# What they take: PAPER or PAPERS, SCALE, SEEDS, ARGS="-p NAME VALUE", JOBS, GPUS, FLAGS (for Snakemake), PYTHON.

PYTHON ?= python3.11
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATASETS_MIRROR ?= $(abspath $(wildcard ../shared/data))
NOTEBOOKS := $(wildcard papers/*/*.ipynb)
VIEWER := {"@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}}}

export JOBS
ifneq ($(DATASETS_MIRROR),)
export DATASETS_MIRROR
endif

# Every variable that a person sets reaches the commands through the environment, whatever characters it has.
NAMED = --papers="$$PAPER $$PAPERS" --seeds="$$SEEDS" --jobs="$$JOBS" --args="$$ARGS"

.PHONY: run test lab rerun gallery bench publish stale setup clean

run: setup
	$(BIN)/python -m ci.run $(NAMED) --scale="$$SCALE"

test: setup
	MAX_SEEDS=2 AUTODIDACT_WORKERS=1 HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal \
	  --nbmake --nbmake-timeout=600 tests $(NOTEBOOKS)

lab: setup
	mkdir -p $(VENV)/share/jupyter/lab/settings
	echo '$(VIEWER)' > $(VENV)/share/jupyter/lab/settings/overrides.json
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/papers/README.md

rerun: setup
	$(BIN)/python -m ci.batch $(NAMED) --scale="$${SCALE:-toy}" --gpus="$$GPUS" --flags="$$FLAGS"

publish: setup
	JOBS=1 && $(BIN)/python -m ci.publish $(NAMED) --scale="$$SCALE"

gallery: setup
	$(BIN)/python -m ci.gallery

stale: setup
	$(BIN)/python -m ci.stale

bench: setup
	$(BIN)/python -m ci.bench

setup: $(READY)

$(READY): requirements.lock requirements-nodeps.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps -r requirements-nodeps.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $(READY)

clean:
	rm -rf build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +
