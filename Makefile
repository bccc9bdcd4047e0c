# make install  make .venv and install the course with its tests
# make course   run every notebook, print one table
# make test     lint, unit tests, notebooks, and a real browser where there is one
# make browser  the notebooks and the site in a real browser alone; screenshots in build/browser
# make site     the course as web pages in build/site/html, from the notebooks that make course left
# make pictures the figures of README and of the gallery
# make lab      open JupyterLab at the first chapter
# make lock     write uv.lock again, with the versions of constraints.txt (needs uv)

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/installed
# processes for `make test`, each with one thread; "logical" is one per core
WORKERS ?= logical

.PHONY: install course test browser site pictures lab notebooks lock clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip >/dev/null  # uv makes .venv without pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab,test,site]'
	$(BIN)/python -m ipykernel install --sys-prefix --name python3 >/dev/null
	touch $(READY)

install: $(READY)

course: $(READY)
	$(BIN)/itm course

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n $(WORKERS) --maxprocesses=8 --dist loadgroup
	ITM_FAST=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -p tests.nbval_patience --nbval-lax --nbval-current-env \
		-n $(WORKERS) --maxprocesses=4 --dist loadfile notebooks/*.ipynb

browser: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs tests/browser

site: $(READY)  ## with the notebooks of build/course; what is missing there is run at the smallest size
	$(BIN)/python -m itm_tutorial.course.site.build

pictures: $(READY)  ## figures of README and docs/gallery.md; the one of chapter 03 trains a model first
	$(BIN)/python docs/thumbnails.py
	$(BIN)/python docs/attention_picture.py
	$(BIN)/python docs/gallery.py

lab: $(READY)
	$(BIN)/jupyter lab notebooks/00_start_here.ipynb

notebooks: $(READY)  ## generate the learner's notebooks from notebooks/source
	$(BIN)/python -m itm_tutorial.course.notebooks build

lock:  ## exact versions for uv, the same that pip takes from constraints.txt
	sed -n 's/^[A-Za-z0-9].*/--upgrade-package=&/p' constraints.txt | tr '\n' '\0' | xargs -0 uv lock

clean:
	rm -rf .venv build
