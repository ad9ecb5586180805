import csv

import pytest

from mtst.data.csv_writer import FORMULA_PREFIXES, spreadsheet_safe, write_csv
from mtst.errors import DataError


@pytest.mark.parametrize("start", [*FORMULA_PREFIXES, "'", "''", "'=", "", " ", "a", "1"])
@pytest.mark.parametrize("rest", ["", "SUM(A1:A9)", "cmd|' /C calc'!A0", "'", "\n=1", "é"])
def test_a_cell_is_made_safe_and_can_be_had_back(start, rest):
    safe = spreadsheet_safe(start + rest)
    assert not safe.startswith(FORMULA_PREFIXES)
    assert safe.removeprefix("'") == start + rest
    assert (safe == start + rest) == (not (start + rest).startswith((*FORMULA_PREFIXES, "'")))


def test_rows_are_written_with_every_text_safe_and_numbers_as_they_are(tmp_path):
    rows = [(1, "=1+1", None), (-2, 'two\n"lines"', 0.5)]
    assert write_csv(tmp_path / "out.csv", ("line", "@text", "n"), iter(rows)) == 2
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["line", "'@text", "n"], ["1", "'=1+1", ""], ["-2", 'two\n"lines"', "0.5"]]


def test_no_rows_are_a_header_alone(tmp_path):
    assert write_csv(tmp_path / "out.csv", ("a", "b"), []) == 0
    assert (tmp_path / "out.csv").read_text() == "a,b\n"


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_csv(tmp_path / "none" / "out.csv", ("a",), [])
