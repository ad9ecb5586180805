import pytest

from mtst.evaluation.scores import FEW_HELD_OUT, small_sample_caution


@pytest.mark.parametrize(("rows", "words"), [(1, "1 row is held out. Each is worth 100"), (4, "4 rows are")])
def test_few_held_out_rows_are_cautioned_of_with_what_each_is_worth(rows, words):
    assert words in small_sample_caution(rows)


def test_enough_held_out_rows_are_not():
    assert not small_sample_caution(FEW_HELD_OUT)
