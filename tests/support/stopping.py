"""A `should_stop` for tests."""


class Stop:
    """Says yes once it is set, or from the n-th time on that it is asked."""

    def __init__(self, after: int | None = None) -> None:
        self._left = after

    def __call__(self) -> bool:
        if self._left:
            self._left -= 1
        return self._left == 0

    def set(self) -> None:
        self._left = 0
