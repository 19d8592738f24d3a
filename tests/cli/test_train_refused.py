"""What `lstmtext train` was told and could not do: it says so, and does not do something else."""

from __future__ import annotations

import json
import math
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lstmtext.cli import detach
from lstmtext.cli.main import run as lstmtext
from lstmtext.store.checkpoint import read_config
from lstmtext.store.run import fresh_name, list_runs
from lstmtext.store.run_settings import read_run_settings
from lstmtext.training.make_task import make_task

Output = pytest.CaptureFixture[str]
SMALL = ["--batch-size", "4", "--device", "cpu", "--precision", "float32", "--set", "sample_length=0"]
SIZE = ["--layers", "1", "--hidden", "8", "--embedding", "6"]
RECIPE = ["--recipe", "sentiment-small", "--set", "weights=[1.0]", "--set", "held_out_fractions=[0.2]"]
RUN = ["--steps", "2", "--name", "mine"]
TASKS = pytest.mark.parametrize("task", ["lm", "sentiment"])


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> None:
    rows = [f"{side}\tthe tea is {word}, said {n}" for n in range(20) for side, word in ((1, "good"), (0, "bad"))]
    (tmp_path / "tea.tsv").write_text("label\ttext\n" + "\n".join(rows) + "\n")


def train(capsys: Output, task: str, *arguments: str, code: int = 0) -> tuple[str, str]:
    found = lstmtext(["train", task, "tea.tsv", *SMALL, *arguments])
    output = capsys.readouterr()
    assert "should not have happened" not in output.err
    assert found == code, output.err
    return output.out, output.err


def refused(capsys: Output, task: str, *arguments: str) -> str:
    """The sentence; and nothing was begun."""
    _, said = train(capsys, task, *arguments, code=2)
    assert len(said.splitlines()) == 1
    assert not Path(os.environ["LSTMTEXT_RUNS"]).exists()
    return said


@TASKS
@pytest.mark.parametrize("option", ["--epochs", "--steps", "--minutes"])
@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--detach"]])
def test_a_budget_of_nothing(capsys: Output, task: str, option: str, more: list[str]) -> None:
    assert f"{option[2:]} = 0 trains nothing" in refused(capsys, task, option, "0", *more)
    assert f"{option[2:]} = 0 trains nothing" in refused(capsys, task, "--set", f"{option[2:]}=0.0", *more)


@TASKS
@pytest.mark.parametrize("option", ["--epochs", "--steps", "--minutes"])
def test_a_budget_below_nothing(capsys: Output, task: str, option: str) -> None:
    said = f"lstmtext: {option[2:]} = -1 trains nothing. Give a number above 0, or leave it out.\n"
    assert refused(capsys, task, option, "-1") == said


@TASKS
@pytest.mark.parametrize("given", ["1", "-0.1", "nan", "half"])
def test_a_dropout_that_cannot_be_is_named_as_it_was_typed(capsys: Output, task: str, given: str) -> None:
    said = refused(capsys, task, f"--dropout={given}", "--steps", "2")
    assert said == f"lstmtext: --dropout {given} does not fit: expected a number from 0 to below 1.\n"


@TASKS
def test_who_starts_while_a_text_is_prepared_gets_another_name(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    names = []

    def slow(*given: Any) -> Any:
        names.append(fresh_name("tea"))
        return make_task(*given)

    monkeypatch.setattr("lstmtext.training.session.make_task", slow)
    train(capsys, task, *SIZE, "--steps", "2")
    assert names == ["tea-2"]
    assert [run.name for run in list_runs()] == ["tea"]


@pytest.mark.parametrize("more", [[], ["--detach"]])
def test_a_text_that_is_not_there_is_all_that_is_said(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.setattr(detach, "QUIET_SECONDS", math.inf)  # however busy this machine is
    assert lstmtext(["train", "sentiment", "nope.tsv", *more]) != 0
    said = capsys.readouterr().err
    assert "nope.tsv" in said
    assert len(said.splitlines()) == 1


@TASKS
def test_a_seed_that_no_generator_takes(capsys: Output, task: str) -> None:
    assert "seed = '9223372036854775808' does not fit" in refused(capsys, task, "--seed", str(2**63), "--steps", "2")


def test_in_a_file_0_is_what_was_not_given(capsys: Output) -> None:
    Path("own.toml").write_text("[budget]\nepochs = 0.0\nsteps = 2\nminutes = 0.0\n")
    train(capsys, "lm", "--config", "own.toml", *SIZE, "--set", "sequence_length=8", "--name", "mine")


@TASKS
@pytest.mark.parametrize("name", ["a/b", "../esc", "/tmp/x", ".", "..", "", " ", "-x", ".hidden", "a\\b", "a\nb"])
def test_a_name_is_one_folder_s(capsys: Output, task: str, name: str) -> None:
    for more in ([], ["--detach"], ["--dry-run"]):
        said = refused(capsys, task, *SIZE, "--steps", "2", f"--name={name}", *more)
        assert f"--name {name!r} is not the name of a folder. It must hold something, but no /, no \\ and no" in said


def test_a_name_may_hold_a_space(capsys: Output) -> None:
    train(capsys, "lm", *SIZE, "--steps", "2", "--name", "has space")
    assert [run.name for run in list_runs()] == ["has space"]


@TASKS
@pytest.mark.usefixtures("tiny_language_model")
@pytest.mark.parametrize(
    ("given", "asked", "there"),
    [
        (["--hidden", "8"], "hidden = 8", "hidden = "),
        (["--cell", "rnn"], "cell = 'rnn'", "cell = 'lstm'"),
        (["--tokenizer", "word"], "tokenizer = 'word'", "tokenizer = 'char'"),
        (["--set", "vocabulary_size=7"], "vocabulary_size = 7", "vocabulary_size = "),
        (["--layers", "5", "--tokenizer", "word"], "layers = 5 and tokenizer = 'word'", "tokenizer = 'char'"),
        (["--config", "own.toml"], "embedding = 77", "embedding = "),
    ],
)
@pytest.mark.parametrize("more", [[], ["--detach"], ["--dry-run"], ["--recipe", "sentiment-small"]])
def test_what_the_initial_model_decides(
    capsys: Output, task: str, given: list[str], asked: str, there: str, more: list[str]
) -> None:
    Path("own.toml").write_text("[model]\nembedding = 77\n")
    more = ["quick" if task == "lm" and word == "sentiment-small" else word for word in more]
    said = refused(capsys, task, "--init", "tiny", *RUN, *given, *more)
    assert f"{asked} cannot be had with init = " in said
    assert said.count(there) == (2 if there[:-1] in asked else 1)


@pytest.mark.usefixtures("tiny_language_model")
@pytest.mark.parametrize("recipe", [[], RECIPE])
def test_defaults_and_recipes_give_way_and_the_run_says_what_is_trained(capsys: Output, recipe: list[str]) -> None:
    there = read_config(Path("tiny"))
    train(capsys, "sentiment", "--init", "tiny", *RUN, *recipe, "--hidden", str(there.model.hidden))
    folder = Path(os.environ["LSTMTEXT_RUNS"]) / "mine"
    settings = read_run_settings(folder)
    trained = read_config(next((folder / "checkpoints").iterdir()))
    assert settings.model == trained.model
    assert settings.model.hidden == there.model.hidden
    assert (settings.text.tokenizer, settings.text.vocabulary_size) == (there.tokenizer.kind, there.tokenizer.size)
    printed = json.loads(train(capsys, "sentiment", "--init", "tiny", *RUN, *recipe, "--dry-run", "--json")[0])
    assert printed["settings"]["model"]["hidden"] == there.model.hidden
    lstmtext(["train", "sentiment", "--config", str(folder / "config.toml"), "--name", "again"])  # as it says of itself
    assert read_run_settings(folder.with_name("again")).model == trained.model


@pytest.mark.usefixtures("tiny_language_model")
def test_what_goes_to_a_process_of_its_own_is_not_refused_there(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(detach, "_start_process", lambda *given: started.append([given[1], *given[2]]))
    train(capsys, "sentiment", "--init", "tiny", *RUN, "--detach")
    words = started[0]
    content: dict[str, Any] = tomllib.loads(Path(words[words.index("--config") + 1]).read_text())
    assert content["model"]["hidden"] == read_config(Path("tiny")).model.hidden
    assert lstmtext(["train", *words]) == 0


def test_a_teacher_decides_the_tokenizer(capsys: Output, tiny_classifier: Path) -> None:
    teacher = ["--set", f"teacher={tiny_classifier.name}", *SIZE, *RUN]
    said = refused(capsys, "sentiment", *teacher, "--tokenizer", "char")
    assert "tokenizer = 'char' cannot be had with teacher = " in said
    train(capsys, "sentiment", *teacher)
    settings = read_run_settings(Path(os.environ["LSTMTEXT_RUNS"]) / "mine")
    assert (settings.text.tokenizer, settings.model.hidden) == ("wordpiece", 8)


@TASKS
@pytest.mark.parametrize("table", ["budget", "text", "labels", "teaching", "run"])
def test_a_settings_file_without_its_tables(capsys: Output, task: str, table: str) -> None:
    Path("own.toml").write_text(f"{table} = 3\n")
    for more in ([], ["--minutes", "3", "--seed", "4"]):
        said = refused(capsys, task, "tea.tsv", "--config", "own.toml", *more)
        assert f"[{table}] must be a table of settings" in said


@TASKS
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'\xef\xbb\xbf[model]\nhidden = "x"\n', "own.toml: hidden = 'x' does not fit: expected a whole number."),
        (b"hidden = 3\n", "own.toml: There is no table [hidden]: hidden is a setting of [model] and stands below "),
        (b"[model]\xff\xfe\n", "own.toml is not a settings file: it is not UTF-8 text."),
        (b"[model\n", "own.toml is not a settings file: "),
    ],
)
def test_a_settings_file_is_named(capsys: Output, task: str, content: bytes, said: str) -> None:
    Path("own.toml").write_bytes(content)
    assert f"lstmtext: {said}" in refused(capsys, task, "tea.tsv", "--config", "own.toml", "--steps", "2")


def test_what_is_typed_is_not_the_settings_file_s(capsys: Output) -> None:
    Path("own.toml").write_text("[model]\nhidden = 8\n")
    said = refused(capsys, "lm", "--config", "own.toml", "--hidden", "x")
    assert said == "lstmtext: hidden = 'x' does not fit: expected a whole number.\n"


@pytest.mark.parametrize("key", ["validation", "text.validation"])
def test_a_fraction_is_one_by_its_full_name_too(capsys: Output, key: str) -> None:
    printed, _ = train(capsys, "lm", "tea.tsv", *SIZE, "--steps", "2", "--set", f"{key}=0.25", "--dry-run", "--json")
    assert json.loads(printed)["settings"]["text"]["validation"] == 0.25


@pytest.mark.usefixtures("tiny_classifier")
@pytest.mark.parametrize("more", [[], ["--recipe", "quick"]])
def test_a_language_model_does_not_go_on_from_a_classifier(capsys: Output, more: list[str]) -> None:
    assert "a language model goes on from a language model" in refused(capsys, "lm", *RUN, "--init", "tiny", *more)


@pytest.mark.usefixtures("tiny_language_model")
def test_a_softmax_that_the_model_to_go_on_from_has_not(capsys: Output) -> None:
    said = refused(capsys, "lm", *RUN, "--init", "tiny", "--set", "tied=true")
    assert "tied = True cannot be had with init = " in said


@pytest.mark.usefixtures("tiny_language_model")
@pytest.mark.parametrize("more", [[], ["--recipe", "quick"]])
def test_a_language_model_goes_on(capsys: Output, more: list[str]) -> None:
    out, err = train(capsys, "lm", *RUN, "--init", "tiny", *more)
    assert ("Chosen for a model that goes on from another" in out + err) == (not more)
    folder = Path(os.environ["LSTMTEXT_RUNS"]) / "mine"
    trained = read_config(next((folder / "checkpoints").iterdir()))
    assert (trained.model, trained.tokenizer) == (read_config(Path("tiny")).model, read_config(Path("tiny")).tokenizer)


@pytest.mark.usefixtures("tiny_language_model")
def test_beside_a_teacher_all_tokens_are_scored(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstmtext.training.defaults.MANY_TOKENS", 2)
    for more, samples in ([], 500), (["--set", "teacher=tiny"], 0):
        printed, _ = train(capsys, "lm", *RUN, "--init", "tiny", *more, "--dry-run", "--json")
        assert json.loads(printed)["settings"]["optimisation"]["softmax_samples"] == samples


@pytest.mark.usefixtures("tiny_language_model")
@pytest.mark.parametrize(("text", "share"), [("ÆØÅ tea\n", "38 %"), ("the tea is good\n", "")])
def test_what_the_model_to_go_on_from_does_not_know_is_said(
    capsys: Output, tmp_path: Path, text: str, share: str
) -> None:
    (tmp_path / "own.txt").write_text(text * 50)
    assert lstmtext(["train", "lm", "own.txt", "--init", "tiny", *SMALL, *RUN]) == 0
    said = capsys.readouterr().err
    assert ("of the held-out tokens are unknown" in said) == bool(share)
    assert f"\n{share} of the held-out tokens are unknown to its vocabulary\n" in said or not share
