"""How often a confidence like that of a prediction was right on held-out rows."""

from collections.abc import Sequence

from markupsafe import Markup

from mtst.analysis.explanation import Attribution, Explanation
from mtst.evaluation.error_analysis import (
    FEW_ROWS,
    PredictedRow,
    confidence_bin,
    label_decisions,
    predicted_rows,
    reliability_bins,
)
from mtst.text import isolate_bidi, truncate
from mtst.ui.components.html import quiet, table
from mtst.ui.components.templates import render
from mtst.ui.services.model_data import ModelData


def calibration_notes(data: ModelData, explanation: Explanation) -> dict[str, Markup]:
    """Return a note for each task that has predictions of held-out rows, by its name."""
    if data.predictions is None:
        return {}
    notes: dict[str, Markup] = {}
    for attribution in explanation.tasks:
        rows_of = label_decisions if attribution.task.multi else predicted_rows
        note = _note(attribution, rows_of(data.predictions, data.held_out, attribution.task))
        if note is not None:
            notes[attribution.task.name] = note
    return notes


def _note(attribution: Attribution, rows: Sequence[PredictedRow]) -> Markup | None:
    """Return how right the predictions with a similar confidence were, and a table of all confidences."""
    bins = reliability_bins(rows)
    if not bins:
        return None
    subject = "label" if attribution.task.multi else "row"
    index = confidence_bin(attribution.probability)
    current = next((each for each in bins if each.index == index), None)
    low, high = 10 * index, 10 * (index + 1)
    if current is None:
        text = f"No held-out {subject} had a confidence of {low} to {high}%."
    else:
        few = " That is too few to go by." if current.rows < FEW_ROWS else ""
        text = (
            f"Held-out {subject}s with a confidence of {low} to {high}%: {current.correct:,} of {current.rows:,} were "
            f"right ({100 * current.correct / current.rows:.0f}%).{few}"
        )
    name = truncate(attribution.task.name, 60)
    cells = [
        (f"{10 * each.index} to {10 * (each.index + 1)}%", f"{each.rows:,}", f"{100 * each.correct / each.rows:.0f}%")
        for each in bins
    ]
    header = ("confidence", f"held-out {subject}s", "were right")
    return render(
        "predict/calibration",
        note=quiet(text),
        task=name,
        table=table(header, cells, caption=f"{isolate_bidi(name)}: calibration"),
    )
