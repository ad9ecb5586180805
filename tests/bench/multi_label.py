"""Multi-label heads on a frozen encoder beside one-vs-rest logistic regressions on the same embeddings.

python -m tests.bench.multi_label --data FOLDER [--rows N ...] [--scenario KEY ...]

A row is one to three texts of a public set put together, with the labels of all of them; frequent labels are taken more
often. Test rows are made of other texts. Macro-F1 as scikit-learn computes it over all labels: the regressions predict
what is more probable than not, with C of 1, 10 and 100; the heads use the threshold that comes with the model.
"""

import argparse
import random
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from mtst import Dataset, MultiTaskSentenceTransformer, Task, TrainConfig, fit, load_encoder
from mtst.data.labels.sets import multi_hot, to_mask
from mtst.encoders.encoder import Encoder
from tests.bench.sets import draw_rows

SETS = {"trec": 28, "clinc": 11, "meld": 7, "emotion": 6}  # labels that are taken, the most frequent ones
STRENGTHS = (1, 10, 100)
SIZES = {1: 0.6, 2: 0.3, 3: 0.1}  # how many texts make a row, and how often
TEST_ROWS = 1_500


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.multi_label",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--rows", action="append", type=int)
    parser.add_argument("--scenario", action="append")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of labels that no training row has
    encoder = load_encoder()
    for source in SETS:
        for rows in options.rows or (100, 300, 1000):
            train, test = make_rows(options.data, source, rows)
            scores = regressions(encoder, train, test)
            for scenario in options.scenario or ["freeze-encoder"]:
                scores[scenario] = heads(encoder, train, test, scenario)
            values = "".join(f"  {name} {100 * score:.1f}" for name, score in scores.items())
            print(f"{source:10}{rows:6}{len(train.tasks[0].labels):4}{values}", flush=True)


def make_rows(folder: Path, source: str, rows: int) -> tuple[Dataset, Dataset]:
    """Return training and test rows with several labels."""
    parts = draw_rows(folder, source, 1_000, 0)
    most = max(parts[0].tasks, key=lambda task: len(task.labels))
    name, labels = most.name, most.labels
    texts: dict[int, list[str]] = {}
    for part in parts:
        for text, label in zip(part.texts, part.labels[name], strict=True):
            texts.setdefault(label, []).append(text)
    texts.pop(-1, None)
    kept = sorted(texts, key=lambda label: -len(texts[label]))[: SETS[source]]
    task = Task(name, tuple(labels[label] for label in kept), multi=True)
    pick = random.Random(0)  # noqa: S311 (a draw of rows, not a secret)
    return (
        _combine(task, [texts[label][: 2 * len(texts[label]) // 3] for label in kept], rows, pick),
        _combine(task, [texts[label][2 * len(texts[label]) // 3 :] for label in kept], TEST_ROWS, pick),
    )


def _combine(task: Task, texts: list[list[str]], rows: int, pick: random.Random) -> Dataset:
    weights = [1 / (rank + 1) ** 0.5 for rank in range(len(texts))]
    chosen = [
        dict.fromkeys(pick.choices(range(len(texts)), weights, k=pick.choices(list(SIZES), list(SIZES.values()))[0]))
        for _ in range(rows)
    ]
    joined = tuple(" ".join(pick.choice(texts[label]) for label in labels) for labels in chosen)
    return Dataset(joined, (task,), {task.name: tuple(map(to_mask, chosen))}, tuple(range(rows)))


def regressions(encoder: Encoder, train: Dataset, test: Dataset) -> dict[str, float]:
    (task,) = train.tasks
    learnt, judged = (multi_hot(part.labels[task.name], len(task.labels)) for part in (train, test))
    embeddings, others = (encoder.encode(part.texts) for part in (train, test))
    scores = {}
    for strength in STRENGTHS:
        predicted = np.zeros_like(judged)
        for label in np.flatnonzero(learnt.any(axis=0)):
            classifier = LogisticRegression(C=strength, max_iter=1000).fit(embeddings, learnt[:, label])
            predicted[:, label] = classifier.predict(others)
        scores[f"regression C {strength}"] = f1_score(judged, predicted, average="macro", zero_division=0)
    return scores


def heads(encoder: Encoder, train: Dataset, test: Dataset, scenario: str) -> float:
    (task,) = train.tasks
    model = MultiTaskSentenceTransformer(deepcopy(encoder), train.tasks)
    for _ in fit(model, train, TrainConfig(scenario=scenario), baselines=False):
        pass
    probabilities = model.predict(test.texts)[task.name].probabilities
    judged = multi_hot(test.labels[task.name], len(task.labels))
    return f1_score(judged, probabilities >= model.tasks[0].threshold, average="macro", zero_division=0)


if __name__ == "__main__":
    main()
