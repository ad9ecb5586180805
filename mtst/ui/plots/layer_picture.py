"""The layer map in small, as an SVG: a row for each layer group, time from left to right, cold while it is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from mtst.training.events import GroupPlan
from mtst.ui.plots.lanes import top_down

WIDTH, HEIGHT = 76, 60
MAX_HEADS = 3  # drawn side by side


@dataclass(frozen=True)
class Colours:
    """The colours of a picture: what is open, what is frozen, and the hatch on that."""

    warm: str
    cold: str
    hatch: str


LIGHT = Colours("#c2480d", "#e0eefb", "#5396e0")
DARK = Colours("#ff9040", "#182f49", "#4585c4")


def layer_picture(groups: Sequence[GroupPlan], epochs: int, colours: Colours) -> str:
    """Return the picture of a plan as an SVG; it holds no name of a visitor."""
    heads = [group for group in top_down(groups) if group.task is not None]
    layers = [group for group in top_down(groups) if group.task is None]
    gap = 2.0 if len(layers) <= 9 else 1.0
    height = (HEIGHT - gap * len(layers)) / (len(layers) + 0.8)
    highest = max((group.rate for group in layers if group.open), default=1.0) or 1.0
    parts = []
    shown = heads[:MAX_HEADS]
    width = min(0.64 * WIDTH, (WIDTH - 4 * (len(shown) - 1)) / max(1, len(shown)))
    start = (WIDTH - width * len(shown) - 4 * (len(shown) - 1)) / 2
    for number, head in enumerate(shown):
        parts += _bar(start + number * (width + 4), 0, width, 0.8 * height, 0 if head.open else 1, 1.0)
    top = 0.8 * height + gap
    for group in layers:
        opens = (group.opens_at - 1) / max(1, epochs) if group.opens_at is not None else 1.0
        parts += _bar(0, top, WIDTH, height, min(1.0, opens), max(0.3, group.rate / highest))
        top += height + gap
    body = "".join(parts).replace("WARM", colours.warm).replace("COLD", colours.cold)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        '<defs><pattern id="h" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path d="M0 0V4" stroke="{colours.hatch}" stroke-width="1"/></pattern></defs>{body}</svg>'
    )


def _bar(x: float, y: float, width: float, height: float, opens: float, thickness: float) -> list[str]:
    """Return a row that opens after a share of the time; a lower rate makes it thinner."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1.5"'
    bar = [f'<rect {place} fill="COLD"/>', f'<rect {place} fill="url(#h)"/>']
    if opens < 1:
        thick = height * thickness
        bar.append(
            f'<rect x="{x + opens * width:.1f}" y="{y + (height - thick) / 2:.1f}" width="{(1 - opens) * width:.1f}" '
            f'height="{thick:.1f}" rx="1.5" fill="WARM"/>'
        )
    return bar


def picture_variables(groups: Sequence[GroupPlan], epochs: int) -> str:
    """Return the picture of a plan as the CSS variables `--light` and `--dark`, for an element of class `lpic`."""
    urls = {name: quote(layer_picture(groups, epochs, each)) for name, each in (("light", LIGHT), ("dark", DARK))}
    return "; ".join(f"--{name}: url('data:image/svg+xml,{url}')" for name, url in urls.items())


def picture_rules(plans: Sequence[tuple[Sequence[GroupPlan], int]], selector: str) -> str:
    """Return the CSS that puts the picture of each plan before the choice of the same number; no name is in it."""
    rules = []
    for number, (groups, epochs) in enumerate(plans, 1):
        for theme, colours in (("", LIGHT), (".dark ", DARK)):
            url = quote(layer_picture(groups, epochs, colours))
            chosen = f"{theme}{selector}:nth-of-type({number})::before"
            rules.append(f'{chosen}{{background-image:url("data:image/svg+xml,{url}")}}')
    return "".join(rules)
