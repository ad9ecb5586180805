"""The job of a run: what to do, on which rows of which file."""

from dataclasses import dataclass
from typing import Literal

from mtst.data.labels.choice import LabelChoice
from mtst.data.oddities.treatments import NOTHING, Treatments
from mtst.training.config import TrainConfig


@dataclass(frozen=True)
class Job:
    """What a run does, next to its data, and how the data were selected from their file.

    Attributes:
        encoder: the name that the encoder is loaded by; of a model that is trained further, the encoder that it
            began with.
        config: the training configuration.
        source: the file's name.
        text: the column of the sentences.
        header: false if the user said that no line names the columns.
        merge: whether labels that differ only in case and blanks were merged.
        leave_out: the lines of the file that were left out by choice.
        fp32: whether matrices are multiplied in 32 bits even where bf16 is faster.
        kind: train, find learning rates, compare scenarios, or only keep a model.
        scenarios: those to compare.
        seeds: how many seeds each of them is trained with.
        alone: a scenario in which each task is also trained alone.
        race: whether scenarios that are unlikely to win are stopped early.
        encoding: the encoding that the file was read in, if the user chose it.
        delimiter: the delimiter that the user chose, if any.
        sheet: the sheet of a workbook or the file of an archive that the user chose, if any.
        treatments: what was done about what is odd in the file.
        start: the name of the model to train further, if any; it lies in the run's folder.
        label_choice: the columns of labels; runs of version 0.4 have none, for each task was a column.
        header_line: the line with the names of the columns, if the user chose it.
        prompt: what is put in front of every text, by name or as a text; None for what the encoder's authors say.
    """

    encoder: str
    config: TrainConfig
    source: str = ""
    text: str = "text"
    header: bool = True
    merge: bool = False
    leave_out: tuple[int, ...] = ()
    fp32: bool = False
    kind: Literal["train", "rates", "compare", "keep"] = "train"
    scenarios: tuple[str, ...] = ()
    seeds: int = 1
    alone: str | None = None
    start: str = ""
    race: bool = True
    label_choice: LabelChoice | None = None
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    treatments: Treatments = NOTHING
    prompt: str | None = None
    header_line: int = 0
