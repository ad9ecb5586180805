"""What looks odd in a file or in sentences: as a list in the Train tab, in one line or a fold elsewhere."""

from collections.abc import Sequence

from markupsafe import Markup

from mtst.data.readers.notes import Oddity
from mtst.ui.components.templates import render

SHOWN = 12


def oddity_list(oddities: Sequence[Oddity]) -> Markup:
    """Return the findings of which some can be treated, each with its example; nothing without any."""
    return _render("list", oddities)


def oddity_note(oddities: Sequence[Oddity]) -> Markup:
    """Return one finding as a paragraph, several as a fold that names their kinds; nothing without any."""
    return _render("note", oddities)


def _render(form: str, oddities: Sequence[Oddity]) -> Markup:
    if not oddities:
        return Markup()
    kinds = ", ".join(dict.fromkeys(oddity.kind for oddity in oddities))
    more = max(0, len(oddities) - SHOWN)
    return render("components/oddities", form=form, oddities=oddities[:SHOWN], more=more, kinds=kinds)
