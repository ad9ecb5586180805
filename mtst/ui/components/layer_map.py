"""The layer map: which groups are frozen or open, their share of the parameters, learning rate and change of weights.

A row each, heads first; the rows have the heights of the lanes of `mtst.ui.plots.lanes`, which run on beside them. The
browser patches the rows when a value arrives, so that a layer is seen to melt when it opens. Every row is a button; a
click is a `select` event with the key of the group, where the map says that it can be pressed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class _State:
    """The state of all groups, by their keys.

    Attributes:
        words: what each row says.
        opened: the groups that are open.
        moved: how far their weights have moved.
        trained: the groups that have trained, once a run is over.
    """

    words: dict[str, str]
    opened: set[str]
    moved: dict[str, float] = field(default_factory=dict)
    trained: set[str] | None = None

    def trains(self, group: GroupPlan) -> bool:
        """Return whether a group trains at some time, or has trained if the run is over."""
        return group.open if self.trained is None else group.key in self.trained


def layers(groups: Sequence[GroupPlan]) -> dict[str, Any]:
    """Return the update that draws what a run would open; its rows can be pressed."""
    words = {group.key: _planned(group) for group in groups}
    opened = {group.key for group in groups if group.opens_at == 1}
    return _update(groups, _State(words, opened), heading="State · Rate", pressable=True)


def run_layers(history: History) -> dict[str, Any]:
    """Return the update that draws the layers of a run: as they are now, or as measured at the epoch that is kept."""
    state = _kept_state(history) if history.is_finished else _running_state(history)
    return _update(history.groups, state, heading="Weights · Rate", live=not history.is_over)


def _kept_state(history: History) -> _State:
    proof = history.finished.proof
    moved = {group.key: group.change for group in proof if not group.same}
    opened = {group.key for group in proof if group.open_epochs and not group.same}
    words = {group.key: _measured(group, moved.get(group.key, 0.0), history) for group in history.groups}
    return _State(words, opened, moved, trained=opened)


def _running_state(history: History) -> _State:
    epoch = min(history.total_epochs, history.last_epoch + 1)
    opened = {group.key for group in history.groups if group.opens_at is not None and group.opens_at <= epoch}
    moved = history.epochs[-1].moved if history.epochs else {}
    words = {group.key: "open" if group.key in opened else _planned(group) for group in history.groups}
    return _State(words | {key: _changed(share) for key, share in moved.items() if key in opened}, opened, moved)


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


def fills(groups: Sequence[GroupPlan], moved: Mapping[str, float]) -> dict[str, float]:
    """Return how full each row is, between 0 and 1, by how far its group has moved: that of a head by itself."""
    scale = _scale(groups, moved) or 1.0
    return {group.key: _fill(moved.get(group.key, 0.0), 1.0 if group.task is not None else scale) for group in groups}


def _scale(groups: Sequence[GroupPlan], moved: Mapping[str, float]) -> float:
    """Return the round change that fills a row of the encoder, not below the largest; 0 if none has moved."""
    largest = max((moved.get(group.key, 0.0) for group in groups if group.task is None), default=0.0)
    if not largest:
        return 0.0
    return next((each for each in SCALES if largest <= each), 1.0) if math.isfinite(largest) else 1.0


def _update(
    groups: Sequence[GroupPlan], state: _State, *, heading: str, pressable: bool = False, live: bool = False
) -> dict[str, Any]:
    heads = [group.key for group in groups if group.task is not None]
    whole = max(1, sum(group.parameters for group in groups))
    filled, scale = fills(groups, state.moved), _scale(groups, state.moved)
    value = [
        {
            "key": group.key,
            "title": inline_text(group.title, 40),
            "open": group.key in state.opened,
            "opens_at": group.opens_at or 0,
            "words": state.words[group.key],
            "rate": numbers.rate(group.rate) if state.trains(group) else "",
            "size": _size(group, whole),
            "share": group.parameters / whole,
            "fill": filled[group.key],
            "hue": task_colour(heads.index(group.key)) if group.task is not None else "",
            "label": _label(group, state, whole),
        }
        for group in top_down(groups)
    ]
    frame = {
        "row": row_height(len(groups)),
        "heading": heading,
        "pressable": pressable,
        "live": live,
        "scale": numbers.change(scale) if scale else "",
        "foot": _foot(groups, state, whole),
    }
    return gr.update(value=value, frame=frame)


def _size(group: GroupPlan, whole: int) -> str:
    part = f" · {numbers.count(group.trained)} train" if group.open and group.trained != group.parameters else ""
    return f"{numbers.count(group.parameters)} · {numbers.change(group.parameters / whole)}{part}"


def _fill(change: float, scale: float) -> float:
    """Return how much of a row is filled, between 0 and 1."""
    return min(1.0, change / scale) if math.isfinite(change) else 1.0


def _label(group: GroupPlan, state: _State, whole: int) -> str:
    """Return a row in words."""
    words, is_open = state.words[group.key], "open" if group.key in state.opened else "frozen"
    said = "" if words == is_open else f", {'weights ' if 'chang' in words else ''}{words}"
    rate = f", learning rate {numbers.rate(group.rate)}" if state.trains(group) else ""
    share = numbers.change(group.parameters / whole)
    return (
        f"{inline_text(group.title, 40)}, {is_open}{said}, {group.parameters:,} parameters, {share} of the model{rate}"
    )


def _foot(groups: Sequence[GroupPlan], state: _State, whole: int) -> str:
    trained, over = sum(group.trained for group in groups if state.trains(group)), state.trained is not None
    if not trained:
        return "No weight has changed." if over else "Trains nothing: this measures the model as it is."
    share = numbers.change(trained / whole)
    return f"{'Changed' if over else 'Trains'} {numbers.count(trained)} of {numbers.count(whole)} parameters, {share}."
