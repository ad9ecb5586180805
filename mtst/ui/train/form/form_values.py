"""The values of the form: the rows to learn from with what is ticked about them, and how to train on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import gradio as gr

from mtst.data.dataset import Dataset
from mtst.data.oddities.treatments import LEAVE_OUT, Treatments, chosen_treatments
from mtst.data.readers.notes import Oddity, Treatment
from mtst.errors import DataError
from mtst.text import inline_text
from mtst.ui.components.events import Update
from mtst.ui.train.form.upload_draft import ColumnChoice, UploadDraft


@dataclass(frozen=True, eq=False)
class DataForm:
    """A file, its columns, what is ticked in each list of doubtful rows and of treatments, and the encoder.

    An empty `encoder` stands for the server's default. `prompt` is what the field of that name holds, and `prompt_of`
    the encoder whose prompt was put there, for the visitor to change; None if none was. `several` are the columns that
    hold several labels a row; None stands for those that are guessed to.
    """

    draft: UploadDraft | None = None
    text: str | None = None
    labels: Sequence[str] = ()
    several: Sequence[str] | None = None
    merge: bool = False
    copies: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    doubtful: Sequence[str] = ()
    encoder: str = ""
    treat: Sequence[str] = ()
    prompt: str = ""
    prompt_of: str | None = None

    @property
    def chosen_prompt(self) -> str | None:
        """What is put in front of every text; None for what the encoder's authors say."""
        return self.prompt if self.prompt_of == self.encoder else None

    @property
    def columns(self) -> ColumnChoice:
        """The chosen columns and treatments, without the lines that are ticked."""
        ticked = (*self.copies, *self.conflicts, *self.doubtful)
        several = None if self.several is None else tuple(self.several)
        treatments, lines = treatments_of(self.treat)
        left_out = frozenset(map(int, ticked)) | lines
        return ColumnChoice(self.text, tuple(self.labels), self.merge, left_out, treatments, several)

    @property
    def file(self) -> UploadDraft:
        """The file.

        Raises:
            DataError: none is chosen.
        """
        if self.draft is None:
            raise DataError("Choose a file or the sample first.")
        return self.draft

    def dataset(self) -> Dataset:
        """Return the chosen rows and columns.

        Raises:
            DataError: nothing is chosen, or it cannot be used.
        """
        return self.file.dataset(self.columns)


@dataclass(frozen=True)
class ConfigForm:
    """A scenario, the groups that are open in it, and the hyperparameters as typed, by their names in the form."""

    scenario: str | None
    open_groups: Sequence[str] = ()
    hyperparameters: Mapping[str, str | bool | None] = field(default_factory=dict)

    @classmethod
    def from_inputs(cls, scenario: str | None, open_groups: Sequence[str], **hyperparameters: Any) -> "ConfigForm":
        """Return the values of the components that `Form.config` names."""
        return cls(scenario, open_groups, hyperparameters)


@dataclass(frozen=True, eq=False)
class TrainingForm:
    """Everything that a run is started with."""

    data: DataForm
    config: ConfigForm

    @classmethod
    def from_inputs(cls, values: Mapping[str, Any]) -> "TrainingForm":
        """Return the values of the components that `Form.data` and `Form.config` name."""
        of_data = {each.name for each in fields(DataForm)}
        data = {name: value for name, value in values.items() if name in of_data}
        config = {name: value for name, value in values.items() if name not in of_data}
        return cls(DataForm(**data), ConfigForm.from_inputs(**config))


def treatment_checkboxes(oddities: Sequence[Oddity], ticked: Sequence[str]) -> Update:
    """Return the update that offers the treatments of the findings; what is ticked stays so if it is still offered."""
    treatments = {_key(each): each for oddity in oddities if (each := oddity.treatment) and each.value}
    choices = [(inline_text(each.label, 120), key) for key, each in treatments.items()]
    return gr.update(choices=choices, value=[key for key in ticked if key in treatments], visible=bool(choices))


def treatments_of(ticked: Sequence[str]) -> tuple[Treatments, frozenset[int]]:
    """Return the treatments that are ticked, and the lines to leave out.

    Raises:
        DataError: a value is none of those that are offered.
    """
    chosen = [Treatment(*key.partition(" ")[::2], label="") for key in ticked]
    lines = frozenset(int(each.value) for each in chosen if each.option == LEAVE_OUT and each.value.isdigit())
    return chosen_treatments(chosen), lines


def ticks_of(treatments: Treatments) -> list[str]:
    """Return the ticks that stand for these treatments."""
    words = treatments.words
    return [f"{option} {value}" for option, value in zip(words[::2], words[1::2], strict=True)]


def _key(treatment: Treatment) -> str:
    """Return the value of a tick: the words of the command line."""
    return " ".join(treatment.words)
