"""mtst beside SetFit on the same few labelled examples, with the same encoder (all-MiniLM-L6-v2).

python -m tests.bench.few_shot [--shots 8 --shots 64] [--seeds 3] [--scenario KEY] FILE:TEXT:LABEL[:TESTFILE] ...
    a file and its columns of texts and labels; without a test file, test rows are other rows of the file

Every run has a process of its own. Its seconds go from the loaded encoder to the trained model. Both are given the same
rows; mtst holds out the fewest that it can, because there are test rows here. SetFit lives in an environment that the
first run makes in the temporary directory and keeps.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from sklearn.linear_model import LogisticRegression

from mtst import MultiTaskSentenceTransformer, Task, TrainConfig, fit, load_encoder, make_dataset, read_table
from mtst.data.dataset import Dataset
from mtst.data.labels.names import sort_labels
from mtst.data.split import text_key
from mtst.encoders.catalogue import CATALOGUE, DEFAULT
from mtst.encoders.encoder import Encoder
from mtst.evaluation.baselines import C

SETFIT = "setfit==1.2.0"
REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"
SHOTS = [8, 64]
ALL_PAIRS = 16  # shots up to which SetFit trains on all pairs, its default; above, that takes up to hours
ITERATIONS = 20  # pairs of each kind for each text above that, as in SetFit's paper
TEST_SEED = 2024
HELD_OUT = 0.02  # share of mtst's rows


@dataclass(frozen=True)
class Job:
    """What is learnt from, and what is asked then; the fields are those that setfit_run.py reads."""

    train_texts: list[str]
    train_labels: list[str]
    test_texts: list[str]
    test_labels: list[str]
    encoder: str
    seed: int
    num_iterations: int | None


@dataclass(frozen=True)
class Run:
    """The accuracies and the seconds on one draw."""

    setfit: float
    mtst: float
    regression: float
    setfit_seconds: float
    mtst_seconds: float


def main() -> None:
    arguments = parse_arguments()
    python = setfit_environment()
    runs: defaultdict[tuple[str, int], list[Run]] = defaultdict(list)
    for spec in arguments.sets:
        name, data, others = read(spec)
        for shots in arguments.shots or SHOTS:
            for seed in range(arguments.seeds):
                job = draw(
                    data, others, shots, seed, arguments.test_rows, iterations(shots, arguments.setfit_iterations)
                )
                run = compare(job, arguments.scenario, python)
                runs[name, shots].append(run)
                print(f"{name}, {shots} shots, seed {seed}: {run}", file=sys.stderr, flush=True)
    report(runs, arguments.scenario, arguments.setfit_iterations)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.few_shot", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="FILE:TEXT:LABEL[:TESTFILE]")
    parser.add_argument("--shots", type=int, action="append", help="training rows of each label; 8 and 64 if left out")
    parser.add_argument("--seeds", type=int, default=3, help="draws for each set and number of shots")
    parser.add_argument("--scenario", default="few-examples", help="how mtst trains")
    parser.add_argument("--test-rows", type=int, default=2000)
    parser.add_argument("--setfit-iterations", type=int, help="pairs of each kind for each text; 0 for all pairs")
    return parser.parse_args()


def iterations(shots: int, requested: int | None) -> int | None:
    """Return the `num_iterations` of SetFit; None is its default."""
    if requested is None:
        return None if shots <= ALL_PAIRS else ITERATIONS
    return requested or None


def read(spec: str) -> tuple[str, Dataset, Dataset | None]:
    """Return a name for a set, its rows, and the rows of its test file if it has one."""
    parts = spec.split(":")
    if len(parts) not in (3, 4):
        sys.exit(f"{spec!r} is not FILE:TEXT:LABEL or FILE:TEXT:LABEL:TESTFILE.")
    file, text, label = parts[:3]
    data = make_dataset(read_table(file), text, [label])
    others = make_dataset(read_table(parts[3]), text, [label], data.tasks) if parts[3:] else None
    return f"{Path(file).stem} {label}", data, others


def draw(
    data: Dataset, others: Dataset | None, shots: int, seed: int, test_rows: int, num_iterations: int | None
) -> Job:
    """Draw distinct texts of each label to learn from, and test rows that share no text with them."""
    (task,) = data.tasks
    rows_of_label: defaultdict[int, list[int]] = defaultdict(list)
    seen = set()
    for row in shuffled(len(data), seed):
        rows = rows_of_label[data.labels[task.name][row]]
        if len(rows) < shots and (text := text_key(data.texts[row])) not in seen:
            seen.add(text)
            rows.append(row)
    for label, name in enumerate(task.labels):
        if len(rows_of_label[label]) < shots:
            sys.exit(f"{task} has {len(rows_of_label[label])} texts with the label {name!r}, fewer than {shots}.")
    train = data.take(sorted(row for rows in rows_of_label.values() for row in rows))
    pool = others or data
    free = [row for row in shuffled(len(pool), TEST_SEED) if text_key(pool.texts[row]) not in seen]
    test = pool.take(free[:test_rows])
    return Job(
        train_texts=list(train.texts),
        train_labels=labels_of(train),
        test_texts=list(test.texts),
        test_labels=labels_of(test),
        encoder=encoder_folder(),
        seed=seed,
        num_iterations=num_iterations,
    )


def shuffled(count: int, seed: int) -> list[int]:
    return random.Random(seed).sample(range(count), count)  # noqa: S311 (a draw of rows, not a secret)


def labels_of(data: Dataset) -> list[str]:
    (task,) = data.tasks
    return [task.labels[label] for label in data.labels[task.name]]


def encoder_folder() -> str:
    bundle = CATALOGUE[DEFAULT].bundle
    spec = find_spec(bundle.package) if bundle else None
    if not bundle or not spec or not spec.submodule_search_locations:
        sys.exit(f"The package that carries {DEFAULT} is not installed.")
    return str(Path(spec.submodule_search_locations[0]) / bundle.folder)


def compare(job: Job, scenario: str, python: str) -> Run:
    setfit, setfit_seconds = run_setfit(job, python)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        mtst, mtst_seconds = fresh.submit(run_mtst, job, scenario).result()
    return Run(setfit, mtst, run_regression(job), setfit_seconds, mtst_seconds)


def run_setfit(job: Job, python: str) -> tuple[float, float]:
    """Return SetFit's accuracy and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "job.json"
        file.write_text(json.dumps(asdict(job)), encoding="utf-8")
        script = Path(__file__).with_name("setfit_run.py")
        done = subprocess.run([python, script, file], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"SetFit failed.\n{done.stderr[-2000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    return result["accuracy"], result["seconds"]


def run_mtst(job: Job, scenario: str) -> tuple[float, float]:
    """Return the accuracy and the seconds of mtst."""
    labels = sort_labels(job.train_labels)
    task = Task("label", labels)
    rows = tuple(map(labels.index, job.train_labels))
    data = Dataset(tuple(job.train_texts), (task,), {task.name: rows}, tuple(range(1, len(rows) + 1)))
    encoder = load_encoder()
    start = perf_counter()
    model = MultiTaskSentenceTransformer(encoder, data.tasks)
    config = TrainConfig(scenario=scenario, seed=job.seed, validation_share=HELD_OUT)
    for _ in fit(model, data, config, baselines=False):
        pass
    seconds = perf_counter() - start
    return accuracy(model.predict(job.test_texts)[task.name].labels, job.test_labels), seconds


def run_regression(job: Job) -> float:
    """Return the accuracy of a logistic regression on the embeddings of the encoder as it is."""
    encoder = plain_encoder()
    regression = LogisticRegression(C=C, max_iter=1000).fit(encoder.encode(job.train_texts), job.train_labels)
    return accuracy(regression.predict(encoder.encode(job.test_texts)), job.test_labels)


@cache
def plain_encoder() -> Encoder:
    return load_encoder(fp32=True)


def accuracy(predicted: list[str], truth: list[str]) -> float:
    return sum(one == other for one, other in zip(predicted, truth, strict=True)) / len(truth)


def setfit_environment() -> str:
    """Return the Python of an environment with SetFit and the versions of requirements.txt, made if there is none."""
    folder = Path(tempfile.gettempdir()) / "mtst-bench-setfit"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = folder / "complete"
    if not complete.exists():
        print(f"making {folder}, for SetFit only", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True)
        packages = [SETFIT, *(line for line in REQUIREMENTS.read_text().split() if line.startswith("torch=="))]
        subprocess.run([python, "-m", "pip", "install", "-q", "-c", REQUIREMENTS, *packages], check=True)
        complete.touch()
    return str(python)


def report(runs: dict[tuple[str, int], list[Run]], scenario: str, iterations: int | None) -> None:
    print(f"mtst {scenario}; {SETFIT}, {pairs_of(iterations)}")
    print("accuracy × 100 (standard deviation over the draws), and mean seconds of a run")
    print(
        f"{'set':32}{'shots':>6}{'SetFit':>14}{'mtst':>14}{'regression':>12}{'SetFit s':>10}{'mtst s':>9}{'ratio':>8}"
    )
    for (name, shots), group in runs.items():
        setfit, mtst = (
            statistics.mean(getattr(run, side) for run in group) for side in ("setfit_seconds", "mtst_seconds")
        )
        print(
            f"{name[:31]:32}{shots:6}{mean([run.setfit for run in group]):>14}{mean([run.mtst for run in group]):>14}"
            f"{100 * statistics.mean(run.regression for run in group):12.1f}"
            f"{setfit:10.1f}{mtst:9.1f}{setfit / mtst:7.1f}x"
        )
    every = [run for group in runs.values() for run in group]
    ahead = 100 * statistics.mean(run.mtst - run.setfit for run in every)
    times = sum(run.setfit_seconds for run in every) / sum(run.mtst_seconds for run in every)
    print(f"{len(every)} runs: mtst {ahead:+.2f} points on average; SetFit takes {times:.1f} times as long in all")


def pairs_of(iterations: int | None) -> str:
    if iterations is None:
        return f"its default (all pairs) up to {ALL_PAIRS} shots, num_iterations={ITERATIONS} above"
    return f"num_iterations={iterations}" if iterations else "its default (all pairs)"


def mean(values: list[float]) -> str:
    spread = f"{100 * statistics.stdev(values):.1f}" if len(values) > 1 else "-"
    return f"{100 * statistics.mean(values):.1f} ({spread})"


if __name__ == "__main__":
    main()
