"""Why this label: the words that carry it, how right such a confidence has been, and the nearest training rows."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtst.analysis.explanation import Attribution, Explanation, explain, labels_of, nearest_rows
from mtst.data.dataset import Dataset
from mtst.errors import MtstError
from mtst.evaluation.error_analysis import FEW_ROWS, PredictedRow, bin_of, predicted_rows, reliability
from mtst.text import escape_html, isolate_bidi, truncate
from mtst.ui.components.html import problem, quiet, table
from mtst.ui.components.sentence_box import clean_query
from mtst.ui.components.sentence_list import sentence_list
from mtst.ui.plots.style import task_colour
from mtst.ui.services.model_data import UPLOADED, ModelData, find_model, model_data
from mtst.ui.services.services import Services

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

NOTHING = quiet("Press Why? beside a sentence: the words that carry each label, and the training rows nearest to it.")
MARKED, NUMBERED = 0.02, 0.05  # shares from which a word is coloured, and has its number beside it
SURE = 2  # a share below so many of its standard errors is not marked
PALEST = 0.2  # the share that has the full colour where no word has more
ROWS = 20_000  # that are compared with the sentence, at most
ROWS_AT_ONCE, SECONDS = 512, 60  # to read them in the first time
NEAREST = 5
METHOD = (
    "The numbers are points of probability: what a word adds when it comes in, on average over random orders of "
    "putting the words in (Shapley values; Castro, Gómez and Tejada 2009, Lundberg and Lee 2017). They add up from the "
    "probability without any word to that of the sentence. They say what moves this model, not what is true; half a "
    "sentence is unlike what it has learnt from; ± is the error of sampling, and a share within it is not marked."
)


def explain_prediction(services: Services, key: str, run: str | None, brought: str | None = None) -> Iterator[str]:
    """Yield the explanation of one sentence as HTML, as its parts come in; `key` is made by `key_of`."""
    which, _, sentence = str(key).partition(":")
    sentence = clean_query(sentence)
    yield quiet("Taking the words apart …")
    try:
        model = find_model(services, which, run, brought)
        found = explain(model, sentence)
        if which == UPLOADED:
            yield _page(key, found, {}, quiet("The rows that this model has learned from did not come with it."))
            return
        yield _page(key, found, {}, quiet("Looking at the held-out rows …"))
        known = model_data(services, which, run)
        past = _past(known, found)
        for near in _nearest(model, sentence, known):
            yield _page(key, found, past, near)
    except MtstError as error:
        yield problem(error)


def sentence_key(which: str, sentence: str) -> str:
    """Return what a button says of a sentence and of the model that was asked."""
    return f"{which}:{sentence}"


def _page(key: str, found: Explanation, past: Mapping[str, str], near: str) -> str:
    """Return an explanation; `past` has a word about each task's confidence, `near` the nearest rows."""
    tasks = "".join(
        f'<section style="--hue: {task_colour(number)}">{_task(found, each)}{past.get(each.task.name, "")}'
        f"{_numbers(found, each)}</section>"
        for number, each in enumerate(found.tasks)
    )
    title = f'<h3 class="asked" tabindex="-1" data-of="{escape_html(key)}" dir="auto">{escape_html(truncate(found.sentence, 300))}'
    return f'<div class="why">{title}</h3>{tasks}{quiet(METHOD)}{near}</div>'


def _task(found: Explanation, each: Attribution) -> str:
    """Return a label and the sentence with the words that carry it."""
    title = (
        f'<h4><i class="dot"></i><span dir="auto">{escape_html(truncate(each.task.name, 60))}</span>: '
        f'<span dir="auto">{escape_html(truncate(each.label, 60))}</span>, {100 * each.probability:.0f} %</h4>'
    )
    return f"{title}{_words(found, each)}"


def _words(found: Explanation, each: Attribution) -> str:
    """Return the sentence; a word has the more colour the larger its share, a full line below it or a broken one."""
    sentence = found.sentence
    full = max(PALEST, float(np.abs(each.shares).max(initial=0.0)))
    made, end = [], 0
    for (start, stop), share, error in zip(found.spans, map(float, each.shares), each.errors, strict=True):
        clear = abs(share) >= MARKED and not (np.isfinite(error) and abs(share) < SURE * error)
        word = sentence[start:stop]
        made += [
            escape_html(sentence[end:start]),
            _marked(word, share, abs(share) / full) if clear else escape_html(word),
        ]
        end = stop
    unread = f'<span class="unread" title="not explained">{escape_html(truncate(sentence[end:], 200))}</span>'
    return f'<p class="words" dir="auto">{"".join(made)}{unread if sentence[end:].strip() else ""}</p>'


def _marked(word: str, share: float, strength: float) -> str:
    number = f"<small>{_points(share)}</small>" if abs(share) >= NUMBERED else ""
    side = "for" if share > 0 else "against"
    return (
        f'<mark class="{side}" style="--p: {100 * strength:.0f}%" title="{_points(share)} points">'
        f"<bdi>{escape_html(word)}</bdi>{number}</mark>"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "−")


def _numbers(found: Explanation, each: Attribution) -> str:
    """Return the shares of all words as a table, the largest first."""
    order = np.argsort(-np.abs(each.shares), kind="stable")
    rows = [
        (truncate(found.sentence[slice(*found.spans[k])], 60), _points(each.shares[k]), _error(float(each.errors[k])))
        for k in order
    ]
    rows += [("without any word", f"{100 * each.blank:.0f}", ""), ("all words", f"{100 * each.probability:.0f}", "")]
    name = truncate(each.task.name, 60)
    made = table(
        ("word", "points", "±"),
        rows,
        caption=f"{isolate_bidi(name)}: what each word does for {isolate_bidi(truncate(each.label, 60))}",
    )
    return (
        f'<details><summary>Each word in numbers: <span dir="auto">{escape_html(name)}</span></summary>{made}</details>'
    )


def _error(error: float) -> str:
    return f"{100 * error:.0f}" if np.isfinite(error) else "?"


def _past(known: ModelData, found: Explanation) -> dict[str, str]:
    """Say of each task how often a confidence like this one was right on held-out rows."""
    if known.said is None:
        return {}
    return {
        each.task.name: _was_right(each, predicted_rows(known.said, known.held_out, each.task)) for each in found.tasks
    }


def _was_right(each: Attribution, found: Sequence[PredictedRow]) -> str:
    """Return a sentence about the tenth of confidence that this one lies in, and all tenths as a table."""
    bins = reliability(found)
    if not bins:
        return ""
    place = bin_of(each.probability)
    here = next((tenth for tenth in bins if tenth.place == place), None)
    low, high = 10 * place, 10 * (place + 1)
    if here is None:
        told = f"No held-out row had a confidence of {low} to {high} %."
    else:
        few = " That is too few to go by." if here.rows < FEW_ROWS else ""
        told = (
            f"Held-out rows with a confidence of {low} to {high} %: {here.right:,} of {here.rows:,} were right "
            f"({100 * here.right / here.rows:.0f} %).{few}"
        )
    name = truncate(each.task.name, 60)
    rows = [
        (
            f"{10 * tenth.place} to {10 * (tenth.place + 1)} %",
            f"{tenth.rows:,}",
            f"{100 * tenth.right / tenth.rows:.0f} %",
        )
        for tenth in bins
    ]
    made = table(
        ("confidence", "held-out rows", "were right"),
        rows,
        caption=f"{isolate_bidi(name)}: how right each confidence was",
    )
    title = f'How right each confidence was: <span dir="auto">{escape_html(name)}</span>'
    return f"{quiet(told)}<details><summary>{title}</summary>{made}</details>"


def _nearest(model: "MultiTaskSentenceTransformer", sentence: str, known: ModelData) -> Iterator[str]:
    """Yield how far the rows are read, then the nearest; slow encoders read as many as they can in a while."""
    rows = known.train if len(known.train) <= ROWS else known.train.take(range(ROWS))
    start, read = time.monotonic(), 0
    while read < len(rows) and time.monotonic() - start < SECONDS:
        model.encode(rows.texts[read : read + ROWS_AT_ONCE])
        read = min(read + ROWS_AT_ONCE, len(rows))
        if time.monotonic() - start > 1:
            yield quiet(f"Reading the training rows once: {read:,} of {len(rows):,} …")
    rows = rows.take(range(read))
    near = nearest_rows(model, sentence, rows, NEAREST)
    of = "" if read == len(known.train) else f" among the first {read:,} of {len(known.train):,}"
    yield sentence_list(
        f"Nearest training rows{of}, by the model's own embeddings",
        ((rows.texts[place], [("cosine", f"{cosine:.2f}"), *_labels(rows, place)]) for place, cosine in near),
    )


def _labels(rows: Dataset, place: int) -> Iterator[tuple[str, str]]:
    names = (task.name for task in rows.tasks)
    return ((name, label or "no label") for name, label in zip(names, labels_of(rows, place), strict=True))
