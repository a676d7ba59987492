# The two commands: make demo, make test. Both install what is missing, the first time.
# As root or with sudo; on Debian and Ubuntu nothing is needed beforehand but git, make and python3.

PYTHON ?= python3
# On two cores a test waits for most of its time: for answers, and for sleeps of Certbot's.
# Where root gets no namespaces, in a container, there is one world.
WORKERS ?= $(shell tests/lab/workers)
# A registry that does not answer once is asked again, also where pip builds.
export PIP_RETRIES ?= 10
export PIP_DEFAULT_TIMEOUT ?= 60
MEASURED ?= tests/unit tests/packaging/test_man.py tests/e2e
SESSIONS ?= wheel certbot-1.21.0 certbot-2.11.0 newest-newest-python
BIN := .venv/bin
READY := .venv/.ready
TOOLS := .venv-packaging
CATALOGUE := certbot_jprs/locale/ja/LC_MESSAGES/certbot_jprs.po

.DEFAULT_GOAL := help
.PHONY: help demo test lint unit e2e coverage docs docs-test bench catalogue dist deb rpm packaging \
    container container-test release monitoring ansible

help:
	@echo "make demo   a certificate in the lab: issued, waited for, served, and the story of it"
	@echo "make test   everything: lint, unit, e2e"
	@echo "make docs   the manual and the API's pages, in docs/_build"
	@echo "make docs-test   every command of the READMEs and of the manual, in the lab"
	@echo "make browser     what a visitor sees: Debian's Firefox in the lab (apt installs it)"
	@echo "make screenshots of that Firefox, English and Japanese, for docs/pictures"
	@echo "make compat the end-to-end tests with every Certbot from 1.21 on; compat-ci: the main job"
	@echo "make pictures    measures and draws docs/pictures; a quarter of an hour"
	@echo "make peers       from when other ACME clients serve a new certificate; five minutes"
	@echo "make bench  what renewing a fleet costs, in tables; half an hour"
	@echo "make lint   ruff, mypy --strict and the floors of the house"
	@echo "make unit   unit tests, and which lines they miss: a minute, no root"
	@echo "make catalogue   brings the Japanese catalogue up to date with the messages"
	@echo "make dist   wheel and sdist, checked, in dist/; make deb, make rpm: packages made of them"
	@echo "make ansible     the Ansible collection: ansible-lint, and hosts of the lab set up with it; root"
	@echo "make packaging   installs what is published, outside this checkout, and uses it"
	@echo "make container   make demo on a fresh Debian 12 and 13, in a container and in a chroot"
	@echo "make container-test   make test there, confined as by docker run: hours"
	@echo "make monitoring  alert rules and examples of packaging/monitoring, with the real systems"
	@echo "make release     all of this, before something is published: packaging/README.md"
	@echo "make e2e    the users' commands in the lab, WORKERS=$(WORKERS) at a time"
	@echo "make coverage   that all lines and branches are run, by unit, e2e and compat together"

$(READY): $(CATALOGUE) setup.py pyproject.toml tests/requirements.txt tests/lab/install Makefile
	@tests/lab/install
	@tests/lab/step "Making a virtual environment, .venv" $(PYTHON) -m venv .venv
	@tests/lab/step "Installing Certbot, the plugin and what tests them into it" \
	    $(BIN)/python -m pip install --disable-pip-version-check \
	    --requirement tests/requirements.txt --editable '.[nginx,prometheus]'
	@touch $@

demo: $(READY)
	@$(BIN)/python -m tests.lab.demo

# The first two compute, one core each and a half.
test: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint unit
	@$(MAKE) --no-print-directory e2e

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# What they do not run is named. It may be a branch that time decides about, or another Python's; make
# coverage asks for all.
unit: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q tests/unit tests/packaging/test_man.py \
	    tests/packaging/test_systemd.py -n 2 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under 99

# The same by all tests together. Every process is measured, in the lab's worlds too, but those that are killed.
# MEASURED="some/tests" and SESSIONS= make it short.
coverage: $(READY) .venv-compat/.ready
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q $(MEASURED) -n $(WORKERS) --dist worksteal --timeout 600
	[ -z "$(SESSIONS)" ] || \
	    COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml COVERAGE_FILE=$(CURDIR)/.venv/coverage/data \
	    WORKERS=$(WORKERS) .venv-compat/bin/nox --session $(SESSIONS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under 100

# New and changed messages come out untranslated; tests/unit/test_catalogue.py says which.
catalogue: $(READY)
	$(BIN)/pybabel -q extract --keywords marked --no-location --sort-output --no-wrap \
	    --project certbot-jprs --output .venv/messages.pot certbot_jprs
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
	    --no-wrap --locale ja --input-file .venv/messages.pot --output-file $(CATALOGUE)
	$(BIN)/pybabel -q compile --locale ja --input-file $(CATALOGUE) \
	    --output-file $(CATALOGUE:.po=.mo)

e2e: $(READY)
	$(BIN)/python -m pytest -q tests/e2e -n $(WORKERS) --dist load --maxschedchunk 1 --timeout 900

# Both languages; a warning is an error.
docs: $(READY) .venv-docs/.ready
	PYTHONUTF8=1 .venv-docs/bin/sphinx-build -q -W -E -c docs -D language=ja docs/ja docs/_build/ja
	PYTHONUTF8=1 .venv-docs/bin/sphinx-build -q -W -E -c docs -D language=en docs/en docs/_build/en

.venv-docs/.ready: docs/requirements.txt setup.py
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check \
	    --requirement docs/requirements.txt --editable '.[nginx,prometheus]'
	@touch $@

docs-test: $(READY)
	$(BIN)/python -m pytest -q tests/docs -n $(WORKERS) --dist worksteal --timeout 1800

# The shelf is what the tests' hosts install from. The link is for ansible-lint, which looks modules up.
ANSIBLE := $(CURDIR)/.venv-ansible
ansible: $(READY) deb $(ANSIBLE)/.ready
	cd packaging/ansible && PATH="$(ANSIBLE)/bin:$$PATH" \
	    ANSIBLE_COLLECTIONS_PATH=$(ANSIBLE)/collections ansible-lint
	$(BIN)/python -m pytest -q tests/ansible --timeout 2400

$(ANSIBLE)/.ready: packaging/ansible/requirements.txt tests/ansible/install | deb
	$(PYTHON) -m venv $(ANSIBLE)
	$(ANSIBLE)/bin/python -m pip install --quiet --disable-pip-version-check \
	    --requirement packaging/ansible/requirements.txt
	mkdir -p $(ANSIBLE)/collections/ansible_collections/certbot_jprs
	ln -sfn $(CURDIR)/packaging/ansible $(ANSIBLE)/collections/ansible_collections/certbot_jprs/certbot
	tests/ansible/install $(ANSIBLE)/shelf
	@touch $@

.PHONY: browser screenshots
browser: $(READY)
	tests/browser/install
	$(BIN)/python -m pytest -q tests/browser -n 2 --dist worksteal --timeout 900

screenshots: $(READY)
	tests/browser/install ja
	$(BIN)/python -m tests.browser.screenshots

.PHONY: pictures peers
pictures: $(READY)
	$(BIN)/python -m tests.pictures

peers: $(READY) .venv-peers/.ready
	$(BIN)/python -m tests.peers

.venv-peers/.ready: tests/peers/install
	tests/peers/install

.PHONY: compat compat-ci
# In each of these the tests run with the Python of .venv, and Certbot with its own.
compat: $(READY) .venv-compat/.ready
	WORKERS=$(WORKERS) .venv-compat/bin/nox

compat-ci: export COMPAT = main_job
compat-ci: compat

.venv-compat/.ready: tests/compat/requirements.txt
	packaging/install debootstrap
	$(PYTHON) -m venv .venv-compat
	.venv-compat/bin/python -m pip install --quiet --disable-pip-version-check \
	    --requirement tests/compat/requirements.txt
	@touch $@

bench: $(READY)
	@$(BIN)/python -m tests.lab.bench

$(TOOLS)/.ready: packaging/requirements.txt packaging/install
	packaging/install
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check \
	    --requirement packaging/requirements.txt
	@touch $@

# The version is setup.py's; the packages take it from the sdist.
dist: $(TOOLS)/.ready
	rm -rf build dist
	$(TOOLS)/bin/python -m build --outdir dist . >$(TOOLS)/build.log 2>&1 || \
	    { cat $(TOOLS)/build.log; exit 1; }
	$(TOOLS)/bin/twine check --strict dist/*
	$(TOOLS)/bin/check-wheel-contents dist/*.whl

deb: dist
	packaging/deb

rpm: dist
	packaging/rpm/build

packaging: $(READY) deb rpm
	$(BIN)/python -m pytest -q tests/packaging --timeout 900 \
	    --ignore tests/packaging/test_container.py

# The two commands on Debian 12 and 13 as they are installed, in a container; the first in a chroot, too.
container: $(READY) $(TOOLS)/.ready
	$(BIN)/python -m pytest -q -rP tests/packaging/test_container.py -k "not everything"

container-test: $(READY) $(TOOLS)/.ready
	$(BIN)/python -m pytest -q -rP tests/packaging/test_container.py -k everything

# Installs Prometheus, NRPE, Icinga and Zabbix's agent, the first time; starts none of them.
monitoring: $(READY)
	tests/monitoring/install
	$(BIN)/python -m pytest -q tests/monitoring -n 2 --dist worksteal --timeout 900

release: test docs docs-test packaging
	packaging/release
