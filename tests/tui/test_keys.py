"""The tables of actions: complete, without clashes, remapped only to what a terminal can send."""

from __future__ import annotations

from typing import Any

import pytest
from textual.binding import BindingsMap

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.keys import (
    FORBIDDEN,
    Action,
    _not_a_key,
    actions_of,
    all_actions,
    bindings_for,
    key_problems,
    keymap,
    places,
)
from lstmtext.tui.state import UiState
from tui.conftest import press


def keys_of(action: Action) -> list[str]:
    return [key.strip() for key in action.key.split(",") if key.strip()]


def test_every_place_has_a_table() -> None:
    assert places()[0] == "app"
    assert {"home", "train", "dashboard", "generate", "sentiment", "memory"} <= set(places())
    for place in places():
        for action in actions_of(place):
            assert action.place == place, f"{action.id} stands in actions/{place}.py"


def test_ids_are_unique() -> None:
    ids = [action.id for place in places() for action in actions_of(place)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("action", all_actions().values(), ids=lambda action: action.id)
def test_an_action_explains_itself(action: Action) -> None:
    assert action.label
    assert action.label[0].isupper()
    assert len(action.label) <= 20
    assert action.help.endswith((".", "?"))
    assert len(action.help) <= 120


@pytest.mark.parametrize("action", all_actions().values(), ids=lambda action: action.id)
def test_no_key_belongs_to_tmux_or_does_not_exist(action: Action) -> None:
    assert not set(keys_of(action)) & set(FORBIDDEN)
    assert not [_not_a_key(key) for key in keys_of(action) if _not_a_key(key)]


# One of them works at a time: the screen's `check_action` says which.
ALTERNATING = {"generate.continue", "lab.leave"}


@pytest.mark.parametrize("place", places())
def test_a_key_means_one_thing_in_a_place(place: str) -> None:
    keys = [key for action in actions_of(place) if action.id not in ALTERNATING for key in keys_of(action)]
    assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)


def test_bindings_come_from_the_table() -> None:
    bindings = {binding.id: binding for binding in bindings_for("home")}
    assert bindings["home.new"].key == "n"
    assert bindings["home.new"].action == "new"
    assert bindings["home.new"].tooltip == "Set up a training."
    changed = {binding.id: binding for binding in bindings_for("home", {"home.new": "ctrl+n"})}
    assert changed["home.new"].key == "ctrl+n"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"home.nwe": "x"}, "Did you mean 'home.new'?"),
        ({"zzzz": "x"}, "lstmtext tui --keys"),
        ({"home.new": ""}, "must be a key"),
        ({"home.new": 5}, "must be a key"),
        ({"home.new": "x,,y"}, "must be a key"),
        ({"home.new": "ctrl+b"}, "tmux"),
        ({"home.new": "x,ctrl+s"}, "terminals use it"),
        ({"home.new": "contrl+x"}, "no modifier"),
        ({"home.new": "pageupp"}, "Did you mean 'pageup'?"),
        ({"home.new": "page_up"}, "Did you mean 'pageup'?"),
        ({"home.new": "slash"}, "both on 'slash'"),
        ({"home.new": "/"}, "both on 'slash'"),
        ({"home.new": "1"}, "app.home"),
        ({"home.new": "x", "home.filter": "x"}, "both on 'x'"),
    ],
)
def test_wrong_remapping_is_a_sentence(overrides: dict[str, Any], said: str) -> None:
    assert said in " ".join(key_problems(overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        {"home.new": "ctrl+n"},
        {"home.new": "f6,N"},
        {"home.new": "slash", "home.filter": "n"},
        {"home.new": "h,ctrl+n,f8"},
        {"app.help": "h"},
        {"app.help": "§,dollar_sign,left_pointing_double_angle_quotation_mark"},
        {"generate.stop": "z", "generate.continue": "z"},
        {"generate.stop": "space"},
    ],
)
def test_right_remapping_is_taken(overrides: dict[str, str]) -> None:
    assert key_problems(overrides) == []


async def test_swapped_keys_do_each_others_work() -> None:
    state = UiState(values={"keys": {"home.new": "slash", "home.filter": "n"}})
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        await press(pilot, "n")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "filter"
        await press(pilot, "escape", "slash")
        assert pilot.app.current_mode == "train"


def test_an_action_that_shares_its_key_keeps_it_when_the_other_is_remapped() -> None:
    for id, other in (("generate.stop", "generate.continue"), ("generate.continue", "generate.stop")):
        bindings = BindingsMap(bindings_for("generate"))
        assert not bindings.apply_keymap(keymap({id: "z"})).clashed_bindings
        assert [binding.id for binding in bindings.key_to_bindings["z"]] == [id]
        assert [binding.id for binding in bindings.key_to_bindings["space"]] == [other]
