"""TODO."""

from dataclasses import dataclass
from typing import Literal

from mtst.training.config import TrainConfig


@dataclass(frozen=True)
class Job:
    """What a run is asked to do, next to its data, and how the data were chosen from their file.

    Attributes:
        encoder: the name that the encoder is loaded by; of a run that goes on with a model, what that began with.
        config: how to train.
        source: the file's name.
        text: the column of the sentences.
        header: whether the file's first row names its columns.
        merge: whether labels that differ only in case and blanks were made one.
        leave_out: the lines of the file that were left out by choice.
        fp32: whether matrices are multiplied in 32 bits even where bf16 is quicker.
        kind: whether to train, to look for learning rates, to compare scenarios, or only to keep a model.
        scenarios: those to compare.
        seeds: how many seeds each of them is tried with.
        alone: a scenario in which each task is also trained alone.
        start: what the model is called that training goes on with, if it does; it lies in the run's folder.
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
