"""How much macro-F1 is given away by taking what public sets say, without any run; no set judges itself.

python -m tests.bench.public_advice

The truth is `assets/known_results.csv`: the test score of the default run of each scenario. Beside the advice stand
rules that always take the same scenario.
"""

from collections import defaultdict
from statistics import mean

from mtst import MultiTaskSentenceTransformer, Task, TrainConfig, load_encoder
from mtst.comparison.best_guess import worth_most
from mtst.comparison.cost import training_costs
from mtst.comparison.known_results import expect, known_results

CONFIG = TrainConfig()
SCENARIOS = (
    "freeze-encoder", "top-k", "gradual", "train-all", "discriminative", "lora", "bitfit", "few-examples",
)  # fmt: skip
MIN_SCENARIOS = 5  # measured on a set, for it to judge


def main() -> None:
    model = MultiTaskSentenceTransformer(load_encoder(), [Task("label", ("a", "b"))])
    scores: dict[tuple[str, int, int], dict[str, float]] = defaultdict(dict)
    for result in known_results():
        scores[result.source, result.rows, result.labels][result.scenario] = result.score
    regrets: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (source, rows, labels), of_set in scores.items():
        expected = expect(rows, labels, without=source)
        known = [key for key in SCENARIOS if expected and key in of_set and key in expected.gains]
        if expected is None or len(known) < MIN_SCENARIOS:
            continue
        best = max(of_set[key] for key in known)
        chosen = worth_most({key: expected.gains[key] for key in known}, training_costs(model, known, CONFIG, rows, 0))
        for name, key in (("advice", chosen), *((key, key) for key in known)):
            regrets[rows][name].append(best - of_set[key])
    names = ("advice", *SCENARIOS)
    print(f"{'rows':>6}" + "".join(f"{name:>21}" for name in names))
    for rows, by_rule in sorted(regrets.items()):
        print(f"{rows:6}" + "".join(f"{describe(by_rule[name]):>21}" for name in names))


def describe(regrets: list[float]) -> str:
    """Return the mean and the highest regret in points, and of how many sets."""
    return f"{100 * mean(regrets):.1f}, {100 * max(regrets):.1f} ({len(regrets)})" if regrets else "-"


if __name__ == "__main__":
    main()
