"""Which epoch of a run is kept: the best, or a later one that the held-out rows cannot tell from it."""

import math
from collections.abc import Callable
from typing import Literal

from mtst.evaluation.scores import Scores, mean_macro_f1, standard_error

EpochRule = Literal["best", "settled", "last"]
# Two epochs of a run say the same of most rows, so their difference is less by chance than either score: measured on
# five sets, epochs some passes apart, 0.4 to 0.6 of a score's standard error.
OF_A_DIFFERENCE = 0.5
# Whether an epoch is kept that scores so far below the highest so far, whose standard error is the second number.
RULES: dict[EpochRule, Callable[[float, float], bool]] = {
    "best": lambda below, _error: below < 0,
    "settled": lambda below, error: below <= OF_A_DIFFERENCE * error,
    "last": lambda _below, _error: True,
}


class EpochSelection:
    """Hears the scores of the held-out rows, epoch by epoch, and says which epoch is kept.

    "best" keeps the epoch with the highest mean macro-F1, the first of equals. "settled" keeps the latest one that is
    within the standard error of their difference (after the one-standard-error rule of Breiman, Friedman, Olshen and
    Stone 1984): among some dozens of rows, the highest of twenty scores is so by chance, and early epochs have learnt
    less. "last" keeps the last one.

    The model before training, epoch 0, counts one standard error less than it scores. Else it is first by chance so
    often that runs on 300 rows lost ten points of accuracy by keeping it.

    Attributes:
        epoch: the one that is kept.
        progressed: the epoch that had the highest score first.
    """

    def __init__(self, keeps: EpochRule) -> None:
        self._keeps = RULES[keeps]
        self._highest, self._error = -math.inf, 0.0
        self.epoch = self.progressed = 0

    def hear(self, epoch: int, scores: dict[str, Scores]) -> bool:
        """Take in the scores of the next epoch; return whether it is kept instead of those before."""
        error = standard_error(scores)
        score = mean_macro_f1(scores) - (0 if epoch else error)
        kept = self._keeps(self._highest - score, self._error)
        if kept:
            self.epoch = epoch
        if score > self._highest:
            self._highest, self._error, self.progressed = score, error, epoch
        return kept

    @property
    def numbers(self) -> dict[str, float]:
        """What it goes by, to go on later."""
        made = {"epoch": self.epoch, "progressed": self.progressed}
        return made | {"highest": self._highest, "error": self._error}

    def load(self, numbers: dict[str, float]) -> None:
        """Take back what `numbers` gave."""
        self.epoch, self.progressed = numbers["epoch"], numbers["progressed"]
        self._highest, self._error = numbers["highest"], numbers["error"]
