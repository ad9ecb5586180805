"""How often the interval of a difference between two scenarios holds the truth, in cross-validation of few rows.

python -m tests.bench.coverage --data FOLDER [--set NAME ...] [--rows N ...] [--pair A,B ...] [--draws 20] [--seeds 1]
python -m tests.bench.coverage --table

Each draw takes other rows of 4,000 of a set and cross-validates both sides of each pair on them. Every model that this
trains also predicts the rows outside the draw, or 500 of them where a scenario is trained. The truth of a pair is the
mean difference on these over all draws: what is expected for that number of rows. The cheap sides are logistic
regressions on frozen embeddings, the others scenarios. Results are appended to `coverage.csv` beside this file, a line
for each draw and pair, with the bounds before their correction; those that are there already are not measured again.
"""

import argparse
import csv
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from mtst import Dataset, Encoder, TrainConfig, load_encoder
from mtst.comparison.bootstrap import (
    FOLD_WIDENING,
    Labels,
    Prediction,
    bootstrap_draws,
    interval,
    macro_f1_by_task,
    macro_f1_draws,
)
from mtst.comparison.events import Attempt, ComparisonStarted, plan_attempts
from mtst.comparison.results import Comparison
from mtst.comparison.rows import FOLDS, RowPlan
from mtst.comparison.runner import compare_scenarios
from mtst.data.dataset import UNLABELLED
from mtst.data.tasks import Task
from mtst.model.multitask import MultiTaskSentenceTransformer
from tests.bench.sets import SOURCES, draw_rows

RESULTS = Path(__file__).with_name("coverage.csv")
POOL, JUDGES = 4_000, 500


@dataclass(frozen=True)
class Regression:
    """A logistic regression on the first dimensions of frozen embeddings; a smaller `c` regularizes more."""

    c: float
    dimensions: int | None = None


# The sides of the pairs: a learner, and settings that make it better or worse.
SIDES: dict[str, Regression | TrainConfig] = {
    "regression": Regression(10.0),
    "weak": Regression(0.3),
    "weaker": Regression(0.01),
    "half-blind": Regression(10.0, 96),
    "zero-shot": TrainConfig(scenario="freeze-all"),
    "heads": TrainConfig(epochs=20),
    "top": TrainConfig(scenario="top-k", epochs=8, encoder_rate=2e-4),
    "all": TrainConfig(scenario="train-all", epochs=8, encoder_rate=1e-4),
}
PAIRS = (("regression", "weak"), ("regression", "weaker"), ("regression", "half-blind"), ("weak", "half-blind"))


@dataclass(frozen=True)
class Line:
    """One pair on one draw: the difference as measured with uncorrected bounds, and as judged by the other rows."""

    source: str
    rows: int
    draw: int
    seeds: int
    side: str
    than: str
    gain: float
    low: float
    high: float
    judged: float


def main() -> None:
    arguments = parse_arguments()
    if not arguments.table:
        measure(arguments)
    print_table(list(read_lines()))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.coverage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--set", action="append", choices=list(SOURCES), help="once for each; all if left out")
    parser.add_argument("--rows", action="append", type=int, help="once for each; 100 and 300 if left out")
    parser.add_argument("--pair", action="append", help=f"two of {', '.join(SIDES)}; the cheap pairs if left out")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def measure(arguments: argparse.Namespace) -> None:
    pairs = [tuple(pair.split(",")) for pair in arguments.pair] if arguments.pair else list(PAIRS)
    done = {key_of(line) for line in read_lines()}
    encoder = load_encoder()
    for draw in range(arguments.draws):
        for source in arguments.set or SOURCES:
            for rows in arguments.rows or (100, 300):
                missing = [one for one in pairs if (source, rows, draw, arguments.seeds, *one) not in done]
                if not missing:
                    continue
                drawn, others = draw_rows(arguments.data, source, rows, draw, judges=POOL, pool_rows=POOL)
                sides = {name: make_side(encoder, drawn, others, name, arguments.seeds) for name in chain(missing)}
                for side, than in missing:
                    write_line(Line(source, rows, draw, arguments.seeds, side, than, *sides[side].compare(sides[than])))
                print(f"{source}, {rows} rows, draw {draw}", file=sys.stderr, flush=True)


def chain(pairs: list[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for pair in pairs for name in pair))


@dataclass(frozen=True, eq=False)
class Side:
    """What a learner has predicted in cross-validation, and the mean macro-F1 of its models on other rows."""

    tasks: Sequence[Task]
    truth: Labels
    predictions: list[Prediction]
    judged: float

    def draws(self) -> np.ndarray:
        """Return the mean macro-F1 under draws of the rows."""
        rows = len(next(iter(self.truth.values())))
        return macro_f1_draws(self.tasks, self.truth, self.predictions, *bootstrap_draws(rows, len(self.predictions)))

    def compare(self, than: "Side") -> tuple[float, float, float, float]:
        """Return the difference to another: as measured, its bounds, and as judged."""
        values = self.draws() - than.draws()
        return float(values[0]), *interval(values), self.judged - than.judged


def make_side(encoder: Encoder, drawn: Dataset, others: Dataset, name: str, seeds: int) -> Side:
    """Cross-validate a learner on some rows, and judge each of its models by other rows."""
    settings = SIDES[name]
    if isinstance(settings, Regression):
        return regression_side(encoder, drawn, others, settings, seeds)
    return scenario_side(encoder, drawn, others.take(range(min(JUDGES, len(others)))), settings, seeds)


def regression_side(encoder: Encoder, drawn: Dataset, others: Dataset, settings: Regression, seeds: int) -> Side:
    plan, predictions, judged = RowPlan(drawn, TrainConfig(), FOLDS), list[Prediction](), list[float]()
    other_embeddings = encoder.encode(others.texts)[:, : settings.dimensions]
    for seed in range(seeds):
        folds = [plan.of(Attempt("", seed, fold=fold)) for fold in range(FOLDS)]
        parts = []
        for rows in folds:
            train, test = (encoder.encode(part.texts)[:, : settings.dimensions] for part in (rows.train, rows.test))
            labels = fit_and_predict(rows.train, train, np.concatenate([test, other_embeddings]), settings.c)
            parts.append({task: predicted[: len(test)] for task, predicted in labels.items()})
            judges = Prediction({task: predicted[len(test) :] for task, predicted in labels.items()})
            judged.append(mean_score(others, judges))
        together = {task: np.concatenate([part[task] for part in parts]) for task in drawn.labels}
        predictions.append(Prediction(together, [row for rows in folds for row in rows.judged]))
    return Side(drawn.tasks, drawn.labels, predictions, statistics.mean(judged))


def fit_and_predict(train: Dataset, embeddings: np.ndarray, others: np.ndarray, c: float) -> dict[str, np.ndarray]:
    """Return for each task the label index of each row of `others`."""
    predicted = {}
    for task in train.tasks:
        labels = np.array(train.labels[task.name])
        known = labels != UNLABELLED
        predicted[task.name] = (
            LogisticRegression(C=c, max_iter=300).fit(embeddings[known], labels[known]).predict(others)
        )
    return predicted


def scenario_side(encoder: Encoder, drawn: Dataset, judges: Dataset, config: TrainConfig, seeds: int) -> Side:
    attempts = plan_attempts([config.scenario], seeds, drawn, folds=FOLDS)
    comparison, judged = Comparison(), list[float]()
    comparison.extend(
        [ComparisonStarted(attempts, drawn.tasks, 0, 0, drawn.labels, {}, {}, encoder.precision, 0.0, folds=FOLDS)]
    )

    def judge(_attempt: Attempt, model: MultiTaskSentenceTransformer) -> None:
        found = model.predict(judges.texts)
        judged.append(
            mean_score(judges, Prediction({task: head.probabilities.argmax(1) for task, head in found.items()}))
        )

    for event in compare_scenarios(encoder, drawn, config, attempts, done=comparison, inspect=judge):
        comparison.extend([event])
    predictions = comparison.predictions(config.scenario, comparison.rounds_of(config.scenario))
    return Side(drawn.tasks, drawn.labels, predictions, statistics.mean(judged))


def mean_score(data: Dataset, prediction: Prediction) -> float:
    return statistics.mean(macro_f1_by_task(data.tasks, data.labels, prediction).values())


def read_lines() -> Iterator[Line]:
    if RESULTS.exists():
        with RESULTS.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield Line(**{field.name: field.type(row[field.name]) for field in fields(Line)})


def write_line(line: Line) -> None:
    rounded = {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(line).items()}
    is_new = not RESULTS.exists()
    with RESULTS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rounded), lineterminator=os.linesep)
        if is_new:
            writer.writeheader()
        writer.writerow(rounded)


def key_of(line: Line) -> tuple[str, int, int, int, str, str]:
    return line.source, line.rows, line.draw, line.seeds, line.side, line.than


def with_truth(lines: list[Line]) -> list[tuple[Line, float]]:
    """Return each line with the truth of its pair for its number of rows."""
    groups = defaultdict(list)
    for line in lines:
        groups[line.source, line.rows, line.side, line.than].append(line)
    return [(line, statistics.mean(one.judged for one in group)) for group in groups.values() for line in group]


def share_held(lines: list[tuple[Line, float]], factor: float) -> float:
    """Return how many intervals hold the truth if their bounds are moved outwards by a factor."""
    held = [
        factor * (line.low - line.gain) <= truth - line.gain <= factor * (line.high - line.gain)
        for line, truth in lines
    ]
    return statistics.mean(held)


def print_table(lines: list[Line]) -> None:
    factors = sorted({1.0, 1.2, 1.3, 1.4, 1.5, 1.6, FOLD_WIDENING})
    known = with_truth(lines)
    print(f"{'pair':30}{'rows':>6}{'seeds':>7}{'intervals':>11}" + "".join(f"{f'× {factor}':>8}" for factor in factors))
    groups = sorted({(line.side, line.than, line.rows, line.seeds) for line in lines})
    for side, than, rows, seeds in [*groups, *{("all", "pairs", rows, seeds) for _, _, rows, seeds in groups}]:
        chosen = [
            (line, truth)
            for line, truth in known
            if (line.rows, line.seeds) == (rows, seeds) and (than == "pairs" or (line.side, line.than) == (side, than))
        ]
        shares = "".join(f"{100 * share_held(chosen, factor):8.0f}" for factor in factors)
        print(f"{side + ' - ' + than:30}{rows:6}{seeds:7}{len(chosen):11}{shares}")


if __name__ == "__main__":
    main()
