"""The rows of Home as text: every state in word and glyph, widths, units, what to do next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from lstmtext.tui.inventory import ModelRow, RunRow, TextRow
from lstmtext.tui.rows import STATES, age, model_line, progress, run_facts, run_header, run_line, state_glyph, text_line

NOW = 1_700_000_000.0
RUN = RunRow(
    name="hamlet",
    folder="runs/hamlet",
    state="running",
    step=420,
    total_steps=1000,
    heartbeat=NOW - 1,
    best=1.5,
    best_step=400,
    characters_per_token=1.0,
    task="language-model",
)


def line(pieces: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in pieces)


def test_golden_lines() -> None:
    assert run_header(76) == "Run                    State       Steps                    Best   Last sign"
    assert line(run_line(RUN, NOW, 76)) == (
        "● hamlet               running     ━━━────  42%  2.164 bits/char         now"
    )
    assert line(run_line(RUN, NOW, 76, ascii=True)) == (
        "* hamlet               running     ###----  42%  2.164 bits/char         now"
    )
    text = TextRow("harbour", "Short prose", "shipped", 79_600, "CC0")
    assert line(text_line(text, 40)) == "✓ harbour           shipped      79.6 kB"
    assert line(text_line(text, 34)) == "✓ harbour         shipped  79.6 kB"
    model = ModelRow("shakespeare", "shipped", "writes", "lstm 2×640, char", "tinyshakespeare")
    assert line(model_line(model, 44)) == "shakespeare         writes lstm 2×640, char "
    assert line(model_line(model, 34)) == "shakespeare      writes lstm 2×640"


@pytest.mark.parametrize("width", [89, 129])
def test_a_long_name_has_the_room_that_there_is(width: int) -> None:
    row = replace(RUN, name="a-name-of-32-cells-by-日本-in-it" if width < 100 else "a-name-" * 8)
    longest = cell_len(row.name)
    for one in (row, RUN):
        text = line(run_line(one, NOW, width, longest=longest))
        assert f"{one.name} " in text
        assert cell_len(text.partition("running")[0]) == len(run_header(width, longest).partition("State")[0])
        assert cell_len(text) == len(run_header(width, longest)) <= width
    model = ModelRow("a-model-by-settings-0.003", "run", "judges", "lstm 2×512, wordpiece")
    for name, room in ((model.name, 62), (model.name * 2, 90)):
        text = line(model_line(replace(model, name=name), room, longest=cell_len(name)))
        assert f"{name}  judges lstm 2×512, wordpiece" in text
        assert len(text) == room


def test_a_long_name_takes_no_room_from_what_a_model_is() -> None:
    model = ModelRow("a-name-" * 20, "run", "judges", "lstm 2×512, wordpiece")
    assert line(model_line(model, 62, longest=140)).endswith("…  judges lstm 2×512, wordpiece")
    assert line(model_line(model, 44, longest=140)).split("…  ")[1] == line(model_line(model, 44)).split("…  ")[1]


@pytest.mark.parametrize("width", [17, 24, 32])
def test_beside_the_models_of_a_narrow_screen_a_text_has_its_mark_and_its_whole_name(width: int) -> None:
    text = line(text_line(TextRow("tinyshakespeare", "", "not downloaded", 1_115_394, ""), width))
    assert text.split() == ["↓", "tinyshakespeare"]
    assert len(text) == width


@pytest.mark.parametrize(("width", "state"), [(34, "to get"), (37, "to get"), (38, "to download"), (50, "to download")])
def test_at_80_columns_the_longest_name_of_a_text_is_whole(width: int, state: str) -> None:
    text = line(text_line(TextRow("tinyshakespeare", "", "not downloaded", 1_115_394, ""), width))
    assert text.split() == ["↓", "tinyshakespeare", *state.split(), "1.1", "MB"]
    assert len(text) == width


def test_a_shipped_text_that_is_missing_is_not_to_be_downloaded() -> None:
    assert "missing" in line(text_line(TextRow("harbour", "", "missing", None, ""), 50))


@pytest.mark.parametrize("width", [40, 54, 58, 76, 90, 200])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("ascii", [False, True])
def test_run_lines_fill_their_width(width: int, state: str, ascii: bool) -> None:
    row = RunRow(name="a-rather-long-name-" * 3, folder="x", state=state, step=10**7, total_steps=10**8, heartbeat=1.0)
    text = line(run_line(row, NOW, width, ascii))
    assert state in text
    assert state_glyph(state, ascii) == text[0]
    assert len(text) <= max(width, 52)
    assert len(text) == len(line(run_line(RUN, NOW, width, ascii)))
    wide = line(run_line(replace(row, name="航海日誌 🚢 " * 9), NOW, width))
    assert cell_len(wide) == len(text)
    assert not ascii or text.isascii()


def test_every_state_has_a_glyph_of_its_own() -> None:
    assert len({glyph for glyph, _, _ in STATES.values()}) == len(STATES)
    assert len({plain for _, plain, _ in STATES.values()}) == len(STATES)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "now"),
        (0, "now"),
        (5, "5 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (7200, "2 h ago"),
        (9e5, "10 d ago"),
    ],
)
def test_ages(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_progress_never_overflows() -> None:
    for width in (5, 12, 24):
        for step, total in ((0, 10), (5, 10), (10, 10), (15, 10), (3, 0)):
            assert len(progress(step, total, width)) == width


def test_steps_of_a_run_of_unknown_length_are_said_also_where_there_is_little_room() -> None:
    assert [progress(420, 0, width).strip() for width in (12, 5)] == ["step 420", "420"]
    assert [progress(step, 0, 5).strip() for step in (99_999, 123_456, 999_999, 123_400_000)] == [
        "99999",
        "123k",
        "1M",
        "123M",
    ]
    assert " 420 " in line(run_line(replace(RUN, total_steps=0), NOW, 56))


def test_scores_have_units() -> None:
    assert RUN.score == "2.164 bits/char"
    assert RunRow(name="s", folder="", state="running", best=0.51234, task="sentiment").score == "0.5123 nats"
    assert RunRow(name="s", folder="", state="running").score == ""
    assert replace(RUN, unknown_share=0.02).score == RUN.score
    assert replace(RUN, unknown_share=0.021).score == "1.5000 nats"


def test_the_best_loss_is_said_in_its_own_units() -> None:
    for row, said in (
        (RUN, "2.164 bits/char, 1.5000 nats/token at step 400"),
        (replace(RUN, unknown_share=0.3), "1.5000 nats/token, perplexity 4.5 at step 400"),
        (replace(RUN, task="sentiment"), "1.5000 nats/text at step 400"),
        (replace(RUN, best_step=None), "2.164 bits/char, 1.5000 nats/token"),
    ):
        assert dict(run_facts(row, NOW))["best"] == said


def test_facts_say_what_to_do() -> None:
    for state in STATES:
        facts = dict(run_facts(RunRow(name="hamlet", folder="runs/hamlet", state=state), NOW))
        assert facts["next"]
        assert ("It may be swapping" in facts["next"]) == (state == "stalled")
    spaced = RunRow(name="my run", folder="runs/my run", state="crashed")
    assert dict(run_facts(spaced, NOW))["next"].endswith("lstmtext train lm --resume 'my run'")


@pytest.mark.parametrize(("task", "word"), [("language-model", "lm"), ("sentiment", "sentiment")])
def test_the_command_that_goes_on_is_of_the_run_s_kind(tmp_path: Path, task: str, word: str) -> None:
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'task = "{task}"\n')
    for state in ("crashed", "stopped"):
        row = RunRow(name="mine", folder=str(folder), state=state, task=task)
        assert f"lstmtext train {word} --resume mine" in dict(run_facts(row, NOW))["next"]
