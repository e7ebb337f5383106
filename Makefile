# make demo             a set from a few raw videos, made from real footage on the spot
# make demo VIDEOS=DIR  a set from your own folder
# make test             lint, types and all tests
# make more             what the widest tests need beside: torch for the CPU, torchvision, transformers, datasets, webdataset, yt-dlp,
#                       rapidocr, ray, obstore and a server for it
# make audit            whether a pinned package has a known vulnerability; needs the network
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VIDEOS ?= demo/videos
SET ?= $(if $(filter demo/videos,$(VIDEOS)),demo/set,my-set)

.PHONY: demo test lint types more audit bench clean

$(VENV)/run.done: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("longtake needs Python 3.11 or later; try: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	@# The lists are complete, so no resolver is needed; two of the packages ask for a desktop build of OpenCV.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: $(VENV)/run.done requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements/dev.txt
	@touch $@

MORE := $(wildcard requirements/*.txt)

$(VENV)/more.done: $(VENV)/dev.done $(MORE)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(addprefix -r ,$(MORE))
	@# Its wheel does not import beside a torch for processors: in a folder of its own nobody sees it but its test.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --target $(VENV)/torchvision torchvision==0.28.0
	@touch $@

demo: $(VENV)/run.done
	@test "$(VIDEOS)" != demo/videos || $(BIN)/python demo/make_videos.py
	$(BIN)/longtake run lvd2m $(VIDEOS) --to $(SET)

test: lint types
	@# A file's tests share what is slow to make, so they stay together. Some wait for servers: one process more than
	@# there are cores works meanwhile.
	cores=$$(getconf _NPROCESSORS_ONLN); $(BIN)/python -m pytest -n $$((cores < 4 ? cores + 1 : 4)) --dist loadfile

lint: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

more: $(VENV)/more.done

types: $(VENV)/dev.done
	$(BIN)/mypy

# In an environment of its own: what it needs is nothing of ours.
AUDITOR := pip-audit==2.10.1

$(VENV)/audit/bin/pip-audit:
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet --disable-pip-version-check $(AUDITOR)

audit: $(VENV)/audit/bin/pip-audit
	@$(PYTHON) .ci/audit.py $(VENV)/audit/bin/pip-audit

bench: $(VENV)/dev.done
	$(BIN)/python benchmarks/scan.py

clean:
	rm -rf $(VENV) demo/videos demo/set demo/spans demo/joined .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
