"""`lstmtext train sentiment` and `lstmtext evaluate` of a classifier, as they are typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from terminals import give

from lstmtext.cli.main import run as lstmtext
from lstmtext.cli.train_labels import read_label_map
from lstmtext.events import Evaluated
from lstmtext.store.run import RunReader
from lstmtext.store.run_settings import read_run_settings

Output = pytest.CaptureFixture[str]
SIZE = ["--layers", "1", "--hidden", "8", "--embedding", "6", "--batch-size", "8"]
SMALL = [*SIZE, "--device", "cpu", "--precision", "float32", "--steps", "12"]
REVIEWS = [
    ("4", "Lovely soup"),
    ("5", "The staff were kind"),
    ("1", "Rude and slow"),
    ("2", "Cold food"),
    ("3", "Open"),
]


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    rows = [f'{stars},"{text}, visit {n}"' for n in range(12) for stars, text in REVIEWS]
    path.write_text("given,body\n" + "\n".join(rows) + "\n")
    return path


def call(capsys: Output, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    found = lstmtext([*map(str, arguments)])
    output = capsys.readouterr()
    assert "should not have happened" not in output.err
    assert found == code, output.err
    return output.out, output.err


def test_a_table_with_columns_of_any_name(capsys: Output, reviews: Path) -> None:
    columns = ["--text-column", "body", "--label-column", "given"]
    _, said = call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "mine")
    assert "a classifier from nothing" in said
    assert "right: reviews" in said
    assert "perplexity" not in said
    assert "Next: lstmtext classify --model mine" in said
    output, _ = call(capsys, "evaluate", "mine", reviews, *columns, "--json")
    found = json.loads(output)
    assert (found["examples"], found["judged"]) == (60, 48)
    assert sum(sum(row.values()) for row in found["confusion"].values()) == 60
    assert set(found["by_negation"]) == {"cue", "no_cue"}


def test_of_how_many_texts_an_accuracy_is_is_said_where_neutral_ones_are_left_out(
    capsys: Output, reviews: Path
) -> None:
    columns = ["--text-column", "body", "--label-column", "given", "--validation", "0.3"]
    _, said = call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "mine")
    found = re.search(r"right: (reviews [\d.]+% of (\d+), neutral left out) \(best so far\)", said)
    assert found
    evaluated = [event for event in RunReader(_run("mine")).events() if isinstance(event, Evaluated)]
    assert evaluated[-1].judged == {"accuracy of reviews": int(found[2])}
    assert f"right        {found[1]}\n" in call(capsys, "runs", "show", "mine")[0]
    listed = call(capsys, "models", "list")[0].splitlines()
    (row,) = [line for line in listed if line.startswith("mine ")]
    assert row.endswith(" % accuracy, neutral left out")
    assert len(row) < max(map(len, listed))
    told = f"accuracy, P(positive) against ½, neutral texts left out, on {found[2]} held out\n"
    assert told in call(capsys, "models", "show", "mine")[0]
    reviews.write_text("\n".join(line for line in reviews.read_text().splitlines() if not line.startswith("3")) + "\n")
    _, said = call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "two")
    assert re.search(r"right: reviews [\d.]+% \(best so far\)", said)
    assert "neutral" not in call(capsys, "models", "show", "two")[0].split("accuracy of reviews")[1].splitlines()[0]


def test_the_columns_there_are_listed(capsys: Output, reviews: Path) -> None:
    _, said = call(capsys, "train", "sentiment", reviews, *SMALL, code=1)
    assert "'given', 'body'" in said
    assert "--label-column" in said
    reviews.write_text(reviews.read_text().replace("body", "said", 1))
    assert "--text-column" in call(capsys, "train", "sentiment", reviews, *SMALL, code=1)[1]


def test_what_the_score_rests_on_is_said_before_it(capsys: Output, reviews: Path) -> None:
    reviews.write_text(reviews.read_text() + '5,"Lovely soup, visit 1"\n,"Nobody said"\n2,\n')
    columns = ["--text-column", "body", "--label-column", "given"]
    _, said = call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "mine")
    left_out = (
        "Left out of reviews: 1 row without a label, the first in line 63 of reviews.csv; "
        "1 row without a text, the first in line 64 of reviews.csv.\n"
    )
    assert left_out in said
    assert re.search(r"61 texts: \d+ to learn from, \d+ held out; 1 left out.*points or so\.\n.*\n", said)
    assert said.index("to learn from") < said.index("parameters")
    output, _ = call(capsys, "evaluate", "mine", reviews, *columns)
    assert output.startswith(left_out.replace("of reviews:", f"of {reviews}:"))
    assert json.loads(call(capsys, "evaluate", "mine", reviews, *columns, "--json")[0])["left_out"] in left_out


def test_a_run_that_is_resumed_has_its_settings(capsys: Output, reviews: Path) -> None:
    assert "nothing else" in call(capsys, "train", "sentiment", reviews, "--resume", "again", code=2)[1]


def test_a_dry_run_writes_nothing(capsys: Output, reviews: Path) -> None:
    columns = ["--text-column", "body", "--label-column", "given"]
    output, _ = call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--dry-run", "--json")
    found = json.loads(output)
    assert found["steps"] == 12
    assert found["parameters"] > 100
    assert found["settings"]["task"] == "sentiment"


def test_weights_maps_and_validation_files(capsys: Output, tmp_path: Path) -> None:
    for name in ("a", "b"):
        lines = [f"{'+1' if n % 2 else 'x'}\t{name} {'nice' if n % 2 else 'awful'} {n}" for n in range(40)]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    call(
        capsys,
        *("train", "sentiment", tmp_path / "a.txt", "--label-map", "+1=positive,x=negative"),
        *("--weight", "2", "--validation", tmp_path / "b.txt", "--name", "c", *SMALL),
    )
    folder = next(Path.cwd().glob("**/runs/c"), None) or _run("c")
    settings = read_run_settings(folder)
    assert settings.labels.weights == [2.0]
    assert settings.labels.held_out == [str(tmp_path / "b.txt")]
    started = RunReader(folder).events()[0]
    assert started.validation_tokens > 100  # type: ignore[attr-defined]


def _run(name: str) -> Path:
    from lstmtext.places import runs_folder

    return runs_folder() / name


def test_wrong_calls(capsys: Output, reviews: Path) -> None:
    assert "one for each" in call(capsys, "train", "sentiment", reviews, "--weight", "1", "--weight", "2", code=2)[1]
    for nonsense in ("nonsense", "a=negative\rb=positive", "a=negative,", ";", "a="):
        assert "LABEL=negative" in call(capsys, "train", "sentiment", reviews, "--label-map", nonsense, code=2)[1]
    assert "Nothing to train on" in call(capsys, "train", "sentiment", code=2)[1]
    assert "task" in call(capsys, "train", "lm", reviews, "--recipe", "sentiment", code=2)[1]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("pos=positive,neg=negative, pos =negative", "'pos' is given twice, as positive and as negative."),
        ("pos=positive,=negative", "there is no label before =negative. Write LABEL=negative."),
    ],
)
def test_a_label_is_mapped_to_one_class(capsys: Output, reviews: Path, written: str, said: str) -> None:
    assert said in call(capsys, "train", "sentiment", reviews, "--label-map", written, code=2)[1]
    assert said in call(capsys, "evaluate", "sentiment-tiny", reviews, "--label-map", written, code=2)[1]
    assert read_label_map("pos=positive,pos=positive,==negative") == {"pos": "positive", "=": "negative"}


def test_evaluating_the_suite(capsys: Output, reviews: Path) -> None:
    columns = ["--text-column", "body", "--label-column", "given"]
    call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "s")
    found = json.loads(call(capsys, "evaluate", "s", "negation", "--json")[0])
    assert found["quadruples"]["count"] >= 300
    assert found["baselines"]["bag of words"]["quadruples"]["all_four_right"] < 0.1
    assert {"long-gap", "double", "question"} <= found["phenomena"].keys()
    output, _ = call(capsys, "evaluate", "s", "negation", "--failures")
    assert "all four right" in output
    assert len(output.splitlines()) > 300


def test_how_stars_were_read_is_said(capsys: Output, reviews: Path) -> None:
    columns = ["--text-column", "body", "--label-column", "given"]
    read = "1 → negative (12), 2 → negative (12), 3 → neutral (12), 4 → positive (12), 5 → positive (12)"
    _, said = call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "mine")
    assert said.count(f"Labels of reviews: {read}.\n") == 1
    output, _ = call(capsys, "evaluate", "mine", reviews, *columns)
    assert output.startswith(f"Labels of {reviews}: {read}.\n")
    assert "\ntexts without a negation cue: " in output  # there is no line of texts with one
    assert "without one" not in output
    assert json.loads(call(capsys, "evaluate", "mine", reviews, *columns, "--json")[0])["labels"] == read
    for command in (("train", "sentiment"), ("evaluate", "mine")):
        given = [*command, reviews, *columns, "--label-map", "1=negative,2=skip,3=skip,4=neutral,5=positive"]
        output, said = call(capsys, *given, *(SMALL if command[0] == "train" else ["--failures"]))
        assert "Labels of" not in output + said


def test_labels_of_two_meanings_need_a_map(capsys: Output, reviews: Path, tmp_path: Path) -> None:
    columns = ["--text-column", "body", "--label-column", "given"]
    call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "mine")
    two = tmp_path / "two.csv"
    two.write_text("label,text\n" + "".join(f"{1 + n % 2},{'good' if n % 2 else 'not good'} {n}\n" for n in range(9)))
    way_out = "--label-map '1=negative,2=positive'"
    for command in (["train", "sentiment", two], ["evaluate", "mine", two]):
        assert way_out in call(capsys, *command, code=1)[1]
    found = json.loads(call(capsys, "evaluate", "mine", two, "--label-map", "1=negative,2=positive", "--json")[0])
    assert [sum(found["confusion"][name].values()) for name in ("negative", "positive")] == [5, 4]
    assert "LABEL=negative" in call(capsys, "evaluate", "mine", two, "--label-map", "nonsense", code=2)[1]
    output, _ = call(capsys, "evaluate", "mine", two, "--label-map", "1=negative,2=positive")
    assert "\nwith a negation cue: " in output
    assert "\nwithout one: " in output


@pytest.mark.parametrize(
    "written", ["1,5=negative;4,5=positive", '"1,5"=negative,"4,5"=positive', '"1,5=negative", "4,5=positive"']
)
def test_labels_that_hold_commas_can_be_mapped(capsys: Output, tmp_path: Path, written: str) -> None:
    rows = [f'"{"4,5" if n % 2 else "1,5"}";tea {n}' for n in range(40)]
    (tmp_path / "noten.csv").write_text("label;text\n" + "\n".join(rows) + "\n")
    assert "--label-map '1,5=…;4,5=…'" in call(capsys, "train", "sentiment", "noten.csv", *SMALL, code=1)[1]
    _, said = call(capsys, "train", "sentiment", "noten.csv", *SMALL, "--label-map", written)
    assert "40 texts" in said
    assert read_label_map("a=b=negative") == {"a=b": "negative"}


def test_a_table_through_a_pipe_is_told_to_come_as_a_file(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"1\tfine\ntext,label\n")
    _, said = call(capsys, "train", "sentiment", "-", *SMALL, code=1)
    assert "lstmtext: standard input, line 2: expected label<TAB>text, or a tree such as " in said
    assert said.endswith(" A table (.tsv, .csv, .jsonl) must be given as a file.\n")


def test_a_language_model_is_not_asked_for_labels(capsys: Output, reviews: Path) -> None:
    columns = ["--text-column", "body", "--label-column", "given"]
    call(capsys, "train", "sentiment", reviews, *columns, *SMALL, "--name", "clf")
    assert (
        "is a classifier; this needs a language model"
        in call(capsys, "generate", "--model", "clf", "--prompt", "a", code=2)[1]
    )
