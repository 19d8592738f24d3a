"""What is remembered: only what is declared, whole or not at all, beside what others wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from lstmtext.errors import SettingsError
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.keys import places
from lstmtext.tui.state import Setting, UiState, declared, state_file
from tui.conftest import press, screen_text, wait_until


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "ui.toml"


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_the_environment_says_where(file: Path) -> None:
    assert state_file() == file


def test_without_a_file_everything_has_its_default() -> None:
    state = UiState.load()
    assert state.get("app", "theme") == "lstmtext-dark"
    assert state.get("home", "filter") == ""
    assert state.get("home", "filter", "x") == "x"
    assert not state.save()


def test_what_was_set_comes_back(file: Path) -> None:
    state = UiState.load()
    state.set("home", "filter", "grün [x] \n'\"")
    assert state.save()
    assert not state.save()
    assert UiState.load().get("home", "filter") == "grün [x] \n'\""
    assert [path.name for path in file.parent.iterdir()] == ["ui.toml"]


def test_every_default_can_be_written_and_read_again(file: Path) -> None:
    """What the places declare is TOML, fits itself, and goes round."""
    content = {place: {name: setting.default for name, setting in declared(place).items()} for place in places()}
    write(file, tomli_w.dumps({place: table for place, table in content.items() if table}))
    state = UiState.load()
    for place, table in content.items():
        for name, default in table.items():
            assert declared(place)[name].problem(default) == ""
            assert declared(place)[name].help.strip()
            assert state.get(place, name) == default


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[hom]\nfilter = 'x'", "Did you mean 'home'?"),
        ("[home]\nfiltre = 'x'", "Did you mean 'filter'?"),
        ("[home]\nfilter = 5", "must be a text, not 5"),
        ("[app]\nanimations = 1", "must be true or false"),
        ("[dashboard]\nlogs = [[1]]", "must be a list of texts"),
        ("[generate]\ntemperature_a = nan", "must be a number, not nan"),
        ("home = 3", "must be a section [home]"),
        ("[keys]\n'home.nwe' = 'x'", "Did you mean 'home.new'?"),
        ("[home\n", "is not TOML"),
    ],
)
def test_what_does_not_fit_is_said_and_has_its_default(file: Path, text: str, said: str) -> None:
    state = UiState.load(write(file, text))
    [problem] = state.problems
    assert said in problem
    assert str(file) in problem
    assert state.get("home", "filter") == ""
    assert not state.get("app", "animations")
    assert state.keys == {}


def test_all_problems_are_said_at_once_and_what_fits_is_taken(file: Path) -> None:
    write(file, "[hom]\nx = 1\n[home]\nfiltre = 1\nfilter = 2\n[app]\nanimations = true\n[keys]\n'home.new' = 'N'\n")
    state = UiState.load()
    assert len(state.problems) == 3
    assert state.get("app", "animations")
    assert state.keys == {"home.new": "N"}


def test_a_file_that_cannot_be_read_is_said(file: Path) -> None:
    write(file, "")
    file.write_bytes(b"[home]\nfilter = '\xff'\n")
    assert "not UTF-8" in UiState.load().problems[0]
    file.unlink()
    file.mkdir()
    assert "cannot be read" in UiState.load().problems[0]


@pytest.mark.parametrize("mistake", ["[train", "[home]\nfiltre = 'x'", "'x' = \xff"])
def test_a_file_with_a_mistake_stays_as_it_is_until_that_is_mended(file: Path, mistake: str) -> None:
    write(file, "[generate]\nseed_a = 7\n")
    state = UiState.load()
    state.set("app", "theme", "lstmtext-light")
    edited = f"[keys]\n'home.new' = 'N'\n{mistake}".encode("latin-1")
    file.write_bytes(edited)
    for _ in range(2):
        with pytest.raises(SettingsError):
            state.save()
        assert file.read_bytes() == edited
    write(file, "[keys]\n'home.new' = 'N'\n")
    assert state.save()
    found = UiState.load()
    assert (found.get("app", "theme"), found.keys) == ("lstmtext-light", {"home.new": "N"})


async def test_the_app_says_what_is_wrong_with_the_file_and_starts(file: Path) -> None:
    edited = "[generate]\nseed_a = 7\n[train"
    write(file, edited)
    app = LstmtextApp(state=UiState.load())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await wait_until(pilot, lambda: "is not TOML" in " ".join(screen_text(app).split()))
        await press(pilot, "f9")
        app.save_state()
    assert file.read_text() == edited


async def test_the_app_says_it_when_the_file_is_broken_meanwhile(file: Path) -> None:
    app = LstmtextApp(state=UiState.load(write(file, "[generate]\nseed_a = 7\n")))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        file.write_text("[generate]\nseed_a = 7\n[train")
        await press(pilot, "f9")
        app.save_state()
        app.save_state()
        await wait_until(pilot, lambda: "is not saved" in " ".join(screen_text(app).split()))
        assert screen_text(app).count("is not TOML") == 1
    assert file.read_text() == "[generate]\nseed_a = 7\n[train"


def test_undeclared_and_unfitting_values_are_errors_of_ours() -> None:
    state = UiState()
    with pytest.raises(KeyError, match="not declared"):
        state.get("home", "no_such")
    with pytest.raises(KeyError, match="not declared"):
        state.set("nowhere", "filter", "x")
    with pytest.raises(ValueError, match="must be a text"):
        state.set("home", "filter", 5)


def test_a_name_that_is_no_text_is_remembered_until_the_end_and_keeps_nothing_from_being_saved() -> None:
    state = UiState.load()
    state.set("generate", "model_a", "tide")
    state.set("generate", "prompts", ["tide"])
    assert state.save()
    state.set("generate", "model_a", "caf\udce9")
    state.set("generate", "prompts", ["caf\udce9"])
    state.set("home", "filter", "x")
    assert state.save()
    assert state.get("generate", "model_a") == "caf\udce9"
    found = UiState.load()
    assert not found.problems
    assert (found.get("generate", "model_a"), found.get("home", "filter")) == ("tide", "x")
    assert found.get("generate", "prompts") == ["tide"]
    assert not state.save()


def test_another_window_keeps_what_it_wrote() -> None:
    one, other = UiState.load(), UiState.load()
    one.set("home", "filter", "one")
    other.set("app", "theme", "lstmtext-light")
    one.save()
    other.save()
    found = UiState.load()
    assert (found.get("home", "filter"), found.get("app", "theme")) == ("one", "lstmtext-light")


def test_a_failed_save_is_tried_again(file: Path) -> None:
    state = UiState.load()
    state.set("home", "filter", "x")
    file.parent.write_text("a file where the folder should be")
    with pytest.raises(OSError, match=r"exists|directory"):
        state.save()
    file.parent.unlink()
    assert state.save()
    assert UiState.load().get("home", "filter") == "x"


def test_settings_know_what_fits() -> None:
    number = Setting("smoothing", 0.9, "…")
    assert number.problem(1) == ""
    assert number.problem(0.5) == ""
    assert number.problem(True)
    assert number.problem("1")
    assert Setting("cells", 3, "…").problem(3.5)
    choice = Setting("x", "step", "…", choices=("step", "time"))
    assert choice.problem("time") == ""
    assert "one of step, time" in choice.problem("tokens")


async def test_the_app_saves_on_the_way_out() -> None:
    async with LstmtextApp(state=UiState.load()).run_test(size=(80, 24)) as pilot:
        await press(pilot, "f9", "slash", "h", "a")
    assert UiState.load().get("app", "theme") == "lstmtext-light"
    async with LstmtextApp(state=UiState.load()).run_test(size=(80, 24)) as pilot:
        assert pilot.app.screen.query_one("#filter").display
        assert pilot.app.screen.query_one("#filter").value == "ha"
