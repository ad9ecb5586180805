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

SCENARIOS = ("freeze-encoder", "top-k", "gradual", "train-all", "discriminative")  # in the order of costs


def main() -> None:
    model = MultiTaskSentenceTransformer(load_encoder(), [Task("label", ("a", "b"))])
    scores: dict[tuple[str, int, int], dict[str, float]] = defaultdict(dict)
    for result in known_results():
        scores[result.source, result.rows, result.labels][result.scenario] = result.score
    regrets: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (source, rows, labels), of_set in scores.items():
        expected = expect(rows, labels, without=source)
        if expected is None or not set(SCENARIOS) <= of_set.keys() or not set(SCENARIOS) <= expected.gains.keys():
            continue
        best = max(of_set[key] for key in SCENARIOS)
        costs = training_costs(model, SCENARIOS, TrainConfig(), rows, 0)
        chosen = worth_most({key: expected.gains[key] for key in SCENARIOS}, costs)
        regrets[rows]["advice"].append(best - of_set[chosen])
        for key in SCENARIOS:
            regrets[rows][key].append(best - of_set[key])
    names = ("advice", *SCENARIOS)
    print(f"{'rows':>6}{'sets':>6}" + "".join(f"{name:>22}" for name in names))
    for rows, by_rule in sorted(regrets.items()):
        cells = [f"{100 * mean(by_rule[name]):.1f} (at most {100 * max(by_rule[name]):.1f})" for name in names]
        print(f"{rows:6}{len(by_rule['advice']):6}" + "".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    main()
