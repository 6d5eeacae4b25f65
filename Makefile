# Everything runs in .venv; each verb sets up what it needs first. `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
BESIDE := $(shell expr $$(nproc) + 1)

.PHONY: help setup demo test check generated docs bench coverage soak fuzz flips
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: .venv/.installed .venv/.peers .venv/.alsa ## .venv with the command at .venv/bin/eardrum, and the system packages that tests and demo use

demo: setup ## a tune from one container to another through a room, and what a third one may not do
	$(BIN)/python demo/first_sound.py

# Live tests wait most of the time, for sound is played in real time: more run side by side than there are processors.
test: setup ## all tests: those without real programs, real programs against real servers, and alone those that must be quick
	@failed=; \
	$(BIN)/python -m pytest --ignore=tests/live --ignore=tests/hostile --numprocesses=auto --dist=loadfile || failed=1; \
	$(BIN)/python -m pytest tests/live tests/hostile -m "not alone" --numprocesses=$(BESIDE) --dist=loadfile || failed=1; \
	$(BIN)/python -m pytest tests/live -m alone || failed=1; \
	test -z "$$failed"

check: setup generated docs ## style, types, layers, the pages, and that what is generated is up to date
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy demo tools bench soak fuzz
	$(BIN)/lint-imports
	git --no-pager diff --exit-code -- docs/protocol.md docs/commands.md

generated: setup ## the documents that are made from the code
	$(BIN)/python tools/protocol_page.py
	$(BIN)/python tools/commands_page.py

docs: setup generated ## the pages as a site in build/docs/html, and the man page in build/docs/man
	$(BIN)/sphinx-build --quiet --fail-on-warning --fresh-env --write-all -b html -d build/docs/read docs build/docs/html
	$(BIN)/sphinx-build --quiet --fail-on-warning -b man -d build/docs/read docs build/docs/man

bench: setup ## what streams and questions cost on outlets, beside the same on PulseAudio and pipewire-pulse
	$(BIN)/python bench/mixing.py
	$(BIN)/python bench/carrying.py
	$(BIN)/python bench/streams.py
	$(BIN)/python bench/questions.py
	$(BIN)/python bench/codec.py
	$(BIN)/python bench/muting.py
	$(BIN)/python bench/flooded.py

# A confined child that may write no file leaves an empty one.
coverage: setup ## that their own tests go every way through protocol, rules and confinement
	@check() { \
		rm -rf build/coverage; mkdir -p build/coverage; \
		HYPOTHESIS_PROFILE=few $(BIN)/coverage run --source=$$1 -m pytest -q $$2 && \
		find build/coverage -size 0 -delete && $(BIN)/coverage combine --quiet && $(BIN)/coverage report; \
	}; \
	check eardrum.protocol tests/protocol && \
	check eardrum.server.rules tests/server/test_rules.py && \
	check eardrum.kernel.confinement tests/kernel/confinement

soak: setup ## what needs minutes: every script of soak/, each with a promise that it holds us to
	@failed=; for script in soak/*.py; do echo "\n$$script\n"; $(BIN)/python $$script || failed=1; done; test -z "$$failed"

fuzz: setup ## random and damaged input for SECONDS=60: the codec, the server core, and outlets of a desk, side by side
	$(BIN)/python fuzz/run.py --seconds $(or $(SECONDS),60)

flips: setup ## whether a test fails for each cell of the policy that is turned round, and each limit that is taken away
	$(BIN)/python tools/flips.py

# pip knows dependency groups since 25.1, uv for longer; Debian's own pip is older, so it is renewed inside .venv.
.venv/.installed: pyproject.toml
	@if command -v uv >/dev/null; then \
		uv venv --quiet --allow-existing .venv && \
		uv pip install --quiet --python $(BIN)/python --group dev --group demo --editable .; \
	else \
		{ $(PYTHON) -m venv .venv || { echo 'make: .venv cannot be made; on Debian: apt-get install python3-venv' >&2; exit 1; }; } && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev --group demo --editable .; \
	fi
	@touch $@

# Made only when nothing is missing, so that a machine without the packages is told so each time.
.venv/.peers: .venv/.installed tools/system_packages.py src/eardrum/testing/packages.py
	@$(BIN)/python tools/system_packages.py $@

# Built from source, so after the packages that this takes.
.venv/.alsa: pyproject.toml .venv/.peers
	@if [ -e .venv/.peers ]; then \
		if command -v uv >/dev/null; then uv pip install --quiet --python $(BIN)/python --editable '.[alsa]'; \
		else $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[alsa]'; fi && touch $@; \
	fi
