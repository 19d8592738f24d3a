"""`lstmtext classify`: the sentiment of each text, from arguments, a file or a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from lstmtext.cli.output import ascii_only, encodes, write_out
from lstmtext.errors import UsageError
from lstmtext.units import counted

if TYPE_CHECKING:
    from lstmtext.cli.classify_notes import Facts
    from lstmtext.cli.classify_rows import Row
    from lstmtext.cli.classify_source import Source
    from lstmtext.engine.classifier import EngineClassifier
    from lstmtext.store.answers import AnswerFile
    from lstmtext.text.lines import Line

__all__ = ["command"]

DEFAULT_MODEL = "sentiment"
BATCH_TEXTS = 192  # as in engine/classifier.py, which --help does not import
# Lines that a process answers at a time. More would have fewer different lengths and words each; fewer are shared
# more evenly. A block that is not long is cut into LEAST_PIECES, but into none of less than LEAST_LINES.
PIECE_LINES, LEAST_PIECES, LEAST_LINES = 1024, 4, 128
EXPLAINED_LINES = 32  # each is read again without every word
FORMS = {".jsonl": "json", ".csv": "csv"}
KILLED = (
    "A process that answers texts was killed, maybe for want of memory. "
    "Try a smaller --batch-size, or OMP_NUM_THREADS=1 for one process."
)

EXAMPLES = """Examples:

\b
  lstmtext classify "not good" "not bad at all"
  lstmtext classify --explain "The plot is thin, but I was never bored."
  lstmtext classify --file reviews.csv --column review --output answers.csv
  lstmtext classify --file reviews.txt.gz --json --neutral 0.4 0.6
  echo "I liked it" | lstmtext classify"""


@click.command("classify", epilog=EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--file", "file", metavar="F", help="A .txt, .csv, .tsv or .jsonl, also .gz or .xz; - is standard input.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="F",
    help="Write the answers to a new file: texts and what is said of them, no other columns; - is standard output.",
)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="MODEL", help="A name, a run or a folder.")
@click.option(
    "--neutral",
    nargs=2,
    type=float,
    default=(1 / 3, 2 / 3),
    show_default="1/3 2/3",
    metavar="LOW HIGH",
    help="P(positive) from LOW to HIGH is called neutral.",
)
@click.option("--explain", is_flag=True, help="With each word the change of P(positive) when it is taken out.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one document a line.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV, with a header.")
@click.option("--column", metavar="NAME", help="Of a .csv or .tsv, what is the text. Default: by the usual names.")
@click.option("--field", metavar="NAME", help="Of .jsonl records, what is the text. Default: text.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=BATCH_TEXTS,
    show_default=True,
    metavar="TEXTS",
    help="Texts that are read together; only the speed depends on it.",
)
def command(
    texts: tuple[str, ...],
    file: str | None,
    output: Path | None,
    model: str,
    neutral: tuple[float, float],
    explain: bool,
    as_json: bool,
    as_csv: bool,
    column: str | None,
    field: str | None,
    batch_size: int,
) -> int:
    """Sentiment of each TEXT, or of each line of a file or a pipe.

    Every line has one answer, a blank one too, in the same order: the label, P(positive), the text. A line that cannot
    be read, not UTF-8 for example, has the label error, and the exit code is 1 in the end. The first line of a .csv or
    .tsv names the columns; in a .csv commas, semicolons, tabs or | part them. A .tsv may be quoted as by pandas.

    An answer holds the text and not the other columns of a file: put them side by side, row n beside row n. Its score
    is 2·P(positive) − 1, from −1 (negative) over 0 to 1 (positive).

    Neutral is the middle of that scale: the text says neither, or the model is not sure. So it is said by a model that
    was never shown a neutral text, too; `--neutral 0.5 0.5` leaves two labels.

    --output never overwrites a file. The answers are in F.partial until the last one is written; after an
    interruption the same command goes on where it stopped. Without --json or --csv, F's ending says which it is.
    """
    output = None if output == Path("-") else output
    form = _form(output, as_json, as_csv)
    if not 0 <= neutral[0] <= neutral[1] <= 1:
        raise UsageError(f"--neutral {neutral[0]:g} {neutral[1]:g} is no band: 0 ≤ LOW ≤ HIGH ≤ 1 is needed.")
    if explain and form == "csv":
        raise UsageError("--explain has no place in CSV. Use it with --json.")
    from lstmtext.cli.classify_source import open_source

    source = open_source(texts, file, column, field)
    processes = _processes()

    from lstmtext.engine.classifier import EngineClassifier
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import find_model

    folder = find_model(model, kind="classifier")
    row, header = _rows(form, model, to_file=output is not None)
    answerer = _Answerer(EngineClassifier(read_checkpoint(folder)), neutral, batch_size, explain, row)
    if output is None:
        return _run(source, answerer, processes, header, None)

    from lstmtext.store.answers import AnswerFile

    job = {"model": f"{model} {_checksum(folder)}", "form": form, "--neutral": f"{neutral}", "--explain": f"{explain}"}
    with AnswerFile(output, job) as out:
        return _run(source, answerer, processes, header, out)


def _run(source: Source, answerer: _Answerer, processes: int, header: str, out: AnswerFile | None) -> int:
    """Answer every text; the exit code."""
    from lstmtext.cli.classify_notes import Notes, ProgressLine
    from lstmtext.cli.leaving import leaving_in_order
    from lstmtext.workers import Workers

    notes = Notes(source.label)
    progress = ProgressLine(sys.stderr, source.file, 0 if out is None else out.before.count)
    write: Callable[[str, Sequence[str], int], None] = _to_stdout if out is None else out.write
    begun: deque[list[str]] = deque()  # texts whose answers are not written

    def pieces(leaving: Callable[[], bool]) -> Iterator[tuple[Sequence[Line], bool] | None]:
        for block in source.blocks:
            if block is None:
                yield None
                continue
            parts = answerer.pieces(block)
            for part in parts:
                if leaving():
                    return
                texts = [line.text for line in part]
                known = 0 if out is None else out.take(texts)
                if known:
                    progress.show(0)
                if known < len(texts):
                    begun.append(texts[known:])
                    yield part[known:], len(parts) > 1

    try:
        if header and (out is None or not out.now.bytes):
            write(header, (), 0)
        kept = begun if out is not None else ()  # what is printed can be left in the middle
        with leaving_in_order(kept) as leaving, Workers(answerer.answer, processes, KILLED) as workers:
            for rows, facts in workers.results(pieces(leaving)):
                texts = begun[0]
                write(rows, texts, facts.problem_count)
                begun.popleft()
                notes.take(facts)
                progress.show(len(texts), quiet=out is None and sys.stdout.isatty())
        if out is not None:
            out.finish()
    except KeyboardInterrupt:
        progress.clear()
        how = "; the same command goes on from there" if out is not None else ""
        click.echo(f"interrupted after {counted(progress.done, 'text')}{how}.", err=True)
        return 130
    finally:
        progress.clear()
    notes.say()
    if source.file is not None and source.file.doubtful_header:
        notes.say_header(source.file.doubtful_header)
    if not progress.done:
        click.echo("note: there was no text.", err=True)
    return 1 if notes.problems or (out is not None and out.now.problems) else 0


class _Answerer(NamedTuple):
    """A classifier with everything that was said about how to use it."""

    classifier: EngineClassifier
    band: tuple[float, float]
    batch_texts: int
    explain: bool
    row: Row

    def pieces(self, block: Sequence[Line]) -> list[Sequence[Line]]:
        """As many lines as are answered together. The same for the same block on every machine."""
        size = EXPLAINED_LINES
        if not self.explain:
            count = max(-(-len(block) // PIECE_LINES), min(len(block) // LEAST_LINES, LEAST_PIECES), 1)
            size = -(-len(block) // count)
        return [block[begin : begin + size] for begin in range(0, len(block), size)]

    def answer(self, lines: Sequence[Line]) -> tuple[str, Facts]:
        """A row for each line, and what is worth a note about them."""
        from lstmtext.cli.classify_notes import facts_of
        from lstmtext.cli.classify_rows import Answer

        texts = [line.text for line in lines if not line.problem]
        found = iter(self.classifier.judge(texts, self.band, batch_texts=self.batch_texts))
        answers = [
            Answer(line, None)
            if line.problem
            else Answer(line, next(found), self._strip(line.text) if self.explain else None)
            for line in lines
        ]
        return "".join(map(self.row, answers)), facts_of(answers, explained=self.explain)

    def _strip(self, text: str) -> list[tuple[str, float]] | None:
        """Every word with the change without it; None for a text that is too long for that."""
        from lstmtext.explain.report import explain

        try:
            found = explain(self.classifier, text, ["occlusion"])
        except UsageError:
            return None
        return list(zip(found.tokens, found.occlusion or [], strict=True))


def _form(output: Path | None, as_json: bool, as_csv: bool) -> str:
    """json, csv or text."""
    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms. Keep one of them.")
    suffix = output.suffix.lower() if output is not None else ""
    if suffix in (".gz", ".xz"):
        raise UsageError(f"{output}: the answers are written as they are; compress the file when it is finished.")
    if suffix and not (as_json or as_csv):
        from lstmtext.cli.classify_source import FOREIGN

        if suffix in FOREIGN:
            raise UsageError(
                f"{output}: answers are not written as {suffix}. "
                "They can be .jsonl (one document a line), .csv, .tsv or .txt."
            )
    return "json" if as_json else "csv" if as_csv else FORMS.get(suffix, "text")


def _rows(form: str, model: str, *, to_file: bool) -> tuple[Row, str]:
    """How a row is written, and what stands above the first."""
    from lstmtext.cli.classify_rows import CSV_HEADER, csv_row, json_rows, screen_rows, tab_row

    if form == "json":
        return json_rows(model, ascii_only=not to_file and ascii_only()), ""
    if form == "csv":
        return csv_row, CSV_HEADER
    if to_file or not sys.stdout.isatty():
        return tab_row, ""
    from lstmtext.cli.progress import is_fancy
    from lstmtext.explain.draw import SIGNS

    width = shutil.get_terminal_size().columns
    return screen_rows(width, colour=is_fancy(sys.stdout), ascii_only=not encodes(SIGNS)), ""


def _to_stdout(rows: str, texts: Sequence[str] = (), problems: int = 0) -> None:  # noqa: ARG001 - as AnswerFile.write
    """Print at once."""
    write_out(rows)


def _processes() -> int:
    """One process for every core, and one BLAS thread for each. Works before numpy is imported, or not at all.

    Pieces of the input are independent: these processes never wait for each other, so that a core which another
    program uses costs its share and no more. BLAS threads wait at every product (see generate.py).
    OMP_NUM_THREADS and OPENBLAS_NUM_THREADS are obeyed.
    """
    if "numpy" in sys.modules:
        return 1
    from lstmtext.workers import MOST_WORKERS, cores

    given = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    return max(1, min(int(given), MOST_WORKERS)) if given.isdecimal() and sys.platform == "linux" else cores()


def _checksum(folder: Path) -> str:
    """Of what a model answers with."""
    import hashlib

    digest = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
