"""A list of sentences, each with a few facts below it: readable where columns would be too narrow."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from mtst.ui.components.templates import render

Row = tuple[str, Sequence[tuple[str, str]]]  # a sentence, and the names and values of its facts


def sentence_list(title: str, rows: Iterable[Row]) -> Markup:
    """Return sentences with their facts as a list that scrolls on its own where it is long."""
    return render("components/sentence_list", title=title, rows=rows)
