"""A drawing of the encoder and its heads: what is frozen, what is open, how large, at which rate, how far it moved."""

import math
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from mtst.events import GroupPlan
from mtst.ui.literal import literal, short
from mtst.ui.look import task_colour

# The template escapes nothing: `layers` does, before a name reaches it.
TEMPLATE = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")


def layer_map(**kwargs: object) -> gr.HTML:
    """Return the map as a component; `layers` fills it."""
    return gr.HTML(html_template=TEMPLATE, apply_default_css=False, **kwargs)


def layers(groups: Sequence[GroupPlan], changes: dict[str, float] | None = None) -> dict:
    """Return the update that draws groups; a name may come from a visitor's file, so it is escaped here."""
    heads = [group.key for group in groups if group.task is not None]
    value = [
        {
            "title": literal(short(group.title, 80)),
            "parameters": group.parameters,
            "open": group.open,
            "rate": group.rate,
            "hue": task_colour(heads.index(group.key)) if group.task is not None else "",
        }
        # A frozen group that moved has no measure (infinity), which JSON has no word for.
        | ({} if changes is None else {"change": c if math.isfinite(c := changes[group.key]) else None})
        for group in groups
    ]
    return gr.update(value=value)
