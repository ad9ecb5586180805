"""The card to share as an SVG: well-formed whatever its texts are, and nothing reaches over its edges."""

import re
from xml.etree import ElementTree

import pytest

from mtst.ui.components.share_card import CardLayer, CardScore, ShareCard, draw

EVIL = '"><img src=x onerror=alert(1)>'


def card(title: str = "Training paid off.", layers: int = 8, tasks: int = 1) -> ShareCard:
    scores = [CardScore(f"task {k}", 0.8, 0.7, 0.9, "var(--task-a)") for k in range(tasks)]
    return ShareCard(
        title=title,
        about="600 rows, 6 labels",
        big=[("80.0%", f"task {k}" if tasks > 1 else "") for k in range(tasks)],
        measure="macro-F1 on 120 held-out rows",
        scores=[each for score in scores for each in (score, CardScore("logistic regression", 0.6, 0.5, 0.7))],
        interval="95% interval",
        layers=[CardLayer(f"Block {k}", k / layers, 0.5, "1.2%") for k in range(layers)],
        layer_words="weights changed by",
        epochs=9,
        encoder="all-MiniLM-L6-v2",
    )


def drawing(card: ShareCard) -> ElementTree.Element:
    """The SVG of a card, parsed as a file of its own would be."""
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", draw(card), re.DOTALL)[0])  # noqa: S314 (our own)


@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("layers", [2, 9, 33])
@pytest.mark.parametrize("title", ["Training paid off.", "No clear gain " * 20, "喜" * 300, EVIL])
def test_everything_stays_inside_whatever_there_is_to_say(title, layers, tasks):
    svg = drawing(card(title, layers, tasks))
    name = "{http://www.w3.org/2000/svg}"
    groups = {id(part): group for group in svg.iter(f"{name}g") for part in group.iter()}

    def bottom(part: ElementTree.Element) -> float:
        group = groups.get(id(part))
        moved = float(group.get("transform").split()[1].rstrip(")")) if group is not None else 0.0
        return moved + float(part.get("y", 0))

    texts = list(svg.iter(f"{name}text"))
    assert all(40 < bottom(text) < 590 for text in texts)
    big = next(text for text in texts if "80.0%" in "".join(text.itertext()))
    scores = groups[id(next(text for text in texts if text.text == "95% interval"))]
    assert (
        bottom(big) + 34 < float(scores.get("transform").split()[1].rstrip(")")) + 4
    )  # what they are, then the drawing


def test_no_text_becomes_markup_and_two_cards_do_not_share_a_pattern():
    html = draw(card(EVIL))
    assert "<img" not in html
    first, second = (re.search(r'pattern id="([^"]+)"', draw(card()))[1] for _ in range(2))
    assert first != second
