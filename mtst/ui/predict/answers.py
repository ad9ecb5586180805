"""What the heads say of typed sentences, and below one of them, on request, why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from mtst.errors import MtstError
from mtst.text import quantity, truncate
from mtst.ui.components.html import bars, empty, problem
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.sentence_box import split_sentences
from mtst.ui.components.templates import render
from mtst.ui.plots.style import task_colour
from mtst.ui.predict.explanation import explain_prediction, sentence_key
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.model_data import TRAINED, find_model, model_data
from mtst.ui.services.services import Services

if TYPE_CHECKING:
    from mtst.model.predictions import Prediction

MAX_SENTENCES = 50
MAX_LABELS = 4
HELD_OUT_SENTENCES, HELD_OUT_CHARACTERS = 5, 300  # of a run, to begin with
EXAMPLES = "\n".join(
    (
        "The team kept its nerve and won the cup on penalties.",
        "My order came cold and an hour late, never again.",
        "The central bank left interest rates where they were.",
    )
)
NOTHING = empty("The probabilities of each head appear here", "Enter sentences, one per line.")
NO_REASON = Markup()
CLOSE = "close"  # the key of the button of a sentence that is being explained


@dataclass(frozen=True)
class Answers:
    """What the heads say: a note, and for each sentence what the template shows of it."""

    note: Markup
    sentences: list[dict[str, object]]

    def html(self, asked: str = "", why: Markup = NO_REASON) -> Markup:
        """Return the answers; `why` stands below the sentence whose key is `asked`."""
        answers = render("predict/predictions", sentences=self.sentences, asked=asked, why=why, close=CLOSE)
        return self.note + answers


def predict(services: Services, text: str, which: str, run: str | None, uploaded: str | None = None) -> str:
    """Return the probabilities of every head for each sentence as HTML."""
    try:
        answers = _answers(services, text, which, run, uploaded)
    except MtstError as error:
        return problem(error)
    return answers.html() if answers.sentences else NOTHING


def explain_below(
    services: Services, key: str, text: str, which: str, run: str | None, uploaded: str | None = None
) -> Iterator[str]:
    """Yield the same with the explanation of one sentence below it, as its parts are ready.

    Args:
        services: what all visitors share.
        key: that of the sentence, or `CLOSE` for the answers without an explanation.
        text: the sentences.
        which: the model.
        run: the token of the visitor's run.
        uploaded: that of an uploaded model.
    """
    try:
        answers = _answers(services, text, which, run, uploaded)
    except MtstError as error:
        yield problem(error)
        return
    if key not in [sentence["key"] for sentence in answers.sentences]:
        yield answers.html()
        return
    for why in explain_prediction(services, key, run, uploaded):
        yield answers.html(key, why)


def suggest_sentences(services: Services, which: str, text: str, suggested: str, run: str | None) -> str | None:
    """Return sentences for a model to begin with: held-out ones of a run; None where a visitor has written others."""
    if text.strip() and text != suggested:
        return None
    if which != TRAINED:
        return EXAMPLES
    try:
        rows = model_data(services, which, run).held_out
    except MtstError:  # the answer says what is wrong with the run
        return None
    short = (" ".join(text.split()) for text in rows.texts if len(text) <= HELD_OUT_CHARACTERS)
    return "\n".join([*dict.fromkeys(short)][:HELD_OUT_SENTENCES]) or EXAMPLES


def _answers(services: Services, text: str, which: str, run: str | None, uploaded: str | None) -> Answers:
    """Return what a model says of each line of a text.

    Raises:
        MtstError: there are too many, or no such model.
    """
    sentences = split_sentences(text, MAX_SENTENCES)
    if not sentences:
        return Answers(Markup(), [])
    model = find_model(services, which, run, uploaded)
    predictions = model.predict(sentences)
    shown: list[dict[str, object]] = [
        {
            "key": sentence_key(which, sentence),
            "question": f"Why? {truncate(sentence, 80)}",
            "text": sentence,
            "heads": [
                {"task": head.task.name, "colour": task_colour(number), "bars": _bars(head, row)}
                for number, head in enumerate(predictions.values())
            ],
        }
        for row, sentence in enumerate(sentences)
    ]
    return Answers(oddity_note(unread_texts(services, model.encoder, sentences)), shown)


def _bars(prediction: "Prediction", row: int) -> Markup:
    """Return the likeliest labels of one head as bars."""
    probabilities = prediction.probabilities[row]
    order = probabilities.argsort()[::-1]
    shown, others = order[:MAX_LABELS], order[MAX_LABELS:]
    task, threshold = prediction.task, prediction.task.threshold
    chosen = {k for k in order if task.multi and probabilities[k] >= threshold}
    percent = {k: f"{'✓ ' if k in chosen else ''}{100 * probabilities[k]:.0f}%" for k in shown}
    rows = [(task.labels[k], probabilities[k], percent[k]) for k in shown]
    if task.multi:
        return bars(
            rows, f"{quantity(len(chosen), 'label')} with {100 * threshold:.0f}% or more predicted (✓), of {len(order)}"
        )
    rest = f"{len(others)} more labels share {100 * probabilities[others].sum():.0f}%" if len(others) else ""
    return bars(rows, rest)
