"""Names, texts and paths with square brackets are shown as they are: nowhere are they markup.

Textual reads a plain `str` as markup: `[red]` vanishes, `[/b]` ends the UI. So titles are given as `Content`, and texts
and toasts say `markup=False`, unless they are written out in the source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pytest
from engine.tiny import write_tiny

import lstmtext.tui
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.screens.confirm import ConfirmScreen, LineScreen
from lstmtext.tui.screens.memory import MemoryScreen
from lstmtext.tui.state import UiState
from tui.conftest import press, screen_text, wait_until
from tui.generating import Opened, state, written

FOLDER = Path(lstmtext.tui.__file__).parent
TITLES = ("border_title", "border_subtitle")
SHOWN = ("Static", "Label", "notify")  # what has `markup=` in Textual
LINKS = "tabs"  # of Memory: the one text that is markup


def is_fixed(value: ast.expr, listed: Set[str] = frozenset()) -> bool:
    """Whether all of it stands in the source, without a bracket."""
    if isinstance(value, ast.IfExp):
        return is_fixed(value.body, listed) and is_fixed(value.orelse, listed)
    if isinstance(value, ast.Name):
        return value.id in listed
    return isinstance(value, ast.Constant) and "[" not in str(value.value)


def names_of_lists(tree: ast.AST) -> set[str]:
    """What goes through a list that stands in the source, without a bracket."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple)]
    written = [
        loop
        for loop in loops
        if all(isinstance(part, ast.Tuple | ast.Load) or is_fixed(part) for part in ast.walk(loop.iter))
    ]
    return {part.id for loop in written for part in ast.walk(loop.target) if isinstance(part, ast.Name)}


def is_content(value: ast.expr, makers: set[str]) -> bool:
    """Whether it is a call of `Content`, or of what is said to return one."""
    if not isinstance(value, ast.Call):
        return False
    name = ast.unparse(value.func)
    return name.split(".")[0] == "Content" or name.split(".")[-1] in makers


def assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Every target with its value."""
    if isinstance(node, ast.AugAssign):
        yield node.target, node.value
    for target in node.targets if isinstance(node, ast.Assign) else ():
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def markup_in(source: str) -> list[str]:
    """The places of a file where a text that is not written out may be read as markup."""
    tree = ast.parse(source)
    makers = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.returns is not None and ast.unparse(node.returns) == "Content"
    }
    found, listed = [], names_of_lists(tree)
    for node in ast.walk(tree):
        for target, value in assigned(node):
            title = isinstance(target, ast.Attribute) and target.attr in TITLES
            if title and not is_fixed(value, listed) and not is_content(value, makers):
                found.append(f"{node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in SHOWN:
            options = {word.arg: ast.unparse(word.value) for word in node.keywords}
            fixed = bool(node.args) and all(is_fixed(value) for value in node.args) and "id" not in options
            if options.get("markup") != "False" and not fixed and options.get("id") != repr(LINKS):
                found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_text_from_outside_is_markup(path: Path) -> None:
    assert not markup_in(path.read_text()), path


@pytest.mark.parametrize(
    "line",
    [
        "pane.border_title = name",
        "pane.border_title, pane.border_subtitle = 'Runs', f'{name}'",
        "pane.border_title = 'Runs'; pane.border_title += name",
        "app.notify(f'Saved {path}')",
        "Static(text, id='say')",
        "Static(id='say')",
    ],
)
def test_what_is_looked_for_is_found(line: str) -> None:
    assert len(markup_in(line)) == 1


async def test_a_token_with_brackets_is_shown_in_every_view_of_memory(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "[red]x"
    write_tiny(run / "checkpoints" / "step-3", tokenizer="whitespace")  # a token is all between two blanks
    (run / "checkpoints.json").write_text('{"last": "step-3"}')
    for text in ("To [/b]", "[red] [/quote]", "[/]", "[@click=quit]To[/]"):
        values = {"memory": {"model": run.name, "text": text, "view": "token"}}
        async with LstmtextApp(state=UiState(values=values)).run_test(size=(100, 30)) as pilot:
            await press(pilot, "5")
            room = pilot.app.screen
            assert isinstance(room, MemoryScreen)
            await wait_until(pilot, lambda room=room: room.study is not None, 60)
            assert room.study is not None
            for token, said in enumerate(room.study.passage.tokens):
                room.token = token
                room.show_all()
                await pilot.pause()
                assert f"all units at {said} ·" in screen_text(pilot.app)
            assert "Text · [red]x" in screen_text(pilot.app)
            assert "Negation lab · [red]x" in await press(pilot, "n")


async def test_a_run_with_brackets_is_named_before_it_is_stopped(make_run: Any) -> None:
    make_run("[red]x").started()
    async with LstmtextApp("[red]x").run_test(size=(100, 30)) as pilot:
        await wait_until(pilot, lambda: type(pilot.app.screen).__name__ == "DashboardScreen")
        await wait_until(pilot, lambda: "p Pause" in screen_text(pilot.app))
        assert "[red]x" in screen_text(pilot.app)
        assert "Stop [red]x?" in await press(pilot, "x")


async def test_dialogs_show_what_they_are_given() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        for screen in (
            ConfirmScreen("Stop [/b]?", "It [/b] ends."),
            LineScreen("Name [/b]", "How [/b] begins.", "[/b]"),
        ):
            await pilot.app.push_screen(screen)
            assert (await press(pilot)).count("[/b]") == 2 + isinstance(screen, LineScreen)
            pilot.app.pop_screen()


@pytest.mark.usefixtures("two_models")
async def test_a_model_with_brackets_is_named_over_its_texts(tmp_path: Path) -> None:
    (tmp_path / "runs" / "one").rename(tmp_path / "runs" / "[$accent]x")
    async with Opened(state(model_a="[$accent]x")) as (pilot, room):
        for number in (1, 2):
            await press(pilot, *(("enter",) if number == 1 else ("r",)))
            await written(pilot, room)
        assert "[$accent]x · 2 of 2" in screen_text(pilot.app)
