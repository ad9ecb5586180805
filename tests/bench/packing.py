"""What training gains from sentences laid end to end (`mtst.encoders.packing`) instead of padded.

python -m tests.bench.packing FILE.csv TEXT LABEL [LABEL ...] [--rows 320] [--rounds 3]

One process trains copies of one encoder with the same `fit`, rows, batches and heads, in turn packed and padded; padded
batches go through the encoder as Transformers runs it. Compared are the CPU and wall seconds of the steps of an epoch,
round by round; what is printed is the median ratio, because other work on the machine falls on both. A frozen encoder
is left out: embeddings are computed once, always from padded batches.
"""

import copy
import statistics
import time
from argparse import Namespace

import torch

from mtst import MultiTaskSentenceTransformer, fit, load_encoder
from mtst.data.dataset import Dataset
from mtst.encoders.encoder import Encoder
from mtst.training.events import StepEnded
from tests.bench.training import config, data_of, options_of

SCENARIOS = ("top-k", "train-all")


def measure_epoch(encoder: Encoder, data: Dataset, scenario: str, *, packs: bool) -> tuple[float, float, float]:
    """Return the CPU and wall seconds of the steps of an epoch after the first, and the mean loss of all steps."""
    encoder = copy.deepcopy(encoder)
    encoder._runner.packs = packs
    model = MultiTaskSentenceTransformer(encoder, data.tasks)
    cpu = wall = 0.0
    losses, start = [], (0.0, 0.0)
    for event in fit(model, data, config(scenario, seed=0, epochs=1), baselines=False):
        if isinstance(event, StepEnded):
            if event.step > 1:
                cpu += time.process_time() - start[0]
                wall += time.perf_counter() - start[1]
            losses.append(sum(event.losses.values()))
            start = time.process_time(), time.perf_counter()
    return cpu, wall, statistics.mean(losses)


def compare_packing(data: Dataset, rounds: int) -> None:
    """Print how many times as long an epoch takes with padded sentences."""
    encoder = load_encoder()
    if not encoder._runner.packs:
        print("This encoder does not pack on this machine.")
        return
    for scenario in SCENARIOS:
        packed, padded = [], []
        for number in range(rounds):
            for runs in (packed, padded) if number % 2 else (padded, packed):
                runs.append(measure_epoch(encoder, data, scenario, packs=runs is packed))
        cpu, wall = ([slow[k] / quick[k] for quick, slow in zip(packed, padded, strict=True)] for k in (0, 1))
        print(f"{scenario + ', padded instead of packed':36}{statistics.median(cpu):6.2f}x CPU "
              f"({min(cpu):.2f} to {max(cpu):.2f}){statistics.median(wall):6.2f}x wall; mean loss "
              f"{packed[0][2]:.3f} packed, {padded[0][2]:.3f} padded", flush=True)  # fmt: skip


def main(options: Namespace) -> None:
    data = data_of(options)
    print(f"{len(data):,} rows, {torch.get_num_threads()} threads, {load_encoder().precision}, "
          f"{options.rounds} rounds")  # fmt: skip
    compare_packing(data, options.rounds)


if __name__ == "__main__":
    parser = options_of(__doc__, epochs=1)
    parser.set_defaults(rows=320)
    parser.add_argument("--rounds", type=int, default=3)
    main(parser.parse_args())
