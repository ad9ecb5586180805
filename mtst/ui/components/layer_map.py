"""A drawing of the encoder and its heads: which groups are frozen, their size, learning rate and change.

Every group is a button; a click is a `select` event with the key of the group.
"""

import math
from collections.abc import Sequence
from typing import Any

import gradio as gr

from mtst.text import escape_html, truncate
from mtst.training.events import GroupPlan, GroupProof
from mtst.ui.components.templates import static_text
from mtst.ui.plots.style import task_colour

# Gradio evaluates this template in the browser and escapes nothing, so `layers` escapes every name.
TEMPLATE = static_text("layer_map.html")
CLICK_JS = static_text("layer_map.js")


def layer_map(**kwargs: Any) -> gr.HTML:
    """Return the map as a component; `layers` fills it."""
    return gr.HTML(html_template=TEMPLATE, js_on_load=CLICK_JS, apply_default_css=False, **kwargs)


def layers(groups: Sequence[GroupPlan], proof: Sequence[GroupProof] = ()) -> dict[str, Any]:
    """Return the update that draws layer groups; `proof` adds how far each has moved."""
    heads = [group.key for group in groups if group.task is not None]
    moved = {group.key: group.change for group in proof}
    value = [
        {
            "key": escape_html(group.key),
            "title": escape_html(truncate(group.title, 80)),
            "parameters": group.parameters,
            "trained": group.trained,
            "open": group.open,
            "opens_at": group.opens_at or 0,
            "rate": group.rate,
            "hue": task_colour(heads.index(group.key)) if group.task is not None else "",
        }
        # The change of a frozen group that moved is infinity, which JSON cannot express.
        | ({"change": c if math.isfinite(c := moved[group.key]) else None} if moved else {})
        for group in groups
    ]
    return gr.update(value=value)
