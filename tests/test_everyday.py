"""The everyday corpus is what its README says, and its check finds what it is meant to find."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
HEAD = "label\tpair\tkind\ttext\n"
ROWS = [
    "positive\tp1\tplain\tThe soup was good.",
    "negative\tp1\tnegated\tThe soup wasn't good.",
    "negative\tp2\tplain\tThe bus was late again.",
    "positive\tp2\tnegated\tThe bus was not late.",
    "neutral\t\tfact\tThe bus has no driver.",
]


@pytest.fixture(scope="module")
def check() -> SimpleNamespace:
    """The script's names. Run, not imported: an import would leave a __pycache__ in corpora/, which ships."""
    return SimpleNamespace(**runpy.run_path(str(CORPORA / "check_everyday.py")))


def lines_of(check: SimpleNamespace, folder: Path, *rows: str, file: str = "a.tsv") -> list[tuple[object, ...]]:
    (folder / file).write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    lines, wrong = check.read_lines(folder)
    assert wrong == []
    return list(lines)


def problems(check: SimpleNamespace, folder: Path, *rows: str) -> list[str]:
    """What is wrong with these sentences, but for their number."""
    return [problem for problem in check.check_lines(lines_of(check, folder, *rows)) if "are wanted" not in problem]


def test_the_shipped_corpus_is_what_its_readme_says(check: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    code = check.main([])
    output = capsys.readouterr().out
    assert code == 0, [line for line in output.splitlines() if line.startswith("WRONG")]
    assert output.endswith("Nothing is wrong.\n")


def test_a_sound_corpus_has_no_problems(check: SimpleNamespace, tmp_path: Path) -> None:
    assert problems(check, tmp_path, *ROWS) == []
    lines = lines_of(check, tmp_path, *ROWS)
    assert [line.cue for line in lines] == [False, True, False, True, True]
    assert lines[1].words == ("the", "soup", "was", "n't", "good", ".")
    assert (lines[1].place, lines[1].pair, lines[1].kind) == ("a.tsv:3", "p1", "negated")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("label\ttext\npositive\tgood\n", "a.tsv: the header is not label, pair, kind, text"),
        (HEAD + "positive\t\tplain\n", "a.tsv:2: 3 fields, expected 4"),
        (HEAD + "positive\t\tplain\ta\tb\n", "a.tsv:2: 5 fields"),
        (HEAD + "positive\t\tplain\ta\n\n", "a.tsv:3: 1 fields"),
        (HEAD + "good\t\tplain\ta\n", "a.tsv:2: unknown label"),
        (HEAD + "positive\t\todd\ta\n", "a.tsv:2: unknown label or kind"),
        (HEAD + "positive\t\tplain\t\n", "a.tsv:2: unknown label or kind, no text"),
        (HEAD + "positive\t\tplain\ta \n", "spaces around a field"),
        (HEAD + "positive\t\tplain\ta\r\n", "spaces around a field"),
    ],
)
def test_the_form_of_a_file(check: SimpleNamespace, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.tsv").write_bytes(content.encode())
    lines, wrong = check.read_lines(tmp_path)
    assert message in wrong[0]
    assert len(lines) == content.count("\ta\n") - ("good\t" in content) - ("odd" in content)


def test_what_is_wrong_with_sentences_is_found(check: SimpleNamespace, tmp_path: Path) -> None:
    same = problems(check, tmp_path, *ROWS, "negative\t\tnegated\tthe soup was n't GOOD .")
    assert same[-1] == "a.tsv:7: the same sentence as a.tsv:3: the soup was n't GOOD ."
    one_sided = problems(check, tmp_path, *ROWS, "positive\tp3\tplain\tNice.", "positive\tp3\tplain\tFine.")
    assert "a.tsv:7: pair p3 has not two members with different labels" in one_sided
    alone = problems(check, tmp_path, *ROWS, "positive\tp3\tplain\tNice.")
    assert "a.tsv:7: pair p3 has not two members with different labels" in alone
    (tmp_path / "b.tsv").write_text(HEAD + "negative\tp1\tplain\tThe soup was thin.\n")
    assert "a.tsv:2: pair p1 is in several files" in problems(check, tmp_path, *ROWS)


def test_a_cue_that_gives_the_label_away_is_found(check: SimpleNamespace, tmp_path: Path) -> None:
    rows = [
        "negative\t\tnegated\tNot good.",
        "negative\t\tnegated\tNot nice.",
        "positive\t\tplain\tGood.",
        "positive\t\tplain\tOk.",
    ]
    found = problems(check, tmp_path, *rows)
    assert [problem.partition(" with a verdict")[0] for problem in found] == [
        "0.0% of those with a cue",
        "100.0% of those without a cue",
    ]
    assert (
        "80.0% of all"
        in problems(check, tmp_path, *rows[2:], *(f"positive\t\tplain\t{word}." for word in "ab"), rows[0])[0]
    )


def test_too_few_files_of_everyday_life_are_told(check: SimpleNamespace, tmp_path: Path) -> None:
    lines_of(check, tmp_path, *ROWS)
    for file in ("words-a.tsv", "hard-a.tsv"):
        lines = lines_of(check, tmp_path, "positive\t\tplain\tFine, " + file, file=file)
    assert "7 sentences in 1 files of everyday life; at least 4000 in 15 are wanted" in check.check_lines(lines)


def test_a_bag_of_words_is_measured(check: SimpleNamespace, tmp_path: Path) -> None:
    """At chance or below where only the cue differs, right where a word tells."""
    nouns = [f"thing{n}" for n in range(15)]
    frames = {"positive": "The {} is good", "negative": "The {} is bad"}
    told = [f"{label}\t{noun}\tplain\t{frame.format(noun)}" for noun in nouns for label, frame in frames.items()]
    assert check.by_words(lines_of(check, tmp_path, *told)) == 1.0
    hidden = [
        f"{label}\t{noun}-{word}\tplain\tThe {noun} is {cue}{word}"
        for noun in nouns
        for word, cue, label in (
            ("good", "", "positive"),
            ("good", "not ", "negative"),
            ("bad", "", "negative"),
            ("bad", "not ", "positive"),
        )
    ]
    assert check.by_words(lines_of(check, tmp_path, *hidden)) < check.MOST_BY_WORDS


def test_what_is_shared_with_a_suite_is_found(check: SimpleNamespace, tmp_path: Path) -> None:
    long = "One two three four five six seven eight nine ten eleven."
    lines = lines_of(
        check,
        tmp_path,
        "positive\t\tplain\tfine .",
        "negative\t\tplain\tSo two three four five six seven eight nine ten.",
        "negative\t\tplain\tAnd one two three four five six seven eight.",
        "negative\t\tplain\tOne two three four five six seven.",
        "negative\t\tplain\tONE two three four five six seven eight nine ten eleven!",
    )
    found = check.shared_runs(lines, ["Fine.", "Not fine.", long, "Not grim."])
    assert [(length, same, line.place) for length, same, line, _ in found] == [
        (11, False, "a.tsv:6"),
        (9, False, "a.tsv:3"),
        (8, False, "a.tsv:4"),
        (2, True, "a.tsv:2"),
    ]
    assert found[1][3] == long


def test_the_table_counts(check: SimpleNamespace, tmp_path: Path) -> None:
    rows = check.table(lines_of(check, tmp_path, *ROWS))
    assert "| a.tsv | 5 | 2 | 1 | 2 | 3 | 2 |" in rows
    assert "| **all** | 5 | 2 | 1 | 2 | 3 | 2 |" in rows
    assert any(row.startswith("| `fact`") and row.endswith("| 1 | 0 | 1 | 0 | 1 | 0 |") for row in rows)
