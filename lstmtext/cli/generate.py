"""`lstmtext generate`: text from a language model, printed as it comes."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, cast

import click

from lstmtext.cli.cores import leave_busy_cores_alone
from lstmtext.cli.output import ascii_only, unknown_note, write_text
from lstmtext.errors import UsageError

if TYPE_CHECKING:
    from lstmtext.api import Generation, Options, Work
    from lstmtext.engine.generator import Token

__all__ = ["command"]

DEFAULT_MODEL = "shakespeare"
MOST_SAMPLES = 1000  # a larger batch is no faster, and prints nothing before its first text is complete
DEVICES = re.compile(r"auto|cpu|cuda(:\d+)?|mps")

EXAMPLES = """Examples:

\b
  lstmtext generate --prompt 'ROMEO:'
  lstmtext generate --prompt 'ROMEO:' --length 200 --temperature 0.5 --seed 7
  lstmtext generate --prompt 'KING' --samples 3 --top-p 0.9
  lstmtext generate --prompt 'JULIET:' --stop 'ROMEO:' --json
  echo 'My lord,' | lstmtext generate --length 100"""


@click.command("generate", epilog=EXAMPLES)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="MODEL", help="A name, a run or a folder.")
@click.option("--prompt", metavar="TEXT", help="What to continue. Default: standard input, if it is a pipe.")
@click.option("--file", "file", metavar="FILE", help="Read the prompt from a file; - is standard input.")
@click.option("--length", type=int, default=400, show_default=True, metavar="TOKENS", help="Tokens to generate.")
@click.option(
    "--temperature", type=float, default=0.8, show_default=True, help="Higher is wilder; 0 takes the most probable."
)
@click.option("--top-k", type=int, metavar="K", help="Choose among the K most probable tokens.")
@click.option("--top-p", type=float, metavar="P", help="Choose among the fewest that together have probability P.")
@click.option("--min-p", type=float, metavar="P", help="Leave out tokens less probable than P times the best one.")
@click.option(
    "--repetition-penalty",
    type=float,
    default=1.0,
    show_default=True,
    help="Above 1: the last 64 tokens become less probable.",
)
@click.option("--stop", multiple=True, metavar="TEXT", help="End before this text. Can be given several times.")
@click.option("--seed", type=int, help="The same seed gives the same text. Default: a fresh one.")
@click.option(
    "--samples", type=int, default=1, show_default=True, metavar="N", help="Texts, up to 1000: seeds SEED, SEED+1, …."
)
@click.option(
    "--device", default="auto", show_default=True, help="Taken as elsewhere, not used: text is made on the CPU."
)
@click.option("--no-stream", is_flag=True, help="Print when the text is complete.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document per sample, on a line of its own.")
def command(
    model: str,
    prompt: str | None,
    file: str | None,
    samples: int,
    device: str,
    no_stream: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Write text with a language model, continuing the prompt, which is printed too.

    From a file or a pipe, one line end at the end is not part of the prompt. Without any prompt the
    model starts as on a new line.
    """
    if not DEVICES.fullmatch(device):
        raise UsageError(f"There is no device {device!r}; the devices are auto, cpu, cuda, cuda:N and mps.")
    if samples > MOST_SAMPLES:
        raise UsageError(
            f"--samples is {samples}; one call writes up to {MOST_SAMPLES}. For more, call again with a --seed that is "
            f"higher by {MOST_SAMPLES}: the texts are the same as of one call."
        )
    text = _read_prompt(prompt, file)
    leave_busy_cores_alone()

    from lstmtext import api

    work = api.Work(
        api.load(model, kind="language-model"),
        text,
        samples,
        api.ALTERNATIVES if as_json else 0,
        cast("Options", options),
    )
    if device not in ("auto", "cpu"):
        click.echo(f"note: text is generated on the CPU, at batch 1 the faster place; {device} is not used.", err=True)
    if work.writer.unknown:
        click.echo(unknown_note(work.writer.unknown), err=True)
    if as_json or no_stream or samples > 1:
        return _print_complete(work, as_json)
    return _print_stream(work)


def _print_stream(work: Work) -> int:
    """One sample, as it comes."""
    write_text(work.prompt)
    printed = 0
    interrupted = False
    try:
        for token in work.writer:
            if token.piece:
                printed += len(token.piece)  # before: an interrupted flush has its text in the buffer already
                write_text(token.piece)
    except KeyboardInterrupt:
        interrupted = True
    work.writer.close()
    write_text(work.writer.samples[0].completion[printed:] + "\n")
    return 130 if interrupted else 0


def _print_complete(work: Work, as_json: bool) -> int:
    """Each sample when it is complete, in order; after an interruption all of them as far as they got."""
    samples = work.writer.samples
    tokens: list[list[Token]] = [[] for _ in samples]
    printed = 0
    interrupted = False
    try:
        for token in work.writer:
            tokens[token.sample].append(token)
            while printed < len(samples) and samples[printed].stopped:
                _print_one(work.result(printed, tokens[printed]), printed, as_json)
                printed += 1
    except KeyboardInterrupt:
        interrupted = True
    work.writer.close()
    for number in range(printed, len(samples)):
        _print_one(work.result(number, tokens[number]), number, as_json)
    return 130 if interrupted else 0


def _print_one(result: Generation, number: int, as_json: bool) -> None:
    if not as_json:
        write_text((f"--- {number + 1} ---\n" if number else "") + result.text + "\n")
        return
    document = {name: getattr(result, name) for name in result.__struct_fields__}
    document["tokens"] = [
        {"text": token.text, "probability": token.probability, "top": token.top} for token in result.tokens
    ]
    write_text(json.dumps(document, ensure_ascii=ascii_only()) + "\n")


def _read_prompt(prompt: str | None, file: str | None) -> str:
    """The prompt from wherever it comes."""
    if prompt is not None and file is not None:
        raise UsageError("--prompt and --file both give a prompt. Keep one of them.")
    if prompt is not None:
        # Bytes of the command line that are not UTF-8 arrive as lone surrogates, which cannot be printed.
        return prompt.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if file is None and (sys.stdin is None or sys.stdin.isatty()):
        return ""
    from lstmtext.text.decoding import STANDARD_INPUT, whole_text

    if file is None or file == "-":
        data, place = sys.stdin.buffer.read(), STANDARD_INPUT
    else:
        from pathlib import Path

        data, place = Path(file).read_bytes(), file
    return whole_text(data, place).removesuffix("\n")
