import csv

import numpy as np
import pytest

from mtst.data.dataset import make_dataset
from mtst.data.limits import Limits
from mtst.data.row_report import RowReport
from mtst.errors import DataError

CONTENT = (
    "text,mood\n"
    '"one\nand two",glad\n'
    " ,glad\n"
    "a text that is far too long,sad\n"
    "only one\n"
    "three,\n"
    "four,sad\n"
    "five,glad\n"
    ",\n"
    "six,glad\n"
)


@pytest.fixture
def upload(table_of):
    table = table_of(CONTENT)
    data = make_dataset(table, "text", ["mood"], leave_out={9}, limits=Limits(characters=20))
    return RowReport(table, data, np.array([3, 300, 256]), 256)


def written(upload, path):
    upload.write(path)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_every_row_is_counted_once_as_kept_or_skipped(upload):
    assert (upload.rows_read, upload.rows_used, upload.rows_truncated) == (9, 3, 1)
    assert upload.skip_reasons == {
        "no text": 1,
        "too long": 1,
        "malformed": 1,
        "no label": 1,
        "left out by choice": 1,
        "blank": 1,
    }
    assert upload.rows_used + sum(upload.skip_reasons.values()) == upload.rows_read


def test_the_most_frequent_reason_comes_first(table_of):
    table = table_of("text,mood\na,x\nb\n,x\n,y\n")
    assert list(RowReport(table, make_dataset(table, "text", ["mood"])).skip_reasons.items()) == [
        ("no text", 2),
        ("malformed", 1),
    ]


def test_what_became_of_each_row_is_written_in_order_of_the_file(upload, tmp_path):
    assert written(upload, tmp_path / "rows.csv") == [
        ["line", "used", "note"],
        ["2", "yes", ""],
        ["4", "no", "no text"],
        ["5", "no", "too long: more than 20 characters"],
        ["6", "no", "malformed: 1 cells in place of 2"],
        ["7", "no", "no label"],
        ["8", "yes", "cut: 300 tokens, of which 256 are read"],
        ["9", "no", "left out by choice"],
        ["10", "no", "blank"],
        ["11", "yes", ""],
    ]


def test_before_tokens_are_counted_nothing_is_said_to_be_cut(upload, tmp_path):
    fresh = RowReport(upload.table, upload.data)
    assert fresh.rows_truncated == 0
    assert [row[2] for row in written(fresh, tmp_path / "rows.csv") if row[1] == "yes"] == [""] * 3


def test_a_list_that_cannot_be_written_is_refused(upload, tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        upload.write(tmp_path / "none" / "rows.csv")


def test_an_encoder_counts_what_it_would_cut(table_of, tiny_encoder):
    words = "the " * 100
    table = table_of(f"text,mood\nthe and,glad\n{words},sad\n")
    data = make_dataset(table, "text", ["mood"])
    found = RowReport(table, data, tiny_encoder.count_tokens(data.texts), tiny_encoder.max_tokens)
    assert list(found.tokens) == [4, 102]
    assert found.rows_truncated == 1
