"""Settings of a run that no setting can be: left out and told, never the end of the dashboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.feed import Feed
from lstmtext.tui.inventory import read_runs
from tui.conftest import FakeRun, press, screen_text
from tui.test_dashboard import shown, trained

MakeRun = Callable[..., FakeRun]
MISFITS = {
    "model = [1, 2]": "model = [1, 2]",
    "[model]\nhidden = {a = 1}": "model.hidden = {'a': 1}",
    "[text]\ncorpus = 5": "text.corpus = 5",
    "[text]\ncorpus = 'harbour'": "text.corpus = 'harbour'",
    "[text.corpus]\na = 1": "text.corpus = {'a': 1}",
    "task = 'sentiment'\nlabels = {sources = 7}": "labels.sources = 7",
    "task = ['sentiment']": "task = ['sentiment']",
    "[run]\nevaluate_every = 'often'": "run.evaluate_every = 'often'",
    "[budget]\nminutes = [1]\nsteps = 'few'": "budget.minutes = [1] (and 1 more)",
}


@pytest.mark.parametrize("settings", MISFITS)
async def test_settings_of_a_wrong_kind_are_left_out_with_a_sentence(make_run: MakeRun, settings: str) -> None:
    run = trained(make_run)
    (run.folder / "config.toml").write_text(settings)
    app = LstmtextApp("hamlet")
    async with app.run_test(size=(80, 30)) as pilot:
        await shown(pilot, "hamlet")
        said = f"config.toml: {MISFITS[settings]} is no value of that setting and is left out here; mend the file"
        assert said in " ".join(screen_text(app).split())
        await press(pilot, *["t"] * 4, "n")  # every page, and the form of a new run where its text is known
        assert "''" not in screen_text(app), "a text that is not known is no text without a name"
        assert "hamlet" in await press(pilot, "f1")


def test_settings_of_another_version_are_no_fault(make_run: MakeRun) -> None:
    run = trained(make_run)
    (run.folder / "config.toml").write_text("new = 1\n[model]\nhidden = 64\nnew = [1]\n[other]\na = 1\n")
    feed = Feed(run.folder)
    assert feed.misfits == []
    assert feed.settings == {"new": 1, "model": {"hidden": 64, "new": [1]}, "other": {"a": 1}}


def test_home_shows_what_fits(make_run: MakeRun) -> None:
    run = trained(make_run)
    (run.folder / "config.toml").write_text("[text]\ncorpus = 'harbour'\n[model]\nhidden = 64\nlayers = 'two'\n")
    (row,) = read_runs()
    assert (row.corpus, row.model) == ("", "lstm ?×64")
