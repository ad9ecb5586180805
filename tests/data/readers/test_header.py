import pytest

from mtst.data.readers.header import column_names, count_columns, names_columns

FILMS = [["a good film", "glad"], ["a bad film", "sad"], ["no film", "glad"]]


@pytest.mark.parametrize(
    "first", [["text", "mood"], ["Text of the review", ""], [" text ", "Mood (1-5)"], ["", "label"]]
)
def test_a_row_of_names_is_a_header(first):
    assert names_columns(first, FILMS)


@pytest.mark.parametrize("first", [["an old film", "sad"], ["an old film", " GLAD "], ["a good film", "new"]])
def test_a_row_with_a_value_of_its_column_is_none(first):
    assert not names_columns(first, FILMS)


@pytest.mark.parametrize("first", [["an old film", "1"], ["2.5", "film"], ["film", " -3 "]])
def test_a_row_with_a_number_in_it_is_none(first):
    assert not names_columns(first, FILMS)


def test_a_header_without_rows_and_one_that_comes_again_are_headers():
    assert names_columns(["text", "mood"], [])
    assert names_columns(["text", "mood"], [*FILMS, ["text", "mood"], *FILMS])


def test_rows_of_other_lengths_are_not_compared():
    assert names_columns(["text", "mood"], [["mood"], [], ["a", "b", "mood"], *FILMS])


# --- how many columns


@pytest.mark.parametrize(
    ("first", "rows", "count"),
    [
        (["text", "mood"], FILMS, 2),
        (["text", "mood"], [], 2),
        (["text", "mood"], [["1", "a film", "glad"], ["2", "a book", "sad"]], 3),  # R's row names
        (["text", "mood"], [["1", "a film", "glad"], ["a book", "sad"]], 2),
        (["text", "mood"], [["a film", "glad", ""], ["a book", "sad", " "]], 2),  # each row ends in a delimiter
        (["text", "mood", ""], FILMS, 2),  # the header does
        (["text", "mood", ""], [*FILMS, ["a", "b", "c"]], 3),
        (["text", "", "", ""], [["a"], ["b"]], 1),
    ],
)
def test_columns_are_counted_whatever_hangs_over(first, rows, count):
    assert count_columns(first, rows, header=True) == count


def test_without_a_header_there_are_no_row_names():
    assert count_columns(["1", "a film"], [["2", "a book", "sad"]], header=False) == 2


# --- names


def test_blanks_round_names_are_dropped_and_names_made_different():
    names = column_names(["\ufeff text ", "mood", "mood", "\u3000", "mood (2)", "", "column 4"], 7)
    assert names == ("text", "mood", "mood (2)", "column 4", "mood (2) (2)", "column 6", "column 4 (2)")
    assert len(set(names)) == 7


def test_a_header_one_cell_short_lacks_the_first_name():
    assert column_names(["text", "mood"], 3) == ("column 1", "text", "mood")


def test_what_hangs_over_gets_no_name():
    assert column_names(["text", "mood", ""], 2) == ("text", "mood")
