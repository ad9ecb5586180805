"""How fast training is compared with plain loops, and how much memory it takes, on one machine.

python -m tests.bench.training FILE.csv TEXT LABEL [LABEL ...] [--rows 1000] [--epochs 20] [--seeds 1]

The plain loop is the one that people write with PyTorch and Transformers: shuffled batches, tokenized as they come,
padded to their longest sentence, 32 bits, `torch.optim.AdamW`. The notebook's loop embeds every batch with
`SentenceTransformer.encode` in every epoch and trains the heads on it. All train the same heads on the same rows with
the same batch size, rates and number of epochs. Each is measured in a process of its own; the first epoch and the
others separately, because what is computed once is computed in the first. Last comes what packing sentences gains:
see `tests.bench.packing`.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from torch.nn.functional import cross_entropy

from mtst import MultiTaskSentenceTransformer, TrainConfig, fit, load_encoder, make_dataset, read_table
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.training.config import split
from mtst.training.events import EpochEnded, StepEnded

BATCH = 32
HEAD_RATE, ENCODER_RATE = 1e-2, 1e-4
TOP = 2  # blocks
TARGETS = {"freeze-encoder": 50.0, "freeze-encoder, whole run": 10.0, "top-k": 2.5, "train-all": 4.0}


def epochs_of(scenario: str, epochs: int) -> int:
    return epochs if scenario == "freeze-encoder" else 3


def config(scenario: str, seed: int, epochs: int) -> TrainConfig:
    return TrainConfig(
        scenario, top_blocks=TOP, epochs=epochs, batch_size=BATCH, head_rate=HEAD_RATE, encoder_rate=ENCODER_RATE,
        decay="constant", warm_up=0.0, clip=0.0, seed=seed,
    )  # fmt: skip


def ours(data: Dataset, scenario: str, seed: int, epochs: int) -> dict:
    """Train with `fit`; return the seconds of each epoch, validation left out, and the losses of each epoch."""
    model = MultiTaskSentenceTransformer(load_encoder(), data.tasks)
    ends, losses, begun = [], [[]], []
    start = time.perf_counter()
    events = fit(model, data, config(scenario, seed, epochs), baselines=False)
    for event in events:
        now = time.perf_counter()
        if isinstance(event, StepEnded):
            losses[-1].append(sum(event.losses.values()))
            last = now
        elif isinstance(event, EpochEnded):
            if event.epoch:
                ends.append(last - begun[-1])
                losses.append([])
            begun.append(now)
    first = ends[0] + begun[0] - start
    return {"first": first, "others": ends[1:], "whole": first + sum(ends[1:]), "losses": _means(losses[:-1])}


def plain(data: Dataset, scenario: str, seed: int, epochs: int) -> dict:
    """Train with the loop that people write; the same rows as `fit` trains on."""
    from sentence_transformers import SentenceTransformer

    rows, _ = split(data, config(scenario, seed, epochs))
    torch.manual_seed(seed)
    name = load_encoder().backbone[0].auto_model.config._name_or_path
    body = SentenceTransformer(name)
    tokenizer, bert = body.tokenizer, body[0].auto_model
    heads = MultiTaskSentenceTransformer(load_encoder(), data.tasks).heads
    targets = [torch.tensor(rows.labels[task.name]) for task in rows.tasks]
    bert.train()
    if scenario == "top-k":
        bert.requires_grad_(False).eval()  # most leave dropout on below; then the losses could not be compared
        for block in bert.encoder.layer[-TOP:]:
            block.requires_grad_(True).train()
    optimizer = torch.optim.AdamW([
        {"params": [parameter for parameter in bert.parameters() if parameter.requires_grad], "lr": ENCODER_RATE},
        {"params": heads.parameters(), "lr": HEAD_RATE},
    ])  # fmt: skip
    order = random.Random(seed)  # noqa: S311
    seconds, losses = [], []
    for _ in range(epochs):
        start, step_losses = time.perf_counter(), []
        indices = order.sample(range(len(rows)), len(rows))
        for first in range(0, len(indices), BATCH):
            batch_rows = indices[first : first + BATCH]
            batch = tokenizer([rows.texts[i] for i in batch_rows], padding=True, truncation=True, return_tensors="pt")
            hidden = bert(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            pooled = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))
            loss = sum(
                cross_entropy(head(pooled), target[batch_rows], ignore_index=UNLABELLED)
                for head, target in zip(heads, targets, strict=True)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step_losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
        losses.append(step_losses)
    return {"first": seconds[0], "others": seconds[1:], "whole": sum(seconds), "losses": _means(losses)}


def notebook(data: Dataset, scenario: str, seed: int, epochs: int) -> dict:
    """Train the heads on `encode`, called for every batch of every epoch."""
    from sentence_transformers import SentenceTransformer

    rows, _ = split(data, config(scenario, seed, epochs))
    body = SentenceTransformer(load_encoder().backbone[0].auto_model.config._name_or_path)
    heads = MultiTaskSentenceTransformer(load_encoder(), data.tasks).heads
    targets = [torch.tensor(rows.labels[task.name]) for task in rows.tasks]
    optimizer = torch.optim.AdamW(heads.parameters(), lr=HEAD_RATE)
    order = random.Random(seed)  # noqa: S311
    seconds, losses = [], []
    for _ in range(min(epochs, 3)):  # the later ones take as long; the whole run is their number times that
        start, step_losses = time.perf_counter(), []
        indices = order.sample(range(len(rows)), len(rows))
        for first in range(0, len(indices), BATCH):
            batch_rows = indices[first : first + BATCH]
            pooled = body.encode(
                [rows.texts[i] for i in batch_rows], convert_to_tensor=True, show_progress_bar=False
            ).clone()
            loss = sum(
                cross_entropy(head(pooled), target[batch_rows], ignore_index=UNLABELLED)
                for head, target in zip(heads, targets, strict=True)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step_losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
        losses.append(step_losses)
    mean = sum(seconds[1:]) / len(seconds[1:])
    return {"first": seconds[0], "others": seconds[1:], "whole": mean * epochs, "losses": _means(losses)}


LOOPS = {"ours": ours, "plain": plain, "notebook": notebook}


def _means(losses: list[list[float]]) -> list[float]:
    return [statistics.mean(epoch) for epoch in losses]


def peak_megabytes() -> float:
    """Return the highest resident memory of this process so far."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def product_rate(dtype: torch.dtype) -> float:
    """Return the billions of operations a second of a matrix product as they occur in a block."""
    left, right = torch.randn(512, 384).to(dtype), torch.randn(384, 1536).to(dtype)
    best = float("inf")
    for _ in range(50):
        start = time.perf_counter()
        for _ in range(5):
            left @ right
        best = min(best, (time.perf_counter() - start) / 5)
    return 2 * 512 * 384 * 1536 / best / 1e9


def operations(data: Dataset, seed: int) -> float:
    """Return the billions of operations of matrix products with weights in one epoch with everything open."""
    rows, _ = split(data, config("train-all", seed, 1))
    encoder = load_encoder()
    named = dict(encoder.backbone.named_parameters())
    blocks = [named[name] for group in encoder.groups if group.key.startswith("block-") for name in group.parameters]
    weights = sum(parameter.numel() for parameter in blocks if parameter.ndim == 2)
    return 6 * weights * sum(map(len, encoder.tokenize(rows.texts))) / 1e9


def measure(options: Namespace, loop: str, scenario: str, seed: int) -> dict:
    """Measure one loop in a process of its own."""
    arguments = [options.file, options.text, *options.labels, "--rows", options.rows, "--epochs", options.epochs]
    arguments += ["--only", loop, scenario, seed]
    process = subprocess.run(
        [sys.executable, "-m", "tests.bench.training", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return json.loads(process.stdout.splitlines()[-1])


def options_of(about: str, epochs: int) -> ArgumentParser:
    """Return a parser of what every bench of training takes."""
    parser = ArgumentParser(description=about)
    parser.add_argument("file")
    parser.add_argument("text")
    parser.add_argument("labels", nargs="+")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=epochs)
    return parser


def data_of(options: Namespace) -> Dataset:
    """Return the first rows of the file."""
    data = make_dataset(read_table(options.file), options.text, options.labels)
    return data.take(range(min(options.rows, len(data))))


def main(options: Namespace) -> None:
    data = data_of(options)
    if options.only:
        loop, scenario, seed = options.only[0], options.only[1], int(options.only[2])
        result = LOOPS[loop](data, scenario, seed, epochs_of(scenario, options.epochs))
        print(json.dumps(result | {"megabytes": peak_megabytes()}))
        return
    precision = load_encoder().precision
    rate = product_rate(torch.bfloat16 if precision == "bf16" else torch.float32)
    print(f"{len(data):,} rows, batches of {BATCH}, {torch.get_num_threads()} threads, {precision}: "
          f"matrix products run at {rate:,.0f} billion operations a second")  # fmt: skip
    print(f"{'':28}{'seconds an epoch':>18}{'memory MB':>11}{'ratio':>9}{'target':>8}")
    for scenario, other in (("freeze-encoder", "notebook"), ("top-k", "plain"), ("train-all", "plain")):
        results: dict[str, list[dict]] = {"ours": [], other: []}
        for seed in range(options.seeds):
            for loop, runs in results.items():
                runs.append(measure(options, loop, scenario, seed))
        report(scenario, other, results)
        if scenario == "train-all":
            epoch = min(time for run in results["ours"] for time in run["others"])
            reached = operations(data, 0) / epoch / rate
            print(f"{'':4}train-all reaches {100 * reached:.0f} % of the machine's rate of matrix products")
    from tests.bench.packing import compare_packing

    compare_packing(data, rounds=3)


def report(scenario: str, other: str, results: dict[str, list[dict]]) -> None:
    """Print the lines of one scenario: the quickest epoch of each loop after its first, their ratio, the losses."""
    best = {loop: min(time for run in runs for time in run["others"]) for loop, runs in results.items()}
    memory = {loop: max(run["megabytes"] for run in runs) for loop, runs in results.items()}
    for loop in results:
        ratio = f"{best[other] / best[loop]:8.1f}x{TARGETS[scenario]:7g}x" if loop == "ours" else ""
        print(f"{scenario + ', ' + loop:28}{best[loop]:18.3f}{memory[loop]:11.0f}{ratio}")
    if scenario == "freeze-encoder":
        whole = {loop: min(run["whole"] for run in runs) for loop, runs in results.items()}
        name = "freeze-encoder, whole run"
        print(f"{name:28}{whole['ours']:18.3f}{'':11}{whole[other] / whole['ours']:8.1f}x{TARGETS[name]:7g}x")
    for loop, runs in results.items():
        curves = "; ".join(" ".join(f"{loss:.3f}" for loss in run["losses"][:4]) for run in runs)
        print(f"{'':4}mean loss of the first epochs, {loop}: {curves}")
    if len(results[other]) > 1:
        epochs = [list(zip(*(run["losses"] for run in runs), strict=True)) for runs in results.values()]
        for number, (ours, theirs) in enumerate(list(zip(*epochs, strict=False))[:4], 1):
            apart = abs(statistics.mean(ours) - statistics.mean(theirs))
            print(f"{'':4}epoch {number}: the means over seeds are {apart:.3f} apart; "
                  f"seeds of {other} spread over {max(theirs) - min(theirs):.3f}")  # fmt: skip


if __name__ == "__main__":
    parser = options_of(__doc__, epochs=20)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs=3)
    main(parser.parse_args())
