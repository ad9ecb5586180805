"""What a GPU changes: time, losses in bf16 and in 32 bits, and whether a run can be repeated, resumed and shared there.

python -m tests.bench.gpu FILE.csv TEXT LABEL [LABEL ...] [--rows 1000] [--epochs 3] [--batch 32]

The same runs on the CPU, on the GPU in 32 bits, and on the GPU in bf16, one after another. Then, in bf16: the same run
twice; one that is broken off after an epoch and resumed; and one whose every sum goes through NCCL, in a group of one
process that does all of the work. NCCL wants a GPU for each process, so that is all of it that one GPU can show.
"""

import os
import tempfile
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from torch import Tensor, distributed

from mtst import MultiTaskSentenceTransformer, TrainConfig, fit, load_encoder
from mtst.data.dataset import Dataset
from mtst.runs.event_log import RunEvent
from mtst.training.distributed import ProcessGroup
from mtst.training.events import EpochEnded, StepEnded
from tests.bench.training import data_of, options_of

SCENARIOS = ("freeze-encoder", "top-k", "gradual", "train-all")


class WholeBatchGroup(ProcessGroup):
    """One of two processes that does all of the work itself; its sums go through the group."""

    def owns(self, index: int) -> bool:
        return index >= 0

    def shard(self, indices: Sequence[int]) -> Sequence[int]:
        return indices

    def pad_shard(self, rows: Tensor, count: int) -> Tensor:
        return rows[:count]


def new_model(data: Dataset, device: str, *, fp32: bool) -> MultiTaskSentenceTransformer:
    encoder = load_encoder(fp32=fp32)
    encoder.to(device)
    return MultiTaskSentenceTransformer(encoder, data.tasks)


def run_events(
    data: Dataset, config: TrainConfig, device: str, *, fp32: bool = False, **more: object
) -> list[RunEvent]:
    model = new_model(data, device, fp32=fp32)
    return list(fit(model, data, config, baselines=False, **more))


def losses(events: Sequence[RunEvent]) -> list[float]:
    return [sum(event.losses.values()) for event in events if isinstance(event, StepEnded)]


def without_seconds(events: Sequence[RunEvent]) -> list[dict]:
    return [{name: value for name, value in asdict(event).items() if name != "seconds"} for event in events]


def largest_difference(first: Sequence[RunEvent], second: Sequence[RunEvent]) -> float:
    """Return the largest difference between the losses of the steps of two runs."""
    return max(abs(a - b) for a, b in zip(losses(first), losses(second), strict=True))


def epoch_seconds(events: Sequence[RunEvent]) -> float:
    """Return the seconds of the last epoch, validation included; by then everything is open that opens."""
    before, after = [event.seconds for event in events if isinstance(event, EpochEnded)][-2:]
    return after - before


def compare(data: Dataset, options: Namespace) -> None:
    print(f"{'':16}{'seconds an epoch':^36}{'mean loss of the last epoch':^36}")
    print(f"{'':16}" + 2 * "".join(f"{name:>12}" for name in ("CPU", "GPU fp32", "GPU bf16")))
    for scenario in SCENARIOS:
        config = TrainConfig(scenario, epochs=options.epochs, batch_size=options.batch)
        runs = [run_events(data, config, "cpu", fp32=True)]
        runs += [run_events(data, config, "cuda", fp32=fp32) for fp32 in (True, False)]
        seconds = "".join(f"{epoch_seconds(events):12.3f}" for events in runs)
        steps = len(losses(runs[0])) // options.epochs
        last = "".join(f"{sum(losses(events)[-steps:]) / steps:12.4f}" for events in runs)
        print(f"{scenario:16}{seconds}{last}", flush=True)


def repeat(data: Dataset, config: TrainConfig) -> None:
    first, second = (run_events(data, config, "cuda") for _ in range(2))
    same = (
        "the same events"
        if without_seconds(first) == without_seconds(second)
        else f"losses up to {largest_difference(first, second):.1e} apart"
    )
    print(f"{config.scenario}, the same run twice: {same}")


def resume(data: Dataset, config: TrainConfig) -> None:
    whole = run_events(data, config, "cuda")
    with tempfile.TemporaryDirectory() as folder:
        path, first = Path(folder) / "checkpoint", []
        events = fit(new_model(data, "cuda", fp32=False), data, config, baselines=False, checkpoint=path)
        for event in events:
            first.append(event)
            if path.exists():
                events.close()
        first = [event for event in first if not isinstance(event, StepEnded) or event.step <= _steps(first)]
        rest = run_events(data, config, "cuda", checkpoint=path)
    difference = largest_difference(whole, first + rest)
    print(f"{config.scenario}, broken off after epoch 1 and resumed: losses up to {difference:.1e} apart")


def _steps(events: Sequence[RunEvent]) -> int:
    return max(event.step for event in events if isinstance(event, EpochEnded))


def share(data: Dataset, config: TrainConfig) -> None:
    alone = run_events(data, config, "cuda")
    with tempfile.NamedTemporaryFile() as meeting:
        distributed.init_process_group("nccl", init_method=f"file://{meeting.name}.group", rank=0, world_size=1)
        start = time.perf_counter()
        shared = run_events(data, config, "cuda", process_group=WholeBatchGroup(0, 2, torch.device("cuda")))
        seconds = time.perf_counter() - start
        distributed.destroy_process_group()
    difference = largest_difference(alone, shared)
    print(f"{config.scenario}, sums through NCCL: losses up to {difference:.1e} apart, {seconds:.1f} s in all")


def main(options: Namespace) -> None:
    data = data_of(options)
    print(f"{len(data):,} rows, batches of {options.batch}, {torch.get_num_threads()} threads of the CPU, "
          f"{torch.cuda.get_device_name()}, torch {torch.__version__}")  # fmt: skip
    compare(data, options)
    for scenario in ("freeze-encoder", "top-k", "train-all"):
        config = TrainConfig(scenario, epochs=2, batch_size=options.batch)
        repeat(data, config)
        resume(data, config)
        share(data, config)


if __name__ == "__main__":
    parser = options_of(__doc__, epochs=3)
    parser.add_argument("--batch", type=int, default=32)
    main(parser.parse_args())
