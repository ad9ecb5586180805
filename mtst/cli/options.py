"""The options of the commands, each a type with its help text, and the parsers of those that hold a list."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mtst.data.labels.choice import LabelChoice
from mtst.data.oddities.treatments import Treatments
from mtst.errors import SettingsError
from mtst.training.config import BALANCES, DECAYS
from mtst.training.scenarios import FIXED

# The table and the encoder: options of several commands.

File = Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines, JSON, Parquet, XLSX or ODS; also .gz, .zst, .zip.")]
Source = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV, TSV, JSON Lines, JSON, Parquet, XLSX or ODS; also .gz, .zst, .zip; or a dataset on the Hub, as "
        "owner/name.",
    ),
]
Text = Annotated[str, typer.Option("--text", metavar="COLUMN", help="The column of the sentences.")]
Labels = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="A column of labels; once for each task. Cells with several are recognised."),
]
MultiLabel = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME=]COLUMN",
        help="A task with several labels per row: a column such as 'a;b' or ['a', 'b'], or columns of 0 and 1, "
        "separated by commas.",
    ),
]
SingleLabel = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN", help="A column of labels whose cells are one label each, as read.")
]
Merge = Annotated[bool, typer.Option("--merge-labels", help="Merge labels that differ only in case or spaces.")]
LeaveOut = Annotated[str, typer.Option(metavar="LINES", help="Lines of the file to leave out, separated by commas.")]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns; detected if omitted."),
]
HeaderLine = Annotated[
    int, typer.Option(metavar="LINE", help="The line that names the columns; rows above it are left out.")
]
Encoding = Annotated[
    str, typer.Option(metavar="NAME", help="The encoding of a text, such as cp1254; detected if omitted.")
]
Delimiter = Annotated[
    str, typer.Option(metavar="SIGN", help="What separates cells: tab, comma, or any signs; detected if omitted.")
]
Sheet = Annotated[
    str,
    typer.Option(
        "--sheet",
        "--split",
        metavar="NAME",
        help="The sheet of a workbook, the file in a ZIP, or the split of a Hub dataset; the first if omitted.",
    ),
]
Missing = Annotated[
    list[str] | None, typer.Option(metavar="CELL", help="A cell that counts as blank, such as NULL; repeat.")
]
Clean = Annotated[
    list[str] | None, typer.Option(metavar="KIND", help="What to clean in the texts: html or unicode; repeat.")
]
Test = Annotated[Path | None, typer.Option(metavar="FILE", help="A file to score the best model on.")]
EncoderName = Annotated[str, typer.Option("--encoder", metavar="NAME", help="A catalogue name, a folder or a Hub id.")]
Prompt = Annotated[
    str | None,
    typer.Option(
        metavar="NAME_OR_TEXT",
        help="What to add before each text: a prompt that the encoder names, or a text; '' for none.",
    ),
]
Fp32 = Annotated[bool, typer.Option("--fp32", help="Compute in 32 bits even where bf16 is quicker.")]
AsJson = Annotated[bool, typer.Option("--json", help="End with one JSON object on the last line.")]

# The settings of training, in the order of `TrainConfig`.

SCENARIO_KEYS = ", ".join([*(scenario.key for scenario in FIXED), "freeze-head:COLUMN for each column of labels"])

Scenario = Annotated[str, typer.Option(metavar="KEY", help=f"What to freeze: {SCENARIO_KEYS}.")]
OpenGroups = Annotated[
    list[str] | None,
    typer.Option(metavar="GROUP", help="For 'custom': a group that trains (embeddings, block-0, head:COLUMN); repeat."),
]
TopBlocks = Annotated[int, typer.Option(metavar="K", help="For 'top-k': how many blocks train.")]
EpochsPerGroup = Annotated[int, typer.Option(metavar="N", help="For 'gradual': epochs until the next group opens.")]
Epochs = Annotated[int | None, typer.Option(metavar="N", help="Passes over the rows; set by the scenario if omitted.")]
BatchSize = Annotated[int | None, typer.Option(metavar="N", help="Sentences per optimizer step; set by the scenario.")]
HeadRate = Annotated[
    float | None, typer.Option(metavar="RATE", help="Peak learning rate of the heads; set by the scenario.")
]
EncoderRate = Annotated[
    float | None, typer.Option(metavar="RATE", help="Peak rate of the encoder's highest group; set by the scenario.")
]
FindRates = Annotated[bool, typer.Option("--find-rates", help="Find learning rates first, and use them.")]
LayerDecay = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Rate of a group relative to the group above it; set by the scenario."),
]
Decay = Annotated[str, typer.Option(metavar="KEY", help=f"Schedule after warm-up: {', '.join(DECAYS)}.")]
WarmUp = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Share of steps in which the rate rises; by scenario.")
]
WeightDecay = Annotated[float | None, typer.Option(metavar="SHARE", help="AdamW's decay of matrices; by scenario.")]
LabelSmoothing = Annotated[float, typer.Option(metavar="SHARE", help="Share of the target spread over all labels.")]
Clip = Annotated[float, typer.Option(metavar="LENGTH", help="Greatest length of the gradient; 0 for none.")]
Patience = Annotated[int | None, typer.Option(metavar="N", help="Stop N epochs after the best one; by scenario.")]
TaskWeights = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=WEIGHT", help="Weight of a task's loss; 1 if omitted; repeat.")
]
LearnWeights = Annotated[
    bool, typer.Option("--learn-weights", help="Learn the weights of the tasks from their uncertainty.")
]
FrozenHeadLoss = Annotated[
    bool, typer.Option(help="For 'freeze-head': whether the frozen head's loss still guides the encoder.")
]
ValidationShare = Annotated[float, typer.Option(metavar="SHARE", help="Share of the rows held out, up to 1,000 rows.")]
Balance = Annotated[str, typer.Option(metavar="KEY", help=f"How to treat rare labels: {', '.join(BALANCES)}.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Fixes split, order and dropout.")]

# Where `train` begins and what it writes.

Baselines = Annotated[bool, typer.Option(help="Whether to measure first what is reached without training.")]
Start = Annotated[
    str | None,
    typer.Option("--from", metavar="MODEL", help="A model to train further: its folder, its ZIP, or 'starter'."),
]
Out = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to save the best model.")]
HeadsOnly = Annotated[bool, typer.Option("--heads-only", help="Save without an encoder that did not move.")]
Report = Annotated[
    Path | None, typer.Option(metavar="FILE.json", help="Where to write all about the run, the proof of freezing too.")
]


def parse_treatments(missing: Sequence[str] | None, clean: Sequence[str] | None) -> Treatments:
    """Return the treatments that `--missing` and `--clean` name.

    Raises:
        DataError: there is nothing of that name to clean.
    """
    return Treatments(tuple(missing or ()), tuple(clean or ()))


def parse_lines(text: str) -> tuple[int, ...]:
    """Return the line numbers of `--leave-out`, in order.

    Raises:
        SettingsError: the text holds something else.
    """
    try:
        return tuple(sorted({int(word) for word in text.split(",") if word.strip()}))
    except ValueError as error:
        raise SettingsError(
            f"--leave-out takes line numbers separated by commas, such as 12,45, not {text!r}."
        ) from error


def parse_task_weights(words: Sequence[str] | None) -> dict[str, float]:
    """Return the weights of tasks in `--task-weights`.

    Raises:
        SettingsError: a word has no number.
    """
    weights = {}
    for word in words or ():
        task, _, number = word.rpartition("=")
        try:
            weights[task] = float(number)
        except ValueError:
            raise SettingsError(f"--task-weights takes COLUMN=NUMBER, such as topic=0.5, not {word!r}.") from None
    return weights


def label_choice(
    guessed: Sequence[str] | None, multi: Sequence[str] | None, single: Sequence[str] | None
) -> LabelChoice:
    """Return what the options say about the columns of labels.

    Raises:
        SettingsError: they name none.
    """
    if not (guessed or multi or single):
        raise SettingsError("Name a column of labels: --labels COLUMN.")
    return LabelChoice(tuple(guessed or ()), tuple(multi or ()), tuple(single or ()))
