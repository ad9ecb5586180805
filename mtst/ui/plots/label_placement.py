"""Names at the points of a figure: each beside its point, moved up or down where it would lie on another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

CHARACTER, LINE = 6.8, 16.0  # pixels: the mean width of a character, the height of a line
GAP = 11.0  # pixels between a point and its name
MARK = 8.0  # pixels around a point that no name covers
MAX_AVOIDED = 100
SHIFTS = tuple(sign * step * LINE / 2 for step in range(16) for sign in (1, -1) if step or sign > 0)


@dataclass(frozen=True)
class Place:
    """Where a name stands, in pixels to the right of its point and below it, and which of its sides is there."""

    x: float
    y: float
    anchor: str


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "_Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def place_labels(
    points: Sequence[tuple[float, float, str]],
    width: float,
    height: float,
    avoid: Sequence[tuple[float, float]] = (),
) -> list[Place]:
    """Return a place for each name; the first ones get the best.

    Args:
        points: the position of each point in pixels from the upper left corner, and its name.
        width: of the figure, in pixels, which names stay within where they can.
        height: likewise.
        avoid: what else is drawn, such as the points of a line; of many only some are looked at.
    """
    drawn = [_Box(x - 3, y - 3, x + 3, y + 3) for x, y in avoid[:: 1 + len(avoid) // MAX_AVOIDED]]
    marks = [_Box(x - MARK, y - MARK, x + MARK, y + MARK) for x, y, _ in points]
    taken: list[_Box] = []
    places = []
    for number, (x, y, name) in enumerate(points):
        others = [*taken, *drawn, *(mark for other, mark in enumerate(marks) if other != number)]
        sides = ("left", "right") if x <= width / 2 else ("right", "left")
        candidates = [_candidate(x, y, name, side, shift) for shift, side in product(SHIFTS, sides)]
        place, box = next(
            (each for each in candidates if _is_free(each[1], others, width, height)),
            candidates[0],
        )
        taken.append(box)
        places.append(place)
    return places


def _candidate(x: float, y: float, name: str, anchor: str, shift: float) -> tuple[Place, _Box]:
    """Return a place beside a point; `anchor` is the side of the name that is next to it."""
    length = CHARACTER * len(name)
    left = x + GAP if anchor == "left" else x - GAP - length
    box = _Box(left, y + shift - LINE / 2, left + length, y + shift + LINE / 2)
    return Place(GAP if anchor == "left" else -GAP, shift, anchor), box


def _is_free(box: _Box, others: Iterable[_Box], width: float, height: float) -> bool:
    inside = box.left >= 0 and box.right <= width and box.top >= 0 and box.bottom <= height
    return inside and not any(box.overlaps(other) for other in others)
