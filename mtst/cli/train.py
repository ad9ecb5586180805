"""`train`: a table -> a model, a line for each epoch, and how far each layer group has moved."""

import json
import time
from dataclasses import replace
from pathlib import Path

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
from mtst.cli.training_output import follow, print_result, summarize
from mtst.data.dataset import Dataset
from mtst.data.readers.options import ReadOptions
from mtst.data.tasks import Task, reusable_tasks
from mtst.encoders.catalogue import DEFAULT
from mtst.errors import SettingsError
from mtst.evaluation.metrics import evaluate
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.storage import check_target
from mtst.runs.job import Job
from mtst.runs.report import build_report
from mtst.training.config import TrainConfig
from mtst.training.distributed import launched_process_group
from mtst.training.events import RatesFound
from mtst.training.fitting import fit
from mtst.training.lr_finder import find_learning_rates


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
        history = follow(fit(model, data, config, baselines=baselines, process_group=process_group), echo)
        test_scores = evaluate(model, test_data) if test_data else None
        job = Job(
            model.base, config, str(file), text, header is not False, merge, left_out, fp32, start=start_from or "",
            label_choice=choice, encoding=encoding, delimiter=delimiter, sheet=sheet, treatments=treatments,
            prompt=prompt, header_line=header_line,
        )  # fmt: skip
        run_report = json.dumps(build_report(job, data, history, test_scores), indent=1, ensure_ascii=False) + "\n"
        process_group.run_on_main(lambda: _save(model, run_report, out, report, heads_only=heads_only))
    seconds = round(time.perf_counter() - start, 2)
    print_result(history, test_scores, f"{seconds:.1f} s" + (f", saved to {out}" if out else ""), echo)
    if as_json:
        echo(json.dumps(summarize(config, data, history, test_scores) | {"seconds": seconds}))


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


def _save(
    model: MultiTaskSentenceTransformer, run_report: str, out: Path | None, report: Path | None, *, heads_only: bool
) -> None:
    """Write what was asked for: the model, with the report unless it is saved without its encoder, and the report."""
    if out:
        model.save(out, heads_only=heads_only, report=None if heads_only else run_report.encode())
    if report:
        write_text(report, run_report)
