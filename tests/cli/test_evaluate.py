"""`lstmtext evaluate`: the figures, their names, what is recorded, what is refused."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from lstmtext.api import load
from lstmtext.cli.main import run as lstmtext
from lstmtext.config import TextSettings
from lstmtext.store.checkpoint import read_config
from lstmtext.text.corpus import Corpus
from lstmtext.text.preparation import prepare
from lstmtext.units import bits_from_nats, perplexity_from_nats

write_tiny = runpy.run_path(str(Path(__file__).parents[1] / "engine" / "tiny.py"))["write_tiny"]
Output = pytest.CaptureFixture[str]
# Made of words and marks that the tiny tokenizers know.
TEXT = """To be, or not to be: that is the question.
Whether 'tis nobler in the mind to suffer
The slings and arrows of outrageous fortune, or not.
Où est le café?
"""
FIELDS = ["model", "data", "protocol", "tokens", "characters", "loss_nats_per_token", "loss_nats_per_character"]
FIELDS += ["bits_per_character", "perplexity", "unknown_share"]
VALIDATED: tuple[list[str], ...] = ([], ["--validation", "0.1"], ["--validation", "0.05"], ["--validation", "0.5"])
KINDS = ("char", "word", "whitespace", "wordpiece", "bpe", "byte")


@pytest.fixture(autouse=True)
def text(tmp_path: Path) -> Path:
    """A model of every kind, and a text, in the current folder."""
    for kind in KINDS:
        write_tiny(tmp_path / kind, tokenizer=kind, scale=0.3)
    (tmp_path / "text.txt").write_text(TEXT)
    return tmp_path / "text.txt"


def evaluate(capsys: Output, *arguments: str, code: int = 0) -> tuple[str, str]:
    found = lstmtext(["evaluate", *arguments, "--device", "cpu"])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert "should not have happened" not in output.err
    assert found == code, output.err
    return output.out, output.err


def document(capsys: Output, *arguments: str) -> dict[str, Any]:
    output, _ = evaluate(capsys, *arguments, "--json")
    found: dict[str, Any] = json.loads(output)
    assert [field for field in FIELDS if field not in found] == []
    assert found["bits_per_character"] == pytest.approx(bits_from_nats(found["loss_nats_per_character"]))
    assert found["perplexity"] == pytest.approx(perplexity_from_nats(found["loss_nats_per_token"]))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_is_the_engine_s_loss(capsys: Output, kind: str) -> None:
    found = document(capsys, kind, "text.txt")
    model = load(kind)
    ids = model.tokenizer.encode(TEXT)
    assert found["model"] == kind
    assert found["data"] == "text"
    assert found["protocol"] == "stateful"
    assert found["tokens"] == len(ids) - 1
    assert found["loss_nats_per_token"] == pytest.approx(model.loss(TEXT), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_per_character_figures_can_be_compared(capsys: Output, tmp_path: Path, kind: str) -> None:
    """By the characters of the text as it stands, as in training: not by what a tokenizer makes of them."""
    first = "Où  est la naïveté 🙂? Unheardof words\n" * 4
    last = "To be 🙂 unheardof".ljust(len(first.encode()) - 4, "!") + "\n"  # as many bytes: the border is between them
    (tmp_path / "strange.txt").write_text(first + last)
    settings = TextSettings(corpus=["strange.txt"], tokenizer=kind, validation=0.5)  # type: ignore[arg-type]
    facts = prepare(settings, load(kind).tokenizer).facts
    for part, text in (("all", first + last), ("train", first), ("validation", last)):
        border = ["--validation", "0.5"] if part != "all" else []
        found = document(capsys, kind, "strange.txt", "--part", part, *border)
        per_token = len(text) / (found["tokens"] + 1)
        assert found["characters"] == round(found["tokens"] * per_token)
        assert found["loss_nats_per_character"] == pytest.approx(found["loss_nats_per_token"] / per_token)
    assert facts.characters_per_token == per_token


@pytest.mark.parametrize(("kind", "unit"), [("char", "characters"), ("word", "words"), ("wordpiece", "word parts")])
def test_the_share_of_unknown_tokens_is_said(capsys: Output, tmp_path: Path, kind: str, unit: str) -> None:
    text = "be % be % be 日 be % be % be\n"
    (tmp_path / "strange.txt").write_text(text)
    ids = load(kind).tokenizer.encode(text)[1:]
    share = document(capsys, kind, "strange.txt")["unknown_share"]
    assert share == (ids == 0).mean() > 0.1
    output, _ = evaluate(capsys, kind, "strange.txt")
    assert f"\n{100 * share:.1f} % of the text's {unit} are unknown to the model: " in output


@pytest.mark.parametrize("kind", ["char", "byte"])
def test_a_text_without_unknown_tokens(capsys: Output, kind: str) -> None:
    assert document(capsys, kind, "text.txt")["unknown_share"] == 0
    assert "unknown" not in evaluate(capsys, kind, "text.txt")[0]


def test_hardly_any_unknown_token(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "rare.txt").write_text("be " * 500 + "☃")
    assert "\nLess than 0.1 % of the text's characters are" in evaluate(capsys, "char", "rare.txt")[0]


def test_windowed(capsys: Output) -> None:
    options = ["char", "text.txt", "--protocol", "windowed", "--window", "20", "--windows", "50"]
    found = document(capsys, *options)
    assert found["protocol"] == "windowed"
    assert found["tokens"] == found["characters"] == 1000
    assert document(capsys, *options)["loss_nats_per_token"] == found["loss_nats_per_token"]
    other = document(capsys, *options, "--seed", "1")["loss_nats_per_token"]
    assert other != found["loss_nats_per_token"]
    assert other == pytest.approx(found["loss_nats_per_token"], rel=0.1)


def test_dynamic_learns_while_reading(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "same.txt").write_text("to be or not to be, " * 100)
    before = (tmp_path / "char" / "model.safetensors").read_bytes()
    still = document(capsys, "char", "same.txt")
    found = document(capsys, "char", "same.txt", "--dynamic", "--dynamic-rate", "0.01")
    assert found["protocol"] == "dynamic"
    assert found["tokens"] == still["tokens"]
    assert found["loss_nats_per_token"] < 0.8 * still["loss_nats_per_token"]
    seldom = document(capsys, "char", "same.txt", "--dynamic", "--dynamic-rate", "0.01", "--dynamic-segment", "500")
    assert found["loss_nats_per_token"] < seldom["loss_nats_per_token"] < still["loss_nats_per_token"]
    none = document(capsys, "char", "same.txt", "--dynamic", "--dynamic-rate", "0")
    assert none["loss_nats_per_token"] == pytest.approx(still["loss_nats_per_token"], rel=1e-5)
    assert (tmp_path / "char" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("kind", ["char", "word"])
def test_parts_are_the_split_of_training(capsys: Output, kind: str) -> None:
    parts = {part: document(capsys, kind, "text.txt", "--part", part) for part in ("all", "train", "validation")}
    assert parts["train"]["data"] == "text, first 90%"
    assert parts["validation"]["data"] == "text, last 10%"
    assert parts["train"]["tokens"] + parts["validation"]["tokens"] == parts["all"]["tokens"] - 1
    small = document(capsys, kind, "text.txt", "--part", "train", "--validation", "0.125")
    assert small["data"] == "text, first 87.5%"
    # Nine tenths of the bytes end inside the ù: a character is not cut in two, and of a word no line is.
    held_out = TEXT[TEXT.index("ù" if kind == "char" else "Où") :]
    model = load(kind)
    assert parts["validation"]["tokens"] == len(model.tokenizer.encode(held_out)) - 1
    assert document(capsys, kind, "text.txt", "--part", "validation", "--validation", "0.5")["tokens"] > 10


def test_a_corpus_with_a_validation_part_of_its_own_is_split_as_in_training(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first file is trained on as a whole; a fraction that is asked for divides that file."""
    (tmp_path / "held.txt").write_text(TEXT[:90])
    opened = Corpus("own", (tmp_path / "text.txt",), validation_file=tmp_path / "held.txt")
    found = {"own": opened, str(tmp_path / "held.txt"): Corpus("held", (tmp_path / "held.txt",))}
    monkeypatch.setattr("lstmtext.text.corpus.open_corpus", lambda names, **_: found[names[0]])
    for part, fraction, name, characters in (
        ("train", [], "own, train part", len(TEXT)),
        ("validation", [], "own, validation part", 90),
        ("train", ["--validation", "0.5"], "own, first 50%", len(TEXT) // 2),
        ("validation", ["--validation", "0.5"], "own, last 50%", len(TEXT) // 2),
    ):
        said = document(capsys, "char", "own", "--part", part, *fraction)
        assert (said["data"], said["tokens"]) == (name, pytest.approx(characters - 1, abs=1))


def test_a_hopeless_model_is_json_too(capsys: Output) -> None:
    output, _ = evaluate(capsys, "char", "text.txt", "--dynamic", "--dynamic-rate", "1e30", "--json")
    assert json.loads(output, parse_constant=pytest.fail)["perplexity"] is None


def test_several_files_are_one_text(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(TEXT[:60])
    (tmp_path / "two.txt").write_text(TEXT[60:])
    found = document(capsys, "char", "one.txt", "two.txt")
    whole = document(capsys, "char", "text.txt")
    assert found["data"] == "one+two"
    assert found["tokens"] == whole["tokens"] + 1  # the line end between two files


def test_for_people(capsys: Output) -> None:
    output, _ = evaluate(capsys, "bpe", "text.txt")
    assert "nats per BPE token, perplexity" in output
    assert "bits per character" in output
    assert "stateful: the whole text in order, state carried, float32" in output


def test_unknown_characters_are_named(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "strange.txt").write_text("To ☃ be 本 ☃.")
    output, said = evaluate(capsys, "char", "strange.txt", "--json")
    assert "does not know '☃'" in said
    assert json.loads(output)["tokens"] == 11


def test_record(capsys: Output, tmp_path: Path) -> None:
    folder = tmp_path / "char"
    found = document(capsys, "char", "text.txt", "--record")
    document(capsys, "char", "text.txt", "--record", "--protocol", "windowed", "--window", "20", "--windows", "10")
    metrics = read_config(folder).metrics
    assert list(metrics) == ["stateful", "windowed"]
    assert metrics["stateful"].value == found["loss_nats_per_token"]
    assert metrics["stateful"].unit == "nats per character"
    assert metrics["stateful"].data == "text"
    assert metrics["stateful"].command.startswith("lstmtext ")
    assert "10 random windows of 20 tokens from zero state (seed 0), float32" in metrics["windowed"].protocol
    card = (folder / "README.md").read_text()
    assert f"| stateful | {found['loss_nats_per_token']:.4f} nats per character" in card
    assert "| windowed |" in card
    assert document(capsys, "char", "text.txt")["loss_nats_per_token"] == found["loss_nats_per_token"]


def test_the_card_counts_the_characters_of_the_text_that_was_scored(capsys: Output, tmp_path: Path) -> None:
    bits = document(capsys, "word", "text.txt", "--record")["bits_per_character"]
    assert f"{bits:.3f} bits per character" in (tmp_path / "word" / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["chra", "text.txt"], 2, "no model 'chra'"),
        (["char", "text.tx"], 2, "Did you mean"),
        (["char"], 2, "DATA"),
        (["char", "text.txt", "--protocol", "windowed", "--dynamic"], 2, "no windowed form"),
        (["char", "text.txt", "--dynamic-rate", "0.1"], 2, "belong to --dynamic"),
        (["char", "text.txt", "--dynamic-segment", "0"], 2, "--dynamic-segment"),
        (["char", "text.txt", "--window", "0"], 2, "--window"),
        (["char", "text.txt", "--validation", "1.5"], 2, "--validation"),
        (["char", "short.txt"], 1, "1 token; at least 2 are needed"),
        (["char", "text.txt", "--protocol", "windowed"], 1, "at least 257"),
        (["char", "short.txt", "--part", "train"], 1, "0 tokens"),
        (["char", "empty.txt"], 1, "is empty"),
        (["char", "latin.txt"], 1, "latin.txt is not valid UTF-8"),
        (["broken", "text.txt"], 1, "config.json is damaged"),
    ],
)
def test_errors(capsys: Output, tmp_path: Path, arguments: list[str], code: int, expected: str) -> None:
    (tmp_path / "short.txt").write_text("T")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes("café au lait".encode("latin-1"))
    (write_tiny(tmp_path / "broken") / "config.json").write_text("{")
    output, said = evaluate(capsys, *arguments, code=code)
    assert output == ""
    assert expected in said


def test_of_a_text_that_the_model_has_learned_from_it_is_said(capsys: Output) -> None:
    Path("rows.tsv").write_text("label\ttext\n" + "".join(f"{n % 2}\ttea {n} is fine\n" for n in range(60)))
    Path("other.tsv").write_text("label\ttext\n0\ttea\n1\tfine\n")
    small = ["--layers", "1", "--hidden", "8", "--embedding", "6", "--steps", "2", "--device", "cpu"]
    small += ["--set", "sample_length=0"]
    Path("more.tsv").write_text("label\ttext\n" + "".join(f"{n % 2}\tcoffee {n} is fine\n" for n in range(60)))
    assert lstmtext(["train", "sentiment", "rows.tsv", *small, "--name", "judge"]) == 0
    assert lstmtext(["train", "sentiment", "more.tsv", "rows.tsv", *small, "--name", "both"]) == 0
    assert lstmtext(["train", "lm", "text.txt", *small, "--name", "writer"]) == 0
    capsys.readouterr()
    for model, own, other in (
        ("judge", "rows.tsv", ["more.tsv"]),
        ("both", "rows.tsv", ["other.tsv"]),
        ("writer", "text.txt", ["text.txt", "rows.tsv"]),
    ):
        note = f"note: {model} has learned from {own.removesuffix('.txt')}, all but what was held out of it"
        assert note in evaluate(capsys, model, own)[1]
        assert "has learned from" not in evaluate(capsys, model, *other)[1]
    parts = [evaluate(capsys, "writer", "text.txt", "--part", "validation", *part)[1] for part in VALIDATED]
    assert ["note: writer has learned from text, last " in said for said in parts] == [False, False, False, True]
    for model, own, score in (("judge", "rows.tsv", "rows: accuracy"), ("writer", "text.txt", "stateful")):
        folder = next((Path("runs") / model / "checkpoints").iterdir())
        evaluate(capsys, model, own, "--record")
        protocol = read_config(folder).metrics[score].protocol
        assert protocol.endswith("; on text that it has learned from")
        assert f" {protocol} |" in (folder / "README.md").read_text()
    evaluate(capsys, "writer", "text.txt", "--part", "validation", "--record")
    assert "learned" not in read_config(folder).metrics["stateful"].protocol


def test_a_text_of_which_nothing_is_known_has_no_loss(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "strange.txt").write_text("☃§☃")
    before = (tmp_path / "char" / "config.json").read_bytes()
    output, said = evaluate(capsys, "char", "strange.txt", "--record", code=1)
    assert output == ""
    assert "char knows no character of strange, so that its loss there says nothing." in said
    assert (tmp_path / "char" / "config.json").read_bytes() == before
