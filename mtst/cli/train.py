"""`train`: a table -> a model, a line for each epoch, and what became of each layer group."""

import json
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import Any

import typer

from mtst.cli import options
from mtst.cli.distributed import by_leader, join_process_group, raise_together
from mtst.cli.options import Encoder, File, Fp32, Header, Labels, Merge, Text
from mtst.cli.output import check_files, load_with_progress, print_skipped, write_file
from mtst.data.dataset import Dataset, make_dataset
from mtst.data.table import read_table
from mtst.data.tasks import Task, reusable_tasks
from mtst.encoders.loading import DEFAULT
from mtst.errors import SettingsError
from mtst.evaluation.metrics import evaluate
from mtst.evaluation.scores import Scores
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.storage import check_target
from mtst.runs.event_log import RunEvent
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.report import build_report as report_of
from mtst.training.config import TrainConfig
from mtst.training.events import Baselines, EpochEnded, GroupProof, Opened, RatesFound
from mtst.training.fitting import fit
from mtst.training.lr_finder import find_learning_rates

FIGURES = ("accuracy", "precision", "recall", "macro_f1", "weighted_f1", "calibration_error")


def train(
    file: File,
    text: Text,
    labels: Labels,
    scenario: options.Scenario = "freeze-encoder",
    open_groups: options.OpenGroups = None,
    top_blocks: options.TopBlocks = TrainConfig.top_blocks,
    epochs_per_group: options.EpochsPerGroup = TrainConfig.epochs_per_group,
    frozen_head_loss: options.FrozenHeadLoss = True,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = TrainConfig.batch_size,
    head_rate: options.HeadRate = None,
    encoder_rate: options.EncoderRate = None,
    find: options.FindRates = False,
    layer_decay: options.LayerDecay = None,
    warm_up: options.WarmUp = None,
    decay: options.Decay = TrainConfig.decay,
    weight_decay: options.WeightDecay = None,
    clip: options.Clip = TrainConfig.clip,
    task_weights: options.TaskWeights = None,
    learn_weights: options.LearnWeights = False,
    label_smoothing: options.LabelSmoothing = TrainConfig.label_smoothing,
    balance: options.Balance = TrainConfig.balance,
    patience: options.Patience = None,
    validation_share: options.ValidationShare = TrainConfig.validation_share,
    seed: options.Seed = TrainConfig.seed,
    baselines: options.Baselines = True,
    merge: Merge = False,
    leave_out: options.LeaveOut = "",
    header: Header = None,
    test: options.Test = None,
    out: options.Out = None,
    heads_only: options.HeadsOnly = False,
    report: options.Report = None,
    start_from: options.Start = None,
    encoder: Encoder = DEFAULT,
    fp32: Fp32 = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a head for each column of labels on one shared encoder, and freeze what the scenario says.

    Under `accelerate launch -m mtst train …` several processes share the work.
    """
    start = time.perf_counter()
    config = TrainConfig(
        scenario=scenario, open_groups=tuple(open_groups or ()), top_blocks=top_blocks,
        epochs_per_group=epochs_per_group, epochs=epochs, batch_size=batch_size, head_rate=head_rate,
        encoder_rate=encoder_rate, layer_decay=layer_decay, decay=decay, warm_up=warm_up, weight_decay=weight_decay,
        label_smoothing=label_smoothing, clip=clip, patience=patience,
        task_weights=options.weights(task_weights or [], labels), learn_weights=learn_weights,
        frozen_head_loss=frozen_head_loss, validation_share=validation_share, balance=balance, seed=seed,
    )  # fmt: skip
    if out:
        check_target(out)
    if start_from and (encoder != DEFAULT or heads_only):
        raise SettingsError("--from brings its own encoder, to be saved whole: leave out --encoder and --heads-only.")
    left_out = options.lines(leave_out)
    with join_process_group() as process_group:
        say = typer.echo if process_group.is_main else _nothing
        by_leader(process_group, partial(check_files, report))
        with raise_together(process_group):
            table = read_table(file, header=header)
            data = make_dataset(table, text, labels, merge=merge, leave_out=left_out)
            held_out = None
            if test:
                held_out = make_dataset(read_table(test, header=header), text, labels, data.tasks, merge=merge)
            model = _begun(start_from, encoder, fp32, data.tasks, say)
        say(f"{len(data):,} rows used")
        if process_group.is_main:
            print_skipped(data.skipped)
        if find:
            config = by_leader(
                process_group, lambda: _with_rates(find_learning_rates(model, data, config), config, say)
            )
        history = _followed(fit(model, data, config, baselines=baselines, process_group=process_group), say)
        tested = evaluate(model, held_out) if held_out else None

        def keep() -> None:
            job = Job(
                model.base, config, str(file), text, header is not False, merge, left_out, fp32, start=start_from or ""
            )
            made = json.dumps(report_of(job, data, history, tested), indent=1, ensure_ascii=False) + "\n"
            if out:
                model.save(out, heads_only=heads_only, report=None if heads_only else made.encode())
            if report:
                write_file(made, report)

        by_leader(process_group, keep)  # every process has the same model now
    seconds = round(time.perf_counter() - start, 2)
    say(_proof(history.finished.proof, history.finished.best_epoch))
    say(f"kept epoch {history.finished.best_epoch}, {seconds:.1f} s" + (f", saved to {out}" if out else ""))
    _tell_scores(history, tested, say)
    if as_json:
        say(json.dumps(_summary(config, data, history, tested) | {"seconds": seconds}))


def _nothing(_line: str) -> None:
    """Say nothing: another process of the process group does."""


def _begun(
    start_from: str | None, encoder: str, fp32: bool, tasks: tuple[Task, ...], say: Callable[[str], None]
) -> MultiTaskSentenceTransformer:
    """Return the model to train: new heads on an encoder, or a model that goes on with the heads that fit."""
    if start_from is None:
        return MultiTaskSentenceTransformer(load_with_progress(encoder, fp32=fp32), tasks)
    model = load_model(start_from, fp32=fp32)
    for task, kept in zip(tasks, reusable_tasks(model.tasks, tasks), strict=True):
        say(f"{task}: its head {'goes on' if kept else 'is new, for none has this name and these labels'}")
    return model.with_tasks(tasks)


def _followed(events: Generator[RunEvent, Any, None], say: Callable[[str], None]) -> History:
    """Train to the end, with a line for each epoch."""
    history = History()
    for event in events:
        history.extend([event])
        match event:
            case Baselines():
                for name, found in (("majority", event.majority), ("logistic regression", event.logistic)):
                    scores = ", ".join(f"{task} {scores.macro_f1:.3f}" for task, scores in found.items())
                    say(f"baseline {name}: validation macro-F1 {scores}")
            case Opened():
                say(f"epoch {event.epoch} opens {', '.join(event.groups)}")
            case EpochEnded():
                say(_epoch_line(event, history.started.epochs))
    return history


def _with_rates(events: Generator[RunEvent, Any, None], config: TrainConfig, say: Callable[[str], None]) -> TrainConfig:
    """Return a config with the rates that the rate finder suggests."""
    found = next(event for event in events if isinstance(event, RatesFound))
    say(f"rates found: heads {found.head_rate:.1e}, encoder {found.encoder_rate:.1e}")
    return replace(config, head_rate=min(1.0, found.head_rate), encoder_rate=min(1.0, found.encoder_rate))


def _epoch_line(event: EpochEnded, epochs: int) -> str:
    tasks = "; ".join(
        f"{name}: "
        + (f"train loss {event.train[name].loss:.3f}, " if name in event.train else "")
        + f"validation loss {scores.loss:.3f}, macro-F1 {scores.macro_f1:.3f}"
        for name, scores in event.validation.items()
    )
    return f"epoch {event.epoch}/{epochs}  {event.seconds:.1f} s  {tasks}"


def _proof(groups: tuple[GroupProof, ...], kept: int) -> str:
    """Return what became of each group up to the epoch that is kept, as a table."""
    rows = [f"{'group':24}{'parameters':>12}{'open epochs':>13}{'peak rate':>11}{'weight change':>15}"]
    for group in groups:
        opened = f"{group.open_epochs[0]} to {group.open_epochs[1]}" if group.open_epochs else "frozen"
        change = "0 (same hash)" if group.same else f"{group.change:.5f}"
        if group.same and group.open_epochs and group.open_epochs[0] > kept:
            change = f"0 (kept: {kept})"
        rows.append(f"{group.key[:23]:24}{group.parameters:12,}{opened:>13}{group.rate:11.1e}{change:>15}")
    return "\n".join(rows)


def _tell_scores(history: History, tested: dict[str, Scores] | None, say: Callable[[str], None]) -> None:
    for where, scores in (("validation", history.best.validation), ("test", tested or {})):
        for name, found in scores.items():
            say(
                f"{where} {name}: accuracy {found.accuracy:.4f}, macro-F1 {found.macro_f1:.4f}, "
                f"weighted F1 {found.weighted_f1:.4f}, calibration error {found.calibration_error:.4f}"
            )


def _summary(config: TrainConfig, data: Dataset, history: History, tested: dict[str, Scores] | None) -> dict[str, Any]:
    tasks = {
        task.name: {"validation": _figures(history.best.validation.get(task.name))}
        | ({"test": _figures(tested.get(task.name))} if tested is not None else {})
        for task in data.tasks
    }
    best = history.finished.best_epoch
    return {"scenario": config.scenario, "seed": config.seed, "best_epoch": best, "tasks": tasks}


def _figures(scores: Scores | None) -> dict[str, Any] | None:
    return None if scores is None else {name: getattr(scores, name) for name in FIGURES}
