"""The pages are true: generated ones are fresh, examples parse, links lead somewhere, snippets run."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import pytest
from pages import DOCS, PAGES, ROOT, blocks

import lstmtext
from lstmtext import errors, events
from lstmtext.cli import generate as generate_command
from lstmtext.cli.main import cli, run
from lstmtext.config import TrainSettings
from lstmtext.places import recipes_folder, shipped_folder
from lstmtext.settings import assign, read_settings
from lstmtext.store.checkpoint import CheckpointConfig, read_checkpoint
from lstmtext.store.run import RunReader, RunWriter, wait_for

generator = runpy.run_path(str(DOCS / "generate_cli.py"))
write_tiny = runpy.run_path(str(ROOT / "tests" / "engine" / "tiny.py"))["write_tiny"]
random_classifier = runpy.run_path(str(ROOT / "tests" / "classifiers.py"))["random_classifier"]
COMMANDS: dict[str, click.Command] = dict(generator["commands"]())


# Generated pages


@pytest.mark.parametrize("name", generator["PAGES"])
def test_generated_pages_are_up_to_date(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")  # the terminal has no say
    assert (DOCS / name).read_text(encoding="utf-8") == generator["PAGES"][name](), "run `make docs`"


def test_the_exit_codes_are_as_the_table_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    assert run(["corpora", "path", "harbour"]) == 0
    assert run(["models", "show", "damaged"]) == errors.CheckpointError.exit_code == 1
    assert run(["models", "show", "nowhere"]) == errors.UsageError.exit_code == 2
    assert run(["models", "--nonsense"]) == 2
    monkeypatch.setattr(generate_command, "_read_prompt", interrupted)
    assert run(["generate", "--prompt", "A"]) == 130
    assert sorted(generator["EXIT_CODES"]) == [0, 1, 2, 130]


def test_the_settings_page_names_every_setting_and_its_default() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \|.*?\| `([^|]*)` \| (?:`--[\w-]+`)? ?\| .+ \|$", generator["settings_page"](), re.M
    )
    told = {name: json.loads(default) for name, default in rows}
    tables = msgspec.to_builtins(TrainSettings())
    assert told == {
        name: value for table in tables.values() if isinstance(table, dict) for name, value in table.items()
    }


def test_the_settings_page_tells_values_of_the_kind_of_the_default() -> None:
    words = {"bool": "`true`", "int": "whole number", "float": "number", "list": "list of: ", "dict": "table of: "}
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| `([^|]*)` \|", generator["settings_page"](), re.M)
    assert "label_map" in [name for name, _, _ in rows]
    for name, value, default in rows:
        kind = type(json.loads(default)).__name__
        assert value.startswith(words.get(kind, ("text", "`"))), f"{name}: {value!r}, default {default}"


def test_the_command_line_page_names_every_variable_of_ours() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "lstmtext").rglob("*.py"))
    read = set(re.findall(r"environ\.get\(\"(LSTMTEXT_\w+)", source)) - {"LSTMTEXT_UI_THREADS"}  # from us to us
    assert {"LSTMTEXT_RUNS", "LSTMTEXT_CONFIG"} <= read
    told = generator["cli_page"]().partition("| environment |")[2].partition("**")[0]
    for name in read:
        assert f"`{name}`" in told, name


def test_the_settings_page_has_a_file_that_works() -> None:
    (example,) = blocks(DOCS / "settings.md", "toml")
    assert read_settings(tomllib.loads(example)).text.corpus == ["harbour"]


# Help texts


@pytest.mark.parametrize("path", COMMANDS)
def test_every_help_ends_with_examples(path: str) -> None:
    found = generator["examples"](COMMANDS[path])
    assert found
    words = path.split()
    assert any(line.split("|")[-1].split()[: len(words)] == words or path in line for line in found)


def parse(line: str) -> None:
    """Parse one shell line's `lstmtext` command; raises click.UsageError or SettingsError where it does not fit."""
    words = _words(line)
    while "lstmtext" in words:
        words = words[words.index("lstmtext") + 1 :]
        arguments = words[: next((at for at, word in enumerate(words) if set(word) <= set("|;&>")), len(words))]
        command: click.Command = cli
        path = ["lstmtext"]
        while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
            inner = command.get_command(click.Context(command), arguments[0])
            assert inner is not None, f"{line}: there is no command {' '.join([*path, arguments[0]])}"
            path.append(arguments.pop(0))
            command = inner
        try:
            context = command.make_context(" ".join(path), arguments)
        except click.exceptions.Exit:  # --help, --version
            continue
        for assignment in context.params.get("assignments", ()):
            assign({}, assignment.partition("=")[0], "")
        recipe = context.params.get("recipe")
        assert recipe is None or (recipes_folder() / f"{recipe}.toml").is_file(), line


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&>")
    lexer.whitespace_split = True
    return list(lexer)


@pytest.mark.parametrize(
    ("path", "line"), [(p, line) for p, c in COMMANDS.items() for line in generator["examples"](c)]
)
def test_examples_in_help_parse(path: str, line: str) -> None:
    assert "lstmtext" in line, path
    parse(line)


def test_the_check_of_examples_can_fail() -> None:
    with pytest.raises(click.UsageError, match="--tempature"):
        parse("echo x | lstmtext generate --tempature 3")
    with pytest.raises(errors.SettingsError, match="dropout_weight"):
        parse("lstmtext train lm x.txt --set dropout_wieght=0.3")
    with pytest.raises(AssertionError, match="no command"):
        parse("lstmtext runs wacth demo")


def test_the_help_names_the_recipes() -> None:
    told = []
    for command in ("lm", "sentiment"):
        option = next(each for each in COMMANDS[f"lstmtext train {command}"].params if each.name == "recipe")
        assert isinstance(option, click.Option)
        named = re.search(r"\((.*)\)", option.help or "")
        assert named is not None
        told += named[1].split(", ")
    assert sorted(told) == sorted(path.stem for path in recipes_folder().glob("*.toml"))


def test_commands_in_the_pages_parse() -> None:
    shell = [block for page in PAGES for language in ("sh", "bash", "console") for block in blocks(page, language)]
    lines = [line.removeprefix("$ ") for block in shell for line in block.replace("\\\n", "").splitlines()]
    for page in (ROOT / "Makefile", *PAGES):  # a recipe's line, or a block of code by its indentation
        lines += re.findall(
            r"^(?:    |\t)((?:\.venv/bin/)?lstmtext .*)$", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    found = [line for line in lines if re.search(r"\blstmtext ", line.partition("#")[0])]
    assert len(found) > 40
    for line in found:
        parse(line.removeprefix(".venv/bin/"))


# Links


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor and target.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(_slug, headings), f"{page.name} links to {link}: no such heading"


# Snippets


@pytest.fixture(params=["a tiny model", "the shipped model"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder where `shakespeare`, `sentiment` and `runs/demo` are what the pages take them for."""
    shipped = shipped_folder("checkpoints") / "shakespeare"
    (tmp_path / "checkpoints").mkdir()
    if request.param == "a tiny model":
        write_tiny(tmp_path / "shakespeare")
        (tmp_path / "checkpoints" / "shakespeare").symlink_to(tmp_path / "shakespeare")
    elif not (shipped / "config.json").is_file():
        pytest.skip("checkpoints/shakespeare is not there yet")
    else:
        (tmp_path / "checkpoints" / "shakespeare").symlink_to(shipped)
    if request.param == "a tiny model" or not (shipped.with_name("sentiment") / "config.json").is_file():
        random_classifier(tmp_path).rename(tmp_path / "sentiment")
    with RunWriter.create(tmp_path / "runs" / "demo", "") as writer:
        for step in (10, 20, 30):
            writer.record(events.Evaluated(step=step, loss=3.0 - step / 100, best=True, tokens=10, seconds=0.1))
        writer.record(events.Resumed(step=20))
        writer.record(events.Finished(step=20, reason="stopped"))
    return tmp_path


def run_page(page: Path) -> dict[str, Any]:
    """Run a page's Python blocks, one after the other in one namespace."""
    namespace: dict[str, Any] = {"__name__": page.name}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), namespace)
    return namespace


def test_python_api(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run_page(DOCS / "python-api.md")
    model, states = found["model"], found["states"]
    _, state = model.engine.read(model.tokenizer.encode("To be")[None])
    np.testing.assert_allclose(np.concatenate([each.c for each in states]), state.c[:, 0], atol=1e-5)
    assert len(found["trained"].generate("The", length=5, seed=1).tokens) == 5
    assert "Finished" in capsys.readouterr().out
    assert (place / "runs" / "from-python" / "events.jsonl").is_file()


def test_checkpoint_format(place: Path) -> None:
    found = run_page(DOCS / "checkpoint-format.md")
    checkpoint = read_checkpoint(place / "checkpoints" / "shakespeare")
    # An older file lacks the fields that came later (a `classifier`, a metric's `characters_per_token`).
    assert msgspec.convert(found["config"], CheckpointConfig) == checkpoint.config
    assert found["tensors"].keys() == checkpoint.tensors.keys()
    for name, tensor in checkpoint.tensors.items():
        np.testing.assert_array_equal(found["tensors"][name], tensor.astype(np.float32))
    model = lstmtext.load("checkpoints/shakespeare")
    hidden, _ = model.engine.read(model.tokenizer.encode("To be")[None])
    logs = model.engine.log_probabilities(hidden)[0]
    np.testing.assert_allclose(found["probabilities"], np.exp(logs), atol=1e-5)


@pytest.mark.parametrize("place", ["a tiny model"], indirect=True)
def test_run_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place / "runs" / "demo"
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b'{"event":"eval\n{"event":"progress","step":21')
    with RunWriter.reopen(folder) as writer:
        found = run_page(DOCS / "run-folder.md")
        (request,) = writer.requests()
        assert request.action == "save"
        writer.record(events.Acknowledged(step=20, request=request.action, id=request.id))
    assert capsys.readouterr().out == "10 2.9\n20 2.8\n"
    answer = wait_for(folder, found["request"]["id"], 1)
    assert answer is not None
    assert answer.outcome == "done"
    expected = [(type(event).__name__.lower(), event.step) for event in RunReader(folder).events()]
    assert [(event["event"], event["step"]) for event in found["events"](folder)] == expected


@pytest.mark.parametrize("tokenizer", ["char", "byte"])
def test_export_writes_on_with_and_without_an_unknown_token(tmp_path: Path, tokenizer: str) -> None:
    write_tiny(tmp_path / "checkpoints" / "shakespeare", tokenizer=tokenizer, scale=0.8)
    found = run_page(DOCS / "export.md")
    assert (found["config"]["unknown_id"] is None) == (tokenizer == "byte")
    model = lstmtext.load("checkpoints/shakespeare")
    assert isinstance(model, lstmtext.LanguageModel)
    expected = model.generate("ROMEO:", length=94, temperature=0).tokens
    assert found["written"][6:] == [token.id for token in expected]


@pytest.mark.usefixtures("place")
def test_other_pages() -> None:
    tested_above = ("python-api.md", "checkpoint-format.md", "run-folder.md")
    others = [page for page in PAGES if page.name not in tested_above and blocks(page, "python")]
    assert DOCS / "notation.md" in others
    for page in others:
        run_page(page)
