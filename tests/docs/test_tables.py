"""What a page lists is all there is: files, events, fields, tensors, options, errors."""

from __future__ import annotations

import inspect
import json
import re

import msgspec
from pages import DOCS, ROOT, blocks

from lstmtext import api, errors, events
from lstmtext.config import ModelSettings
from lstmtext.store.checkpoint import (
    CheckpointConfig,
    ClassifierFacts,
    CorpusFacts,
    Metric,
    TokenizerFacts,
    classifier_shapes,
    expected_shapes,
)
from lstmtext.store.control import ACTIONS, Request
from lstmtext.store.run import RunStatus


def test_the_tour_names_every_file_of_the_rooms_that_it_goes_through() -> None:
    tour = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A tour")[2].partition("## Adding")[0]
    package = ROOT / "lstmtext"
    ground = [f"`{path.name}`" for path in package.glob("*.py") if path.name[0] != "_"]
    rooms = [f"`{path.stem}`" for name in ("text", "store") for path in (package / name).glob("[!_]*.py")]
    for name in ground + rooms:
        assert name in tour, f"CONTRIBUTING.md does not name {name}"


def _row(page: str, start: str) -> str:
    found = [line for line in page.splitlines() if line.startswith(start)]
    assert found, f"there is no row {start!r}"
    return found[0]


def test_the_run_folder_page_names_every_event_and_field() -> None:
    page = (DOCS / "run-folder.md").read_text()
    for kind in events.Event.__subclasses__():
        row = _row(page, f"| `{kind.__name__.lower()}` |")
        optional = " ".join(re.findall(r"\[[^\]]*\]", row))
        for field in msgspec.structs.fields(kind):
            if field.name not in ("step", "time"):
                assert f"`{field.name}`" in row, f"{kind.__name__}.{field.name}"
                assert field.required == (f"`{field.name}`" not in optional), f"{kind.__name__}.{field.name}"
    for line in blocks(DOCS / "run-folder.md", "json")[0].splitlines():
        events.decode_event(line.encode())
    status = json.loads(blocks(DOCS / "run-folder.md", "json")[1])
    assert list(status) == [field.name for field in msgspec.structs.fields(RunStatus)]
    for word in (*ACTIONS, *(field.name for field in msgspec.structs.fields(Request))):
        assert f"`{word}`" in page or f'"{word}"' in page


def test_the_checkpoint_page_names_every_field() -> None:
    section = (DOCS / "checkpoint-format.md").read_text().partition("## config.json")[2].partition("## model")[0]
    for kind in (CheckpointConfig, TokenizerFacts, CorpusFacts, Metric):
        for field in msgspec.structs.fields(kind):
            assert f"`{field.name}`" in section, f"{kind.__name__}.{field.name}"


def test_the_checkpoint_page_names_every_tensor() -> None:
    section = (DOCS / "checkpoint-format.md").read_text().partition("## model.safetensors")[2].partition("## tr")[0]
    gru = ModelSettings(cell="gru", layers=1)
    names = {*classifier_shapes(gru, ClassifierFacts(readout="concat", bidirectional=True), 9)}
    for more in ({}, {"tied": True}, {"cutoffs": [4]}):
        names |= {*expected_shapes(msgspec.structs.replace(gru, **more), 9)}
    for name in names:
        told = re.sub(r"\.\d\.", ".{n}.", name).replace("tail.{n}", "tail.{k}")
        assert f"`{re.sub('backward.*', 'backward.{n}.weight_input', told)}`" in section, name


def test_the_python_page_names_every_option_field_and_error() -> None:
    page = (DOCS / "python-api.md").read_text()
    names = [*api.Options.__annotations__, *(field.name for field in msgspec.structs.fields(api.Generation))]
    names += [name for name in errors.__all__ if name != "LstmtextError"]
    for name in names:
        assert f"`{name}`" in page, name
    for name in [name for name, _ in inspect.getmembers(api.LanguageModel, inspect.isfunction) if name[0] != "_"]:
        assert f"model.{name}(" in page, name
    for name in [name for name, _ in inspect.getmembers(api.Classifier, inspect.isfunction) if name[0] != "_"]:
        assert f"judge.{name}(" in page, name
    for name in (*api.Judgement._fields, "score"):
        assert f"`{name}`" in page, name
