"""How good the recommended scenario is: comparisons of few rows, judged by many rows that they never saw.

python -m tests.bench.advice [--rows 400] [--repeats 8] [--seeds 1] [--scenario KEY ...] FILE:TEXT:LABEL[,LABEL] ...

Each repeat draws other rows of the file and compares the scenarios on them as a visitor would, with a fifth of the rows
as test rows. Each scenario also predicts up to 2,000 other rows. Its mean macro-F1 on these stands for the truth; how
much of it a recommendation gives away is its regret.
"""

import argparse
import random
import statistics
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from mtst import TrainConfig, load_encoder, make_dataset, read_table
from mtst.comparison.difference import MIN_GAIN
from mtst.comparison.events import AttemptEnded, ComparisonStarted, plan_attempts
from mtst.comparison.recommendation import Recommendation, recommend
from mtst.comparison.results import Comparison
from mtst.comparison.rows import TEST_SHARE
from mtst.comparison.runner import compare_scenarios
from mtst.data.dataset import Dataset
from mtst.data.split import text_key
from mtst.encoders.encoder import Encoder
from mtst.evaluation.scores import mean_macro_f1
from mtst.training.config import split

SCENARIOS = ("freeze-all", "freeze-encoder", "top-k", "train-all")
MAX_JUDGING_ROWS = 2_000


@dataclass(frozen=True)
class Repeat:
    """What one comparison recommends, and the macro-F1 of each scenario on the judging rows."""

    recommendation: Recommendation
    scores: dict[str, float]


def main() -> None:
    arguments = parse_arguments()
    encoder = load_encoder()
    for spec in arguments.sets:
        file, text, labels = spec.split(":")
        data = make_dataset(read_table(file), text, labels.split(","))
        keys = tuple(arguments.scenario or SCENARIOS)
        repeats = []
        for number in range(arguments.repeats):
            repeats.append(run_repeat(encoder, data, keys, arguments.rows, arguments.seeds, number))
            print(f"{Path(file).name}, repeat {number}: {describe(repeats[-1])}", file=sys.stderr, flush=True)
        report(f"{Path(file).name} {labels}, {arguments.rows} rows, {arguments.seeds} seeds", keys, repeats)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.advice", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="FILE:TEXT:LABEL[,LABEL]")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--scenario", action="append", help=f"once for each; {', '.join(SCENARIOS)} if left out")
    return parser.parse_args()


def run_repeat(encoder: Encoder, data: Dataset, keys: tuple[str, ...], rows: int, seeds: int, number: int) -> Repeat:
    """Compare the scenarios on some rows; score them on other rows too."""
    order = random.Random(number).sample(range(len(data)), len(data))  # noqa: S311 (a draw of rows, not a secret)
    drawn = data.take(sorted(order[:rows]))
    seen = {text_key(text) for text in drawn.texts}
    others = [row for row in order[rows:] if text_key(data.texts[row]) not in seen][:MAX_JUDGING_ROWS]
    config = TrainConfig()
    train, test = split(drawn, replace(config, validation_share=TEST_SHARE))
    all_test_rows = concatenate(test, data.take(others))
    visible, judged = Comparison(), Comparison()
    for event in compare_scenarios(encoder, train, config, plan_attempts(keys, seeds, data), test=all_test_rows):
        if isinstance(event, ComparisonStarted | AttemptEnded):
            visible.extend([cut(event, slice(len(test)))])
            judged.extend([event])
    scores = {key: statistics.mean(mean_macro_f1(ended.test) for ended in judged.ended_of(key)) for key in keys}
    recommendation = recommend(visible)
    assert recommendation, "two scenarios or more are needed"
    return Repeat(recommendation, scores)


def concatenate(first: Dataset, second: Dataset) -> Dataset:
    labels = {name: (*first.labels[name], *second.labels[name]) for name in first.labels}
    return replace(first, texts=(*first.texts, *second.texts), labels=labels, lines=(*first.lines, *second.lines))


def cut(event: ComparisonStarted | AttemptEnded, rows: slice) -> ComparisonStarted | AttemptEnded:
    """Return an event as it would be if these were all the test rows; the recommendation reads labels only."""
    if isinstance(event, ComparisonStarted):
        return replace(event, truth={name: labels[rows] for name, labels in event.truth.items()})
    return replace(event, predicted={name: labels[rows] for name, labels in event.predicted.items()})


def describe(repeat: Repeat) -> str:
    enough = "" if repeat.recommendation.enough else ", not enough data"
    scores = ", ".join(f"{key} {score:.3f}" for key, score in repeat.scores.items())
    return f"{repeat.recommendation.chosen.scenario}{enough}; on many rows: {scores}"


def report(title: str, keys: tuple[str, ...], repeats: list[Repeat]) -> None:
    truth = {key: statistics.mean(repeat.scores[key] for repeat in repeats) for key in keys}
    best = max(truth.values())
    chosen = Counter(repeat.recommendation.chosen.scenario for repeat in repeats)
    print(f"\n{title}, {len(repeats)} repeats")
    print(f"{'scenario':20}{'macro-F1 × 100':>16}{'spread':>8}{'recommended':>13}")
    for key in keys:
        spread = statistics.stdev(repeat.scores[key] for repeat in repeats) if len(repeats) > 1 else 0.0
        print(f"{key:20}{100 * truth[key]:16.1f}{100 * spread:8.1f}{chosen[key]:13}")
    claims = [difference for repeat in repeats for difference in repeat.recommendation.cheaper if difference.shown]
    held = sum(truth[claim.scenario] - truth[claim.than] >= 0 for claim in claims)
    large = sum(truth[claim.scenario] - truth[claim.than] >= MIN_GAIN for claim in claims)
    regret = statistics.mean(best - truth[repeat.recommendation.chosen.scenario] for repeat in repeats)
    unsure = sum(not repeat.recommendation.enough for repeat in repeats)
    sure = [best - truth[repeat.recommendation.chosen.scenario] for repeat in repeats if repeat.recommendation.enough]
    print(f"regret: {100 * regret:.1f} points on average; {unsure} of {len(repeats)} say there is not enough data")
    if sure:
        print(f"where it was sure: {100 * statistics.mean(sure):.1f} points on average, {100 * max(sure):.1f} at most")
    print(f"claims that a dearer one is better: {len(claims)}; true {held}, by a point or more {large}")


if __name__ == "__main__":
    main()
