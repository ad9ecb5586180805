"""A drawing of the encoder and its heads: what is frozen, what is open, how large, at which rate, how far it moved.

Every group is a button: the page hears of a press as a `select` with the group's key.
"""

import math
from collections.abc import Sequence

import gradio as gr

from mtst.text import escape_html, truncate
from mtst.training.events import GroupPlan, GroupProof
from mtst.ui.components.templates import static_text
from mtst.ui.plots.style import task_colour

# The template escapes nothing: `layers` does, before a name reaches it.
TEMPLATE = static_text("layer_map.html")
PRESS = static_text("layer_map.js")


def layer_map(**kwargs: object) -> gr.HTML:
    """Return the map as a component; `layers` fills it."""
    return gr.HTML(html_template=TEMPLATE, js_on_load=PRESS, apply_default_css=False, **kwargs)


def layers(groups: Sequence[GroupPlan], proof: Sequence[GroupProof] = ()) -> dict:
    """Return the update that draws groups; a name may come from a visitor's file, so it is escaped here."""
    heads = [group.key for group in groups if group.task is not None]
    moved = {group.key: group.change for group in proof}
    value = [
        {
            "key": escape_html(group.key),
            "title": escape_html(truncate(group.title, 80)),
            "parameters": group.parameters,
            "open": group.open,
            "opens_at": group.opens_at or 0,
            "rate": group.rate,
            "hue": task_colour(heads.index(group.key)) if group.task is not None else "",
        }
        # A frozen group that moved has no measure (infinity), which JSON has no word for.
        | ({"change": c if math.isfinite(c := moved[group.key]) else None} if moved else {})
        for group in groups
    ]
    return gr.update(value=value)
