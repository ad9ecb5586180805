import csv

import pytest

from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.text.delimited import read_delimited
from mtst.data.readers.text.dialect import Dialect, find_dialect
from mtst.data.readers.text.encoding import LONGEST_ROW
from mtst.errors import DataError

ROWS = [["text", "mood", "note"], *([f"film {n}, or so; well", "sad", "a|b"] for n in range(9))]
COMMA = Dialect(",", None)


def records(text, dialect=COMMA):
    return list(read_delimited("x.csv", text.encode(), "utf-8", dialect))


def cells(text, dialect=COMMA):
    return [record.cells for record in records(text, dialect) if isinstance(record, Record)]


def lines(text, kind, dialect=COMMA):
    return [record.line for record in records(text, dialect) if isinstance(record, kind)]


# --- the delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_the_delimiter_is_detected(table_of, delimiter, rows):
    table = table_of(delimiter.join(["text", "mood"]) + "\n" + delimiter.join(["so far", "glad"]) * 1 + "\n" * rows)
    assert table.columns == ("text", "mood")
    assert table.rows == (("so far", "glad"),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_other_delimiters_inside_the_texts_do_not_mislead(tmp_path, delimiter, quoting):
    with (tmp_path / "x.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter, quoting=quoting).writerows(ROWS)
    text = (tmp_path / "x.csv").read_bytes().decode()
    assert find_dialect(text) == Dialect(delimiter, None)
    assert cells(text, find_dialect(text)) == ROWS


def test_the_delimiter_is_detected_below_blank_lines(table_of):
    assert table_of("\n\ntext;mood\nso far;glad\n").columns == ("text", "mood")


def test_a_delimiter_inside_quotes_does_not_count(table_of):
    assert table_of('"a,b,c,d";mood\nx;glad\n').columns == ("a,b,c,d", "mood")


def test_one_column_of_texts_with_commas_stays_one_column(table_of):
    table = table_of("sentence\nWell, I never.\nYes, no, maybe.\nFine, then.\n")
    assert table.columns == ("sentence",)
    assert table.rows[1] == ("Yes, no, maybe.",)
    assert table.format == "CSV, one column, UTF-8"


@pytest.mark.parametrize(("delimiter", "word"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_detected_delimiter_is_described_in_words(table_of, delimiter, word):
    assert table_of(f"text{delimiter}mood\na{delimiter}b\n".encode("utf-16")).format == f"CSV, {word}-separated, UTF-16"


@pytest.mark.parametrize("cell", ['{"a": ' + "9" * 5000 + "}", '{"a":' * 3000, "[" * 9000, "9" * 9000, "1e" * 4000])
def test_cells_that_look_like_other_things_do_not_stand_in_the_way(table_of, cell):
    assert table_of(f"text;mood\n{cell};glad\nso far;sad\n").rows[1] == ("so far", "sad")


# --- quotes


def test_a_quote_is_doubled_or_escaped_by_a_backslash(table_of):
    for text in ('text,mood\n"say ""yes"", please",sad\n', 'text,mood\n"say \\"yes\\", please",sad\n'):
        assert table_of(text).rows == (('say "yes", please', "sad"),)


def test_a_backslash_at_the_end_of_a_quoted_text_is_a_backslash(table_of):
    table = table_of('text,mood\n"in C:\\",sad\n"or, D:\\",sad\nC:\\new,glad\n')
    assert table.column("text") == ["in C:\\", "or, D:\\", "C:\\new"]


def test_a_lone_quote_inside_a_cell_is_only_text(table_of):
    table = table_of('text,label\na 5" disk,a\na 3" disk,b')
    assert table.column("text") == ['a 5" disk', 'a 3" disk']


def test_line_breaks_inside_quotes_are_text_and_lines_are_counted_through_them():
    text = 'text,mood\r\n"two\r\nlines",glad\r\n\r\n"a\nb\n\nc",sad\r\nlast,sad'
    assert cells(text) == [["text", "mood"], ["two\r\nlines", "glad"], ["a\nb\n\nc", "sad"], ["last", "sad"]]
    assert lines(text, Record) == [1, 2, 5, 9]


@pytest.mark.parametrize("broken", ['"never closed,b\n', '"closed" and more,b\n', 'x,"never closed\n'])
def test_a_quote_that_does_not_match_costs_its_own_line_alone(broken):
    text = f"text,label\nfine,a\n{broken}" + "more,c\n" * 50
    assert cells(text) == [["text", "label"], ["fine", "a"], *[["more", "c"]] * 50]
    assert lines(text, Skipped) == [3]
    assert "quote" in records(text)[2].reason


def test_a_quote_that_opens_on_one_line_and_closes_on_a_later_one_costs_the_first():
    text = 'text,label\n"5 disk,a\nand,b\n"a text",c\nlast,d\n'
    assert cells(text) == [["text", "label"], ["and", "b"], ["a text", "c"], ["last", "d"]]
    assert lines(text, Skipped) == [2]
    assert lines(text, Record) == [1, 3, 4, 5]


def test_many_lines_each_with_an_open_quote_are_each_skipped():
    text = "text,label\n" + '"open,a\n' * 3 + "last,b\n"
    assert [*lines(text, Skipped), *lines(text, Record)] in ([2, 3, 4, 1, 5], [4, 1, 2, 5])


def test_quotes_that_hardly_ever_match_are_refused_before_reading_again_and_again(monkeypatch):
    monkeypatch.setattr("mtst.data.readers.text.delimited.MAX_REREAD_CHARACTERS", 500_000)
    with pytest.raises(DataError, match=r"x\.csv has many quotes .* line [\d,]+\. Save it again"):
        records('a","b\n' * 30_000)


def test_lines_that_each_open_a_quote_are_read_again_a_bounded_number_of_times(monkeypatch):
    monkeypatch.setattr("mtst.data.readers.text.delimited.MAX_REREAD_CHARACTERS", 500_000)
    read = []
    monkeypatch.setattr(Dialect, "mark", lambda self, line: read.append(line) or line)
    find_dialect('x","\n' * 3_000)  # a quote opens on each line, whether one is open before it or not
    assert len(read) < 300_000  # and not four million


# --- long cells


def test_a_very_long_cell_is_read(table_of):
    assert len(table_of("text\n" + "word " * 40_000).column("text")[0]) == 200_000


@pytest.mark.parametrize("limit", [131_072, 2**31 - 1])
def test_the_limit_of_the_csv_module_is_raised_to_the_longest_row_and_never_lowered(table_of, limit):
    before = csv.field_size_limit(limit)
    try:
        table_of("text\na\n")
        assert csv.field_size_limit() == max(limit, LONGEST_ROW)
    finally:
        csv.field_size_limit(max(before, LONGEST_ROW))


def test_a_character_of_code_zero_is_read(table_of):
    assert table_of("text,mood\na\0b,c\n").rows == (("a\0b", "c"),)
