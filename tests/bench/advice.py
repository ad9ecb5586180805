"""How good the recommended scenario is: comparisons of few rows, judged by many rows that they never saw.

python -m tests.bench.advice [--rows 400] [--repeats 8] [--seeds 1] [--scenario KEY ...] FILE:TEXT:LABEL[,LABEL] ...

Each repeat draws other rows of the file and compares the scenarios on them as a visitor would, but runs all to the end.
Each model that this trains also predicts up to 2,000 other rows. Its mean macro-F1 on these stands for the truth; how
much of it a recommendation gives away is its regret. The race that stops scenarios early is then run again over the
recorded events: what it recommends, and what it costs beside the dearest scenario by itself.
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
from mtst.comparison.events import Attempt, AttemptEnded, AttemptEpoch
from mtst.comparison.race import BUDGET, Costs, behind_in_epochs, behind_in_rounds
from mtst.comparison.recommendation import Recommendation, recommend
from mtst.comparison.results import Comparison
from mtst.comparison.rows import plan_comparison
from mtst.comparison.runner import compare_scenarios
from mtst.data.dataset import Dataset
from mtst.data.split import text_key
from mtst.encoders.encoder import Encoder
from mtst.evaluation.metrics import evaluate
from mtst.evaluation.scores import mean_macro_f1
from mtst.model.multitask import MultiTaskSentenceTransformer

SCENARIOS = ("freeze-all", "freeze-encoder", "top-k", "train-all")
MAX_JUDGING_ROWS = 2_000


@dataclass(frozen=True)
class Repeat:
    """What one comparison recommends, all to the end and as a race, and the true macro-F1 of each scenario.

    `cost` is what the race costs, in passes through the encoder, as a share of the dearest scenario by itself.
    """

    recommendation: Recommendation
    raced: Recommendation
    cost: float
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
    """Compare the scenarios on some rows; score their models on other rows too."""
    order = random.Random(number).sample(range(len(data)), len(data))  # noqa: S311 (a draw of rows, not a secret)
    drawn = data.take(sorted(order[:rows]))
    seen = {text_key(text) for text in drawn.texts}
    others = data.take([row for row in order[rows:] if text_key(data.texts[row]) not in seen][:MAX_JUDGING_ROWS])
    judged: dict[str, list[float]] = {key: [] for key in keys}

    def judge(attempt: Attempt, model: MultiTaskSentenceTransformer) -> None:
        judged[attempt.scenario].append(mean_macro_f1(evaluate(model, others)))

    config, comparison = TrainConfig(), Comparison()
    attempts = plan_comparison(drawn, config, keys, seeds)
    for event in compare_scenarios(encoder, drawn, config, attempts, race=False, inspect=judge):
        comparison.extend([event])
    raced, cost = race_again(comparison)
    recommended = recommend(comparison), recommend(raced)
    assert all(recommended), "two scenarios or more are needed"
    return Repeat(*recommended, cost, {key: statistics.mean(scores) for key, scores in judged.items()})


def race_again(whole: Comparison) -> tuple[Comparison, float]:
    """Return the comparison as it would have been as a race, and its cost in that of the dearest scenario."""
    events: dict[Attempt, list[AttemptEpoch | AttemptEnded]] = {}
    for event in (*whole.epochs, *whole.ended):
        events.setdefault(event.attempt, []).append(event)
    raced = Comparison()
    raced.extend([replace(whole.started, race=True)])
    while attempt := raced.current:
        if dropped := behind_in_rounds(raced):
            raced.extend(dropped)
            continue
        for event in events[attempt]:
            raced.extend([event])
            if isinstance(event, AttemptEpoch) and (behind := behind_in_epochs(raced, event)):
                raced.extend([behind])
                break
    return raced, Costs(raced).spent * BUDGET / Costs(whole).budget


def describe(repeat: Repeat) -> str:
    enough = "" if repeat.recommendation.enough else ", not enough data"
    scores = ", ".join(f"{key} {score:.3f}" for key, score in repeat.scores.items())
    raced = f"{repeat.raced.chosen.scenario} at {repeat.cost:.2f} times the dearest"
    return f"{repeat.recommendation.chosen.scenario}{enough}; as a race {raced}; on many rows: {scores}"


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
    regret, raced = (
        statistics.mean(best - truth[advice.chosen.scenario] for advice in advices)
        for advices in ([one.recommendation for one in repeats], [one.raced for one in repeats])
    )
    unsure = sum(not repeat.recommendation.enough for repeat in repeats)
    sure = [best - truth[repeat.recommendation.chosen.scenario] for repeat in repeats if repeat.recommendation.enough]
    print(f"regret: {100 * regret:.1f} points on average; {unsure} of {len(repeats)} say there is not enough data")
    print(
        f"as a race: {100 * raced:.1f} points, at {statistics.mean(one.cost for one in repeats):.2f} times the dearest"
    )
    if sure:
        print(f"where it was sure: {100 * statistics.mean(sure):.1f} points on average, {100 * max(sure):.1f} at most")
    print(f"claims that a dearer one is better: {len(claims)}; true {held}, by a point or more {large}")


if __name__ == "__main__":
    main()
