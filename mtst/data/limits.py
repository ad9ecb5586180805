"""How much of a file is read. Every reader enforces these limits while it reads, not afterwards."""

from dataclasses import dataclass, fields

from mtst.errors import SettingsError

CELLS_PER_ROW = 100


@dataclass(frozen=True)
class Limits:
    """The most that is read of a file. The defaults are those of the library and the command line.

    Attributes:
        rows: rows of a table.
        megabytes: size of a file, and of what it unpacks to.
        columns: columns of a table.
        labels: distinct labels of a task.
        characters: length of a text; a longer one is skipped and listed.

    Raises:
        SettingsError: a limit is not a number above 0.
    """

    rows: int = 1_000_000
    megabytes: float = 1_000.0
    columns: int = 1_000
    labels: int = 200
    characters: int = 100_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise SettingsError(f"The limit of {field.name} must be a number above 0, not {value!r}.")

    @property
    def bytes(self) -> int:
        return int(self.megabytes * 1e6)

    @property
    def cells(self) -> int:
        """Cells of a table: enough for all allowed rows with a hundred columns."""
        return CELLS_PER_ROW * self.rows
