"""Numbers of `lstmtext train sentiment` that are of each source: how many there are is known when the sources are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lstmtext.cli.train_labels import label_settings
from lstmtext.cli.train_settings import resolve_settings
from lstmtext.config import LabelSettings
from lstmtext.errors import SettingsError

TWO = '[labels]\nsources = ["a.tsv", "b.tsv"]\n'


def labels(folder: Path, typed: tuple[str, ...], file: str = "", *set: str, **options: Any) -> LabelSettings:
    config = folder / "settings.toml"
    config.write_text(f'task = "sentiment"\n{file}')
    found = label_settings((), None, options.get("validation"), len(typed))
    settings, _ = resolve_settings("sentiment", typed, options.get("recipe"), config, set, None, {}, found)
    return settings.labels


@pytest.mark.parametrize(("typed", "file"), [(("a.tsv", "b.tsv"), ""), ((), TWO)])
def test_a_share_is_held_out_of_every_source(tmp_path: Path, typed: tuple[str, ...], file: str) -> None:
    found = labels(tmp_path, typed, file, validation="0.2")
    assert (len(found.sources), found.held_out_fractions) == (2, [0.2, 0.2])


def test_numbers_of_a_recipes_own_texts_are_not_those_of_others(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        labels(tmp_path, ("a.tsv", "b.tsv"), recipe="sentiment-tiny")
    assert list(caught.value.problems) == [
        "The recipe sentiment-tiny has weights and held_out_fractions for 10 texts of its own, in their order, and not "
        "for 2 sources. With your own texts add --set 'weights=[]' --set 'held_out_fractions=[]'."
    ]
    with pytest.raises(SettingsError) as caught:
        labels(tmp_path, (), TWO, recipe="sentiment-tiny", validation="0.2")
    assert list(caught.value.problems) == [
        "The recipe sentiment-tiny has weights for 10 texts of its own, in their order, and not for 2 sources. "
        "With your own texts add --set 'weights=[]'."
    ]


def test_what_is_added_then_lets_the_recipe_train_them(tmp_path: Path) -> None:
    added = ("weights=[]", "held_out_fractions=[]")
    assert labels(tmp_path, ("a.tsv", "b.tsv"), "", *added, recipe="sentiment-tiny").weights == []


def test_a_recipes_numbers_stand_for_as_many_sources(tmp_path: Path) -> None:
    found = labels(tmp_path, tuple(f"{number}.tsv" for number in range(10)), recipe="sentiment-tiny")
    assert (len(found.weights), len(found.held_out_fractions)) == (10, 10)
