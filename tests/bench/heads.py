"""Heads on a frozen encoder beside a logistic regression on the same embeddings, its strength by cross-validation.

python -m tests.bench.heads --data FOLDER [--set NAME ...] [--rows N ...] [--draws 3]

Both learn from the same training rows and are scored on the same test rows: macro-F1, mean of the tasks.
"""

import argparse
import statistics
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from mtst import MultiTaskSentenceTransformer, TrainConfig, fit, load_encoder
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.encoders.encoder import Encoder
from mtst.evaluation.metrics import evaluate, score_tasks
from mtst.evaluation.scores import mean_macro_f1
from mtst.training.config import split
from tests.bench.sets import SOURCES, draw_rows

STRENGTHS = {"C": [0.1, 1, 3, 10, 30, 100]}
UNSEEN = -30.0  # the logit of a label that no training row has


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.heads", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--set", action="append", choices=SOURCES)
    parser.add_argument("--rows", action="append", type=int)
    parser.add_argument("--draws", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of labels with a single row
    encoder = load_encoder()
    for rows in options.rows or (100, 300, 1000):
        for source in options.set or SOURCES:
            draws = [draw_rows(options.data, source, rows, draw) for draw in range(options.draws)]
            pairs = [compare(encoder, *drawn, seed) for seed, drawn in enumerate(draws)]
            heads, regression = (100 * statistics.mean(scores) for scores in zip(*pairs, strict=True))
            print(f"{source:10}{rows:6}{heads:8.1f}{regression:8.1f}{heads - regression:+8.1f}", flush=True)


def compare(encoder: Encoder, data: Dataset, judges: Dataset, seed: int) -> tuple[float, float]:
    """Return the mean macro-F1 of the heads and of the regression."""
    train, validation = split(data, TrainConfig(seed=seed))
    model = MultiTaskSentenceTransformer(encoder, data.tasks)
    for _ in fit(model, train, TrainConfig(seed=seed), validation=validation, baselines=False):
        pass
    embeddings, judged = encoder.encode(train.texts), encoder.encode(judges.texts)
    logits = {}
    for task in train.tasks:
        labels = np.array(train.labels[task.name])
        labelled = labels != UNLABELLED
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        search = GridSearchCV(LogisticRegression(max_iter=1000), STRENGTHS, cv=folds)
        best = search.fit(embeddings[labelled], labels[labelled]).best_estimator_
        values = np.full((len(judged), len(task.labels)), UNSEEN)
        values[:, best.classes_] = best.predict_log_proba(judged)
        logits[task.name] = torch.from_numpy(values).float()
    return mean_macro_f1(evaluate(model, judges)), mean_macro_f1(score_tasks(logits, judges))


if __name__ == "__main__":
    main()
