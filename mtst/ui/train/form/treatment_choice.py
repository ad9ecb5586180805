"""The treatments of what looks odd in a file, which a visitor can tick."""

from collections.abc import Sequence

import gradio as gr

from mtst.data.oddities.treatments import LEAVE_OUT, Treatments, chosen_treatments
from mtst.data.readers.notes import Oddity, Treatment
from mtst.text import inline_text
from mtst.ui.components.events import Update


def treatment_checkboxes(oddities: Sequence[Oddity], ticked: Sequence[str]) -> Update:
    """Return the update that offers the treatments of the findings; what is ticked stays so if it is still offered."""
    treatments = {_key(each): each for oddity in oddities if (each := oddity.treatment) and each.value}
    choices = [(inline_text(each.label, 120), key) for key, each in treatments.items()]
    return gr.update(choices=choices, value=[key for key in ticked if key in treatments], visible=bool(choices))


def treatments_of(ticked: Sequence[str]) -> tuple[Treatments, frozenset[int]]:
    """Return the treatments that are ticked, and the lines to leave out.

    Raises:
        DataError: a value is none of those that are offered.
    """
    chosen = [Treatment(*key.partition(" ")[::2], label="") for key in ticked]
    lines = frozenset(int(each.value) for each in chosen if each.option == LEAVE_OUT and each.value.isdigit())
    return chosen_treatments(chosen), lines


def ticks_of(treatments: Treatments) -> list[str]:
    """Return the ticks that stand for these treatments."""
    words = treatments.words
    return [f"{option} {value}" for option, value in zip(words[::2], words[1::2], strict=True)]


def _key(treatment: Treatment) -> str:
    """Return the value of a tick: the words of the command line."""
    return " ".join(treatment.words)
