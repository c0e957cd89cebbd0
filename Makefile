# Everything a developer does here; each target is a thin call. `make` alone lists them.

# Any Python from 3.11 on; cli/bootstrap.py looks for a newer one itself if this one is too old.
PYTHON ?= python3
DEV := .venvs/dev/bin

# make up
SCHEDULE ?= on
STREAM ?= on
MARKETPLACE_URL ?=
ENFORCE_IAM ?= off

# make bench: which ones, all if none (BENCH='clocks sweep'), and options (BENCH=--json)
BENCH ?=

# make mutants: patterns of names, all if none (MUTANTS='shipclock.rules.untracked*')
MUTANTS ?=

# make lock: the newest versions of all, not only of what is new (LOCK=--upgrade)
LOCK ?=

# make deploy: more words for `sam deploy`
DEPLOY ?=

.DEFAULT_GOAL := help
.PHONY: help setup run demo up down test check bench mutants build deploy lock

help:  ## Show this list
	@echo "Shipclock. Targets:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

# A second run takes a tenth of a second, so every target starts with it.
setup:  ## Install what the other targets need into .venvs/ (they do it themselves)
	@$(PYTHON) cli/bootstrap.py

run: setup  ## Start the local stack, play sixteen days of traffic, leave the hub open until Ctrl-C
	@$(DEV)/python -m cli demo --stay

demo: setup  ## The same, without staying: succeeds when every order ended where it should
	@$(DEV)/python -m cli demo

up: setup  ## Start an empty local stack in the background (SCHEDULE=off STREAM=off MARKETPLACE_URL=... ENFORCE_IAM=on)
	@$(DEV)/python -m cli up --schedule "$(SCHEDULE)" --stream "$(STREAM)" \
		--marketplace-url "$(MARKETPLACE_URL)" --enforce-iam "$(ENFORCE_IAM)"

down: setup  ## Stop the local stack and forget its state
	@$(DEV)/python -m cli down

test: setup  ## Run every test
	@$(DEV)/python -m pytest

check: setup  ## Formatting, lint, types, the template, the pins
	$(DEV)/ruff format --check
	$(DEV)/ruff check
	$(DEV)/mypy
	.venvs/sam/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 .venvs/sam/bin/sam validate --lint --region us-east-1
	$(DEV)/python -m cli lock --check

bench: setup  ## Measure what the docs claim; prints ratios
	@$(PYTHON) cli/bootstrap.py bench
	@.venvs/bench/bin/python -m benchmarks $(BENCH)

mutants: setup  ## Change the rules and the fold one thing at a time: do the tests notice?
	@$(PYTHON) cli/bootstrap.py mutants
	@.venvs/mutants/bin/python -m cli.mutants $(MUTANTS)

build: setup  ## Build for Lambda into .aws-sam/build, and check the result
	@$(DEV)/python -m cli build

deploy: build  ## Deploy to the AWS account of your credentials, asking first (DEPLOY='--parameter-overrides AlertMail=...')
	@.venvs/sam/bin/sam deploy $(DEPLOY)

lock: setup  ## Pin what requirements/*.in ask for (LOCK=--upgrade: the newest of all)
	@$(DEV)/python -m cli lock $(LOCK)
