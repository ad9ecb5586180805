from dataclasses import replace

from mtst.data.tasks import Task
from mtst.ui.train.results import confusion_matrix
from tests.support.fake_history import BEFORE, FIRST, finished, history_of, started


def matrix(labels: tuple[str, ...], counts: tuple[tuple[int, ...], ...]) -> str:
    begun = replace(started(), tasks=(Task("a", labels),))
    return confusion_matrix.kept_epoch(history_of(begun, BEFORE, FIRST, replace(finished(), confusion={"a": counts})))


def test_the_most_confused_pairs_come_first_and_are_said_in_words() -> None:
    html = matrix(("x", "<b>y", "z"), ((5, 1, 0), (3, 6, 0), (0, 0, 4)))
    assert html.index("&lt;b&gt;y predicted as x: <b>3</b> of 9 rows") < html.index(
        "x predicted as &lt;b&gt;y: <b>1</b> of 6 rows"
    )
    assert "<b>y" not in html
    assert "z predicted" not in html


def test_cells_hold_counts_and_shares_of_their_row() -> None:
    html = matrix(("x", "y"), ((3, 1), (0, 0)))
    assert '<td class="right" style="--p: 75%">3<small>75%</small></td>' in html
    assert '<td class="wrong" style="--p: 25%">1<small>25%</small></td>' in html
    assert html.count('class="none"') == 2


def test_no_mistakes_are_said() -> None:
    assert "No errors on held-out rows" in matrix(("x", "y"), ((3, 0), (0, 2)))


def test_rare_labels_share_a_place_where_there_are_too_many() -> None:
    count = confusion_matrix.MAX_LABELS + 20
    labels = tuple(f"label {k}" for k in range(count))
    counts = tuple(tuple(100 if i == j < 50 else int(i == j + 1) for j in range(count)) for i in range(count))
    html = matrix(labels, counts)
    assert html.count('<th scope="row">') == confusion_matrix.MAX_LABELS
    assert "21 other labels" in html
    names, groups = confusion_matrix.group_labels(labels, counts)
    assert len(names) == len(groups) == confusion_matrix.MAX_LABELS
    assert sorted(k for group in groups for k in group) == list(range(count))


def test_nothing_is_said_before_the_end_or_without_labelled_rows() -> None:
    assert confusion_matrix.kept_epoch(history_of(started(), BEFORE)) == ""
    assert matrix(("x", "y"), ()) == ""


def test_cells_can_be_buttons_that_say_in_words_what_they_hold() -> None:
    tasks = (Task("a", ("x", "y")), Task("<b>", ("<i>", "z")))
    counts = {"a": ((3, 1), (0, 0)), "<b>": ((0, 2), (1, 0))}
    html = confusion_matrix.matrices(tasks, counts, buttons=True)
    pressed = 'aria-pressed="false" aria-label='
    assert f'<button type="button" data-key="0|0|1" {pressed}"1 row: x predicted as y">1<small>25%</small>' in html
    assert f'data-key="1|0|1" {pressed}"2 rows: &lt;i&gt; predicted as z"' in html
    assert html.count("<button") == 4  # an empty cell is none
    assert "<i>" not in html
    assert "<button" not in confusion_matrix.matrices(tasks, counts)
