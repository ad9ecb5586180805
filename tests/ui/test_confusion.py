from dataclasses import replace

from mtst.tasks import Task
from mtst.ui import confusion
from tests.ui.told import BEFORE, FIRST, finished, started, told


def mistakes(labels: tuple[str, ...], counts: tuple[tuple[int, ...], ...]) -> str:
    begun = replace(started(), tasks=(Task("a", labels),))
    return confusion.mistakes(told(begun, BEFORE, FIRST, replace(finished(), confusion={"a": counts})))


def test_the_most_confused_pairs_come_first_and_are_said_in_words() -> None:
    html = mistakes(("x", "<b>y", "z"), ((5, 1, 0), (3, 6, 0), (0, 0, 4)))
    assert html.index("&lt;b&gt;y taken for x: <b>3</b> of 9 rows") < html.index(
        "x taken for &lt;b&gt;y: <b>1</b> of 6 rows"
    )
    assert "<b>y" not in html
    assert "z taken" not in html


def test_cells_hold_counts_and_shares_of_their_row() -> None:
    html = mistakes(("x", "y"), ((3, 1), (0, 0)))
    assert '<td class="right" style="--p: 75%">3<small>75 %</small></td>' in html
    assert '<td class="wrong" style="--p: 25%">1<small>25 %</small></td>' in html
    assert html.count('class="none"') == 2


def test_no_mistakes_are_said() -> None:
    assert "No held-out row was mistaken" in mistakes(("x", "y"), ((3, 0), (0, 2)))


def test_rare_labels_share_a_place_where_there_are_too_many() -> None:
    count = confusion.LABELS_SHOWN + 20
    labels = tuple(f"label {k}" for k in range(count))
    counts = tuple(tuple(100 if i == j < 50 else int(i == j + 1) for j in range(count)) for i in range(count))
    html = mistakes(labels, counts)
    assert html.count('<th scope="row">') == confusion.LABELS_SHOWN
    assert "21 all others" in html
    assert sum(map(sum, confusion._largest(labels, counts)[1])) == sum(map(sum, counts))


def test_nothing_is_said_before_the_end_or_without_labelled_rows() -> None:
    assert confusion.mistakes(told(started(), BEFORE)) == ""
    assert mistakes(("x", "y"), ()) == ""
