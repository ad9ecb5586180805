"""The first steps of the Train tab: a file or the sample, its columns, and what was read, before anything runs."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr

from mtst.columns import guess_columns
from mtst.config import TrainConfig
from mtst.data import Dataset, similar_labels
from mtst.encoders import DEFAULT
from mtst.errors import MtstError
from mtst.folder import Job
from mtst.freezing import find_scenario, scenarios
from mtst.model import MultiTaskSentenceTransformer
from mtst.splitting import check_trainable
from mtst.starter import ASSETS
from mtst.tables import read_table
from mtst.training import plan, split
from mtst.ui import plots
from mtst.ui.draft import Choice, Draft, chosen
from mtst.ui.literal import inline, literal
from mtst.ui.parts.layer_map import layers
from mtst.ui.parts.live_plot import drawn, hidden
from mtst.ui.parts.pieces import problem, quiet, said
from mtst.ui.report import report
from mtst.ui.services import Services

FIRST = "freeze-encoder"
NOTHING = quiet("Nothing chosen yet.")
ALIKE_SHOWN = 3
Chosen = tuple[Draft | None, dict, dict, dict, dict]


def choose(services: Services, path: str | None, header: bool | None = None) -> Chosen:
    """Read a file and guess its columns.

    Return the draft, both dropdowns, the tick for a row of names, and a message if the file cannot be read.
    """
    blank = gr.update(choices=[], value=None), gr.update(choices=[], value=[]), gr.update(visible=False)
    if not path:
        return None, *blank, said("")
    limits = services.settings.limits
    try:
        table = read_table(path, limits, header)
    except MtstError as error:
        return None, *blank, said(problem(error))
    if Path(path).parent == ASSETS:  # so that the command shown later finds the sample too
        table = replace(table, name=f"{ASSETS.name}/{table.name}")
    text, labels = guess_columns(table)
    columns = [(inline(name), name) for name in table.columns]
    named = gr.update(value=table.header, visible=not table.form.startswith("JSON"))
    return (
        Draft(Path(path), table, limits),
        gr.update(choices=columns, value=text),
        gr.update(choices=columns, value=list(labels)),
        named,
        said(""),
    )


def choose_again(services: Services, draft: Draft | None, header: bool) -> Chosen:
    """Read the same file once more, with or without names in its first row."""
    return choose(services, str(draft.path) if draft else None, header)


def choice(text: str | None, labels: Sequence[str], merge: bool, ticked: Sequence[Sequence[str]]) -> Choice:
    """Return the choice that a form stands for; what is ticked are lines of the file."""
    return Choice(text, tuple(labels), merge, frozenset(int(line) for lines in ticked for line in lines))


def describe(
    services: Services,
    draft: Draft | None,
    text: str | None,
    labels: list[str],
    merge: bool,
    scenario: str | None,
    *ticked: list[str],
) -> tuple[object, ...]:
    """Return what the form shows of a choice.

    The report on the rows, the lengths of the texts, the tick that merges labels, the scenarios for these tasks, the
    chosen one's text and map, and the buttons that need data: the row report, the check, the start.
    """
    wanted = choice(text, labels, merge, ticked)
    try:
        data = chosen(draft).dataset(wanted)
        upload = draft.upload(data, services.encoder)
        model = MultiTaskSentenceTransformer(services.encoder, data.tasks)
    except MtstError as error:
        why = problem(error) if draft else NOTHING
        closed = gr.Button(visible=False), gr.Button(interactive=False), gr.Button(interactive=False)
        return why, hidden(), gr.update(visible=False), *_stand_in(services, scenario), *closed
    said_first, ready = "", True
    try:
        check_trainable(data)
    except MtstError as error:
        said_first, ready = problem(error), False
    return (
        said_first + report(upload, *split(data, TrainConfig())),
        drawn(plots.text_lengths(upload.tokens, upload.max_tokens)),
        _merge_tick(draft.dataset(replace(wanted, merge=False)) if merge else data),
        *_choices(model, scenario),
        gr.Button(visible=True),
        gr.Button(interactive=True),
        gr.Button(interactive=ready),
    )


def _merge_tick(apart: Dataset) -> dict:
    """Offer to merge labels, if some of data in which none are merged differ in case and blanks only."""
    found = similar_labels(apart)
    groups = [group for groups in found.values() for group in groups]
    named = "; ".join(" + ".join(f"“{inline(label, 30)}”" for label in group) for group in groups[:ALIKE_SHOWN])
    more = f" and {len(groups) - ALIKE_SHOWN} more" if len(groups) > ALIKE_SHOWN else ""
    return gr.update(label=f"Merge labels that differ only in case or blanks: {named}{more}", visible=bool(groups))


def _stand_in(services: Services, scenario: str | None) -> tuple[gr.Radio, str | dict, dict]:
    """Show the scenarios for the starter's tasks as long as there are no others; nothing without an encoder."""
    try:
        return _choices(services.starter, scenario)
    except MtstError as error:
        return gr.Radio(choices=[]), problem(error), gr.skip()


def _choices(model: MultiTaskSentenceTransformer, key: str | None) -> tuple[gr.Radio, str, dict]:
    known = scenarios(model.tasks)
    kept = key if key in known else FIRST
    titles = [(f"{inline(s.title, 25)}\n{inline(s.meaning, 200)}", s.key) for s in known.values()]
    return gr.Radio(choices=titles, value=kept), explain(model, kept), layers(plan(model, TrainConfig(scenario=kept)))


def explain(model: MultiTaskSentenceTransformer, key: str) -> str:
    """Return what follows from a scenario, when to use it, and how many epochs it takes by itself."""
    found = find_scenario(key, model.tasks)
    times = f"{found.epochs} epochs, unless you set another number below" if found.epochs else "One measurement"
    rows = [("What follows", found.consequence), ("When to use it", found.when), ("How long", times)]
    items = "".join(f"<dt>{literal(name)}</dt><dd>{literal(text)}</dd>" for name, text in rows)
    return f'<dl class="explain">{items}</dl>'


def job(services: Services, draft: Draft, wanted: Choice, config: TrainConfig) -> tuple[Job, Dataset]:
    """Return what a run of this choice is asked to do, and its data.

    Raises:
        DataError: the choice cannot be used.
    """
    table, left_out = draft.table, tuple(sorted(wanted.leave_out))
    asked = Job(
        services.settings.encoder, config, table.name, wanted.text or "", table.header, wanted.merge, left_out
    )  # fmt: skip
    return asked, draft.dataset(wanted)


def command(job: Job, labels: Sequence[str], epochs: int) -> list[str]:
    """Return the words of the command line that does the same as the page, quoted for a shell."""
    config = job.config
    options = [word for label in labels for word in ("--labels", label)]
    words = ["python", "-m", "mtst", "train", job.source, "--text", job.text, *options]
    words += ["--scenario", config.scenario, "--epochs", str(epochs), "--seed", str(config.seed)]
    words += ["--balance", config.balance] if config.balance != "none" else []
    words += [] if job.header else ["--no-header"]
    words += ["--merge-labels"] if job.merge else []
    words += ["--leave-out", ",".join(map(str, job.leave_out))] if job.leave_out else []
    words += [] if job.encoder == DEFAULT else ["--encoder", job.encoder]
    return [shlex.quote(word) for word in (*words, "--out", "my-model")]
