import datetime
import gzip
import io
import zipfile

import openpyxl
import pytest

from mtst.data.readers.binary.xlsx import MAX_PARTS
from mtst.errors import DataError
from tests.support.sheets import HEADER, MAIN, PARTS, STRINGS, WORKSHEET, filled, parts_of, zipped

NAMES = {
    "sheet": "xl/worksheets/sheet1.xml",
    "strings": "xl/sharedStrings.xml",
    "styles": "xl/styles.xml",
    "rels": "xl/_rels/workbook.xml.rels",
}
ROWS = [["text", "mood"], ["so far", "glad"], ["so good", "sad"]]


def saved(book):
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def workbook(rows, **sheets):
    """The bytes of a workbook with a first sheet of rows and more sheets by their names."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, more in sheets.items():
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(row)
    return saved(book)


def by_hand(*rows, texts=(), **changed):
    """A workbook with rows of XML below the header and shared texts; some parts changed, or left out."""
    parts = filled(PARTS, "".join(rows), texts) | {NAMES[key]: content for key, content in changed.items()}
    return zipped({name: content for name, content in parts.items() if content is not None})


def sheet_of(*rows):
    return "".join([WORKSHEET[0], *rows, WORKSHEET[1]])


def inline(cell, text):
    return f'<c r="{cell}" t="inlineStr"><is>{text}</is></c>'


# --- what is read


@pytest.mark.parametrize("name", ["my.xlsx", "my.csv"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_workbook_is_known_by_what_is_in_it(table_of, name, pack):
    table = table_of(pack(workbook(ROWS)), name)
    assert table.columns == ("text", "mood")
    assert table.rows == (("so far", "glad"), ("so good", "sad"))
    assert table.lines == (2, 3)
    assert (table.format, table.header_line) == ("XLSX", 1)


def test_cells_become_the_text_that_a_sheet_shows(table_of):
    day = datetime.datetime(2024, 2, 29, 13, 30)
    values = [1, 2.0, 0.1, -3e-7, 10**14, True, False, day, day.date(), day.time(), datetime.timedelta(hours=30), None]
    (row,) = table_of(workbook([["text", *(f"c{n}" for n in range(len(values)))], ["a", *values]])).rows
    assert row == (
        "a", "1", "2", "0.1", "-3e-07", "100000000000000", "TRUE", "FALSE", "2024-02-29 13:30:00",
        "2024-02-29 00:00:00", "13:30:00", "1 day, 6:00:00", "",
    )  # fmt: skip


def test_dates_that_count_from_1904_are_read_as_such(table_of):
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.MAC_EPOCH
    book.active.append(["text", "day"])
    book.active.append(["a", datetime.date(2024, 2, 29)])
    assert table_of(saved(book)).rows[0][1] == "2024-02-29 00:00:00"


def test_a_date_that_no_calendar_has_stays_a_number(table_of):
    book = openpyxl.Workbook()
    book.active.append(["text", "day"])
    book.active.append(["a", 1e9])
    book.active["B2"].number_format = "yyyy-mm-dd"
    assert table_of(saved(book)).rows[0][1] == "1000000000"


@pytest.mark.parametrize("text", [" blanks round it ", "two\nlines", "👩‍🚀 <b>&amp;</b>", "_x0041_", "#N/A", "𝔘𝔫𝔦"])
def test_any_text_is_read_as_it_was_written(table_of, text):
    escaped = text.replace("_x", "_x005F_x")
    assert table_of(workbook([["text", "mood"], [escaped, "a"], [f"{escaped}!", "b"]])).column("text")[0] == text


def test_a_workbook_with_shared_strings_is_read(table_of):
    rows = [["text", "mood"], ["so far", "glad"], ["so good", ""], ["so far", "sad"]]
    table = table_of(zipped(parts_of(rows)))
    assert [list(table.columns), *map(list, table.rows)] == rows


def test_what_xml_cannot_hold_is_put_back(table_of):
    row = '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2"><v>1</v></c></row>'
    assert table_of(by_hand(row, texts=["a_x000D_\nb_xD800_"])).rows == (("a\r\nb_xD800_", "1"),)


def test_a_formula_gives_its_last_result(table_of):
    cells = '<c r="A2" t="str"><f>A1&amp;"!"</f><v>text!</v></c><c r="B2"><f>1+1</f><v>2</v></c>'
    assert table_of(by_hand(f'<row r="2">{cells}</row>')).rows == (("text!", "2"),)


def test_rich_text_is_joined_and_how_to_say_it_left_out(table_of):
    rich = "<r><t>a </t></r><r><rPr><b/></rPr><t>bold</t></r><rPh sb='0' eb='1'><t>BOLD</t></rPh>"
    texts = f"<si><t>text</t></si><si><t>mood</t></si><si>{rich}</si>"
    row = f'<row r="2"><c r="A2" t="s"><v>2</v></c>{inline("B2", rich)}</row>'
    assert table_of(by_hand(row, strings=texts.join(STRINGS))).rows == (("a bold", "a bold"),)


def test_cells_and_rows_without_a_place_follow_each_other_and_prefixes_do_not_matter(table_of):
    cell = '<x:c t="inlineStr"><x:is><x:t>{}</x:t></x:is></x:c>'
    rows = "".join(f"<x:row>{cell.format(a)}{cell.format(b)}</x:row>" for a, b in ROWS)
    sheet = f"<x:worksheet {MAIN.replace('xmlns', 'xmlns:x')}><x:sheetData>{rows}</x:sheetData></x:worksheet>"
    table = table_of(by_hand(sheet=sheet))
    assert [list(table.columns), *map(list, table.rows)] == ROWS
    assert table.lines == (2, 3)


def test_blank_rows_and_columns_keep_their_places(table_of):
    table = table_of(workbook([[], ["text", None, "mood"], [], ["a", None, "x"], ["b", "note"], [None, None, "y"]]))
    assert table.columns == ("text", "column 2", "mood")
    assert table.rows == (("a", "", "x"), ("b", "note", ""), ("", "", "y"))
    assert table.lines == (4, 5, 6)


def test_a_note_beside_every_row_does_not_move_the_columns(table_of):
    table = table_of(workbook([["text", "mood"], ["a", "x", "seen"], ["b", "y", "seen"]]))
    assert table.columns == ("text", "mood", "column 3")
    assert table.column("mood") == ["x", "y"]


def test_the_first_sheet_that_has_rows_is_read(table_of):
    assert table_of(workbook([], empty=[], second=ROWS, third=[["other"], ["x"]])).columns == ("text", "mood")


def test_a_sheet_of_charts_is_no_sheet(table_of):
    book = openpyxl.load_workbook(io.BytesIO(workbook(ROWS)))
    book.create_chartsheet("chart")
    book.move_sheet(book.worksheets[0], 1)
    assert table_of(saved(book)).columns == ("text", "mood")


def test_a_sheet_without_a_header_is_read_too(table_of):
    table = table_of(workbook([["good film", 1], ["bad film", 0], ["no film", 1]]))
    assert table.columns == ("column 1", "column 2")
    assert (table.header_line, table.lines) == (0, (1, 2, 3))


def test_500_columns_and_a_million_blank_rows_are_read(table_of):
    names = [f"c{n}" for n in range(500)]
    assert table_of(workbook([names, names[::-1]])).rows == (tuple(names[::-1]),)


# --- what is refused


@pytest.mark.parametrize(
    "changed",
    [
        {"sheet": None},
        {"rels": None},
        {"strings": None},
        {"styles": "<styleSheet"},
        {"sheet": sheet_of("<row><c><v>1</c></row>")},
        {"sheet": sheet_of('<row><c t="s"><v>99</v></c></row>')},
        {"sheet": sheet_of('<row><c t="s"><v>one</v></c></row>')},
        {"sheet": sheet_of('<row><c r="A" t="b"><v>x</v></c></row>')},
        {"sheet": sheet_of('<row><c r="77"><v>1</v></c></row>')},
        {"sheet": sheet_of('<row r="one"></row>')},
        {"sheet": '<?xml version="1.0" encoding="utf-77"?>' + sheet_of(HEADER)},
        {"sheet": b""},
    ],
)
def test_a_damaged_workbook_is_refused_with_what_to_do(table_of, changed):
    with pytest.raises(DataError, match=r"my\.xlsx cannot be read as XLSX: .*\. Open it and save it again"):
        table_of(by_hand(**changed), "my.xlsx")


@pytest.mark.parametrize("damage", [slice(200, None), slice(-40, None), slice(1200, 1230)])
def test_a_damaged_archive_is_refused(table_of, damage):
    content = bytearray(zipped(parts_of(ROWS * 100)))
    content[damage] = b"oh no"
    with pytest.raises(DataError, match="cannot be read as XLSX"):
        table_of(bytes(content))


@pytest.mark.parametrize("rows", [[], [["text", "mood"]], [[None], [None]]])
def test_a_workbook_without_rows_is_refused(table_of, rows):
    with pytest.raises(DataError, match=r"empty|no rows"):
        table_of(workbook(rows))


def test_an_archive_with_more_parts_than_any_workbook_is_refused(table_of):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(MAX_PARTS + 1):
            archive.writestr(f"{number}", b"")
    with pytest.raises(DataError, match="more than 10,000 parts"):
        table_of(target.getvalue())


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_unpacks_without_a_bound_is_refused(table_of, packing):
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(ROWS))) as old, zipfile.ZipFile(target, "w", packing) as made:
        for name in old.namelist():
            made.writestr(name, old.read(name))
    with pytest.raises(DataError, match="packed in an unusual way"):
        table_of(target.getvalue())


def test_rows_columns_cells_and_text_beyond_the_limits_are_refused(table_of):
    content = workbook([["text", "mood"], *[["ten blanks", "glad"]] * 40])
    assert len(table_of(content, rows=40).rows) == 40
    for limit, words in (({"rows": 39}, "more than 39 rows"), ({"columns": 1}, "beyond column 1")):
        with pytest.raises(DataError, match=words):
            table_of(content, **limit)
    with pytest.raises(DataError, match=r"more than 0\.01 million characters|unpacks to more than"):
        table_of(workbook([["text"], *[["ten blanks" * 30]] * 40]), megabytes=0.01)


def test_more_cells_and_other_elements_than_the_limits_allow_are_refused(table_of, monkeypatch):
    monkeypatch.setattr("mtst.data.readers.binary.xlsx.SPARE_ELEMENTS", 10_000)
    with pytest.raises(DataError, match="more than 10,300 cells and other elements"):
        table_of(by_hand("<row/>" * 10_400), rows=1)


def test_a_text_said_often_counts_each_time(table_of):
    content = workbook([["text", "mood"], *[["word " * 2000, "glad"]] * 90])
    assert len(content) < 10_000
    assert len(table_of(content, megabytes=1).rows) == 90
    with pytest.raises(DataError, match=r"more than 0\.8 million characters"):
        table_of(content, megabytes=0.8)


def test_that_one_of_several_sheets_is_read_is_said(table_of):
    assert table_of(workbook(ROWS), "one.xlsx").format == "XLSX"
    assert table_of(workbook(ROWS, notes=ROWS), "two.xlsx").format.startswith("XLSX, sheet “")


def test_a_column_that_mixes_numbers_and_texts_is_said(table_of):
    rows = [["text", "stars"], ["a", 5], ["b", "5"], ["c", True], ["d", "so-so"]]
    table = table_of(workbook(rows))
    assert table.column("stars") == ["5", "5", "TRUE", "so-so"]
    (oddity,) = [oddity for oddity in table.decisions if oddity.kind == "mixed types"]
    assert (oddity.count, oddity.line) == (1, 3)
    assert "Column B mixes types: 1 of its values" in oddity.sentence
