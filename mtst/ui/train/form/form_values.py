"""The values of the form: the rows to learn from, and how to train on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from mtst.data.dataset import Dataset
from mtst.errors import DataError
from mtst.ui.train.form.treatment_choice import treatments_of
from mtst.ui.train.form.upload_draft import ColumnChoice, UploadDraft


@dataclass(frozen=True, eq=False)
class DataForm:
    """A file, its columns, what is ticked in each list of doubtful rows and of treatments, and the encoder.

    An empty `encoder` stands for the server's default. `several` are the columns that hold several labels a row; None
    stands for those that are guessed to.
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
