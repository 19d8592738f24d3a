"""The folder of an experiment among the runs: listed as it stands, removed like a run, one process at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmtext.errors import RunError
from lstmtext.store.experiment import is_experiment, list_experiments, working_in
from lstmtext.store.run import RunWriter, find_run, list_runs, remove_run

PLAN = '{"experiment": "recall", "budget": {}, "settings": {}}'


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def experiment(runs: Path) -> Path:
    """Interrupted after two trainings, in the middle of writing a third."""
    folder = runs / "far"
    (folder / "trials").mkdir(parents=True)
    (folder / "plan.json").write_text(PLAN)
    for name in ("a.json", "b.json", ".c.json.0123.tmp"):
        (folder / "trials" / name).write_text("{}")
    return folder


def test_states(experiment: Path) -> None:
    def state() -> str:
        (found,) = list_experiments()
        assert (found.name, found.experiment, found.trainings) == ("far", "recall", 2)
        assert found.last_sign > 0
        assert (found.pid is None) == (found.state != "running")
        return found.state

    assert state() == "interrupted"
    with working_in(experiment):
        assert state() == "running"
    (experiment / "result.json").write_text("{}")
    assert state() == "finished"


def test_a_live_one_is_not_removed_and_not_shared(experiment: Path) -> None:
    with working_in(experiment):
        with pytest.raises(RunError, match=r"far is running; nothing was removed\. End it first: Ctrl-C"):
            remove_run(experiment)
        with pytest.raises(RunError, match="in use by process"), working_in(experiment):
            pass
    remove_run(experiment)
    assert list(experiment.parent.iterdir()) == []


def test_it_is_no_training_run(experiment: Path) -> None:
    assert list_runs() == []
    with pytest.raises(RunError, match="'far' is an experiment, not a training run"):
        find_run("far")
    assert find_run("far", experiments=True) == experiment
    assert find_run(str(experiment), experiments=True) == experiment


def test_a_run_of_that_name_comes_before_a_folder_elsewhere(experiment: Path, runs: Path) -> None:
    experiment.rename(runs.parent / "far")
    assert list_experiments() == []
    RunWriter.create(runs / "far", "").close()
    assert find_run("far", experiments=True) == runs / "far"


@pytest.mark.parametrize(
    "plan", [None, "", "[]", '{"experiment": "x"}', '{"experiment": 1, "budget": {}, "settings": {}}']
)
def test_another_folder_is_left_alone(runs: Path, plan: str | None) -> None:
    (runs / "mine" / "trials").mkdir(parents=True)
    if plan is not None:
        (runs / "mine" / "plan.json").write_text(plan)
    assert not is_experiment(runs / "mine")
    assert list_experiments() == []
    with pytest.raises(RunError, match="not a run folder; nothing was removed"):
        remove_run(runs / "mine")
    assert (runs / "mine" / "trials").is_dir()
