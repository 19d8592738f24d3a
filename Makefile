# Two commands do everything on a machine with nothing but Python (3.11 or later) and make:
#   make demo    install, read text written by a shipped model, and see another judge
#   make test    install, lint, type-check and run the tests (about a quarter of an hour on two cores)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all lint format docs pictures bench clean

# Installed again when a file that says what to install changes. The constraints pin torch: without
# them pip may choose a build that is gigabytes large.
$(READY): pyproject.toml constraints.txt hatch_build.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

demo: $(READY)
	@$(BIN)/lstmtext generate --prompt "ROMEO:" --length 300 --seed 1 --temperature 0.6
	@printf '\nThat was written by an LSTM, one character at a time. Another has learned what "not" does:\n\n'
	@$(BIN)/lstmtext classify "not good" "not bad at all" "The movie I watched last year was not good."
	@printf '\nTry:\n'
	@printf '  %s\n' "$(BIN)/lstmtext tui" "$(BIN)/lstmtext explain 'The movie I watched last year was not good.'" \
	  "$(BIN)/lstmtext generate --prompt 'To be, or not to be' --temperature 0.5" \
	  "$(BIN)/lstmtext train lm harbour --minutes 1 --name harbour" \
	  "$(BIN)/lstmtext generate --model harbour --prompt 'The ferry'" \
	  "$(BIN)/lstmtext --help"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest

test-all: lint
	$(BIN)/pytest -m 'slow or not slow'

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)
	$(BIN)/python docs/generate_cli.py

pictures: $(READY)
	$(BIN)/python docs/make_pictures.py

# About half an hour on two idle cores. BENCH_DATA: the folder with the validation data; BENCH: names, for some only.
bench: $(READY)
	$(BIN)/python benchmarks/bench.py $(if $(BENCH_DATA),--data "$(BENCH_DATA)") $(BENCH)

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
