"""The first steps of the Train tab: a file or the sample, its columns, and what was read, before anything runs."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

import gradio as gr

from mtst.config import TrainConfig
from mtst.data import Dataset, make_dataset
from mtst.encoders import DEFAULT
from mtst.errors import DataError, MtstError
from mtst.folder import Job
from mtst.freezing import find_scenario, scenarios
from mtst.model import MultiTaskSentenceTransformer
from mtst.starter import ASSETS
from mtst.tables import Table, guess_columns, read_table
from mtst.training import plan, split
from mtst.ui.look import task_colour
from mtst.ui.parts.layer_map import layers
from mtst.ui.parts.pieces import bars, problem, quiet, said, table
from mtst.ui.services import Services

FIRST = "freeze-encoder"
SKIPPED_SHOWN = 20
LABELS_SHOWN = 12
Choice = tuple[Table | None, dict, dict, dict]


def choose(services: Services, path: str | None) -> Choice:
    """Read a file and guess its columns; return the table, both dropdowns, and a message if it cannot be read."""
    limits = services.settings
    blank = gr.update(choices=[], value=None), gr.update(choices=[], value=[])
    if not path:
        return None, *blank, said("")
    try:
        read = read_table(path, limits.max_rows, limits.max_upload_mb)
    except MtstError as error:
        return None, *blank, said(problem(error))
    if Path(path).parent == ASSETS:  # so that the command shown later finds the sample too
        read = replace(read, name=f"{ASSETS.name}/{read.name}")
    text, labels = guess_columns(read)
    columns = list(read.columns)
    return read, gr.update(choices=columns, value=text), gr.update(choices=columns, value=list(labels)), said("")


def dataset(read: Table | None, text: str | None, labels: Sequence[str]) -> Dataset:
    """Return the chosen columns as a dataset.

    Raises:
        DataError: they cannot be used; the message says why.
    """
    if read is None:
        raise DataError("Choose a file or the sample first.")
    return make_dataset(read, text or "", labels)


def describe(
    services: Services, read: Table | None, text: str | None, labels: list[str], scenario: str | None
) -> tuple[str, gr.Radio, str, dict, gr.Button]:
    """Return the report on the rows, the scenarios for these tasks, the chosen one's text and map, and the button."""
    try:
        data = dataset(read, text, labels)
        model = MultiTaskSentenceTransformer(services.encoder, data.tasks)
    except MtstError as error:
        why = problem(error) if read else quiet("Nothing chosen yet.")
        return why, *_stand_in(services, scenario), gr.Button(interactive=False)
    return report(read.name, data), *_choices(model, scenario), gr.Button(interactive=True)


def _stand_in(services: Services, scenario: str | None) -> tuple[gr.Radio, str | dict, dict]:
    """Show the scenarios for the starter's tasks as long as there are no others; nothing without an encoder."""
    try:
        return _choices(services.starter, scenario)
    except MtstError as error:
        return gr.Radio(choices=[]), problem(error), gr.skip()


def _choices(model: MultiTaskSentenceTransformer, key: str | None) -> tuple[gr.Radio, str, dict]:
    known = scenarios(model.tasks)
    chosen = key if key in known else FIRST
    radio = gr.Radio(choices=[(f"{s.title}\n{s.meaning}", s.key) for s in known.values()], value=chosen)
    return radio, explain(model, chosen), layers(plan(model, TrainConfig(scenario=chosen)))


def explain(model: MultiTaskSentenceTransformer, key: str) -> str:
    """Return what follows from a scenario, when to use it, and how many epochs it takes by itself."""
    found = find_scenario(key, model.tasks)
    times = f"{found.epochs} epochs, unless you set another number below" if found.epochs else "One measurement"
    rows = [("What follows", found.consequence), ("When to use it", found.when), ("How long", times)]
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return f'<dl class="explain">{items}</dl>'


def report(name: str, data: Dataset) -> str:
    """Return what was read: rows used and skipped and why, the split, the labels of each task, the first rows."""
    train, held_out = split(data, TrainConfig())
    skipped = len(data.skipped)
    parts = [
        f'<p class="report"><span dir="auto">{escape(name)}</span>: <b>{len(data):,}</b> rows used, '
        f"<b>{len(train):,}</b> to train on and "
        f"<b>{len(held_out):,}</b> held out for validation. "
        + (f'<span class="warn"><b>{skipped:,}</b> skipped.</span>' if skipped else "None skipped.")
        + "</p>"
    ]
    parts += [_labels(data, number) for number in range(len(data.tasks))]
    if skipped:
        rows = [(f"{row.line:,}", row.reason) for row in data.skipped[:SKIPPED_SHOWN]]
        more = f", the first {SKIPPED_SHOWN} of {skipped:,}" if skipped > SKIPPED_SHOWN else ""
        made = table(("line", "why"), rows, caption=f"Skipped rows{more}", text_columns=(1,))
        parts.append(f"<details><summary>Skipped rows</summary>{made}</details>")
    rows = [
        [
            text if len(text) <= 120 else text[:119] + "…",
            *(task.labels[k] if (k := data.labels[task.name][row]) >= 0 else "–" for task in data.tasks),
        ]
        for row, text in enumerate(data.texts[:5])
    ]
    header = ["text", *(task.name for task in data.tasks)]
    made = table(header, rows, caption="First rows", text_columns=range(len(header)))
    parts.append(f"<details><summary>First rows</summary>{made}</details>")
    return "".join(parts)


def _labels(data: Dataset, number: int) -> str:
    """Return the labels of one task as bars, the most frequent first."""
    task = data.tasks[number]
    counts = sorted(data.counts(task).items(), key=lambda item: -item[1])
    total = sum(count for _, count in counts)
    most = max(1, counts[0][1])
    rows = [(label, count / most, f"{count:,}") for label, count in counts[:LABELS_SHOWN]]
    others = counts[LABELS_SHOWN:]
    rest = f"and {len(others)} more labels with {sum(n for _, n in others):,} rows" if others else ""
    blank = len(data) - total
    without = f", {blank:,} rows without one" if blank else ""
    return (
        f'<section class="labels" style="--task: {task_colour(number)}">'
        f'<h3><span dir="auto">{escape(task.name)}</span> <small>{len(counts)} labels{without}</small></h3>'
        f"{bars(rows, rest)}</section>"
    )


def command(job: Job, labels: Sequence[str], epochs: int) -> str:
    """Return the command line that does the same as the page."""
    options = [word for label in labels for word in ("--labels", label)]
    words = ["python", "-m", "mtst", "train", job.source, "--text", job.text, *options]
    words += ["--scenario", job.config.scenario, "--epochs", str(epochs), "--seed", str(job.config.seed)]
    words += [] if job.encoder == DEFAULT else ["--encoder", job.encoder]
    return shlex.join([*words, "--out", "my-model"])
