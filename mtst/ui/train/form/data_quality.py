"""The step that looks for rows that may be wrong: what is found can be ticked and is then left out of training."""

from collections.abc import Iterator, Sequence
from functools import partial

import gradio as gr

from mtst.analysis.data_quality import Finding, QualityReport, check_quality
from mtst.data.dataset import Dataset
from mtst.errors import MtstError
from mtst.text import inline_text
from mtst.ui.components.html import card, html, problem, quiet, show_message
from mtst.ui.components.progress import ProgressSteps, embed_with_progress, with_progress
from mtst.ui.server.temporary_files import fresh_path
from mtst.ui.services.services import Services
from mtst.ui.train.form.dataset import choice
from mtst.ui.train.form.upload_draft import UploadDraft, chosen

SHOWN = 100  # findings of a kind; the file to save has them all
TITLES = ("Copies and near copies", "Copies that disagree", "Doubtful labels")
WHY = quiet(
    "Looks for copies of a text, copies with different labels, and labels that the other rows speak against. "
    "What you tick is left out of training. Nothing is ticked for you: a doubtful label may be the most telling row."
)
Found = tuple[dict, dict, dict, dict, dict]


def look(
    services: Services, draft: UploadDraft | None, text: str | None, labels: list[str], merge: bool
) -> Iterator[tuple[object, ...]]:
    """Embed every text, saying how far it is, then yield what was found: a message, three lists, the file."""
    wait = tuple(gr.skip() for _ in range(4))
    try:
        data = chosen(draft).dataset(choice(text, labels, merge, ()))
        yield show_message(quiet("Reading every text once.")), *wait
        for progress in (
            steps := ProgressSteps(
                embed_with_progress(services.encoder, data.texts, services.executors.large_embeddings)
            )
        ):
            yield show_message(progress.html()), *wait
        check = partial(check_quality, data, steps.result)
        for progress in (
            steps := ProgressSteps(
                with_progress("Asking the other rows about each label", check, services.executors.data_quality)
            )
        ):
            yield show_message(progress.html()), *wait
        found = steps.result
        target = fresh_path("mtst-findings.csv")
        found.write(data, target)
    except MtstError as error:
        yield show_message(problem(error)), *nothing()[1:]
        return
    yield _summary(found, data), *_lists(found, data), gr.update(value=str(target), visible=True)


def nothing() -> Found:
    """Return the updates for a choice that was not looked at yet."""
    lists = tuple(gr.update(choices=[], value=[], visible=False) for _ in TITLES)
    return show_message(WHY), *lists, gr.update(visible=False)


def _summary(found: QualityReport, data: Dataset) -> dict:
    counts = {
        ("copy", "copies"): found.copies,
        ("near copy", "near copies"): found.near_copies,
        ("copy that disagrees", "copies that disagree"): found.conflicts,
        ("doubtful label", "doubtful labels"): found.labels,
    }
    parts = ", ".join(f"{len(kind):,} {names[len(kind) > 1]}" for names, kind in counts.items() if kind) or "Nothing"
    doubt = (
        " Listed are up to a tenth of each task's labels, the most doubtful first; many of them will be right. Tick "
        "what you want to leave out."
    )
    return show_message(quiet(f"{parts} found among {len(data):,} rows.{doubt if found.labels else ''}"))


def _lists(found: QualityReport, data: Dataset) -> tuple[dict, dict, dict]:
    kinds = ((*found.copies, *found.near_copies), found.conflicts, found.labels)
    return tuple(_list(title, kind, data) for title, kind in zip(TITLES, kinds, strict=True))


def _list(title: str, findings: Sequence[Finding], data: Dataset) -> dict:
    """Return the update of one list; a line of the file is in it once, whatever is found about it."""
    lines: dict[str, str] = {}
    for finding in findings:
        line = str(data.lines[finding.row])
        lines[line] = f"{lines[line]}; {_why(finding, data)}" if line in lines else _why(finding, data)
    rows = {finding.row: None for finding in findings}
    texts = {str(data.lines[row]): data.texts[row] for row in rows}
    choices = [
        (f"line {int(line):,}: {inline_text(texts[line], 140)}\n{why}", line)
        for line, why in list(lines.items())[:SHOWN]
    ]
    more = f", the first {SHOWN} of {len(lines):,}" if len(lines) > SHOWN else f" ({len(lines):,})"
    return gr.update(choices=choices, value=[], label=f"{title}{more}", visible=bool(choices))


def _why(finding: Finding, data: Dataset) -> str:
    other = f"line {data.lines[finding.other]:,}" if finding.other is not None else ""
    match finding.kind:
        case "copy":
            return f"the same as {other}"
        case "near copy":
            return f"{100 * finding.score:.0f} % like {other}: {inline_text(data.texts[finding.other], 80)}"
    task = next(task for task in data.tasks if task.name == finding.task)
    label = inline_text(task.labels[data.labels[task.name][finding.row]], 40)
    name, suggestion = inline_text(task.name, 40), inline_text(finding.suggestion or "", 40)
    if finding.kind == "conflict":
        return f"{name} is “{label}”, on {other} “{suggestion}”"
    return f"{name} is “{label}” ({100 * finding.score:.0f} % likely), the others say “{suggestion}”"


def quality_card(
    services: Services, inputs: Sequence[gr.components.Component]
) -> tuple[gr.Button, list[gr.CheckboxGroup], list[gr.components.Component]]:
    """Build the step; `inputs` are draft, text, labels and merge.

    Return its button, its lists, and all that `nothing` clears.
    """
    with card("Doubtful rows", 3, "if you like"):
        button = gr.Button("Look for doubtful rows", interactive=False, elem_id="train-check")
        message = html(WHY, elem_id="train-findings")
        lists = [
            gr.CheckboxGroup(
                [], label=title, visible=False, show_select_all=True, elem_classes="findings",
                elem_id=f"train-doubt-{number}",
            )
            for number, title in enumerate(TITLES, 1)
        ]  # fmt: skip
        save = gr.DownloadButton("Save all findings as CSV", visible=False, size="sm", elem_id="train-doubt-save")
    outputs = [message, *lists, save]
    button.click(
        partial(look, services), inputs, outputs, api_visibility="private", show_progress="hidden",
        concurrency_limit=8,
    )  # fmt: skip
    return button, lists, outputs
