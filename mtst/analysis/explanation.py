"""Explain a prediction: what each word contributes to it, and the training rows nearest to the sentence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtst.analysis.similarity import rank_by_cosine
from mtst.data.dataset import Dataset
from mtst.data.labels.sets import describe_labels
from mtst.data.split import rows_by_text
from mtst.data.tasks import Task

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer
    from mtst.model.predictions import Prediction

# Chinese and Japanese have no blanks between words: there each character is a word.
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]|[^\s{CJK}]+")
MAX_SPANS = 32  # a text of more words is explained in spans of several words
MAX_ORDERS = 24
TOKEN_BUDGET = 5_000  # that one explanation may read, roughly; two orders are always taken

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each span of a sentence contributes to the label that a head predicts.

    Attributes:
        task: the head's task.
        label: the predicted label.
        probability: of that label, between 0 and 1.
        baseline: its probability for an empty sentence.
        contributions: what each of n spans (n,) adds to the probability; they sum to `probability - baseline`.
        standard_errors: of the contributions (n,), since not all orders were tried; `inf` if only one pair was.
    """

    task: Task
    label: str
    probability: float
    baseline: float
    contributions: np.ndarray
    standard_errors: np.ndarray


@dataclass(frozen=True)
class Explanation:
    """The spans of a sentence, up to the encoder's maximum length, and their contributions for each task."""

    sentence: str
    spans: tuple[Span, ...]
    tasks: tuple[Attribution, ...]


def explain(model: "MultiTaskSentenceTransformer", sentence: str, seed: int = 0) -> Explanation:
    """Attribute the probability of each head's label to the words: Shapley values, estimated by sampling.

    The words are added one after the other, in random orders. A word's contribution is what the probability rises by
    when it is added, on average over the orders (Castro, Gómez and Tejada 2009; Štrumbelj and Kononenko 2010; in the
    form of Lundberg and Lee 2017, with missing words left out). Every order is also taken reversed, which lowers the
    variance (Mitchell, Cooper, Frank and Holmes 2022). Leaving out single words would be cheaper, but words with the
    same meaning stand in for each other there, so that a confident label seems to have no cause.

    Limits: it shows what moves this model, not what is true; a sentence with words left out is unlike the sentences
    that the model has learned from; contributions have a sampling error.
    """
    spans = split_spans(sentence, model.encoder.max_tokens)
    orders = _random_orders(len(spans), _order_count(model, sentence, spans), seed)
    parts = [_keep_spans(sentence, spans, order[:count]) for order in orders for count in range(len(spans))]
    predictions = model.predict([sentence, "", *parts]).values()
    return Explanation(sentence, spans, tuple(_attribution(prediction, orders) for prediction in predictions))


def split_spans(sentence: str, max_words: int) -> tuple[Span, ...]:
    """Split the first words into at most `MAX_SPANS` spans (start, end) of about as many words each."""
    words = [match.span() for match in WORD.finditer(sentence)][:max_words]
    size = -(-len(words) // MAX_SPANS) or 1
    return tuple((words[k][0], words[min(k + size, len(words)) - 1][1]) for k in range(0, len(words), size))


def _order_count(model: "MultiTaskSentenceTransformer", sentence: str, spans: Sequence[Span]) -> int:
    """Return how many orders to take, an even number."""
    tokens = len(model.encoder.tokenize([sentence])[0])
    affordable = TOKEN_BUDGET // max(1, len(spans) * (2 + tokens // 2))  # on average half of the sentence is there
    return 2 * max(1, min(MAX_ORDERS, affordable) // 2)


def _random_orders(spans: int, orders: int, seed: int) -> np.ndarray:
    """Return random orders (orders, spans) of the spans; every second one is the one before it, reversed."""
    rng = np.random.default_rng(seed)
    half = np.array([rng.permutation(spans) for _ in range(orders // 2)], dtype=int)
    return np.stack([half, half[:, ::-1]], axis=1).reshape(orders, spans)


def _keep_spans(sentence: str, spans: Sequence[Span], indices: np.ndarray) -> str:
    """Return the sentence with some of its spans only, in their order, and the blanks after them."""
    ends = [start for start, _ in spans[1:]] + [spans[-1][1]]
    return "".join(sentence[spans[k][0] : ends[k]] for k in sorted(indices)).strip()


def _attribution(prediction: "Prediction", orders: np.ndarray) -> Attribution:
    """Average the contributions over the orders.

    Rows 0 and 1 of the probabilities are those of the whole sentence and of the empty one; then come, order by order,
    those with the first 0, 1, … words of that order.
    """
    count, spans = orders.shape
    full = prediction.probabilities[0].astype(float)
    label = int(full.argmax())
    partial = prediction.probabilities[2:, label].reshape(count, spans)
    rises = np.diff(partial, axis=1, append=full[label])
    gains = np.empty_like(rises)
    np.put_along_axis(gains, orders, rises, axis=1)
    pairs = gains.reshape(count // 2, 2, spans).mean(axis=1)  # an order and its reverse are one sample
    errors = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.full(spans, np.inf)
    return Attribution(
        prediction.task,
        prediction.task.labels[label],
        probability=float(full[label]),
        baseline=float(prediction.probabilities[1, label]),
        contributions=gains.mean(axis=0),
        standard_errors=errors,
    )


def nearest_rows(
    model: "MultiTaskSentenceTransformer", sentence: str, rows: Dataset, count: int = 5
) -> list[tuple[int, float]]:
    """Return the indices of the rows whose embeddings are nearest to a sentence's, and their cosines.

    Of rows with the same text only the first is taken. The encoder caches embeddings, so that the rows are embedded
    once for all sentences.
    """
    indices = [copies[0] for copies in rows_by_text(rows)]
    embeddings = model.encode([sentence, *(rows.texts[index] for index in indices)])
    return [(indices[k], cosine) for k, cosine in rank_by_cosine(embeddings[0], embeddings[1:])[:count]]


def row_labels(rows: Dataset, index: int) -> list[str]:
    """Return the label of a row for each task, empty where it has none."""
    labelled = ((task, rows.labels[task.name][index]) for task in rows.tasks)
    return [describe_labels(task, value) if value >= 0 else "" for task, value in labelled]
