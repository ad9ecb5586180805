"""How long a run trains by default, and how fast its encoder learns: both follow from the number of training rows."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Protocol

REFERENCE_ROWS = 256
LOWEST_FACTOR, HIGHEST_FACTOR = 0.5, 2.0
PATIENCE = 0.5  # of the epochs


class Budget(Protocol):
    """The default length of a run, which is a ceiling if the budget has patience."""

    def epochs(self, rows: int, batch_size: int) -> int:
        """Return the passes over so many training rows once all layer groups are open; 0 if nothing trains."""

    def patience(self, epochs: int) -> int | None:
        """Return the epochs after the kept one after which a run of so many ends; None to train to the end."""

    def encoder_rate_factor(self, rows: int) -> float:
        """Return by how much to multiply the encoder's learning rate for so many training rows."""


@dataclass(frozen=True)
class StepBudget:
    """So many optimizer steps at `REFERENCE_ROWS` rows; they grow with the square root of the rows.

    The encoder's learning rate falls as the steps grow, so the encoder can move as far with few rows as with many.
    Measured with `python -m tests.bench.budgets`: on 100 rows scores rise up to about 80 to 120 steps, on 300 up to
    about 200, on 1,000 up to 300 to 400, and stay level after that; the best rates halve from each size to the next.

    Attributes:
        steps: optimizer steps at `REFERENCE_ROWS` training rows.
    """

    steps: int

    def epochs(self, rows: int, batch_size: int) -> int:
        steps = self.steps * sqrt(rows / REFERENCE_ROWS)
        return max(2, ceil(steps / max(1, ceil(rows / batch_size))))

    def patience(self, epochs: int) -> int | None:
        return max(1, ceil(PATIENCE * epochs))

    def encoder_rate_factor(self, rows: int) -> float:
        return min(HIGHEST_FACTOR, max(LOWEST_FACTOR, sqrt(REFERENCE_ROWS / max(1, rows))))


@dataclass(frozen=True)
class EpochBudget:
    """So many epochs, whatever the number of rows."""

    count: int

    def epochs(self, rows: int, batch_size: int) -> int:  # noqa: ARG002 (the protocol's parameters)
        return self.count

    def patience(self, epochs: int) -> int | None:  # noqa: ARG002
        return None

    def encoder_rate_factor(self, rows: int) -> float:  # noqa: ARG002
        return 1.0
