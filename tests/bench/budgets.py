"""How far each scenario's default run lies from the best that the same scenario can reach.

python -m tests.bench.budgets --data FOLDER [--set NAME ...] [--rows N ...] [--scenario KEY ...] [--draws 1]
                              [--processes 2] [--minutes M]    measure the cells that are missing
python -m tests.bench.budgets --table                          print what has been measured
python -m tests.bench.budgets --data FOLDER --known            write it to the asset that the app reads

A cell is one run of `fit`: a set, a draw of its rows, a scenario, a schedule, a number of epochs and two learning
rates. Each is judged by test rows that no run has seen. Results are appended to `budgets.csv` beside this file, a line
for each epoch that was judged, so the command can be stopped at any moment and goes on where it was.

With a constant schedule one run gives the scores of all shorter budgets. For these runs the exponential moving average
of the weights is judged as well. With `probe`, heads are trained alone first (Kumar and others 2022, "Fine-tuning can
distort pretrained features and underperform out-of-distribution").
"""

import argparse
import csv
import itertools
import multiprocessing
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from mtst.assets import KNOWN_RESULTS
from tests.bench.sets import SOURCES, draw_rows

RESULTS = Path(__file__).with_name("budgets.csv")
JUDGED_EPOCHS = (1, 2, 4, 8, 15, 25, 40)
SCENARIOS = ("freeze-encoder", "top-k", "train-all", "discriminative", "gradual", "lora", "bitfit")
EMA_STEPS = 20  # the average reaches back about so many steps


@dataclass(frozen=True)
class Cell:
    """One run. An empty rate, epoch number or schedule is the scenario's default."""

    source: str
    rows: int
    draw: int
    scenario: str
    schedule: str = ""
    epochs: int = 0
    encoder_lr: float = 0.0
    head_lr: float = 0.0
    probe: bool = False


@dataclass(frozen=True)
class Score:
    """Mean macro-F1 over the tasks after an epoch; `kept` if it is that of the model that the run leaves."""

    epoch: int
    step: int
    validation: float
    test: float
    ema_test: float
    kept: bool
    seconds: float


HEADER = [field.name for kind in (Cell, Score) for field in fields(kind)]


def grid(source: str, rows: int, draw: int, scenario: str) -> Iterator[Cell]:
    """Yield the cells of one scenario on one draw of rows, the default first."""
    base = Cell(source, rows, draw, scenario)
    yield base
    if scenario == "freeze-encoder":
        for epochs, head_lr in itertools.product((5, 20, 60, 150), (3e-3, 1e-2, 3e-2, 1e-1)):
            yield replace(base, schedule="cosine", epochs=epochs, head_lr=head_lr)
        return
    longest = {100: 40, 300: 25, 1000: 15}.get(rows, 8)
    gradual = 7 if scenario == "gradual" else 0
    rates = {
        "discriminative": (5e-5, 2e-4, 8e-4),
        "top-k": (5e-5, 2e-4, 5e-4),
        "lora": (3e-4, 1e-3, 3e-3),
        "bitfit": (5e-4, 2e-3, 8e-3),
    }.get(scenario, (3e-5, 1e-4, 3e-4))
    pick = random.Random(f"{source} {rows} {draw} {scenario}")  # noqa: S311 (a draw of cells, not a secret)
    for encoder_lr in rates:
        for probe in (False, True):
            head_lr = pick.choice((1e-3, 3e-3, 1e-2))
            yield replace(
                base, schedule="constant", epochs=longest, encoder_lr=encoder_lr, head_lr=head_lr, probe=probe
            )
    for epochs in (4, longest):
        for encoder_lr in rates:
            head_lr, probe = pick.choice((1e-3, 1e-2)), pick.random() < 0.5
            yield replace(
                base,
                schedule="cosine",
                epochs=max(epochs, gradual + 2),
                encoder_lr=encoder_lr,
                head_lr=head_lr,
                probe=probe,
            )


def measure(folder: Path, encoder_name: str, cell: Cell) -> tuple[Cell, list[Score]]:
    """Run one cell and judge it."""
    import torch

    from mtst import MultiTaskSentenceTransformer, TrainConfig, fit
    from mtst.evaluation.metrics import evaluate
    from mtst.evaluation.scores import mean_macro_f1
    from mtst.training.config import split
    from mtst.training.events import EpochEnded, Finished, Started, StepEnded

    start = time.perf_counter()
    data, judges = draw_rows(folder, cell.source, cell.rows, cell.draw)
    model = MultiTaskSentenceTransformer(fresh_encoder(encoder_name), data.tasks)
    config = TrainConfig(scenario=cell.scenario, seed=cell.draw)
    train, validation = split(data, config)
    options = {
        "encoder_rate": cell.encoder_lr,
        "head_rate": cell.head_lr,
        "epochs": cell.epochs,
        "decay": cell.schedule,
    }
    given = {name: value for name, value in options.items() if value}
    config = replace(config, **given)
    if cell.probe:
        for _ in fit(model, train, TrainConfig(seed=cell.draw), validation=validation, baselines=False):
            pass

    def judge() -> float:
        model.encoder.invalidate_cache()  # the weights may have been replaced
        return round(100 * mean_macro_f1(evaluate(model, judges)), 2)

    scores: list[Score] = []
    averaged: list[torch.Tensor] = []
    weights: list[torch.nn.Parameter] = []
    by_epoch: dict[int, tuple[int, float]] = {}
    is_constant = cell.schedule == "constant"
    for event in fit(model, train, config, validation=validation, baselines=False):
        seconds = round(time.perf_counter() - start, 1)
        match event:
            case Started() if is_constant:
                weights = list(model.parameters())
                averaged = [weight.detach().clone() for weight in weights]
            case StepEnded(step=step) if is_constant:
                share = 1 / min(step + 1, EMA_STEPS)
                torch._foreach_lerp_(averaged, [weight.detach() for weight in weights], share)
            case EpochEnded(epoch=epoch, step=step):
                validated = round(100 * mean_macro_f1(event.validation), 2)
                by_epoch[epoch] = step, validated
                if epoch in JUDGED_EPOCHS and is_constant:
                    plain = judge()
                    kept = [weight.detach().clone() for weight in weights]
                    assign(weights, averaged)
                    ema = judge()
                    assign(weights, kept)
                    scores.append(Score(epoch, step, validated, plain, ema, False, seconds))
            case Finished(best_epoch=epoch):
                step, validated = by_epoch[epoch]
                scores.append(Score(epoch, step, validated, judge(), 0.0, True, seconds))
    return cell, scores


def assign(weights: list[Any], values: list[Any]) -> None:
    import torch

    with torch.no_grad():
        for weight, value in zip(weights, values, strict=True):
            weight.copy_(value)
            weight.grad = None


_LOADED: dict[str, Any] = {}


def fresh_encoder(name: str) -> Any:
    from copy import deepcopy

    from mtst import load_encoder

    if name not in _LOADED:
        _LOADED[name] = load_encoder(name) if name else load_encoder()
    return deepcopy(_LOADED[name])


def _work(task: tuple[Path, str, Cell]) -> tuple[Cell, list[Score]]:
    return measure(*task)


def _prepare(threads: int) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch

    torch.set_num_threads(threads)


def measured_cells(results: Path) -> set[Cell]:
    if not results.exists():
        return set()
    with results.open(newline="") as file:
        return {cell_of(row) for row in csv.DictReader(file)}


def cell_of(row: dict[str, str]) -> Cell:
    kinds = {field.name: field.type for field in fields(Cell)}
    read = {str: str, int: int, float: float, bool: lambda text: text == "True"}
    return Cell(**{name: read[kind](row[name]) for name, kind in kinds.items()})


def print_table(results: Path) -> None:
    """Print for each scenario and number of rows how far the default run is below the best cell, in points.

    With a constant schedule each epoch that was judged is a cell: a run of so many epochs.
    """
    with results.open(newline="") as file:
        cells = [row for row in csv.DictReader(file) if row["kept"] == "True" or row["schedule"] == "constant"]
    draws: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in cells:
        draws.setdefault((row["scenario"], row["rows"], row["source"], row["draw"]), []).append(row)
    gaps: dict[tuple[str, str], list[float]] = {}
    counts: dict[tuple[str, str], list[int]] = {}
    for (scenario, rows, *_), drawn in draws.items():
        if len(drawn) < 2:
            continue  # nothing to compare the default with
        best = max(float(cell["test"]) for cell in drawn)
        defaults = [best - float(cell["test"]) for cell in drawn if not cell["schedule"]]
        if defaults:
            gaps.setdefault((scenario, rows), []).extend(defaults)
            counts.setdefault((scenario, rows), []).append(len(drawn))
    print(f"{len(cells)} cells\n{'scenario':18}{'rows':>6}{'sets':>6}{'cells':>9}{'mean gap':>10}{'largest':>9}")
    for (scenario, rows), values in sorted(gaps.items(), key=lambda item: (item[0][0], int(item[0][1]))):
        each = counts[scenario, rows]
        measured = f"{min(each)}-{max(each)}"
        print(f"{scenario:18}{rows:>6}{len(each):6}{measured:>9}{statistics.mean(values):10.1f}{max(values):9.1f}")


def write_known_results(results: Path, folder: Path) -> None:
    """Write the mean score over the draws of the default run of each scenario, by set and number of rows."""
    scores: dict[tuple[str, int, str], list[float]] = {}
    with results.open(newline="") as file:
        for row in csv.DictReader(file):
            cell = cell_of(row)
            if row["kept"] == "True" and cell == Cell(cell.source, cell.rows, cell.draw, cell.scenario):
                scores.setdefault((cell.source, cell.rows, cell.scenario), []).append(float(row["test"]))
    with KNOWN_RESULTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("set", "rows", "labels", "scenario", "score"))
        for (source, rows, scenario), values in sorted(scores.items()):
            data, _ = draw_rows(folder, source, rows, 0)
            labels = max(len(task.labels) for task in data.tasks)
            writer.writerow((source, rows, labels, scenario, round(statistics.mean(values) / 100, 4)))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.budgets", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the folder that holds the sets")
    parser.add_argument("--encoder", default="", help="an encoder's name or folder; the default one if left out")
    parser.add_argument("--set", action="append", choices=SOURCES)
    parser.add_argument("--rows", action="append", type=int)
    parser.add_argument("--scenario", action="append")
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--defaults", action="store_true", help="measure the default runs only")
    parser.add_argument("--shuffle", action="store_true", help="take the cells in random order")
    parser.add_argument("--table", action="store_true", help="print the results instead of measuring")
    parser.add_argument("--known", action="store_true", help="write the results to the asset that the app reads")
    options = parser.parse_args()
    if options.table:
        print_table(options.results)
        return
    if options.data is None:
        parser.error("name the folder that holds the sets: --data FOLDER")
    if options.known:
        write_known_results(options.results, options.data)
        return
    wanted = [
        cell
        for draw in range(options.draws)
        for rows in options.rows or (100, 300)
        for source in options.set or SOURCES
        for scenario in options.scenario or SCENARIOS
        for cell in grid(source, rows, draw, scenario)
        if not options.defaults or cell == Cell(source, rows, draw, scenario)
    ]
    done = measured_cells(options.results)
    missing = [cell for cell in wanted if cell not in done]
    if options.shuffle:
        random.Random(0).shuffle(missing)  # noqa: S311
    deadline = time.monotonic() + 60 * options.minutes
    print(f"{len(wanted)} cells, {len(missing)} missing", file=sys.stderr, flush=True)
    fresh = not options.results.exists()
    pool = multiprocessing.get_context("spawn").Pool(options.processes, _prepare, (1,))
    with options.results.open("a", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        if fresh:
            writer.writeheader()
        tasks = [(options.data, options.encoder, cell) for cell in missing]
        for number, (cell, scores) in enumerate(pool.imap_unordered(_work, tasks), 1):
            writer.writerows(asdict(cell) | asdict(score) for score in scores)
            file.flush()
            print(f"{number}/{len(missing)} {cell} {scores[-1]}", file=sys.stderr, flush=True)
            if time.monotonic() > deadline:
                break
    pool.terminate()


if __name__ == "__main__":
    main()
