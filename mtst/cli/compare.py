"""`compare`: a table -> the scores of every scenario on it, and which scenario to choose."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mtst.analysis.token_oddities import find_token_oddities
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
    check_writable,
    load_with_progress,
    print_label_sets,
    print_oddities,
    print_skipped,
    write_text,
)
from mtst.cli.rows import Selection
from mtst.comparison.description import stopping_point
from mtst.comparison.estimate import total_seconds
from mtst.comparison.events import (
    AttemptEnded,
    ComparisonEvent,
    ComparisonStarted,
    Dropped,
    LearningCurve,
)
from mtst.comparison.known_results import describe_expectation, expect_for
from mtst.comparison.results import Comparison
from mtst.comparison.rows import plan_comparison
from mtst.comparison.runner import compare_scenarios
from mtst.data.readers.options import ReadOptions
from mtst.encoders.catalogue import DEFAULT
from mtst.runs.job import Job
from mtst.runs.report import build_comparison_report
from mtst.training.config import TrainConfig
from mtst.training.events import TrainingEvent
from mtst.training.scenarios import comparable_scenarios

Scenarios = Annotated[
    list[str] | None,
    typer.Option("--scenario", metavar="KEY", help="A scenario to compare; once for each; all if omitted."),
]
Seeds = Annotated[int, typer.Option(metavar="N", help="Seeds per scenario: 1 is quick, 3 is thorough.")]
Seed = Annotated[
    int,
    typer.Option(metavar="N", help="Fixes which rows are set aside, or the folds; attempts have the seeds 0, 1, 2."),
]
Alone = Annotated[str | None, typer.Option(metavar="KEY", help="A scenario in which each task is also trained alone.")]
Html = Annotated[Path | None, typer.Option(metavar="FILE.html", help="Where to write the result as one page.")]
Race = Annotated[
    bool, typer.Option("--race/--no-race", help="Stop early what is unlikely to win; without, all run to the end.")
]
ReportTo = Annotated[Path | None, typer.Option(metavar="FILE.json", help="Where to write the result as JSON.")]


def compare(
    file: Source,
    text: Text,
    labels: Labels = None,
    multi_label: MultiLabel = None,
    single_label: SingleLabel = None,
    scenario: Scenarios = None,
    seeds: Seeds = 1,
    alone: Alone = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    top_blocks: options.TopBlocks = TrainConfig.top_blocks,
    balance: options.Balance = TrainConfig.balance,
    seed: Seed = TrainConfig.seed,
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
    race: Race = True,
    html: Html = None,
    report: ReportTo = None,
    encoder: EncoderName = DEFAULT,
    prompt: Prompt = None,
    fp32: Fp32 = False,
    as_json: options.AsJson = False,
) -> None:
    """Train with every scenario on the same rows, and recommend one.

    All are judged by rows that none has chosen its epoch by: a fifth of the file, with fewer than 1,000 rows each fifth
    in turn, or another file.
    """
    check_writable(html, report)
    config = TrainConfig(epochs=epochs, batch_size=batch_size, top_blocks=top_blocks, balance=balance, seed=seed)
    choice = options.label_choice(labels, multi_label, single_label)
    left_out, treatments = options.parse_lines(leave_out), options.parse_treatments(missing, clean)
    reading = ReadOptions(header, encoding, delimiter, sheet, header_line)
    data, test_data = Selection(text, choice, reading, treatments, merge=merge, leave_out=left_out).read(file, test)
    print_label_sets(data.tasks)
    print_skipped(data.skipped)
    print_oddities(data.oddities)
    scenarios = tuple(scenario or comparable_scenarios(data.tasks))
    attempts = plan_comparison(data, config, scenarios, seeds, alone=alone, test=test_data)
    if expected := expect_for(data.tasks, data.labelled_rows):
        typer.echo(describe_expectation(expected))
    loaded = load_with_progress(encoder, prompt, fp32=fp32)
    unread = find_token_oddities(data.texts, loaded, data.lines)
    print_oddities(unread)
    data = data.with_oddities(unread)
    comparison = Comparison()
    for event in compare_scenarios(loaded, data, config, attempts, test=test_data, race=race):
        comparison.extend([event])
        _print_event(event, comparison)
    job = Job(
        encoder,
        config,
        str(file),
        text,
        header is not False,
        merge,
        left_out,
        fp32,
        kind="compare",
        scenarios=scenarios,
        seeds=seeds,
        alone=alone,
        race=race,
        label_choice=choice,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
        treatments=treatments,
        prompt=prompt,
        header_line=header_line,
    )
    result = build_comparison_report(job, data, comparison)
    for sentence in result["recommendation"]:
        typer.echo(sentence)
    if report:
        write_text(report, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    if html:
        from mtst.ui.scenarios.html_report import html_report  # here, since it imports all that the page needs

        write_text(html, html_report(job, data, comparison))
    if as_json:
        typer.echo(json.dumps(result))


def _print_event(event: ComparisonEvent | TrainingEvent, comparison: Comparison) -> None:
    match event:
        case ComparisonStarted():
            rows = len(next(iter(event.truth.values())))
            judging = f"{rows:,} to judge by" if event.folds == 1 else f"{rows:,} to judge by in {event.folds} folds"
            typer.echo(
                f"{event.train_rows:,} rows to learn from, {event.validation_rows:,} to choose epochs by, {judging}; "
                f"{len(event.attempts)} attempts{_duration(comparison)}"
            )
        case LearningCurve(projected=projected) if projected:
            rows, (low, middle, high) = next(iter(projected.items()))
            typer.echo(f"with {rows:,} rows to learn from: macro-F1 about {middle:.3f} ({low:.3f} to {high:.3f})")
        case AttemptEnded():
            _print_attempt(event, comparison.folds)
        case Dropped():
            typer.echo(
                f"{event.scenario}: stopped {stopping_point(event, comparison.folds)}, macro-F1 {event.score:.3f}; "
                f"{event.leader} has {event.leader_score:.3f}"
            )


def _print_attempt(event: AttemptEnded, folds: int) -> None:
    attempt = event.attempt
    by_task = ", ".join(f"{task} {scores.macro_f1:.3f}" for task, scores in event.test.items())
    alone = f", {attempt.task} alone" if attempt.task else ""
    fold = f", fold {attempt.fold + 1}" if folds > 1 else ""
    typer.echo(
        f"{attempt.scenario}{alone}, seed {attempt.seed}{fold}: macro-F1 {by_task}; {event.seconds:.1f} s, "
        f"{event.parameters:,} parameters trained, drift {event.drift:.3f}"
    )


def _duration(comparison: Comparison) -> str:
    seconds = total_seconds(comparison)
    return "" if seconds is None else f", about {seconds:,.0f} s in all"
