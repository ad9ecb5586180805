"""Any upload gives a dataset or an error that a person understands, soon; a good table is read as it was written.

With `-m slow` 10,000 files of bytes and 2,000 tables of each format are tried.
"""

import csv
import gzip
import io
import json

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtst.data.columns import guess_columns
from mtst.data.dataset import make_dataset, similar_labels
from mtst.data.limits import Limits
from mtst.data.readers.options import ReadOptions
from mtst.data.row_report import RowReport
from mtst.data.split import check_trainable, stratified_split, text_key
from mtst.data.table import read_table
from mtst.errors import MtstError
from tests.support.sheets import PARTS, STYLES, filled, parts_of, zipped

LIMITS = Limits(rows=500, megabytes=1, columns=60, labels=20, characters=1_000)
FILES = settings(suppress_health_check=list(HealthCheck))
TABLES = settings(FILES, max_examples=20)
FULL = settings.get_profile("full")
MANY_FILES = settings(FULL, suppress_health_check=list(HealthCheck))
MANY_TABLES = settings(MANY_FILES, max_examples=2_000)

MARKS = (
    b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\x1f\x8b", b"\x1f\x8b\x08",
    b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"%PDF", b"7z\xbc\xaf", b"Rar!", b"BZh9", b"\xfd7zXZ",
    b"{", b"[{", b"<",
)  # fmt: skip
PIECES = (
    b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"|", b'"', b'""', b"\\", b'\\"', b"'", b" ", b"\0", b"\x0b", b"\x1f",
    b"bad", b"text", b"label", b"1", b"-2.5", b"1e9", b"nan", b"{", b"}", b"[", b"]", b":", b'"text"',
    b"null", b"true", b"\\ud800", b'{"text": "a", "label": 1}\n', b"a,b\n" * 20, b"=1+1", b"http://a.b",
    b"\xc3\xa9", b"\xe9", b"\xff", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe3\x80\x80", b"\xef\xbb\xbf",
    b"\xf0\x9f\x8e\x89", b"a", b"good film", b"2024-01-02" * 1600,
)  # fmt: skip


def openpyxl_of(rows):
    """The bytes of a workbook, with texts in their cells rather than shared."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


# Texts that are shared and that are not, numbers, dates, a flag and an error.
ROW = (
    '<row r="{0}"><c r="A{0}" t="s"><v>{0}</v></c><c r="B{0}" t="inlineStr"><is><t>glad {1}</t></is></c><c r="C{0}">'
    '<v>1.5</v></c><c s="1"><v>45000.5</v></c><c s="2"><v>{0}</v></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c>'
)
WHOLE = filled(PARTS, "".join(ROW.format(n, n % 2) + "</row>" for n in range(2, 9)), [f"film {n}" for n in range(9)])
WHOLE["xl/styles.xml"] = f'{STYLES[0]}<xf numFmtId="14"/><xf numFmtId="164"/>{STYLES[1]}'.replace(
    "<cellXfs>", '<numFmts><numFmt numFmtId="164" formatCode="[h]:mm"/></numFmts><cellXfs>'
)
XLSX = zipped(WHOLE)
ODS_NAMES = 'xmlns:o="o" xmlns:t="t" xmlns:x="x"'
ODS = (
    f'<o:doc {ODS_NAMES}><t:table t:name="A">'
    + "".join(
        f'<t:table-row t:number-rows-repeated="2"><t:table-cell><x:p>film <x:span>{n}</x:span></x:p></t:table-cell>'
        f'<t:table-cell o:value-type="float" o:value="{n % 2}" t:number-columns-repeated="2"/></t:table-row>'
        for n in range(5)
    )
    + "</t:table></o:doc>"
)
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
FILMS = [{"text": f"film {n}", "mood": n % 2 * "glad", "n": [n]} for n in range(9)]
PARQUET = io.BytesIO()
pq.write_table(pa.Table.from_pylist(FILMS), PARQUET)
DOCUMENTS = [json.dumps(each) for each in (FILMS, {"a": FILMS, "b": FILMS}, {"text": {"0": "a"}, "m": {"0": "b"}})]
FASTTEXT = "".join(f"__label__{n % 2} film {n}\n" for n in range(9))
JSON_LINES = "".join(json.dumps({"text": f"film {n}", "mood": n % 2 * "glad", "n": [n]}) + "\n" for n in range(9))


@st.composite
def changed(draw, original):
    """Bytes with some places overwritten, taken out or said again."""
    content = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(0, 8))
        match draw(st.integers(0, 3)):
            case 0:
                content[place : place + length] = draw(st.binary(max_size=8))
            case 1:
                del content[place : place + 20 * length]
            case 2:
                content[place:place] = content[place : place + 20 * length] * 3
            case 3:
                del content[place:]
    return bytes(content)


@st.composite
def changed_workbooks(draw):
    """An XLSX file with one of its parts changed or missing, and its check sums right."""
    part = draw(st.sampled_from([*WHOLE]))
    content = {part: draw(changed(WHOLE[part].encode()))} if draw(st.integers(0, 9)) else {}
    return zipped({name: whole for name, whole in WHOLE.items() if name != part} | content)


def packed(strategy):
    """The same bytes, sometimes gzipped, sometimes as a damaged gzip file."""
    whole = strategy.map(lambda content: gzip.compress(content, 1, mtime=0))
    return st.one_of(strategy, strategy, whole, whole.flatmap(changed))


SOUP = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)
ANY_BYTES = packed(
    st.one_of(
        st.builds(bytes.__add__, st.sampled_from(MARKS), st.binary(max_size=300)),
        st.builds(bytes.__add__, st.sampled_from(MARKS), SOUP),
        SOUP.map(lambda soup: soup.decode("utf-8", "replace").encode("utf-16")),
        SOUP.map(lambda soup: b"text,label\n" + soup),
        changed(XLSX),
        changed_workbooks(),
        changed(JSON_LINES.encode()),
        changed(ODS.encode()).map(lambda content: zipped({"mimetype": ODS_TYPE, "content.xml": content})),
        changed(PARQUET.getvalue()),
        changed(zstandard.compress(JSON_LINES.encode())),
        st.sampled_from(DOCUMENTS).flatmap(lambda document: changed(document.encode())),
        changed(FASTTEXT.encode()),
        SOUP.map(lambda soup: zipped({"train.csv": b"text,label\n" + soup})),
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


def many(test):
    """Run a property test only with the marker `slow`, for as long as it takes."""
    return pytest.mark.slow(pytest.mark.timeout(0)(test))


def taken_through(path, header=None):
    """Take a file all the way to a split, checking that nothing is lost on the way."""
    table = read_table(path, LIMITS, ReadOptions(header=header))
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert len(set(table.columns)) == len(table.columns) <= LIMITS.columns
    text, labels = guess_columns(table)
    assert text not in labels
    data = make_dataset(table, text, labels or [name for name in table.columns if name != text][:1], limits=LIMITS)
    similar_labels(data)
    upload = RowReport(table, data)
    upload.write(path.with_suffix(".rows"))
    with path.with_suffix(".rows").open(newline="", encoding="utf-8") as file:
        written = [int(row[0]) for row in csv.reader(file) if row[0] != "line"]
    assert upload.rows_read == upload.rows_used + len(data.skipped) == len(written)
    assert sorted(written) == sorted([*table.lines, *(row.line for row in table.skipped)])
    train, held_out = stratified_split(data)
    assert sorted(train.lines + held_out.lines) == sorted(data.lines)
    assert not {*map(text_key, train.texts)} & {*map(text_key, held_out.texts)}
    check_trainable(data)
    assert train.texts
    assert held_out.texts


def goes_through(path, header=None):
    """Take a file through, or to an error that says something."""
    said = "a dataset that can be trained on"
    try:
        taken_through(path, header)
    except MtstError as error:
        said = str(error)
    assert len(said) > 20


def check_any_bytes(folder, content, header):
    path = folder / "any.csv"
    path.write_bytes(content)
    goes_through(path, header)


any_bytes = given(content=ANY_BYTES, header=st.sampled_from([None, None, True, False]))
test_any_bytes_give_a_dataset_or_an_error_that_says_why = FILES(any_bytes(check_any_bytes))
test_many_files_of_any_bytes = many(MANY_FILES(any_bytes(check_any_bytes)))


# --- tables that are well-formed

LETTERS = st.characters(exclude_categories=["C", "Z"], exclude_characters="\ufeff\ufffd")
ODD_WORDS = st.one_of(
    st.text(LETTERS, min_size=1, max_size=6),
    st.sampled_from(
        ["a,b", "a;b", "x|y", 'say "so"', '"', "''", "tab\there", "two\nlines", "\\", "👩‍🚀", "مرحبا", "=1+1", "#", "-"]
    ),
)
PLAIN_WORDS = st.sampled_from(
    ["the", "film", "good", "très", "émouvant", ";", "größer", "Käse,", "niño", "—", "“naïve”", "100", "50%", "it’s"]
)
LABELS = st.sampled_from(
    [
        "glad",
        "sad",
        "Glad",
        " glad ",
        "",
        " ",
        "0",
        "1",
        "-1",
        "1.5",
        "True",
        "FALSE",
        "très bon",
        "ＧＬＡＤ",
        "ﬁ",
        "İ",
        "ß",
        "n/a",
        "NaN",
        "😀",
        "a,b",
        '"',
    ],
)
PLAIN_LABELS = st.sampled_from(["glad", "sad", "", "1", "0", "très", "a;b"])
ENCODINGS = {"utf-8": True, "utf-8-sig": True, "utf-16": True, "utf-16-le": False, "cp1252": False}


@st.composite
def tables(draw):
    """The rows of a table, names first, and whether they hold nothing but what Western Europe writes."""
    odd = draw(st.booleans())
    words, labels = (ODD_WORDS, LABELS) if odd else (PLAIN_WORDS, PLAIN_LABELS)
    columns = draw(st.integers(1, 6)) if draw(st.integers(0, 9)) else 50
    names = ["text", *(f"label {n}" for n in range(1, columns))]
    kinds = draw(st.lists(labels, min_size=1, max_size=5))
    texts = st.lists(words, min_size=1, max_size=6).map(" ".join)
    rows = [[draw(texts), *(draw(st.sampled_from(kinds)) for _ in names[1:])] for _ in range(draw(st.integers(1, 8)))]
    return [names, *(row for row in rows for _ in range(draw(st.integers(1, 3))))], odd


@st.composite
def delimited(draw):
    """A table, how it is written and the bytes of it."""
    rows, odd = draw(tables())
    encoding = draw(st.sampled_from([name for name, any_text in ENCODINGS.items() if any_text or not odd]))
    if encoding == "cp1252":  # of which some words are needed to know it
        rows.append(["Le café était fermé, hélas. Où déjeuner à présent ?", *rows[-1][1:]])
    delimiter = draw(st.sampled_from(",;\t|"))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    if any(sign in cell for row in rows for cell in row for sign in "\r\n"):
        quoting = csv.QUOTE_ALL  # which a writer of one line end does not see in the other
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return rows, (encoding, delimiter, end, quoting), target.getvalue().encode(encoding)


def check_delimited(folder, made):
    rows, _, content = made
    path = folder / "good.csv"
    path.write_bytes(content)
    goes_through(path)
    table = read_table(path, LIMITS, ReadOptions(header=True))
    assert [list(table.columns), *map(list, table.rows)] == rows
    assert not table.skipped


a_delimited_table = given(made=delimited())
test_a_delimited_table_is_read_as_it_was_written = TABLES(a_delimited_table(check_delimited))
test_many_delimited_tables = many(MANY_TABLES(a_delimited_table(check_delimited)))


def check_json_lines(folder, made, unpacked):
    names, *rows = made[0]
    content = "".join(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=unpacked) + "\n" for row in rows)
    path = folder / "good.jsonl.gz"
    path.write_bytes(content.encode() if unpacked else gzip.compress(content.encode(), 1))
    goes_through(path)
    table = read_table(path, LIMITS)
    assert [list(table.columns), *map(list, table.rows)] == [names, *rows]


a_json_table = given(made=tables(), unpacked=st.booleans())
test_json_lines_are_read_as_they_were_written = TABLES(a_json_table(check_json_lines))
test_many_tables_as_json_lines = many(MANY_TABLES(a_json_table(check_json_lines)))


def check_workbook(folder, made, write):
    rows = [["'" + cell if cell.startswith("=") else cell for cell in row] for row in made[0]]
    path = folder / "good.xlsx"
    path.write_bytes(write(rows))
    goes_through(path)
    table = read_table(path, LIMITS, ReadOptions(header=True))
    assert [list(table.columns), *map(list, table.rows)] == rows


a_workbook = given(made=tables(), write=st.sampled_from([openpyxl_of, lambda rows: zipped(parts_of(rows))]))
test_a_workbook_is_read_as_it_was_written = TABLES(a_workbook(check_workbook))
test_many_workbooks = many(MANY_TABLES(a_workbook(check_workbook)))
