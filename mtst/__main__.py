"""The command line: `python -m mtst`."""

import json
import os
import time
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import numpy as np
import typer

from mtst.config import BALANCES, TrainConfig
from mtst.data import make_dataset
from mtst.encoders import DEFAULT, load_encoder
from mtst.errors import DataError, MtstError
from mtst.evaluation import Scores, evaluate
from mtst.events import EpochEnded, History
from mtst.export import write_predictions
from mtst.model import MultiTaskSentenceTransformer, check_target
from mtst.quality import check_quality
from mtst.records import Skipped
from mtst.similarity import cosine
from mtst.starter import load_model
from mtst.tables import Table, read_table
from mtst.training import fit

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__
)
P = ParamSpec("P")
R = TypeVar("R")

Text = Annotated[str, typer.Option("--text", metavar="COLUMN", help="The column of the sentences.")]
Labels = Annotated[list[str], typer.Option(metavar="COLUMN", help="A column of labels; once for each task.")]
File = Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or XLSX, also gzipped.")]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns; found if left out."),
]
Merge = Annotated[bool, typer.Option("--merge-labels", help="Make one label of those alike but for case and blanks.")]
Encoder = Annotated[str, typer.Option("--encoder", metavar="NAME", help="A catalogue name, a folder or a Hub id.")]
Fp32 = Annotated[bool, typer.Option("--fp32", help="Compute in 32 bits even where bf16 is quicker.")]


def told(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error a person can mend into one line on standard error and exit code 2."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MtstError as error:
            typer.echo(f"mtst: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(2) from error

    return run


def _read(file: Path, header: bool | None) -> Table:
    """Read a table and say on standard error which of its lines were left out."""
    table = read_table(file, header=header)
    _tell_skipped(table.skipped)
    return table


def _tell_skipped(skipped: Sequence[Skipped]) -> None:
    if skipped:
        first = "; ".join(f"line {row.line}: {row.reason}" for row in skipped[:3])
        more = ", and more" if len(skipped) > 3 else ""
        typer.echo(f"{len(skipped):,} row{'s' * (len(skipped) > 1)} skipped: {first}{more}", err=True)


@app.command()
@told
def embed(
    file: File,
    text: Text,
    out: Annotated[Path, typer.Option(metavar="FILE.npy", help="Where to write the array (rows, d), float32.")],
    header: Header = None,
    encoder: Encoder = DEFAULT,
    fp32: Fp32 = False,
) -> None:
    """Embed a column of sentences; row i of the array is row i of those that could be read."""
    sentences = _read(file, header).column(text)
    embeddings = load_encoder(encoder, fp32=fp32).encode(sentences)
    try:
        with out.open("wb") as target:
            np.save(target, embeddings, allow_pickle=False)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}.") from error
    typer.echo(f"{embeddings.shape[0]:,} embeddings of {embeddings.shape[1]} numbers written to {out}")


@app.command()
@told
def similarity(
    sentences: Annotated[list[str], typer.Argument(help="Two sentences or more.")],
    encoder: Encoder = DEFAULT,
    fp32: Fp32 = False,
) -> None:
    """Print the cosine similarity of every pair of sentences."""
    cosines = cosine(load_encoder(encoder, fp32=fp32).encode(sentences))
    width = len(str(len(sentences)))
    typer.echo(" " * width + "".join(f"{column:>7}" for column in range(1, len(sentences) + 1)))
    for number, (row, sentence) in enumerate(zip(cosines, sentences, strict=True), 1):
        typer.echo(f"{number:>{width}}" + "".join(f"{value:7.3f}" for value in row) + f"  {sentence}")


@app.command()
@told
def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A saved model's folder, or 'starter'.")],
    file: File,
    text: Text,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write the table with predictions.")],
    header: Header = None,
    fp32: Fp32 = False,
) -> None:
    """Predict the labels of a column of sentences with every head of a model."""
    table = _read(file, header)
    table.column(text)
    count = write_predictions(load_model(model, fp32=fp32), table, text, out)
    typer.echo(f"{count:,} rows with predictions written to {out}")


@app.command()
@told
def train(
    file: File,
    text: Text,
    labels: Labels,
    scenario: Annotated[str, typer.Option(metavar="KEY", help="What to freeze.")] = "freeze-encoder",
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Passes over the rows; by scenario if left out.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes split, order and dropout.")] = 0,
    balance: Annotated[
        str, typer.Option(metavar="KEY", help=f"What to do about rare labels: {', '.join(BALANCES)}.")
    ] = "none",
    merge: Merge = False,
    leave_out: Annotated[
        str, typer.Option(metavar="LINES", help="Lines of the file to leave out, separated by commas.")
    ] = "",
    header: Header = None,
    test: Annotated[Path | None, typer.Option(metavar="FILE", help="A file to score the best model on.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to save the best model.")] = None,
    heads_only: Annotated[
        bool, typer.Option("--heads-only", help="Save without an encoder that did not move.")
    ] = False,
    encoder: Encoder = DEFAULT,
    fp32: Fp32 = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on the last line.")] = False,
) -> None:
    """Train a head for each column of labels on one shared encoder, and freeze what the scenario says.

    Scenarios: freeze-encoder, train-all, freeze-all, and freeze-head:COLUMN for each column of labels.
    """
    start = time.perf_counter()
    config = TrainConfig(scenario=scenario, epochs=epochs, seed=seed, balance=balance)
    if out:
        check_target(out)
    left_out = _lines(leave_out)
    data = make_dataset(read_table(file, header=header), text, labels, merge=merge, leave_out=left_out)
    held_out = None
    if test:
        held_out = make_dataset(read_table(test, header=header), text, labels, data.tasks, merge=merge)
    typer.echo(f"{len(data):,} rows used")
    _tell_skipped(data.skipped)
    model = MultiTaskSentenceTransformer(load_encoder(encoder, fp32=fp32), data.tasks)
    history = History()
    for event in fit(model, data, config):
        history.extend([event])
        if isinstance(event, EpochEnded):
            typer.echo(_epoch_line(event, history.started.epochs if history.started else 0))
    if out:
        model.save(out, heads_only=heads_only)
    validation = history.best.validation if history.best else {}
    tested = evaluate(model, held_out) if held_out else None
    seconds = round(time.perf_counter() - start, 2)
    best_epoch = history.finished.best_epoch if history.finished else 0
    typer.echo(f"best epoch {best_epoch}, {seconds:.1f} s" + (f", saved to {out}" if out else ""))
    for where, scores in (("validation", validation), ("test", tested or {})):
        for name, found in scores.items():
            typer.echo(
                f"{where} {name}: accuracy {found.accuracy:.4f}, macro-F1 {found.macro_f1:.4f}, "
                f"weighted F1 {found.weighted_f1:.4f}"
            )
    if as_json:
        tasks = {
            task.name: {"validation": _figures(validation.get(task.name))}
            | ({"test": _figures(tested.get(task.name))} if tested is not None else {})
            for task in model.tasks
        }
        report = {"scenario": scenario, "seed": seed, "best_epoch": best_epoch, "tasks": tasks, "seconds": seconds}
        typer.echo(json.dumps(report))


def _lines(text: str) -> set[int]:
    try:
        return {int(word) for word in text.split(",") if word.strip()}
    except ValueError as error:
        raise DataError(f"--leave-out takes line numbers separated by commas, such as 12,45, not {text!r}.") from error


@app.command()
@told
def check(
    file: File,
    text: Text,
    labels: Labels,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write what was found, with line numbers.")],
    merge: Merge = False,
    header: Header = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the folds.")] = 0,
    encoder: Encoder = DEFAULT,
    fp32: Fp32 = False,
) -> None:
    """Look for copies, near copies, copies that disagree and labels that look mistaken, the worst first."""
    data = make_dataset(read_table(file, header=header), text, labels, merge=merge)
    _tell_skipped(data.skipped)
    found = check_quality(data, load_encoder(encoder, fp32=fp32).encode(data.texts), seed)
    count = found.write(data, out)
    typer.echo(
        f"{len(data):,} rows: {len(found.copies):,} copies, {len(found.near_copies):,} near copies, "
        f"{len(found.conflicts):,} copies that disagree, {len(found.labels):,} doubtful labels; "
        f"{count:,} lines written to {out}"
    )


def _epoch_line(event: EpochEnded, epochs: int) -> str:
    tasks = "; ".join(
        f"{name}: "
        + (f"train loss {event.train[name].loss:.3f}, " if name in event.train else "")
        + f"validation loss {scores.loss:.3f}, macro-F1 {scores.macro_f1:.3f}"
        for name, scores in event.validation.items()
    )
    return f"epoch {event.epoch}/{epochs}  {event.seconds:.1f} s  {tasks}"


def _figures(scores: Scores | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    return {name: getattr(scores, name) for name in ("accuracy", "macro_f1", "weighted_f1")}


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    app(prog_name="python -m mtst")
