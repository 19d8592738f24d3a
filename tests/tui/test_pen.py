"""The pen: what `generate` writes, however often it is stopped, changed or branched on the way."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from engine.tiny import write_tiny

from lstmtext import api
from lstmtext.errors import LstmtextError
from lstmtext.tui.pen import Pen, branched
from lstmtext.tui.replies import Branch, Choice, Drawn, Reply, document, json_lines, plain
from lstmtext.tui.stream import Live, Models, Start, language_models, write

CHOICE = Choice(temperature=0.9, top_k=20, repetition_penalty=1.1)


def always() -> bool:
    return True


def written(pen: Pen, count: int, choice: Choice = CHOICE) -> list[Drawn]:
    assert pen.prepare(always)
    return [pen.next(choice) for _ in range(count)]


@pytest.mark.parametrize("tokenizer", ["char", "word", "whitespace", "wordpiece", "bpe", "byte"])
@pytest.mark.parametrize("prompt", ["ROMEO:\nTo be", "", "Où est le café?", "To be "])
def test_it_writes_what_generate_writes(tmp_path: Path, tokenizer: str, prompt: str) -> None:
    model = api.load(write_tiny(tmp_path / "m", tokenizer=tokenizer))
    expected = model.generate(prompt, seed=5, length=40, **dataclasses.asdict(CHOICE))
    tokens = written(Pen(model, prompt, 5), 40)
    assert [token.id for token in tokens] == [token.id for token in expected.tokens]
    assert [token.probability for token in tokens] == [token.probability for token in expected.tokens]
    assert [[(a.text, a.probability) for a in token.top] for token in tokens] == [
        list(map(tuple, token.top)) for token in expected.tokens
    ]
    assert expected.completion.startswith("".join(token.piece for token in tokens))
    assert tokenizer in ("char", "bpe", "byte") or "  " not in expected.text


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_choosing_the_same_token_changes_nothing(tmp_path: Path, cell: str) -> None:
    """A branch to what was drawn anyway is the text that was written anyway."""
    model = api.load(write_tiny(tmp_path / "m", cell=cell))
    tokens = written(Pen(model, "To be", 3), 30)
    for place in (0, 7, 29):
        same = next((other for other in tokens[place].top if other.id == tokens[place].id), None)
        if same is None:
            continue
        start = branched(tokens, place, same)
        pen = Pen(model, "To be", 3, start)
        again = pen.taken + written(pen, 29 - place)
        assert [token.id for token in again] == [token.id for token in tokens]
        assert "".join(t.piece for t in again) == "".join(t.piece for t in tokens)


def test_a_branch_keeps_what_was_before_it_and_marks_what_was_chosen(tmp_path: Path) -> None:
    model = api.load(write_tiny(tmp_path / "m", tokenizer="byte"))
    tokens = written(Pen(model, "To be", 3), 12)
    other = next(other for other in tokens[6].top if other.id != tokens[6].id)
    start = branched(tokens, 6, other)
    assert start[:6] == tokens[:6]
    assert (start[6].id, start[6].probability, start[6].chosen) == (other.id, other.probability, True)
    assert start[6].top == tokens[6].top
    assert start[6].rank == tokens[6].top.index(other) + 1


def test_settings_change_from_one_token_to_the_next(tmp_path: Path) -> None:
    model = api.load(write_tiny(tmp_path / "m"))
    pen = Pen(model, "To be", 3)
    cold = Choice(temperature=0.0)
    tokens = written(pen, 5) + [pen.next(cold) for _ in range(5)]
    assert all(token.rank == 1 for token in tokens[5:])
    reply = Reply(1, "m", "To be", 3, 10, CHOICE, tokens=tokens)
    assert reply.changes() == [(0, CHOICE), (5, cold)]


def test_what_the_filters_cut_is_said(tmp_path: Path) -> None:
    model = api.load(write_tiny(tmp_path / "m"))
    (token,) = written(Pen(model, "To be", 3), 1, Choice(top_k=2))
    assert [other.kept for other in token.top] == [True, True, False, False, False]


def stream(reply: Reply, limit: int, models: Models, start: Start | None = None) -> tuple[str, str]:
    ended = write(reply, models.load, lambda: Live(CHOICE, limit), always, start)
    reply.take()
    return ended


def test_stopped_and_continued_is_the_same_text(tmp_path: Path) -> None:
    folder = str(write_tiny(tmp_path / "m", tokenizer="byte"))
    whole = api.load(folder).generate("To be", seed=9, length=60, **dataclasses.asdict(CHOICE))
    models, reply = Models(), Reply(1, folder, "To be", 9, 60, CHOICE)
    for limit in (1, 2, 30, 31, 60):
        assert stream(reply, limit, models) == ("length", "")
        assert len(reply.tokens) == limit
    assert whole.completion.startswith(reply.completion)
    assert len(whole.completion) - len(reply.completion) <= 1  # half a character at the end


def test_it_stops_when_it_is_not_wanted_and_reads_on_later(tmp_path: Path) -> None:
    folder = str(write_tiny(tmp_path / "m"))
    reply, models = Reply(1, folder, "To be " * 400, 9, 60, CHOICE), Models()
    answers = iter([True, True, False])
    ended = write(reply, models.load, lambda: Live(CHOICE, 5), lambda: next(answers))
    assert ended == ("interrupt", "")
    assert not reply.take()
    assert stream(reply, 5, models) == ("length", "")
    whole = api.load(folder).generate("To be " * 400, seed=9, length=5, **dataclasses.asdict(CHOICE))
    assert reply.completion == whole.completion


def test_a_branch_of_a_reply_and_its_document(tmp_path: Path) -> None:
    folder = str(write_tiny(tmp_path / "m"))
    models, reply = Models(), Reply(1, folder, "To be~", 9, 20, CHOICE)
    stream(reply, 20, models)
    assert reply.unknown == ("~",)
    other = next(other for other in reply.tokens[8].top if other.id != reply.tokens[8].id)
    branch = Reply(2, folder, "To be~", 9, 20, CHOICE, branch=Branch(1, 8, other.text))
    assert stream(branch, 20, models, Start(reply.tokens, 8, other)) == ("length", "")
    assert branch.tokens[:8] == reply.tokens[:8]
    assert len(branch.tokens) == 20
    found = json.loads(json_lines([reply, branch]).splitlines()[1])
    assert found == json.loads(json.dumps(document(branch)))
    assert found["chosen"] == [8]
    assert found["branch"] == {"reply": 1, "token": 8, "text": other.text}
    assert found["settings"] == {"length": 20, **dataclasses.asdict(CHOICE), "stop": []}
    assert plain(branch) == branch.text.removesuffix("\n") + "\n"


def test_the_document_has_all_that_the_command_line_gives(tmp_path: Path) -> None:
    model = api.load(write_tiny(tmp_path / "m"))
    generation = model.generate("To be", seed=1, length=3)
    made = document(Reply(1, "m", "To be", 1, 3, Choice()))
    assert set(generation.__struct_fields__) <= set(made)
    assert set(generation.settings) == set(made["settings"])


def test_problems_are_sentences() -> None:
    models = Models()
    ended, problem = stream(Reply(1, "hamlet", "x", 0, 5, CHOICE), 5, models)
    assert ended == "error"
    assert "There is no model 'hamlet'" in problem

    def broken(name: str) -> api.LanguageModel:
        raise ValueError(name)

    ended, problem = write(Reply(1, "m", "x", 0, 5, CHOICE), broken, lambda: Live(CHOICE, 5), always)
    assert (ended, "ValueError" in problem) == ("error", True)


def test_models_are_read_once_and_again_when_they_change(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "m")
    models = Models()
    first = models.load(str(folder))
    assert models.load(str(folder)) is first
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"step": 3', '"step": 4'))
    assert models.load(str(folder)).config.step == 4
    with pytest.raises(LstmtextError):
        models.load("nothing")


def test_the_shipped_model_is_found() -> None:
    assert any(name == "shakespeare" and "lstm 2×640, char" in about for name, about in language_models())
