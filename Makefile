# The commands of the README. A stamp in .venv remembers what is installed, so that a warm start asks pip nothing.

PYTHON ?= python3
PY     := .venv/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check install --quiet --no-input
ARGS   ?=

.PHONY: run test check browsers soak bench screenshots lighthouse mutants words
.DEFAULT_GOAL := run

run: export HOSPITAL_DEMO ?= 1
run: export HOSPITAL_SIMULATE ?= 1
run: export HOSPITAL_SIMULATE_STAFF ?= 1
run: .venv/.runs  ## the embedded demo hospital on http://127.0.0.1:8000
	@exec $(PY) app.py

# Three at a time: tests wait more than they work. A file stays in one process, and the long ones come early.
test: .venv/.tests  ## everything; ARGS="-k words" for less
	@$(PY) tests/prepare.py
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.tests  ## linters, types, architecture
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m djlint --lint --quiet templates
	$(PY) -m mypy hospital app.py wsgi.py
	$(PY) -m bandit --quiet --recursive --severity-level medium hospital app.py wsgi.py deploy
	$(PY) -m pytest -q tests/test_architecture.py

browsers: .venv/.tests  ## the journeys of alerts in Firefox and WebKit, about five minutes
	@$(PY) tests/prepare.py firefox-esr webkit2gtk-driver xvfb
	@$(PY) -m pytest -m others tests/browser/others $(ARGS)

soak: .venv/.tests  ## faults and intruders at random, thousands of screens, flat memory: about three hours; ARGS="-k storms" for less
	@$(PY) tests/prepare.py
	@$(PY) -m pytest -s -m soak $(ARGS)

bench: .venv/.bench  ## what it costs beside its peers, about 45 minutes; ARGS="--quick" for less than 3
	@PYTHONPATH=. $(PY) bench/prepare.py
	@$(PY) -m bench $(ARGS)

screenshots: .venv/.tests
	@$(PY) tests/prepare.py
	@$(PY) tests/screenshots.py

lighthouse: .venv/.tests  ## what Lighthouse says of alerts and board, on a quiet machine; needs Node
	@$(PY) tests/prepare.py
	@npm ci --prefix tests/lighthouse --ignore-scripts --no-audit --no-fund --silent
	@$(PY) tests/lighthouse/measure.py

mutants: .venv/.tests  ## do the tests notice? about half an hour; ARGS="--count 20 --seed 2" for less
	@$(PY) tests/mutants.py $(ARGS)

.venv/.runs: requirements.txt
	@echo "Installing what the server needs…"
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.tests: requirements.txt requirements-dev.txt
	@echo "Installing what the tests need…"
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements-dev.txt
	@touch .venv/.runs $@

words: .venv/.tests  ## bring the catalogues of other languages up to what the code says
	@PYTHONPATH=. $(PY) tests/catalogue.py

.venv/.bench: .venv/.tests bench/requirements.txt
	@echo "Installing what the benchmarks need…"
	@$(PIP) -r bench/requirements.txt
	@touch $@
