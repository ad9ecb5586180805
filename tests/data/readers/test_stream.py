"""A stream gives the rows that a table holds, whatever the file, and reads the file again instead of holding it."""

import gzip
import os

import pytest

from mtst.data.limits import Limits
from mtst.data.readers.options import ReadOptions
from mtst.data.readers.records import Skipped
from mtst.data.readers.source import CHUNK
from mtst.data.readers.stream import BATCH_CHARACTERS, BATCH_ROWS, Batches, open_stream
from mtst.data.readers.text.encoding import find_encoding, text_lines
from mtst.data.table import read_table
from mtst.errors import DataError
from tests.support.sheets import parts_of, zipped

ROWS = [("text", "mood"), ("a film", "glad"), ("  ", ""), ("café, über", "sad"), ("x", "y"), ("two\nlines", "glad")]
RAGGED = 'text,mood\nfine,a\ntoo,many,cells\n,\n\n"open,b\n"closed",c\nshort\nfine,d,,\n'
JSON_LINES = '{"text":"a","mood":1}\n[1]\n\n{"text":null,"more":"x"}\n{"text":"é","mood":true}\n'


def delimited(delimiter):
    return "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS) + "\n"


FILES = {
    "comma": delimited(",").encode(),
    "semicolon": delimited(";").encode(),
    "tab": delimited("\t").encode(),
    "one column": b"text\na, b\nc\n",
    "with a mark": delimited(",").encode("utf-8-sig"),
    "UTF-16": delimited(",").encode("utf-16"),
    "UTF-16 without a mark": delimited(",").encode("utf-16-le"),
    "UTF-32": delimited(",").encode("utf-32"),
    "Windows": (delimited(",") + "déjà vu à l'hôtel,été\n" * 9).encode("cp1252"),
    "broken UTF-8": ("text,mood\n" + "déjà vu,a\n" * 30).encode() + b"\xe9t\xe9,b\n",
    "ragged": RAGGED.encode(),
    "no header": b"1,a\n2,b\n3,c\n",
    "JSON Lines": JSON_LINES.encode(),
    "XLSX": zipped(parts_of([*ROWS, (), ("a", "b", "c"), ("d", "e")])),
}
REFUSED = {
    "empty": b"",
    "header only": b"text,mood\n",
    "no row that can be used": b'text,mood\n,\n"so\n',
    "PDF": b"%PDF-1.7",
    "JSON without rows": b"[]",
    "Parquet": b"PAR1\x15\x04\x15" + bytes(40) + b"PAR1",
    "binary": bytes(range(32)) * 50,
    "ZIP": zipped({"a.txt": "", "b/c.png": "x"}),
    "wide": b"a," * 1500 + b"\n",
    "damaged gzip": gzip.compress(b"text,mood\n" * 1000)[:-9],
    "changed gzip": gzip.compress(b"text,mood\na,b\n")[:-8] + bytes(8),
}


def drained(path, header=None):
    stream = open_stream(path, ReadOptions(header=header))
    records = list(stream.records)
    skipped = tuple(record for record in records if isinstance(record, Skipped))
    rows = [record for record in records if not isinstance(record, Skipped)]
    cells = tuple(tuple(row.cells) for row in rows)
    return stream.columns, stream.reading.format, stream.header_line, cells, tuple(row.line for row in rows), skipped


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("header", [None, True, False])
@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_stream_holds_what_the_table_holds(tmp_path, content, header, pack):
    path = tmp_path / "table"
    path.write_bytes(pack(content))
    table = read_table(path, options=ReadOptions(header=header))
    assert drained(path, header) == (
        table.columns,
        table.format,
        table.header_line,
        table.rows,
        table.lines,
        table.skipped,
    )


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_a_stream_refuses_what_a_table_refuses_in_the_same_words(tmp_path, content):
    path = tmp_path / "table"
    path.write_bytes(content)
    with pytest.raises(DataError) as expected:
        read_table(path)
    with pytest.raises(DataError) as found:
        drained(path)
    assert str(found.value) == str(expected.value)


def test_a_file_that_is_not_there_or_can_be_read_only_once_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv cannot be read: No such file"):
        open_stream(tmp_path / "none.csv")
    read, write = os.pipe()
    os.write(write, b"text,mood\na,b\n")
    os.close(write)
    with pytest.raises(DataError, match=r"cannot be read: .*seek"):
        open_stream(f"/dev/fd/{read}")
    os.close(read)


def test_neither_rows_nor_size_of_a_text_have_a_limit(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("text\n" + "so far\n" * 3_000)
    limits = Limits(rows=10, megabytes=0.001)
    assert sum(1 for _ in open_stream(path, limits=limits).records) == 3_000
    with pytest.raises(DataError, match="more than"):
        read_table(path, limits)


@pytest.mark.parametrize(
    ("start", "encoding"),
    [
        (b"a" * (CHUNK - 1) + "é\n".encode() * 20 + b"\xe9\n", "utf-8"),  # a letter on two chunks
        (b"a" * (CHUNK - 2) + b"\xef\xbf\xbd\n" * 9, "utf-8"),  # U+FFFD that is meant, on two chunks
        (b"a" * (CHUNK - 1) + b"\xef\xbf\xbd\n" * 9, "utf-8"),
        (b"a,b\n" * (CHUNK // 4 + 9) + "café à l'hôtel, déjà fermé\n".encode("cp1252") * 50, "cp1252"),
        (b"a" * CHUNK + b"\xc3", "cp1252"),  # cut off in a letter
        (b"a,b\n" * (CHUNK // 4 + 9), "utf-8"),
    ],
    ids=["seam", "meant", "meant too", "late", "cut off", "ASCII"],
)
def test_the_encoding_of_a_file_is_that_of_its_bytes(tmp_path, start, encoding):
    path = tmp_path / "table"
    for content in (start, gzip.compress(start, 1)):
        path.write_bytes(content)
        assert find_encoding(path) == find_encoding(start) == encoding
    assert list(text_lines("x", path, encoding)) == list(text_lines("x", start, encoding))


def test_batches_hold_every_row_once_and_count_the_skipped(tmp_path):
    count = 2 * BATCH_ROWS + 5
    path = tmp_path / "long.csv"
    path.write_text("text,n\n" + "".join(f"row,{n}\n" + "a,b,c\n" * (n % 2_000 == 7) for n in range(count)))
    batches = Batches(open_stream(path))
    found = list(batches)
    assert [len(batch) for batch in found] == [BATCH_ROWS, BATCH_ROWS, 5]
    assert [record.cells[1] for batch in found for record in batch] == [str(n) for n in range(count)]
    assert (batches.row_count, batches.skipped_count) == (count, 5)
    assert [row.line for row in batches.first_skipped] == [10, 2_011, 4_012]


def test_batches_of_long_texts_hold_fewer_rows(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("text\n" + ("word " * 60_000 + "\n") * 16)
    sizes = [len(batch) for batch in Batches(open_stream(path))]
    assert sum(sizes) == 16
    assert max(sizes) <= BATCH_CHARACTERS // 300_000 + 1
