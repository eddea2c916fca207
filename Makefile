# `make demo` and `make test` set everything up themselves; a bare machine needs Python 3.11, git and make.
# Python 3.12 and 3.13 (tested once each) are admitted: constraints.txt and the gate are those of 3.11, which is preferred.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
ASKED := --constraint constraints.txt --editable '.[dev$(if $(CHROMIUM),$(shell echo ,)browser)]'

.PHONY: demo test endurance lint gate reproduce site ui clean help

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# uv installs faster than pip. It is told the links, index and certificates that pip was told; where it cannot reach
# what pip's own configuration files name, pip installs the same.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$PIP_INDEX_URL}" \
		SSL_CERT_FILE="$${SSL_CERT_FILE:-$$PIP_CERT}" \
		$(BIN)/uv pip install --quiet --python $(BIN)/python $(ASKED) || $(BIN)/python -m pip install --quiet $(ASKED)
	touch $@

setup: $(READY) ## install everything into .venv

demo: $(READY) ## run the demo study on real ECB rates and print the leaderboard
	$(BIN)/golden run demo

test: $(READY) ## run the test suite, but for what is slow; what is skipped is said
	$(BIN)/python -m pytest -n auto --dist worksteal -rs

endurance: $(READY) ## run the slow tests: killed schedulers, four campaigns on two databases, a wheel, a night
	$(BIN)/python -m pytest -n auto --dist worksteal -m endurance

lint: $(READY) ## style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

gate: $(READY) ## materialise the smoke study and run every asset check
	$(BIN)/golden gate --study smoke

site: $(READY) ## build the documentation in site/, and fail on a link that leads nowhere
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# From this tree's code, whichever environment BIN is: an unpacked archive may use one that is there (READY= BIN=…).
# BUNDLE comes as a variable of the shell: its folder's name may hold blanks, which make takes for several names.
reproduce: $(READY) ## make the tables of an archive again and compare their hashes: make reproduce BUNDLE=DIR
	$(if $(BUNDLE),,$(error name the archive: make reproduce BUNDLE=DIR))
	PYTHONPATH="$$PWD" "$(BIN)/python" -c 'from golden_dagster.cli import main; main()' publish reproduce "$$BUNDLE"

ui: $(READY) ## open the Dagster web UI on 127.0.0.1:3000
	$(BIN)/golden ui

clean: ## delete everything generated
	rm -rf .golden reports site $(VENV)
