"""How far each scenario's default run lies from the best that the same scenario can reach.

python -m tests.bench.budgets --data FOLDER [--set NAME ...] [--rows N ...] [--scenario KEY ...] [--draws 1]
                              [--processes 2] [--minutes M]    measure the cells that are missing
python -m tests.bench.budgets --table                          print the table from what has been measured

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
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("budgets.csv")
JUDGES = 1_000  # test rows
JUDGED_EPOCHS = (1, 2, 4, 8, 15, 25, 40)
EMA_STEPS = 20  # the average reaches back about so many steps


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
    rates = {"discriminative": (5e-5, 2e-4, 8e-4), "top-k": (5e-5, 2e-4, 5e-4)}.get(scenario, (3e-5, 1e-4, 3e-4))
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
    data, judges = rows_of(folder, cell)
    model = MultiTaskSentenceTransformer(fresh_encoder(encoder_name), data.tasks)
    config = TrainConfig(scenario=cell.scenario, seed=cell.draw)
    train, validation = split(data, config)
    options = {"encoder_rate": cell.encoder_lr, "head_rate": cell.head_lr, "epochs": cell.epochs, "decay": cell.schedule}
    given = {name: value for name, value in options.items() if value}
    config = replace(config, **given)
    if cell.probe:
        for _ in fit(model, train, TrainConfig(seed=cell.draw), held_out=validation, baselines=False):
            pass

    def judge() -> float:
        model.encoder.forget()  # the weights may have been replaced behind its back
        return round(100 * mean_macro_f1(evaluate(model, judges)), 2)

    scores: list[Score] = []
    averaged: list[torch.Tensor] = []
    weights: list[torch.nn.Parameter] = []
    by_epoch: dict[int, tuple[int, float]] = {}
    constant = cell.schedule == "constant"
    for event in fit(model, train, config, held_out=validation, baselines=False):
        seconds = round(time.perf_counter() - start, 1)
        match event:
            case Started() if constant:
                weights = list(model.parameters())
                averaged = [weight.detach().clone() for weight in weights]
            case StepEnded(step=step) if constant:
                share = 1 / min(step + 1, EMA_STEPS)
                torch._foreach_lerp_(averaged, [weight.detach() for weight in weights], share)
            case EpochEnded(epoch=epoch, step=step):
                validated = round(100 * mean_macro_f1(event.validation), 2)
                by_epoch[epoch] = step, validated
                if epoch in JUDGED_EPOCHS and constant:
                    plain = judge()
                    kept = [weight.detach().clone() for weight in weights]
                    put(weights, averaged)
                    ema = judge()
                    put(weights, kept)
                    scores.append(Score(epoch, step, validated, plain, ema, False, seconds))
            case Finished(best_epoch=epoch):
                step, validated = by_epoch[epoch]
                scores.append(Score(epoch, step, validated, judge(), 0.0, True, seconds))
    return cell, scores


def put(weights: list[Any], values: list[Any]) -> None:
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


def rows_of(folder: Path, cell: Cell) -> tuple[Any, Any]:
    """Return the rows of a draw, and the test rows that judge it, with the labels of the draw."""
    from mtst import make_dataset, read_table
    from mtst.data.dataset import UNLABELLED
    from mtst.data.split import text_key

    source = SOURCES[cell.source]
    if cell.source not in _LOADED:
        tables = [make_dataset(read_table(folder / source.train), source.text, list(source.labels))]
        if source.test:
            test = make_dataset(read_table(folder / source.test), source.text, list(source.labels))
            tables.append(test)
        _LOADED[cell.source] = tables
    pool, *rest = _LOADED[cell.source]
    order = random.Random(cell.draw).sample(range(len(pool)), len(pool))  # noqa: S311
    drawn = pool.take(sorted(order[: cell.rows]))
    seen = {text_key(text) for text in drawn.texts}
    others = rest[0] if rest else pool.take(order[cell.rows :])
    unseen = [row for row, text in enumerate(others.texts) if text_key(text) not in seen]
    judges = others.take(random.Random(0).sample(unseen, min(JUDGES, len(unseen))))  # noqa: S311
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
            index.get(other.labels[k], UNLABELLED) if k != UNLABELLED else UNLABELLED for k in judges.labels[task.name]
        )
        tasks.append(replace(task, labels=tuple(present)))
    return (
        replace(drawn, tasks=tuple(tasks), labels=labels),
        replace(judges, tasks=tuple(tasks), labels=judged),
    )


def _work(task: tuple[Path, str, Cell]) -> tuple[Cell, list[Score]]:
    return measure(*task)


def _prepare(threads: int) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch

    torch.set_num_threads(threads)


def known(results: Path) -> set[Cell]:
    if not results.exists():
        return set()
    with results.open(newline="") as file:
        return {cell_of(row) for row in csv.DictReader(file)}


def cell_of(row: dict[str, str]) -> Cell:
    kinds = {field.name: field.type for field in fields(Cell)}
    read = {str: str, int: int, float: float, bool: lambda text: text == "True"}
    return Cell(**{name: read[kind](row[name]) for name, kind in kinds.items()})


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
    parser.add_argument("--shuffle", action="store_true", help="take the cells in random order")
    options = parser.parse_args()
    wanted = [
        cell
        for draw in range(options.draws)
        for rows in options.rows or (100, 300)
        for source in options.set or SOURCES
        for scenario in options.scenario or ("freeze-encoder", "top-k", "train-all", "discriminative", "gradual")
        for cell in grid(source, rows, draw, scenario)
    ]
    done = known(options.results)
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
