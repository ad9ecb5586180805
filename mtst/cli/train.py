"""`train`: a table -> a model, a line for each epoch, and how far each layer group has moved."""

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtst.analysis.token_oddities import advise_training, find_token_oddities
from mtst.cli import options
from mtst.cli.options import (
    EncoderName,
    Fp32,
    Header,
    HeaderLine,
    Labels,
    Merge,
    MultiLabel,
    Prompt,
    SingleLabel,
    Source,
    Text,
)
from mtst.cli.output import (
    Echo,
    check_writable,
    echo_on_main,
    load_with_progress,
    print_label_sets,
    print_oddities,
    print_skipped,
    write_text,
)
from mtst.cli.rows import Selection
from mtst.data.dataset import Dataset
from mtst.data.readers.options import ReadOptions
from mtst.data.tasks import Task, reusable_tasks
from mtst.encoders.catalogue import DEFAULT
from mtst.errors import SettingsError
from mtst.evaluation.metrics import evaluate
from mtst.evaluation.scores import Scores, small_sample_caution
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.storage import check_target
from mtst.runs.event_log import RunEvent
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.report import build_report
from mtst.training.config import TrainConfig
from mtst.training.distributed import launched_process_group
from mtst.training.events import Baselines, EpochEnded, GroupProof, Opened, RatesFound
from mtst.training.fitting import fit
from mtst.training.lr_finder import find_learning_rates

FIGURES = ("accuracy", "precision", "recall", "macro_f1", "weighted_f1", "calibration_error")
MULTI_LABEL_FIGURES = ("micro_f1", "samples_f1", "mean_average_precision")


def train(
    file: Source,
    text: Text,
    labels: Labels = None,
    multi_label: MultiLabel = None,
    single_label: SingleLabel = None,
    scenario: options.Scenario = "freeze-encoder",
    open_groups: options.OpenGroups = None,
    top_blocks: options.TopBlocks = TrainConfig.top_blocks,
    epochs_per_group: options.EpochsPerGroup = TrainConfig.epochs_per_group,
    frozen_head_loss: options.FrozenHeadLoss = True,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    head_rate: options.HeadRate = None,
    encoder_rate: options.EncoderRate = None,
    find_rates: options.FindRates = False,
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
    header_line: HeaderLine = 0,
    encoding: options.Encoding = "",
    delimiter: options.Delimiter = "",
    sheet: options.Sheet = "",
    missing: options.Missing = None,
    clean: options.Clean = None,
    test: options.Test = None,
    out: options.Out = None,
    heads_only: options.HeadsOnly = False,
    report: options.Report = None,
    start_from: options.Start = None,
    encoder: EncoderName = DEFAULT,
    prompt: Prompt = None,
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
        task_weights=options.parse_task_weights(task_weights), learn_weights=learn_weights,
        frozen_head_loss=frozen_head_loss, validation_share=validation_share, balance=balance, seed=seed,
    )  # fmt: skip
    if out:
        check_target(out)
    if start_from and (encoder != DEFAULT or prompt is not None or heads_only):
        raise SettingsError(
            "--from brings its own encoder, to be saved whole: leave out --encoder, --prompt and --heads-only."
        )
    choice = options.label_choice(labels, multi_label, single_label)
    left_out, treatments = options.parse_lines(leave_out), options.parse_treatments(missing, clean)
    reading = ReadOptions(header, encoding, delimiter, sheet, header_line)
    selection = Selection(text, choice, reading, treatments, merge=merge, leave_out=left_out)
    with launched_process_group() as process_group:
        echo = echo_on_main(process_group)
        process_group.run_on_main(lambda: check_writable(report))
        with process_group.fail_together():
            data, test_data = selection.read(file, test)
            if start_from:
                model = _load_start(start_from, data.tasks, echo, fp32=fp32)
            else:
                model = MultiTaskSentenceTransformer(load_with_progress(encoder, prompt, fp32=fp32), data.tasks)
        echo(f"{len(data):,} rows used")
        if process_group.is_main:
            print_label_sets(data.tasks)
            print_skipped(data.skipped)
            unread = find_token_oddities(data.texts, model.encoder, data.lines)
            data = data.with_oddities(advise_training(unread) if start_from else unread)
            print_oddities(data.oddities)
        if find_rates:
            config = process_group.run_on_main(lambda: _with_found_rates(model, data, config, echo))
        history = _follow(fit(model, data, config, baselines=baselines, process_group=process_group), echo)
        test_scores = evaluate(model, test_data) if test_data else None
        job = Job(
            model.base, config, str(file), text, header is not False, merge, left_out, fp32, start=start_from or "",
            label_choice=choice, encoding=encoding, delimiter=delimiter, sheet=sheet, treatments=treatments,
            prompt=prompt, header_line=header_line,
        )  # fmt: skip
        run_report = json.dumps(build_report(job, data, history, test_scores), indent=1, ensure_ascii=False) + "\n"
        process_group.run_on_main(lambda: _save(model, run_report, out, report, heads_only=heads_only))
    seconds = round(time.perf_counter() - start, 2)
    _print_result(history, test_scores, f"{seconds:.1f} s" + (f", saved to {out}" if out else ""), echo)
    if as_json:
        echo(json.dumps(_summary(config, data, history, test_scores) | {"seconds": seconds}))


def _load_start(name: str, tasks: tuple[Task, ...], echo: Echo, *, fp32: bool) -> MultiTaskSentenceTransformer:
    """Return the model that training continues with; it keeps the heads that fit the tasks."""
    model = load_model(name, fp32=fp32)
    for task, match in zip(tasks, reusable_tasks(model.tasks, tasks), strict=True):
        echo(f"{task}: its head {'goes on' if match else 'is new, for none has this name and these labels'}")
    return model.with_tasks(tasks)


def _with_found_rates(
    model: MultiTaskSentenceTransformer, data: Dataset, config: TrainConfig, echo: Echo
) -> TrainConfig:
    """Return the config with the learning rates that the rate finder suggests."""
    events = find_learning_rates(model, data, config)
    found = next(event for event in events if isinstance(event, RatesFound))
    echo(f"rates found: heads {found.head_rate:.1e}, encoder {found.encoder_rate:.1e}")
    return replace(config, head_rate=min(1.0, found.head_rate), encoder_rate=min(1.0, found.encoder_rate))


def _follow(events: Iterable[RunEvent], echo: Echo) -> History:
    """Train to the end and print a line for each epoch."""
    history = History()
    for event in events:
        history.extend([event])
        match event:
            case Baselines():
                for name, by_task in (("majority", event.majority), ("logistic regression", event.logistic)):
                    scores = ", ".join(f"{task} {scores.macro_f1:.3f}" for task, scores in by_task.items())
                    echo(f"baseline {name}: validation macro-F1 {scores}")
            case Opened():
                echo(f"epoch {event.epoch} opens {', '.join(event.groups)}")
            case EpochEnded():
                echo(_epoch_line(event, history.started.epochs))
    return history


def _save(
    model: MultiTaskSentenceTransformer, run_report: str, out: Path | None, report: Path | None, *, heads_only: bool
) -> None:
    """Write what was asked for: the model, with the report unless it is saved without its encoder, and the report."""
    if out:
        model.save(out, heads_only=heads_only, report=None if heads_only else run_report.encode())
    if report:
        write_text(report, run_report)


def _print_result(history: History, test_scores: dict[str, Scores] | None, note: str, echo: Echo) -> None:
    best_epoch = history.finished.best_epoch
    if caution := small_sample_caution(history.started.validation_rows):
        echo(caution)
    echo(_proof_table(history.finished.proof, best_epoch))
    echo(f"kept epoch {best_epoch}, {note}")
    for split, by_task in (("validation", history.best.validation), ("test", test_scores or {})):
        for task, scores in by_task.items():
            echo(
                f"{split} {task}: accuracy {scores.accuracy:.4f}, macro-F1 {scores.macro_f1:.4f}, "
                f"weighted F1 {scores.weighted_f1:.4f}, calibration error {scores.calibration_error:.4f}"
            )
            if scores.micro_f1 is not None:
                echo(
                    f"{split} {task}: micro-F1 {scores.micro_f1:.4f}, samples-F1 {scores.samples_f1:.4f}, "
                    f"mean average precision {scores.mean_average_precision:.4f}, "
                    f"threshold {history.finished.thresholds[task]:.3g}"
                )


def _epoch_line(event: EpochEnded, epochs: int) -> str:
    tasks = "; ".join(
        f"{name}: "
        + (f"train loss {event.train[name].loss:.3f}, " if name in event.train else "")
        + f"validation loss {scores.loss:.3f}, macro-F1 {scores.macro_f1:.3f}"
        for name, scores in event.validation.items()
    )
    return f"epoch {event.epoch}/{epochs}  {event.seconds:.1f} s  {tasks}"


def _proof_table(groups: tuple[GroupProof, ...], best_epoch: int) -> str:
    """Return a table of what became of each layer group up to the best epoch."""
    rows = [f"{'group':24}{'parameters':>12}{'trained':>12}{'open epochs':>13}{'peak rate':>11}{'weight change':>15}"]
    for group in groups:
        opened = f"{group.open_epochs[0]} to {group.open_epochs[1]}" if group.open_epochs else "frozen"
        change = "0 (same hash)" if group.same else f"{group.change:.5f}"
        if group.same and group.open_epochs and group.open_epochs[0] > best_epoch:
            change = f"0 (kept: {best_epoch})"
        rest = "" if group.rest_same is None else f", rest {'0 (same hash)' if group.rest_same else 'CHANGED'}"
        rows.append(
            f"{group.key[:23]:24}{group.parameters:12,}{group.trained:12,}{opened:>13}{group.rate:11.1e}{change:>15}{rest}"
        )
    return "\n".join(rows)


def _summary(
    config: TrainConfig, data: Dataset, history: History, test_scores: dict[str, Scores] | None
) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    tasks = {}
    for task in data.tasks:
        tasks[task.name] = {"validation": _figures(history.best.validation.get(task.name))}
        if test_scores is not None:
            tasks[task.name]["test"] = _figures(test_scores.get(task.name))
    best_epoch = history.finished.best_epoch
    return {"scenario": config.scenario, "seed": config.seed, "best_epoch": best_epoch, "tasks": tasks}


def _figures(scores: Scores | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    figures = FIGURES if scores.micro_f1 is None else (*FIGURES, *MULTI_LABEL_FIGURES)
    return {name: getattr(scores, name) for name in figures}
