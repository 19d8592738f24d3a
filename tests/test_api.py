"""`lstmtext.load` and what it returns."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import random_classifier

import lstmtext
from lstmtext import api
from lstmtext.errors import InputError, OtherKindError, SettingsError, UsageError

write_tiny = runpy.run_path(str(Path(__file__).parent / "engine" / "tiny.py"))["write_tiny"]


@pytest.fixture
def model(tmp_path: Path) -> lstmtext.LanguageModel:
    return lstmtext.load(write_tiny(tmp_path / "tiny"))


def test_generate_and_stream_give_the_same_text(model: lstmtext.LanguageModel) -> None:
    result = model.generate("To be", length=50, seed=3, temperature=1.0, stop="qu")
    assert str(result) == result.text == "To be" + result.completion
    assert "".join(model.stream("To be", length=50, seed=3, temperature=1.0, stop=["qu"])) == result.completion
    assert result.settings == {
        "length": 50,
        "temperature": 1.0,
        "top_k": None,
        "top_p": None,
        "min_p": None,
        "repetition_penalty": 1.0,
        "stop": ["qu"],
    }
    assert result.seed == 3
    assert len(result.tokens[0].top) == 5


def test_samples_have_following_seeds(model: lstmtext.LanguageModel) -> None:
    results = model.generate_samples("To be", 3, length=30, seed=8)
    assert [result.seed for result in results] == [8, 9, 10]
    assert results[2].text == model.generate("To be", length=30, seed=10).text
    assert [len(result.tokens) for result in results] == [30, 30, 30]


def test_a_fresh_seed_is_named(model: lstmtext.LanguageModel) -> None:
    result = model.generate("To")
    assert result.text == model.generate("To", seed=result.seed).text
    assert result.seed != model.generate("To").seed


def test_the_loss_of_a_text(model: lstmtext.LanguageModel) -> None:
    text = "ROMEO:\nTo be, or not"
    ids = model.tokenizer.encode(text)
    logs = []
    for position in range(1, len(ids)):
        hidden, _ = model.engine.read(ids[None, :position])
        logs.append(model.engine.log_probabilities(hidden)[0, ids[position]])
    assert model.loss(text) == pytest.approx(-np.mean(logs), rel=1e-5)


@pytest.mark.parametrize(("text", "said"), [("", "0 characters;"), ("R", "1 character;")])
def test_a_loss_needs_two_tokens(model: lstmtext.LanguageModel, text: str, said: str) -> None:
    with pytest.raises(InputError, match=f"has {said}"):
        model.loss(text)


def test_name_and_config(model: lstmtext.LanguageModel, tmp_path: Path) -> None:
    assert model.name == str(tmp_path / "tiny")
    assert model.folder == tmp_path / "tiny"
    assert model.config.corpus.licence == "CC0"
    assert "lstm 2×6, char" in repr(model)


def test_all_problems_are_named_at_once(model: lstmtext.LanguageModel) -> None:
    with pytest.raises(SettingsError) as caught:
        model.generate("To", temperature=-1, top_k=-2, length=-3, seed=-4)
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"length": "5"}, "length is '5'; it must be a whole number."),
        ({"length": 5.0}, "length is 5.0; it must be a whole number."),
        ({"seed": "a"}, "seed is 'a'; it must be a whole number."),
        ({"top_k": 3.5}, "top_k is 3.5; it must be a whole number."),
        ({"top_k": True}, "top_k is True; it must be a whole number."),
        ({"top_p": "1"}, "top_p is '1'; it must be a number."),
        ({"min_p": [0.1]}, "min_p is [0.1]; it must be a number."),
        ({"temperature": None}, "temperature is None; it must be a number."),
        ({"repetition_penalty": "high"}, "repetition_penalty is 'high'; it must be a number."),
        ({"stop": b"x"}, "stop is b'x'; it must be a text (str) or several: decode it first."),
        ({"stop": np.array(5)}, "stop is array(5); it must be a text (str) or several."),
        ({"samples": 2}, "There is no option 'samples'; `generate_samples` writes several texts."),
        ({"stop": 5}, "stop is 5; it must be a text (str) or several."),
        ({"stop": ["a", None]}, "stop is None; it must be a text (str) or several."),
        ({"prompt": None}, "prompt is None; it must be a text (str)."),
        ({"prompt": b"To"}, "prompt is b'To'; it must be a text (str)."),
    ],
)
def test_a_value_of_another_type_is_a_sentence(
    model: lstmtext.LanguageModel, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        model.generate(**{"prompt": "To", **options})
    assert caught.value.problems == (said,)
    with pytest.raises(SettingsError):
        model.stream(**{"prompt": "To", **options})  # when it is called, not when the first piece is wanted


def test_values_of_other_types_are_named_beside_those_out_of_range(model: lstmtext.LanguageModel) -> None:
    with pytest.raises(SettingsError) as caught:
        model.generate_samples("To", "2", length="5", seed=-4, top_k=3.5, top_p=2)  # type: ignore[arg-type]
    problems = sorted(problem.split()[0] for problem in caught.value.problems)
    assert problems == ["length", "samples", "seed", "top_k", "top_p"]


def test_numpy_s_numbers_are_numbers(model: lstmtext.LanguageModel) -> None:
    plain = model.generate_samples("To", 2, length=20, seed=255, temperature=0.5, top_k=3, top_p=0.5)
    given = model.generate_samples(
        np.str_("To"),
        np.int64(2),  # type: ignore[arg-type]
        length=np.int32(20),  # type: ignore[typeddict-item]
        seed=np.uint8(255),  # type: ignore[typeddict-item]
        temperature=np.float32(0.5),  # type: ignore[typeddict-item]
        top_k=np.int64(3),  # type: ignore[typeddict-item]
        top_p=np.float64(0.5),
    )
    assert [(one.text, one.seed) for one in given] == [(one.text, one.seed) for one in plain]
    assert json.dumps([one.settings for one in given]) == json.dumps([one.settings for one in plain])


def test_an_option_that_does_not_exist(model: lstmtext.LanguageModel) -> None:
    for options in ({"temprature": 1}, {"temprature": 1, "samples": 3}):
        with pytest.raises(SettingsError) as caught:
            model.generate("To", **options)  # type: ignore[arg-type]
        assert caught.value.problems[0] == "There is no option 'temprature'. Did you mean 'temperature'?"
        assert len(caught.value.problems) == len(options)
    assert api.Options.__annotations__.keys() == model.generate("To", length=0).settings.keys() | {"seed"}


@pytest.mark.parametrize("name", [None, 3, ["shakespeare"], b"shakespeare"])
def test_what_is_no_name(name: Any) -> None:
    with pytest.raises(UsageError, match=r"The model is .*; load takes a name, a run's name or a folder\."):
        lstmtext.load(name)


def test_a_model_is_of_the_kind_that_was_asked_for(tmp_path: Path) -> None:
    writer, judge = write_tiny(tmp_path / "bard"), random_classifier(tmp_path)
    assert isinstance(lstmtext.load(writer, kind="language-model"), lstmtext.LanguageModel)
    assert isinstance(lstmtext.load(judge, kind="classifier"), lstmtext.Classifier)
    with pytest.raises(OtherKindError, match="bard is a language model; this needs a classifier"):
        lstmtext.load(writer, kind="classifier")
    with pytest.raises(OtherKindError, match="is a classifier; this needs a language model"):
        lstmtext.load(judge, kind="language-model")
    for kind in ("foo", 3, ["classifier"]):
        with pytest.raises(UsageError) as caught:
            lstmtext.load(writer, kind=kind)  # type: ignore[arg-type]
        assert str(caught.value) == f"kind is {kind!r}; it must be classifier or language-model."


def test_the_help_names_the_options_by_where_they_are() -> None:
    assert "`lstmtext.api.Options`" in (api.LanguageModel.generate.__doc__ or "")


@pytest.mark.parametrize("text", [3, None, ["To be"], b"To be"])
def test_a_loss_of_what_is_no_text(model: lstmtext.LanguageModel, text: Any) -> None:
    with pytest.raises(UsageError, match=r"The text is .*; it must be a str\."):
        model.loss(text)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="nothing"):
        lstmtext.load("nothing")


def test_the_package_names_what_it_has_and_stays_light() -> None:
    code = """
        import sys
        import lstmtext
        assert set(lstmtext.__all__) <= set(dir(lstmtext))
        assert not [name for name in sys.modules if name.startswith("lstmtext.")]
        assert "numpy" not in sys.modules
        import pydoc
        page = pydoc.render_doc(lstmtext, renderer=pydoc.plaintext)
        assert "load(name" in page, page
        assert "class Judgement" in page
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_the_example_in_the_docstring_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny(tmp_path / "shakespeare")
    random_classifier(tmp_path).rename(tmp_path / "sentiment")
    monkeypatch.chdir(tmp_path)
    assert api.__doc__
    lines = [line for line in api.__doc__.splitlines() if line.startswith("    ") or not line]
    exec(textwrap.dedent("\n".join(lines)), {})
    assert capsys.readouterr().out.startswith("ROMEO:")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_answering_never_imports_torch(tmp_path: Path, cell: str) -> None:
    write_tiny(tmp_path / "tiny", cell=cell)
    random_classifier(tmp_path, cell=cell).rename(tmp_path / "judge")
    code = """
        import sys
        import lstmtext
        assert not [name for name in sys.modules if name.startswith("lstmtext.")]
        model = lstmtext.load("tiny")
        model.generate("To", length=5, top_p=0.9)
        list(model.stream("To", length=5))
        model.loss("To be")
        lstmtext.load("judge")("not good").label
        assert "torch" not in sys.modules
        assert "tokenizers" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=tmp_path)
