# Commands for development. They need only python3 (3.11 to 3.13) and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv/bin/python
# Many processes are started here. Each would compile every module anew where somebody's shell forbids keeping it.
unexport PYTHONDONTWRITEBYTECODE

# A production environment for `check`. No connection is made to these addresses.
PRODUCTION = DEBUG=0 DATA_DIR=.data/check SECRET_KEY="$$(head -c 48 /dev/urandom | base64)" \
	SITE_URL=https://support.example.org ALLOWED_HOSTS=support.example.org TRUSTED_PROXY_COUNT=1 \
	DATABASE_URL=postgres://hromada:secret@database.example.org/hromada REDIS_URL=rediss://redis.example.org/0 \
	STRIPE_SECRET_KEY=rk_live_example STRIPE_WEBHOOK_SECRETS=whsec_example \
	EMAIL_URL=smtp+tls://user:secret@mail.example.org:587 CONTACT_EMAIL=support@example.org

.DEFAULT_GOAL := help
.PHONY: help run test check bench

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Run everything in this terminal, with demo data and a stand-in for Stripe; Ctrl-C stops it
	@$(PYTHON) bootstrap.py && exec $(VENV) manage.py run

test: ## Run all tests on real PostgreSQL and Valkey; narrow with ARGS="-k webhook", move the clock with DAY=2028-02-29
	@$(PYTHON) bootstrap.py --dev && exec $(VENV) -m $(if $(DAY),tests.other_clock "$(DAY)",pytest) \
		--numprocesses=auto --maxprocesses=8 $(ARGS)

check: ## Lint, types, templates, missing migrations, production settings
	@$(PYTHON) bootstrap.py --dev
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy .
	$(VENV) -m djlint templates --lint --quiet
	DEBUG=1 DATA_DIR=.data/check $(VENV) manage.py makemigrations --check --dry-run
	@echo "$(VENV) manage.py check --deploy --fail-level WARNING (as in production)"
	@env $(PRODUCTION) $(VENV) manage.py check --deploy --fail-level WARNING

bench: ## Measure performance, next to a baseline from the same run
	@$(PYTHON) bootstrap.py --dev && exec $(VENV) -m tests.bench $(ARGS)
