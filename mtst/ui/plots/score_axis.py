"""The axis on which scores stand beside each other with their intervals: from a round share to 100 %."""

from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = 0.03  # of a score: how far the axis begins below the lowest bound, before that is rounded down
TICKS = ((3, 1), (6, 2), (10, 5))  # up to so many tenths, a tick at every so many


@dataclass(frozen=True)
class ScoreAxis:
    """An axis from `start`, a whole number of tenths, to 1."""

    start: float

    @classmethod
    def below(cls, lows: Iterable[float]) -> "ScoreAxis":
        """Return the axis that begins below all of these shares."""
        return cls(int(10 * max(0.0, min(lows, default=0.0) - MARGIN)) / 10)

    @property
    def ticks(self) -> list[tuple[str, float]]:
        """The ticks from the right to the left: what each says, and its position."""
        tenths = round(10 * (1 - self.start))
        every = next(step for limit, step in TICKS if tenths <= limit)
        return [(f"{100 - 10 * k}%", self.position(1 - k / 10)) for k in range(0, tenths + 1, every)]

    def position(self, share: float) -> float:
        """Return where a share stands on the axis, in per cent of its length; what lies beyond an end stands at it."""
        return round(100 * min(1.0, max(0.0, (share - self.start) / (1 - self.start))), 2)
