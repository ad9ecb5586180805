"""Why this label: the words that speak for it or against it, and the training rows that lie nearest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtst.analysis.similarity import rank
from mtst.data.dataset import Dataset
from mtst.data.split import rows_by_text
from mtst.data.tasks import Task

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer
    from mtst.model.predictions import Prediction

# Chinese and Japanese have no blanks between words: there each character is taken alone.
ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{ALONE}]|[^\s{ALONE}]+")
MAX_PIECES = 32  # a text of more words is taken in pieces of several words
MOST_ORDERS = 24
TOKENS = 5_000  # that one explanation may read, roughly; two orders are always taken

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Attribution:
    """What the pieces of one sentence do for the label that a head gives it.

    Attributes:
        task: the head's task.
        label: the likeliest label.
        probability: of that label, between 0 and 1.
        blank: its probability without any of the pieces.
        shares: what each of n pieces (n,) adds to the probability; together they lead from `blank` to `probability`.
        errors: the standard errors (n,) of the shares, for not all orders were tried; `inf` if only one pair was.
    """

    task: Task
    label: str
    probability: float
    blank: float
    shares: np.ndarray
    errors: np.ndarray


@dataclass(frozen=True)
class Explanation:
    """Where the pieces of a sentence begin and end, and what they do for each task; only what the encoder may read."""

    sentence: str
    spans: tuple[Span, ...]
    tasks: tuple[Attribution, ...]


def explain(model: "MultiTaskSentenceTransformer", sentence: str, seed: int = 0) -> Explanation:
    """Share the probability of each head's label out among the words: Shapley values, estimated by sampling.

    The words are put in one after the other, in random orders, and each is given what the probability rises by when
    it comes in, on average over the orders (Castro, Gómez and Tejada 2009; Štrumbelj and Kononenko 2010; in the form
    of Lundberg and Lee 2017, a missing word being left out). Every order is also taken backwards, which lowers the
    noise (Mitchell, Cooper, Frank and Holmes 2022). What a single word does when it alone is left out would be cheaper,
    but words that say the same cover for each other there, and a sure label seems to have no cause.

    Limits: it says what moves this model, not what is true; a sentence with holes is unlike those it has learnt from;
    the shares have a sampling error.
    """
    spans = split_spans(sentence, model.encoder.max_tokens)
    orders = _orders(len(spans), _how_many(model, sentence, spans), seed)
    parts = [_only(sentence, spans, order[:count]) for order in orders for count in range(len(spans))]
    found = model.predict([sentence, "", *parts]).values()
    return Explanation(sentence, spans, tuple(_attribution(each, orders) for each in found))


def split_spans(sentence: str, most_words: int) -> tuple[Span, ...]:
    """Return where up to `MAX_PIECES` pieces of about as many words each begin and end, among the first words."""
    words = [found.span() for found in WORD.finditer(sentence)][:most_words]
    size = -(-len(words) // MAX_PIECES) or 1
    return tuple((words[k][0], words[min(k + size, len(words)) - 1][1]) for k in range(0, len(words), size))


def _how_many(model: "MultiTaskSentenceTransformer", sentence: str, spans: Sequence[Span]) -> int:
    """Return how many orders to take: an even number."""
    tokens = len(model.encoder.tokenize([sentence])[0])
    wanted = TOKENS // max(1, len(spans) * (2 + tokens // 2))  # on average half of the sentence is there
    return 2 * max(1, min(MOST_ORDERS, wanted) // 2)


def _orders(count: int, orders: int, seed: int) -> np.ndarray:
    """Return random orders (orders, count) of some pieces, every second one the one before it backwards."""
    chance = np.random.default_rng(seed)
    half = np.array([chance.permutation(count) for _ in range(orders // 2)], dtype=int)
    return np.stack([half, half[:, ::-1]], axis=1).reshape(orders, count)


def _only(sentence: str, spans: Sequence[Span], places: np.ndarray) -> str:
    """Return the sentence with some of its pieces only, in their order, and the blanks after them."""
    ends = [start for start, _ in spans[1:]] + [spans[-1][1]]
    return "".join(sentence[spans[k][0] : ends[k]] for k in sorted(places)).strip()


def _attribution(found: "Prediction", orders: np.ndarray) -> Attribution:
    """Average over the orders; the first two rows of the probabilities are those of all words and of none."""
    count, words = orders.shape
    whole = found.probabilities[0].astype(float)
    best = int(whole.argmax())
    grown = found.probabilities[2:, best].reshape(count, words)
    rises = np.diff(grown, axis=1, append=whole[best])
    gains = np.empty_like(rises)
    np.put_along_axis(gains, orders, rises, axis=1)
    pairs = gains.reshape(count // 2, 2, words).mean(axis=1)  # a pair is one draw
    errors = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.full(words, np.inf)
    blank = float(found.probabilities[1, best])
    return Attribution(found.task, found.task.labels[best], float(whole[best]), blank, gains.mean(axis=0), errors)


def nearest_rows(
    model: "MultiTaskSentenceTransformer", sentence: str, rows: Dataset, count: int = 5
) -> list[tuple[int, float]]:
    """Return the places of the rows whose embeddings lie nearest to a sentence's, and their cosines.

    Of rows with the same text the first stands for all. The encoder remembers the embeddings, so that the rows are
    read once for all sentences.
    """
    places = [copies[0] for copies in rows_by_text(rows)]
    embeddings = model.encode([sentence, *(rows.texts[place] for place in places)])
    return [(places[k], cosine) for k, cosine in rank(embeddings[0], embeddings[1:])[:count]]


def labels_of(rows: Dataset, place: int) -> list[str]:
    """Return the label of a row for each task, blank where it has none."""
    found = ((task.labels, rows.labels[task.name][place]) for task in rows.tasks)
    return [labels[index] if index >= 0 else "" for labels, index in found]
