from collections import Counter

import pytest

from mtst.data.labels.names import group_similar, normalize_label, rare_labels, sort_labels, trim_labels


def test_blanks_round_a_label_do_not_count_unless_they_make_two_of_one():
    assert trim_labels([" glad", "sad", "", "  ", "sad"]) == {" glad": "glad", "sad": "sad"}
    assert trim_labels(["glad ", "glad"]) == {"glad ": "glad ", "glad": "glad"}


@pytest.mark.parametrize("label", ["very glad", "Very Glad", " very\u00a0 glad\n", "ＶＥＲＹ　ＧＬＡＤ", "VERY\tGLAD"])
def test_labels_that_look_alike_share_a_key(label):
    assert normalize_label(label) == "very glad"


@pytest.mark.parametrize("label", ["veryglad", "very-glad", "very glad.", "vêry glad"])
def test_labels_that_differ_in_a_letter_do_not(label):
    assert normalize_label(label) != "very glad"


def test_groups_of_labels_that_look_alike_begin_with_the_most_frequent():
    counts = Counter({"glad": 2, "Glad": 5, "GLAD": 2, "sad": 9, "Straße": 1, "STRASSE": 1, "new": 1})
    assert group_similar(counts) == (("Glad", "GLAD", "glad"), ("STRASSE", "Straße"))
    assert group_similar(Counter()) == ()


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"a": 100, "b": 100}, ()),
        ({"a": 100, "b": 7, "c": 0}, ("c", "b")),
        ({"a": 1000, "b": 1000, "c": 100}, ("c",)),
        ({"a": 3}, ("a",)),
        ({}, ()),
        ({f"intent {n}": 9 for n in range(150)}, ()),
    ],
)
def test_labels_with_few_rows_or_a_small_share_are_rare_the_rarest_first(counts, found):
    assert rare_labels(counts) == found


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["sad", "glad", "sad"], ("glad", "sad")),
        (["10", "9", "-1", "0"], ("-1", "0", "9", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["1.5", "-", "10", "9"], ("-", "1.5", "10", "9")),
        (["²", "1"], ("1", "²")),
        ([], ()),
    ],
)
def test_labels_are_in_order_of_number_or_letter(labels, order):
    assert sort_labels(labels) == order


def test_a_number_of_more_digits_than_python_reads_is_a_label_too():
    assert set(sort_labels(["2" * 5000, "1"])) == {"2" * 5000, "1"}
