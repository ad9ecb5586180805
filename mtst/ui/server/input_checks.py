"""Checks of what is sent to a function, before Gradio looks for files in it, value by value.

Gradio documents none of this; tried on the version in `gradio_patches.TRIED_ON`.
"""

from typing import Any

import gradio as gr

MAX_VALUES = 100_000  # in all inputs of one call together


def check_inputs_first() -> None:
    """Make Gradio check its inputs so, in all of this process."""
    setattr(gr.Blocks, gr.Blocks.validate_inputs.__name__, _check)


def _check(_blocks: gr.Blocks, block_fn: Any, inputs: list[Any]) -> None:
    """Refuse inputs that are too few, which Gradio would print, or hold too many values."""
    needed = len(block_fn.inputs)
    if len(inputs) < needed:
        raise gr.Error(f"This takes {needed} inputs, not {len(inputs)}.", print_exception=False)
    if has_more_values(inputs, MAX_VALUES):
        raise gr.Error(f"At most {MAX_VALUES:,} values fit into a call.", print_exception=False)


def has_more_values(value: object, limit: int) -> bool:
    """Return whether lists and dicts hold more values than a limit, without looking at more of them."""
    left = [value]
    count = 0
    while left:
        each = left.pop()
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        count += len(inner)
        if count > limit:
            return True
        left += inner
    return False
