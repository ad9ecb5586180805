"""The layer map: which groups are frozen or open, their share of the parameters, learning rate and change of weights.

A row each, heads first; the rows have the heights of the lanes of `mtst.ui.plots.lanes`, which run on beside them. The
browser patches the rows when a value arrives, so that a layer is seen to melt when it opens. Every row is a button; a
click is a `select` event with the key of the group, where the map says that it can be pressed.
"""

import math
from collections.abc import Sequence
from typing import Any

import gradio as gr

from mtst.runs.history import History
from mtst.text import inline_text
from mtst.training.events import GroupPlan
from mtst.ui.components.templates import static_text
from mtst.ui.plots import numbers
from mtst.ui.plots.lanes import row_height, top_down
from mtst.ui.plots.style import task_colour

TEMPLATE = static_text("layer_map.html")
DRAW_JS = static_text("layer_map.js")
SCALES = tuple(digit * 10.0**power for power in range(-6, 1) for digit in (1, 2, 5))  # of the fill of a row
CHANGED = "CHANGED although frozen"


def layer_map(**kwargs: Any) -> gr.HTML:
    """Return the map as a component; `layers` and `run_layers` fill it."""
    return gr.HTML(html_template=TEMPLATE, js_on_load=DRAW_JS, apply_default_css=False, frame={}, **kwargs)


def layers(groups: Sequence[GroupPlan]) -> dict[str, Any]:
    """Return the update that draws what a run would open; its rows can be pressed."""
    words = {group.key: _planned(group) for group in groups}
    opened = {group.key for group in groups if group.opens_at == 1}
    return _update(groups, words, opened, {}, heading="State · Rate", pressable=True)


def run_layers(history: History) -> dict[str, Any]:
    """Return the update that draws the layers of a run: as they are now, or as measured at the epoch that is kept."""
    groups = history.groups
    if history.is_finished:
        proof = {group.key: group for group in history.finished.proof}
        moved = {key: group.change for key, group in proof.items() if not group.same}
        opened = {key for key, group in proof.items() if group.open_epochs and not group.same}
        words = {group.key: _measured(group, moved.get(group.key, 0.0), history) for group in groups}
    else:
        epoch = min(history.total_epochs, history.last_epoch + 1)
        moved = history.epochs[-1].moved if history.epochs else {}
        opened = {group.key for group in groups if group.opens_at is not None and group.opens_at <= epoch}
        words = {
            group.key: _changed(moved[group.key]) if group.key in moved and group.key in opened
            else "open" if group.key in opened else _planned(group)
            for group in groups
        }  # fmt: skip
    return _update(groups, words, opened, moved, heading="Weights · Rate", live=not history.is_over)


def _planned(group: GroupPlan) -> str:
    if group.opens_at is None:
        return "frozen"
    return "open" if group.opens_at == 1 else f"opens in epoch {group.opens_at}"


def _changed(share: float) -> str:
    return f"changed by {numbers.change(share)}" if math.isfinite(share) else CHANGED


def _measured(group: GroupPlan, change: float, history: History) -> str:
    """Say what became of a group at the epoch that is kept."""
    if change:
        return _changed(change)
    opened = group.opens_at is not None and group.opens_at <= history.last_epoch
    return f"unchanged: opened in epoch {group.opens_at}" if opened else "unchanged"


def _update(
    groups: Sequence[GroupPlan],
    words: dict[str, str],
    opened: set[str],
    moved: dict[str, float],
    *,
    heading: str,
    pressable: bool = False,
    live: bool = False,
) -> dict[str, Any]:
    heads = [group.key for group in groups if group.task is not None]
    whole = max(1, sum(group.parameters for group in groups))
    largest = max((moved.get(group.key, 0.0) for group in groups if group.task is None), default=0.0)
    scale = next((each for each in SCALES if largest <= each), 1.0) if math.isfinite(largest) else 1.0
    value = [
        {
            "key": group.key,
            "title": inline_text(group.title, 40),
            "open": group.key in opened,
            "opens_at": group.opens_at or 0,
            "words": words[group.key],
            "rate": _rate(group) if group.open else "",
            "size": _size(group, whole),
            "share": group.parameters / whole,
            "fill": _fill(moved.get(group.key, 0.0), 1.0 if group.task is not None else scale),
            "hue": task_colour(heads.index(group.key)) if group.task is not None else "",
            "label": _label(group, words[group.key], whole, is_open=group.key in opened),
        }
        for group in top_down(groups)
    ]
    frame = {
        "row": row_height(len(groups)),
        "heading": heading,
        "pressable": pressable,
        "live": live,
        "scale": numbers.change(scale) if largest else "",
        "foot": _foot(groups, whole),
    }
    return gr.update(value=value, frame=frame)


def _rate(group: GroupPlan) -> str:
    digits, _, power = f"{group.rate:.1e}".partition("e")
    return f"{float(digits):g}e{int(power)}".replace("-", "\u2212")


def _size(group: GroupPlan, whole: int) -> str:
    part = f" · {numbers.count(group.trained)} train" if group.open and group.trained != group.parameters else ""
    return f"{numbers.count(group.parameters)} · {numbers.change(group.parameters / whole)}{part}"


def _fill(change: float, scale: float) -> float:
    """Return how much of a row is filled, between 0 and 1."""
    return min(1.0, change / scale) if math.isfinite(change) else 1.0


def _label(group: GroupPlan, words: str, whole: int, *, is_open: bool) -> str:
    """Return a row in words."""
    state = "open" if is_open else "frozen"
    said = "" if words == state else f", {'weights ' if 'chang' in words else ''}{words}"
    rate = f", learning rate {_rate(group)}" if group.open else ""
    share = numbers.change(group.parameters / whole)
    return f"{inline_text(group.title, 40)}, {state}{said}, {group.parameters:,} parameters, {share} of the model{rate}"


def _foot(groups: Sequence[GroupPlan], whole: int) -> str:
    trained = sum(group.trained for group in groups)
    if not trained:
        return "Trains nothing: this measures the model as it is."
    return f"Trains {numbers.count(trained)} of {numbers.count(whole)} parameters, {numbers.change(trained / whole)}."
