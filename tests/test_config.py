"""Settings: every problem at once, names that help, files that come back as they went."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import msgspec
import pytest

from lstmtext.config import TrainSettings
from lstmtext.errors import SettingsError
from lstmtext.settings import assign, read_settings, settings_fields

# A value for every setting that is not its default and fits with the others.
OTHER: dict[str, Any] = {
    "corpus": ["a.txt", "-"],
    "field": "body",
    "tokenizer": "bpe",
    "vocabulary_size": 300,
    "validation": "held-out.txt",
    "cell": "gru",
    "layers": 3,
    "hidden": 7,
    "embedding": 5,
    "tied": True,
    "cutoffs": [10, 20],
    "device": "cuda:1",
    "precision": "bfloat16",
    "sample_prompt": 'He said "no"\n☃',
    "plan": [(0, 50), (10, 40)],
    "sequence_length": 9,
    "sources": ["a.tsv", "everyday"],
    "weights": [2.5, 1.0],
    "label_map": {"schlecht": "negative", "gut": "positive"},
    "held_out": ["dev.tsv"],
    "held_out_fractions": [0.25],
    "unlabelled": ["more.txt"],
    "answers": ["others.tsv"],
    "readout": "max",
    "bidirectional": True,
}


def problems(tables: dict[str, Any], **options: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_settings(tables, **options)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return list(caught.value.problems)


def test_nothing_is_enough() -> None:
    assert read_settings({}) == TrainSettings()


def test_all_problems_at_once() -> None:
    found = problems(
        {
            "task": "classifier",
            "modle": {"hidden": 3},
            "text": 5,
            "model": {"hidden": 0, "layers": "two", "hiden": 4, "cell": "transformer"},
            "batch": {"sequence_length": 1, "state_reset": 1.0},
            "optimisation": {"learning_rate": -1.0, "clip_norm": math.inf, "forget_bias": math.nan},
            "budget": {"steps": 5, "epochs": 2.0},
        }
    )
    expected = [
        "task is 'classifier'",
        "There is no table [modle]",
        "[text] must be a table",
        "hidden = 0 does not fit",
        "layers = 'two' does not fit",
        "no setting 'hiden' in [model]. Did you mean 'hidden'?",
        "cell = 'transformer'",
        "sequence_length = 1",
        "state_reset = 1.0",
        "learning_rate = -1.0",
        "clip_norm = inf does not fit: expected a finite number",
        "forget_bias = nan does not fit: expected a finite number",
        "one budget; epochs and steps were given",
    ]
    assert len(found) == len(expected)
    for part, problem in zip(expected, found, strict=True):
        assert part in problem
        assert "\n" not in problem


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"budget": {"steps": 5, "minutes": 1.0}}, "steps and minutes"),
        ({"model": {"cutoffs": [20, 10]}}, "positive and rising"),
        ({"model": {"cutoffs": [0, 10]}}, "positive and rising"),
        ({"model": {"cutoffs": [10, 10]}}, "positive and rising"),
        ({"model": {"cutoffs": [10], "tied": True}}, "exclude each other"),
        ({"teaching": {"teacher": ["one", "two"]}}, "teacher names 2 models; a language model learns from one"),
        ({"text": {"tokenizer": "bpe", "vocabulary_size": 100}}, "at least 257"),
        ({"budget": {"plan": [(5, 10)]}}, "begin at step 0"),
        ({"budget": {"plan": [(0, 0)]}}, "begin at step 0"),
        ({"text": {"validation": 1.0}}, "validation = 1.0"),
        ({"labels": {"weights": [1.0, math.inf]}}, "weights = [1.0, inf] does not fit: expected finite numbers."),
        (
            {"task": "sentiment", "labels": {"unlabelled": ["more.txt"]}},
            "unlabelled texts are learned from what a teacher or a file of answers says of them, and neither is named: "
            "name one, or leave unlabelled out.",
        ),
        ({"run": {"seed": -1}}, "seed = -1"),
        ({"model": {"hidden": 4.5}}, "hidden = 4.5 does not fit: expected a whole number."),
        ({"model": {"hidden": "1.5"}}, "hidden = '1.5' does not fit: expected a whole number."),
        ({"model": {"hidden": 0}}, "hidden = 0 does not fit: expected a whole number >= 1."),
        ({"model": {"tied": 1}}, "tied = 1 does not fit: expected true or false."),
        ({"teaching": {"teacher": 3}}, "teacher = 3 does not fit: expected a text or a list."),
        ({"hidden": 3}, "There is no table [hidden]: hidden is a setting of [model] and stands below that line."),
        ({"modle": {}}, "There is no table [modle]; the tables are text, labels, model, readout, "),
        ({"text": {"tokenizer": "char", "vocabulary_size": 1}}, "too small for char: it needs at least 2 (the unknown"),
        ({"text": {"tokenizer": "word", "vocabulary_size": 1}}, "too small for word: it needs at least 2 (the unknown"),
        ({"text": {"tokenizer": "whitespace", "vocabulary_size": 1}}, "too small for whitespace: it needs at least 2"),
        ({"text": {"tokenizer": "wordpiece", "vocabulary_size": 3}}, "too small for wordpiece: it needs at least 4"),
    ],
)
def test_each_problem(tables: dict[str, Any], expected: str) -> None:
    (problem,) = problems(tables)
    assert expected in problem


def test_a_command_line_gives_text() -> None:
    typed = {"model": {"hidden": "64", "tied": "true"}, "optimisation": {"learning_rate": "1e-3"}}
    settings = read_settings(typed, strict=False)
    assert (settings.model.hidden, settings.model.tied, settings.optimisation.learning_rate) == (64, True, 1e-3)
    assert len(problems(typed)) == 3
    (problem,) = problems({"labels": {"weights": ["inf"]}}, strict=False)
    assert problem == "weights = ['inf'] does not fit: expected finite numbers."
    for bad in ("nan", "inf", "", "1e400", "0x10"):
        (problem,) = problems({"optimisation": {"learning_rate": bad}}, strict=False)
        assert "learning_rate" in problem


def test_field_names_are_unique() -> None:
    """`--set hidden=512` needs no table's name."""
    tables = [field.type for field in msgspec.structs.fields(TrainSettings) if field.name != "task"]
    names = [field.name for table in tables for field in msgspec.structs.fields(table)]
    assert sorted(names) == sorted(set(names))
    assert sorted(settings_fields()) == sorted(names)


def test_every_setting_says_what_it_means() -> None:
    for name, (_, field) in settings_fields().items():
        assert isinstance(field.type, msgspec.inspect.Metadata) or hasattr(field.type, "extra_json_schema"), name
        meaning = (field.type.extra_json_schema or {}).get("description", "")  # type: ignore[attr-defined]
        assert len(meaning) > 10, name
        assert meaning.endswith("."), name


def another(default: Any) -> Any:
    if isinstance(default, str):
        return "other"
    if isinstance(default, bool):
        return not default
    return default + 1 if isinstance(default, int) else default / 2 + 0.125


@pytest.mark.parametrize("name", sorted(settings_fields()))
def test_every_setting_goes_to_toml_and_back(name: str) -> None:
    table, _ = settings_fields()[name]
    default = getattr(getattr(TrainSettings(), table), name)
    value = OTHER[name] if name in OTHER else another(default)
    assert value != default
    settings = read_settings({table: {name: value}, **({"task": "sentiment"} if name == "answers" else {})})
    assert getattr(getattr(settings, table), name) == value
    text = msgspec.toml.encode(settings).decode()
    assert read_settings(tomllib.loads(text)) == settings
    assert read_settings(msgspec.toml.decode(text)) == settings


def test_assign() -> None:
    tables: dict[str, Any] = {"model": {"layers": 1}}
    assign(tables, "hidden", 3)
    assign(tables, "batch.batch_size", 4)
    assert tables == {"model": {"layers": 1, "hidden": 3}, "batch": {"batch_size": 4}}
    for key, hint in [
        ("hiddn", "There is no setting 'hiddn'. Did you mean 'hidden'?"),
        ("batch.hidden", "There is no setting 'batch.hidden'"),
        ("", "There is no setting ''"),
        ("nope", "There is no setting 'nope'. docs/settings.md lists them all."),
        ("task", "The task is no setting: `lstmtext train lm` and `lstmtext train sentiment` are the two."),
    ]:
        with pytest.raises(SettingsError) as caught:
            assign(tables, key, 1)
        assert hint in str(caught.value)


def test_settings_do_not_share_their_lists() -> None:
    first, second = read_settings({}), read_settings({})
    first.text.corpus.append("a")
    first.model.cutoffs.append(1)
    for other in (second, TrainSettings()):
        assert (other.text.corpus, other.model.cutoffs) == ([], [])


def test_answers_are_refused_where_there_are_no_labels() -> None:
    with pytest.raises(SettingsError, match="answers are of labels, which a language model has none of"):
        read_settings({"teaching": {"answers": ["others.tsv"]}})


def test_more_threads_than_a_machine_can_have_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"^threads = 100000 does not fit: expected a whole number <= 1024\.$"):
        read_settings({"run": {"threads": 100_000}})
