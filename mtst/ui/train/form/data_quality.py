"""The step that looks for rows that may be wrong: what is found can be ticked and is then left out of training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from mtst.analysis.data_quality import Finding, QualityReport, check_quality
from mtst.data.dataset import Dataset
from mtst.data.labels.sets import describe_labels
from mtst.errors import MtstError
from mtst.text import inline_text
from mtst.ui.components.events import SILENT, UNCHANGED, Outputs, Update
from mtst.ui.components.html import html, problem, quiet, show_message
from mtst.ui.components.progress import ProgressSteps, embed_with_progress, with_progress
from mtst.ui.server.temporary_files import fresh_path
from mtst.ui.services.services import Services
from mtst.ui.train.form.form_values import DataForm

MAX_SHOWN = 100  # findings of a kind; the file to save has them all
TITLES = ("Copies and near copies", "Copies that disagree", "Labels that similar rows contradict")
TICK = " What you tick is left out of training; nothing is ticked for you, because a doubtful row may be right."


@dataclass(frozen=True)
class FindingsView:
    """What was found: a message, a list to tick for each kind, and the file with all of it."""

    findings: Update
    copies: Update = UNCHANGED
    conflicts: Update = UNCHANGED
    doubtful: Update = UNCHANGED
    save_findings: Update = UNCHANGED


@dataclass(frozen=True)
class FindingsPanel:
    """The components of the step."""

    check: gr.Button
    findings: gr.HTML
    copies: gr.CheckboxGroup
    conflicts: gr.CheckboxGroup
    doubtful: gr.CheckboxGroup
    save_findings: gr.DownloadButton


def find_doubtful_rows(services: Services, form: DataForm) -> Iterator[FindingsView]:
    """Embed every text and check the rows; yield the progress, then what was found."""
    try:
        data = form.dataset()
        yield FindingsView(show_message(quiet("Embedding all texts.")))
        embedding = ProgressSteps(
            embed_with_progress(services.encoder, data.texts, services.executors.large_embeddings)
        )
        for progress in embedding:
            yield FindingsView(show_message(progress.html()))
        check = partial(check_quality, data, embedding.result)
        checking = ProgressSteps(
            with_progress("Asking the other rows about each label", check, services.executors.data_quality)
        )
        for progress in checking:
            yield FindingsView(show_message(progress.html()))
        report = checking.result
        path = fresh_path("mtst-findings.csv")
        report.write(data, path)
    except MtstError as error:
        yield no_findings(show_message(problem(error)))
        return
    yield FindingsView(
        _summary(report, data),
        copies=_checkboxes(TITLES[0], (*report.copies, *report.near_copies), data),
        conflicts=_checkboxes(TITLES[1], report.conflicts, data),
        doubtful=_checkboxes(TITLES[2], report.labels, data),
        save_findings=gr.update(value=str(path), visible=True),
    )


def no_findings(message: Update | None = None) -> FindingsView:
    """Return the view of rows that were not checked yet."""
    empty = gr.update(choices=[], value=[], visible=False)
    return FindingsView(message or show_message(""), empty, empty, empty, gr.update(visible=False))


def _summary(report: QualityReport, data: Dataset) -> Update:
    """Say how many rows are in each list; a row of which several things were found counts once, as in the list."""
    counts = {
        ("copy or near copy", "copies and near copies"): (*report.copies, *report.near_copies),
        ("copy that disagrees", "copies that disagree"): report.conflicts,
        ("label that similar rows contradict", "labels that similar rows contradict"): report.labels,
    }
    rows = {names: len({finding.row for finding in kind}) for names, kind in counts.items()}
    parts = ", ".join(f"{number:,} {names[number > 1]}" for names, number in rows.items() if number) or "Nothing"
    doubt = " At most a tenth of each task's labels are listed, the most doubtful first." if report.labels else ""
    ticked = TICK if any(rows.values()) else ""
    return show_message(quiet(f"{parts} found among {len(data):,} rows.{doubt}{ticked}"))


def _checkboxes(title: str, findings: Sequence[Finding], data: Dataset) -> Update:
    """Return the update of one list. A line of the file is in it once, with everything that was found about it."""
    reasons: dict[int, list[str]] = {}
    for finding in findings:
        reasons.setdefault(finding.row, []).append(_reason(finding, data))
    choices = [
        (f"line {data.lines[row]:,}: {inline_text(data.texts[row], 140)}\n{'; '.join(why)}", str(data.lines[row]))
        for row, why in list(reasons.items())[:MAX_SHOWN]
    ]
    more = f", the first {MAX_SHOWN} of {len(reasons):,}" if len(reasons) > MAX_SHOWN else f" ({len(reasons):,})"
    return gr.update(choices=choices, value=[], label=f"{title}{more}", visible=bool(choices))


def _reason(finding: Finding, data: Dataset) -> str:
    other = "" if finding.other is None else f"line {data.lines[finding.other]:,}"
    match finding.kind:
        case "copy":
            return f"the same as {other}"
        case "near copy":
            text = "" if finding.other is None else data.texts[finding.other]
            return f"{100 * finding.score:.0f}% like {other}: {inline_text(text, 80)}"
    task = next(task for task in data.tasks if task.name == finding.task)
    label = inline_text(describe_labels(task, data.labels[task.name][finding.row]), 40)
    name, suggestion = inline_text(task.name, 40), inline_text(finding.suggestion or "", 40)
    if finding.kind == "conflict":
        return f"{name} is “{label}”, on {other} “{suggestion}”"
    return f"{name} is “{label}” ({100 * finding.score:.0f}% likely), the others say “{suggestion}”"


def findings_panel(services: Services, inputs: dict[str, Any], check: gr.Button) -> FindingsPanel:
    """Build the lists of what `check` finds; `inputs` are the components of the file, by the fields of `DataForm`."""
    findings = html(visible=False, elem_id="train-findings")
    copies, conflicts, doubtful = (
        gr.CheckboxGroup(
            [], label=title, visible=False, show_select_all=True, elem_classes="findings",
            elem_id=f"train-doubt-{number}",
        )
        for number, title in enumerate(TITLES, 1)
    )  # fmt: skip
    save = gr.DownloadButton("Save all findings as CSV", visible=False, size="sm", elem_id="train-doubt-save")
    panel = FindingsPanel(check, findings, copies, conflicts, doubtful, save)
    outputs = Outputs(FindingsView, panel)

    def find(**values: Any) -> Iterator[FindingsView]:
        yield from find_doubtful_rows(services, DataForm(**values))

    check.click(
        outputs.by_name(find), None, outputs.components, inputs_kwargs=inputs, concurrency_limit=8, **SILENT
    )  # fmt: skip
    return panel
