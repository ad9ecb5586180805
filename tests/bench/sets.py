"""Public sets to measure on: where their rows are, and draws of some of them."""

import random
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from mtst import Dataset, make_dataset, read_table
from mtst.data.dataset import UNLABELLED
from mtst.data.split import text_key

JUDGES = 1_000  # test rows


@dataclass(frozen=True)
class Source:
    """One set: where its rows are, and what its columns are called."""

    train: str
    test: str | None
    text: str
    labels: tuple[str, ...]


SOURCES = {
    "trec": Source("trec/train.csv", "trec/test.csv", "text", ("label", "fine_label")),
    "emotion": Source("emotion/train.csv", "emotion/test.csv", "text", ("label",)),
    "meld": Source("meld/train_sent_emo.csv", "meld/test_sent_emo.csv", "Utterance", ("Emotion", "Sentiment")),
    "cr": Source("cr/train.csv", "cr/test.csv", "text", ("label",)),
    "atis": Source("atis/train.csv", None, "text", ("label",)),
    "tweets": Source("tweeteval_emotion/train.csv", "tweeteval_emotion/test.csv", "text", ("label",)),
    "airline": Source("airline/Tweets.csv", None, "text", ("airline_sentiment",)),
    "clinc": Source("clinc150/train.csv", "clinc150/test.csv", "text", ("domain",)),
}


def draw_rows(
    folder: Path, name: str, rows: int, draw: int, *, judges: int = JUDGES, pool_rows: int | None = None
) -> tuple[Dataset, Dataset]:
    """Return the rows of a draw, and the test rows that judge it, with the labels of the draw.

    With `pool_rows` all are rows of that many of the training file, even if there is a test file.
    """
    pool, test = _load(folder, name)
    if pool_rows:
        chosen = random.Random(0).sample(range(len(pool)), min(pool_rows, len(pool)))  # noqa: S311
        pool, test = pool.take(chosen), None
    order = random.Random(draw).sample(range(len(pool)), len(pool))  # noqa: S311 (a draw of rows, not a secret)
    drawn = pool.take(sorted(order[:rows]))
    seen = {text_key(text) for text in drawn.texts}
    others = test or pool.take(order[rows:])
    unseen = [row for row, text in enumerate(others.texts) if text_key(text) not in seen]
    judging = others.take(random.Random(0).sample(unseen, min(judges, len(unseen))))  # noqa: S311
    # Labels that the draw lacks cannot be learnt: heads have the labels of the draw, other test rows do not count.
    tasks, labels, judged = [], {}, {}
    for task in drawn.tasks:
        present = [label for label, count in drawn.counts(task).items() if count]
        other = next(one for one in others.tasks if one.name == task.name)
        index = {label: number for number, label in enumerate(present)}
        labels[task.name] = tuple(
            index[task.labels[k]] if k != UNLABELLED else UNLABELLED for k in drawn.labels[task.name]
        )
        judged[task.name] = tuple(
            index.get(other.labels[k], UNLABELLED) if k != UNLABELLED else UNLABELLED for k in judging.labels[task.name]
        )
        tasks.append(replace(task, labels=tuple(present)))
    return (
        replace(drawn, tasks=tuple(tasks), labels=labels),
        replace(judging, tasks=tuple(tasks), labels=judged),
    )


@cache
def _load(folder: Path, name: str) -> tuple[Dataset, Dataset | None]:
    """Return the rows of a set, and its test rows if it has a file of them."""
    source = SOURCES[name]
    files = (source.train, source.test) if source.test else (source.train,)
    datasets = [make_dataset(read_table(folder / file), source.text, list(source.labels)) for file in files]
    return datasets[0], datasets[1] if source.test else None
