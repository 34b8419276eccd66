# Everything goes through here; `make setup` needs Python >= 3.11 and nothing else.
#
#   make setup TORCH_INDEX=<url>   takes torch, and torch alone, from the package index at <url>:
#                                  for a build made for your GPU, or for one without any GPU parts
#                                  where the default of your platform brings them. Its version stays
#                                  the one in constraints.txt.
#   make PYTHON=python3.12 setup   makes the environment with another interpreter.
#   make JOBS=8 test               runs the tests in eight processes, of up to 2 GB each.

PYTHON ?= python3
TORCH_INDEX ?=
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup
ORACLES := build/oracles-venv
ACCEPTANCE := build/acceptance

# One source of quiet, offline, repeatable runs for everything below.
export HF_HUB_OFFLINE := 1
export HF_HUB_DISABLE_TELEMETRY := 1
export TOKENIZERS_PARALLELISM := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo demo-seeds real model harm-model exhaustive oracles acceptance bench guard-peer bench-axioms figures screenshots axe wheel-check test check fix docs clean

help:
	@echo "make setup | demo | demo-seeds | real DATA=DIR | model DATA=DIR | harm-model DATA=DIR"
	@echo "     exhaustive | oracles | acceptance | bench | guard-peer | bench-axioms"
	@echo "     figures | screenshots | axe | wheel-check | test | check | fix | docs | clean"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.11 setup" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q "$$(grep '^torch==' constraints.txt)" $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[learn,evaluate,lint,postgres,scale,serve,telemetry,mcp,dev]"
	@$(BIN)/python -c 'import torch; print("torch", torch.__version__)'
	@touch $@

# From a consultation to a verdict. An honest HOLD (3) or BLOCK (4) is a success of the demo.
demo: $(STAMP)
	@$(BIN)/normwright demo demo; code=$$?; \
	  case $$code in 0|3|4) exit 0 ;; *) exit $$code ;; esac

# Five seeds, and one norm's votes inverted and shuffled: writes docs/experiments/demo-seeds.md.
demo-seeds: $(STAMP)
	$(BIN)/python scripts/demo_seeds.py

# The whole path on real data, from the folder DATA: writes docs/experiments/real.md.
real: $(STAMP)
	@test -n "$(DATA)" || { echo "Say where the real data lie: make real DATA=DIR" >&2; exit 2; }
	@test -f build/real/normwright.yaml || \
	  $(BIN)/python examples/real/prepare.py build/real --data "$(DATA)" $(FULL)
	@began=$$(date +%s); $(BIN)/normwright run build/real; code=$$?; \
	  case $$code in 0|3|4) ;; *) exit $$code ;; esac; \
	  $(BIN)/python scripts/real_figures.py build/real --seconds $$(($$(date +%s) - began))

# The embedded language model, from a folder with text/*.jsonl.gz: `make model DATA=DIR`. It can be
# killed and goes on from its last checkpoint.
model: $(STAMP)
	@test -n "$(DATA)" || { echo "Say where text/*.jsonl.gz lies: make model DATA=DIR" >&2; exit 2; }
	$(BIN)/python scripts/build_model.py "$(DATA)"

# The embedded classifier of harm, from a folder of labelled texts, and the page that measures it:
# `make harm-model DATA=DIR`. The same data gives the same bytes.
harm-model: $(STAMP)
	@test -n "$(DATA)" || { echo "Say where the texts lie: make harm-model DATA=DIR" >&2; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python -m scripts.build_harm "$(DATA)"
	OMP_NUM_THREADS=1 $(BIN)/python -m scripts.guard_quality --data "$(DATA)" --write

# The large counts, printed and written to docs/experiments/exhaustive.md.
exhaustive: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python scripts/exhaustive.py

# Published probabilities of paradoxes, reproduced and written to docs/experiments/axioms.md.
bench-axioms: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python scripts/bench_axioms.py

# Speed beside peers, in CPU seconds and ratios: writes docs/experiments/bench.md. Peers are there
# after `make oracles`.
bench: $(STAMP)
	$(BIN)/python -m scripts.bench
	$(BIN)/python -m scripts.bench_learning --write
	$(BIN)/python -m scripts.bench_guard --write
	OMP_NUM_THREADS=1 $(BIN)/python -m scripts.bench_evaluate --write

# The leading guard, to be measured beside ours by `make bench`; an environment of its own, with the
# network.
guard-peer: build/guard-peer-venv/.setup

build/guard-peer-venv/.setup:
	@test -x build/guard-peer-venv/bin/python || $(PYTHON) -m venv build/guard-peer-venv
	build/guard-peer-venv/bin/python -m pip install -q 'nemoguardrails[server]==0.24.1'
	@touch $@

# Independent implementations (pref_voting, votelib, abcvoting, choix, red-dwarf) answer random
# instances, and the tests read their answers: writes tests/aggregate/oracles. Needs the network.
# They live in an environment of their own, because some of what they need is not free software.
oracles: $(ORACLES)/.setup
	$(ORACLES)/bin/python -m scripts.oracles.rankings
	$(ORACLES)/bin/python -m scripts.oracles.approvals
	$(ORACLES)/bin/python -m scripts.oracles.comparisons
	$(ORACLES)/bin/python -m scripts.oracles.opinions
	$(ORACLES)/bin/python -m scripts.oracles.differences
	$(ORACLES)/bin/python -m scripts.oracles.charters
	$(ORACLES)/bin/python -m scripts.oracles.rates

$(ORACLES)/.setup: scripts/oracles/requirements.txt
	@test -x $(ORACLES)/bin/python || $(PYTHON) -m venv $(ORACLES)
	$(ORACLES)/bin/python -m pip install -q -r scripts/oracles/requirements.txt
	@touch $@

# Outside clients against `normwright guard serve`, each in an environment of its own that is made
# with the network and used without one: writes docs/experiments/guard-acceptance.md. A client that
# is done is not run again; `make acceptance ARGS=--again` runs all.
acceptance: $(STAMP) $(foreach c,agentdojo garak inspect pyrit schemathesis,$(ACCEPTANCE)/$(c)/.setup)
	OMP_NUM_THREADS=1 $(BIN)/python -m scripts.acceptance $(ARGS)

# The locked lists are whole, so that nothing is left to work out: no dependency is followed, and
# `pip check` says whether one is missing.
$(ACCEPTANCE)/%/.setup: scripts/acceptance/requirements/%.txt scripts/acceptance/requirements/locked/%.txt
	@test -x $(ACCEPTANCE)/$*/bin/python || $(PYTHON) -m venv $(ACCEPTANCE)/$*
	@# torch alone with what it needs, and from the index that was named, so that no other build comes.
	@! grep -q '^torch==' $< || $(ACCEPTANCE)/$*/bin/python -m pip install -q \
	  "$$(grep '^torch==' $<)" $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(ACCEPTANCE)/$*/bin/python -m pip install -q --no-deps -r scripts/acceptance/requirements/locked/$*.txt
	@# Two of them call the package itself: as an approver, and before tools.
	$(if $(filter agentdojo inspect,$*),$(ACCEPTANCE)/$*/bin/python -m pip install -q --no-deps -e .)
	$(ACCEPTANCE)/$*/bin/python -m pip check
	@touch $@

# The table of figures in the README, measured on the project in demo/, so after `make demo`.
figures: $(STAMP)
	$(BIN)/python scripts/figures.py

# The pictures in docs/images, of a project of the template `micro` made for the purpose.
screenshots: $(STAMP)
	$(BIN)/python scripts/screenshots.py

# The checker of accessibility that the tests of pages use, with the network and npm.
axe: build/axe/package/axe.min.js

build/axe/package/axe.min.js:
	@mkdir -p build/axe
	cd build/axe && npm pack --silent axe-core@4.14.1 && tar -xzf axe-core-4.14.1.tgz

# The wheel in empty environments, with the network: the core alone, then the demo. Prints figures.
wheel-check: $(STAMP)
	$(BIN)/python scripts/wheel_check.py $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))

test: $(STAMP)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n $(JOBS)

check: $(STAMP)
	$(BIN)/ruff format --check src tests scripts examples
	$(BIN)/ruff check src tests scripts examples
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/docs_pages.py --check
	$(BIN)/mkdocs build --strict --quiet
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n $(JOBS)

fix: $(STAMP)
	$(BIN)/ruff check --fix src tests scripts examples
	$(BIN)/ruff format src tests scripts examples
	$(BIN)/python scripts/docs_pages.py

docs: $(STAMP)
	$(BIN)/python scripts/docs_pages.py
	$(BIN)/mkdocs build --strict

# Checkpoints of long runs lie in build/ and stay.
clean:
	rm -rf demo site dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
