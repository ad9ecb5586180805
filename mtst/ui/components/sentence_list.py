"""Rows of a table of sentences, each with a few facts below it: readable where columns would be too narrow."""

from collections.abc import Iterable, Sequence

from mtst.text import escape_html, truncate

CHARACTERS = 500  # of one sentence
Row = tuple[str, Sequence[tuple[str, str]]]  # a sentence and the names and values of its facts


def sentence_list(title: str, rows: Iterable[Row]) -> str:
    """Return sentences with their facts as a list that scrolls on its own where it is long."""
    items = "".join(
        f'<li><p dir="auto">{escape_html(truncate(text, CHARACTERS))}</p>{_facts(facts)}</li>' for text, facts in rows
    )
    name = escape_html(title)
    return (
        f'<p class="caption">{name}</p><div class="scroll" role="region" aria-label="{name}" tabindex="0">'
        f'<ol class="rows">{items}</ol></div>'
    )


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    told = (
        f'<span>{escape_html(truncate(name, 40))} <b dir="auto">{escape_html(truncate(value, 60))}</b></span>'
        for name, value in facts
    )
    return f"<p>{' '.join(told)}</p>"
