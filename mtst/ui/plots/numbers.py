"""How the page writes numbers."""

import math

MINUS = "\u2212"


def percent(share: float) -> str:
    """Return a score or another share of a whole: `72.5%`."""
    return f"{100 * share:.1f}%"


def points(share: float) -> str:
    """Return a difference of two shares in points, with its sign: `+3.3`, `−1.4`."""
    return f"{100 * share:+.1f}".replace("-", MINUS)


def rate(value: float) -> str:
    """Return a learning rate with two significant digits: `1.4e−4`."""
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{float(digits):g}e{int(power)}".replace("-", MINUS)


def change(share: float) -> str:
    """Return a relative change, which may be tiny or above one, with two significant digits: `0.031%`, `3.2%`, `123%`.

    A change that is not a number, or infinite, is a dash.
    """
    if not math.isfinite(share):
        return "–"
    value = 100 * share
    if value == 0:
        return "0%"
    digits = max(0, 1 - math.floor(math.log10(abs(value))))
    if digits > 6:
        return "below 0.000001%"
    return f"{value:,.{digits}f}%"


def count(number: int) -> str:
    """Return a number of parameters: `2,310`, `49 k`, `1.77 M`, `22.7 M`."""
    if number >= 1e7:
        return f"{number / 1e6:,.1f}\u00a0M"
    if number >= 1e6:
        return f"{number / 1e6:.2f}\u00a0M"
    return f"{number / 1e3:.0f}\u00a0k" if number >= 1e4 else f"{number:,}"
