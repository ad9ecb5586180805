import gzip

import pytest

from mtst.assets import SAMPLE, SMALL_SAMPLE
from mtst.data.table import read_table
from mtst.errors import DataError

FILMS = "a good film,glad\na bad film,sad\nno film,glad\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(table_of, end):
    table = table_of(end.join(["text,mood", "one,glad", "two,sad", ""]))
    assert table.rows == (("one", "glad"), ("two", "sad"))


def test_line_ends_of_several_systems_in_one_file_are_read(table_of):
    table = table_of('text,mood\r\n"one\nand a\rhalf\r\n",glad\rtwo,sad\nthree,glad')
    assert table.column("text") == ["one\nand a\rhalf\r\n", "two", "three"]
    assert table.lines == (2, 6, 7)


def test_a_gzipped_file_is_read_whatever_its_name(table_of):
    for name in ("table.csv.gz", "table.csv"):
        assert table_of(gzip.compress(b"text\tmood\na\tb\n"), name).format == "CSV, tab-separated, UTF-8"


# --- the header


def test_a_file_without_a_header_is_read_from_its_first_line(table_of):
    table = table_of(FILMS)
    assert (table.columns, table.header_line) == (("column 1", "column 2"), 0)
    assert table.lines == (1, 2, 3)


@pytest.mark.parametrize("header", [True, False])
def test_whoever_knows_better_says_whether_there_is_a_header(table_of, header):
    table = table_of("text,mood\n" + FILMS, header=header)
    assert table.columns == (("text", "mood") if header else ("column 1", "column 2"))
    assert len(table.rows) == 4 - header
    assert table.lines[-1] == 4


def test_the_names_of_rows_are_a_column_without_a_name(table_of):
    rows = "1,a good film,glad\n2,a bad film,sad\n"
    for head in ("text,mood\n", ",text,mood\n"):
        table = table_of(head + rows)
        assert table.columns == ("column 1", "text", "mood")
        assert table.column("mood") == ["glad", "sad"]


@pytest.mark.parametrize(
    "content", ["text,mood,\na,glad\nb,sad\n", "text,mood\na,glad,\nb,sad,\n", ",,\ntext,mood\na,b\n"]
)
def test_delimiters_that_hang_over_move_nothing(table_of, content):
    table = table_of(content)
    assert table.columns == ("text", "mood")
    assert table.rows[0] in (("a", "glad"), ("a", "b"))


def test_one_column_and_500_are_read(table_of):
    assert table_of("text\nso far\nso good\n").rows == (("so far",), ("so good",))
    names = [f"c{n}" for n in range(500)]
    assert table_of(",".join(names) + "\n" + ",".join(names[::-1]) + "\n").rows == (tuple(names[::-1]),)


# --- rows that cannot be used


def test_rows_with_the_wrong_number_of_cells_are_skipped_and_listed_by_their_line(table_of):
    table = table_of('text,mood\n"two\nlines",glad\n\nonly one\na,b,c\n , \nlast,sad\n')
    assert table.column("text") == ["two\nlines", "last"]
    assert table.lines == (2, 8)
    assert [(skip.line, skip.reason) for skip in table.skipped] == [
        (5, "malformed: 1 cells in place of 2"),
        (6, "malformed: 3 cells in place of 2"),
        (7, "blank"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\n" * 20_000, "is empty"),  # more than is looked at to find the delimiter
        (b",,\n,,\n", "is empty"),
        (b'"text\n' * 3, r"is empty \(line 1: malformed"),
        (b"text,mood\n", "no rows"),
        (b"text,mood\nonly one cell\n", r"no rows .* \(line 2: malformed: 1 cells in place of 2\)"),
        (b"text,mood\n,\n", r"no rows .* \(line 2: blank\)"),
        (bytes(range(32)) * 9, "not a text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is an image"),
    ],
)
def test_a_file_without_a_table_is_refused(table_of, content, words):
    with pytest.raises(DataError, match=words) as caught:
        table_of(content)
    assert "table.csv" in str(caught.value)


# --- limits


def test_rows_up_to_the_limit_are_read_and_one_more_is_refused(table_of):
    content = "text\na\nb\nc\n"
    assert len(table_of(content, rows=3).rows) == 3
    with pytest.raises(DataError, match="more than 2 rows"):
        table_of(content, rows=2)


def test_rows_that_are_skipped_count_too(table_of):
    with pytest.raises(DataError, match="more than 2 rows"):
        table_of("text,mood\na,b\nc\nd\n", rows=2)


def test_columns_up_to_the_limit_are_read_and_one_more_is_refused(table_of):
    assert len(table_of("a,b,c\n1,2,x\n", columns=3).columns) == 3
    with pytest.raises(DataError, match="3 columns; at most 2"):
        table_of("a,b,c\n1,2,x\n", columns=2)


def test_many_columns_leave_room_for_fewer_rows(table_of):
    line = ",".join(["a"] * 300) + "\n"
    content = ",".join(f"c{n}" for n in range(300)) + "\n" + line * 10
    assert len(table_of(content, rows=30).rows) == 10
    with pytest.raises(DataError, match="more than 2,900 cells"):
        table_of(content, rows=29)


def test_an_unknown_column_is_refused_with_those_that_are(table_of):
    with pytest.raises(DataError, match=r"'moood'.*text, mood"):
        table_of("text,mood\na,b\n").column("moood")


# --- the tables that ship


def test_the_small_sample_is_the_first_rows_of_the_other():
    small, whole = read_table(SMALL_SAMPLE), read_table(SAMPLE)
    assert 100 <= len(small.rows) < len(whole.rows)
    assert small.columns == whole.columns
    assert small.rows == whole.rows[: len(small.rows)]
    assert not whole.skipped
