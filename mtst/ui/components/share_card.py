"""A card to share: what came out of a run or a comparison as one picture, which the browser saves as PNG or SVG.

It is an SVG of 1,200 by 630 pixels, the size that link previews have. Its colours are the variables of the page, so it
is light or dark as the page is; the browser puts their values in when it saves the card, and squeezes texts that are
wider than their room. It holds no sentences.
"""

import secrets
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from mtst.text import truncate
from mtst.training.events import GroupPlan
from mtst.ui.components.templates import render, static_text
from mtst.ui.plots import numbers
from mtst.ui.plots.lanes import top_down
from mtst.ui.plots.score_axis import ScoreAxis

SAVE_JS = static_text("share_card.js")
TITLES = ((2, 33, 32, 40), (3, 42, 25, 32), (4, 50, 21, 27))  # lines, letters in one, their size, and from line to line
BIG = {1: 100, 2: 60}  # size of the big numbers, by their count
BIG_OF_MANY = 44
MAX_ROW = 40  # pixels of a layer
LAYERS_HEIGHT = 396  # pixels of all layers
FAINTEST = 0.3  # opacity of a layer that hardly moved


@dataclass(frozen=True)
class CardScore:
    """A score with its interval, between 0 and 1; without a colour it is what the others are compared with."""

    title: str
    score: float
    low: float
    high: float
    colour: str = ""


@dataclass(frozen=True)
class CardLayer:
    """A layer group: when it opens as a share of the time (1: never), how warm it is from then on, and a word on it."""

    title: str
    opens: float
    warmth: float
    words: str


@dataclass(frozen=True)
class ShareCard:
    """What a card says.

    Attributes:
        title: the result in a sentence.
        about: what it was measured on.
        big: the numbers that stand out, each with a name if there are several.
        measure: what these are.
        scores: those that are drawn beside each other, six at most.
        interval: what their intervals are.
        layers: the layer groups from the top down.
        layer_words: what the words on the layers are.
        epochs: how many there are.
        encoder: its name.
    """

    title: str
    about: str
    big: Sequence[tuple[str, str]]
    measure: str
    scores: Sequence[CardScore]
    interval: str
    layers: Sequence[CardLayer]
    layer_words: str
    epochs: int
    encoder: str


def share_card(**kwargs: Any) -> gr.HTML:
    """Return the hidden component of a card, which `show_card` fills; its button Close is a `select` event."""
    return gr.HTML(js_on_load=SAVE_JS, apply_default_css=False, visible=False, **kwargs)


def show_card(card: ShareCard) -> dict[str, Any]:
    """Return the update that shows a card."""
    return gr.update(value=draw(card), visible=True)


def hide_card() -> dict[str, Any]:
    """Return the update that hides the card."""
    return gr.update(value="", visible=False)


def card_layers(
    groups: Sequence[GroupPlan], epochs: int, warmth: Mapping[str, float], words: Mapping[str, str]
) -> list[CardLayer]:
    """Return the layers of a plan for so many epochs, with what their keys stand for in `warmth` and `words`."""
    return [
        CardLayer(
            group.title,
            1.0 if group.opens_at is None else min(1.0, (group.opens_at - 1) / max(1, epochs)),
            warmth[group.key],
            words[group.key],
        )
        for group in top_down(groups)
    ]


def draw(card: ShareCard) -> Markup:
    """Return a card as an SVG, with the buttons that save it."""
    lines, size, leading = _title_lines(card.title)
    axis = ScoreAxis.below(each.low for each in card.scores)
    gap = 6 if len(card.layers) <= 12 else 2
    row = min(MAX_ROW, (LAYERS_HEIGHT + gap) / max(1, len(card.layers)) - gap)
    return render(
        "components/share_card",
        card=card,
        title_lines=lines,
        title_size=size,
        leading=leading,
        big_size=BIG.get(len(card.big), BIG_OF_MANY),
        scores=[_placed(each, axis) for each in card.scores],
        score_gap=34 if len(card.scores) <= 4 else 26,
        ticks=axis.ticks,
        layers=[(each, FAINTEST + (1 - FAINTEST) * min(1.0, each.warmth)) for each in card.layers],
        row=row,
        gap=gap,
        hatch=f"hatch-{secrets.token_hex(4)}",  # the page may have two cards, one of them in a tab that is not shown
    )


def _title_lines(title: str) -> tuple[list[str], int, int]:
    """Return the lines of the title, the size of their letters, and the distance of two lines."""
    wrapped = [(textwrap.wrap(title, letters), count, size, leading) for count, letters, size, leading in TITLES]
    lines, count, size, leading = next((each for each in wrapped if len(each[0]) <= each[1]), wrapped[-1])
    if len(lines) > count:
        lines = [*lines[: count - 1], f"{truncate(lines[count - 1], TITLES[-1][1] - 1)}…"]
    return lines, size, leading


def _placed(each: CardScore, axis: ScoreAxis) -> dict[str, Any]:
    positions = {"low": axis.position(each.low), "high": axis.position(each.high), "at": axis.position(each.score)}
    return {"title": each.title, "colour": each.colour, "score": numbers.percent(each.score), **positions}
