# The front door: `make run` and `make test` set up all they need.
PYTHON ?= python3
DATA ?= data
VENV := .venv
BIN := $(VENV)/bin
# More workers than cores: many tests wait, for pages, processes and phones.
WORKERS ?= $(shell expr $$(nproc) + 2)
PYTEST := $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder
EFFORT := 400
ROUNDS := 200
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

# The tests start some hundred processes, which are to find their modules compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test browser lint bench misfortune docs ladder screenshots accessibility fuzz crash hours sounds plots schema lock
.PHONY: clean help

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

run: $(VENV)/run.stamp  ## start the server with the demo, on http://127.0.0.1:8088
	@exec $(BIN)/openivr serve --demo --data $(DATA)

test: $(VENV)/dev.stamp  ## the tests without a browser; PostgreSQL tests need Debian's "postgresql" package
	$(PYTEST) --timeout=300 --ignore=tests/browser

browser: $(VENV)/dev.stamp  ## the tests of the web admin in Chromium; they need "chromium-headless-shell"
	$(PYTEST) --timeout=300 tests/browser

lint: $(VENV)/dev.stamp  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/dev.stamp  ## renew the generated parts of the documentation
	$(BIN)/python docs/generate.py

ladder: $(VENV)/dev.stamp  ## make the call of docs/demo-call.md again, and draw its messages
	$(BIN)/python docs/ladder.py

screenshots: $(VENV)/dev.stamp  ## take the README's pictures again; needs Debian's "chromium" package
	$(BIN)/python docs/screenshots.py

accessibility: $(VENV)/dev.stamp  ## look at every page of the web admin with axe; writes docs/accessibility.md
	$(BIN)/python docs/accessibility.py

fuzz: $(VENV)/dev.stamp  ## every property with EFFORT times the examples (400: for the night)
	OPENIVR_EFFORT=$(EFFORT) $(PYTEST) -m 'hypothesis or fuzz'

crash: $(VENV)/dev.stamp  ## kill the server among calls, ROUNDS times (200)
	OPENIVR_CRASH_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest tests/process/test_crashes.py

CALENDARS ?= 1000

hours: $(VENV)/dev.stamp  ## compare CALENDARS random calendars (1000) with the oracle, at every minute of a year in four zones
	$(BIN)/python -m tests.hours.comparison --calendars $(CALENDARS)

bench: $(VENV)/dev.stamp  ## the tables of speeds; needs Debian's "wrk" and "gcc" packages
	$(BIN)/python -m bench

MINUTES ?= 10

misfortune: $(VENV)/dev.stamp  ## hold 300 calls while database, clock and disk fail; needs root and "postgresql"
	$(BIN)/python -m bench.misfortune --minutes $(MINUTES)

VOICE := kokoro-js-1.2.1

sounds: build/sounds/stamp  ## render the built-in sounds again from their words; needs npm
	build/sounds/bin/python sounds/render.py build/sounds/$(VOICE).tgz

build/sounds/stamp: sounds/requirements.txt
	$(PYTHON) -m venv build/sounds
	build/sounds/bin/python -m pip --disable-pip-version-check install --quiet -r sounds/requirements.txt
	npm pack --silent --pack-destination build/sounds $(subst kokoro-js-,kokoro-js@,$(VOICE))
	@touch $@

plots: build/plots/node_modules  ## bundle the plot library again; needs npm
	build/plots/node_modules/.bin/esbuild build/plots/entry.js --bundle --minify --format=esm --log-level=warning \
		--legal-comments=none --define:process.env.NODE_ENV='"production"' --outfile=build/plots/echarts.js
	(printf '/* Apache ECharts 6.1.0, a part; Apache-2.0; see echarts.LICENSE.txt */\n' && cat build/plots/echarts.js) \
		> src/openivr/web/static/vendor/echarts.js

build/plots/node_modules: plots/package.json plots/entry.js
	mkdir -p build/plots && cp plots/package.json plots/entry.js build/plots
	npm install --silent --no-package-lock --prefix build/plots
	@touch $@

schema: $(VENV)/dev.stamp  ## write the data of today's schema, which tests migrate from then on: at a release
	$(BIN)/python -m tests.schema_data

lock: $(VENV)/dev.stamp  ## resolve constraints.txt again from the ranges in pyproject.toml
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --all-extras --python-version 3.11 --no-emit-index-url \
		--no-annotate --custom-compile-command 'make lock' -o constraints.txt pyproject.toml

clean:  ## remove what was built; keeps the data folder
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis
	find src tests bench -name __pycache__ -prune -exec rm -rf {} +

# A fresh Debian has python3 without its venv module; it comes as a package.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo 'installing python3-venv'; \
		[ "$$(id -u)" = 0 ] && SUDO= || SUDO=sudo; \
		$$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[postgresql]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(PIP) -e '.[postgresql,dev]'
	@touch $@
