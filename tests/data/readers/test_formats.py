"""Files as the tools of the trade write them give the table that they hold."""

import gzip
import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from mtst.data.columns import guess_columns
from mtst.data.dataset import make_dataset
from mtst.data.labels.choice import LabelChoice
from mtst.data.limits import Limits
from mtst.data.readers.options import ReadOptions
from mtst.data.table import read_table
from mtst.errors import DataError

ROWS = [
    ("cold food and rude staff", "neg"), ("so pleased with it", "pos"), ("a bore to read, really", "neg"),
    ("an awful song", "neg"), ("my favourite song", "pos"), ("I love this phone", "pos"), ("loud dirty room", "neg"),
    ("great food, kind staff", "pos"), ("works very well", "pos"), ("slow and grumpy service", "neg"),
]  # fmt: skip
OBJECTS = [{"text": text, "label": label} for text, label in ROWS]
PLAIN = [(text.replace(",", ""), label) for text, label in ROWS]


def lines(template, rows=ROWS):
    return "\n".join(template.format(*row) for row in rows)


def quoted(text):
    return f'"{text}"' if "," in text else text


CSV = "\n".join(f"{quoted(text)},{label}" for text, label in ROWS)
NUMBERED = "\n".join(f"{number},{quoted(text)},{label}" for number, (text, label) in enumerate(ROWS))
WITH_HEADER = {
    "sep=;": "sep=;\r\ntext;label\r\n" + lines("{};{}"),
    "quoted sep=": '"sep=;"\r\ntext;label\r\n' + lines("{};{}"),
    "sep=^": "SEP=^\ntext^label\n" + lines("{}^{}"),
    "sep= with commas that hang over": "sep=,\ntext,label\n" + CSV,
    "a title": "Customer feedback\n\ntext,label\n" + CSV,
    "a title with a comma": "Customer feedback, spring\n\nid,text,label\n" + NUMBERED,
    "a title in full width": "Feedback 2024,,\n,,\nid,text,label\n" + NUMBERED,
    "comments with commas": "# exported by it, version 1.2\n# on Monday\ntext,label\n" + CSV,
    "pandas' numbers": "0,1\n" + CSV,
    "pandas' numbers and index": ",0,1\n" + NUMBERED,
    "a name that is a value": "message,pos\n" + CSV,
    "an index": ",text,label\n" + NUMBERED,
    "Markdown": "| text | label |\n|---|:--:|\n" + lines("| {} | {} |"),
}
WITHOUT_HEADER = {
    name: lines(f"{{}}{sign}{{}}", PLAIN)
    for name, sign in {
        "caret": "^", "control A": "\x01", "two bars": "||", "four spaces": "    ", "tilde": "~", "Toutiao": "_!_",
        "three colons": ":::", "three at signs": "@@@", "bars with blanks": " ||| ", "two tabs": "\t\t",
        "Cornell": " +++$+++ ", "arrow": " -> ", "dash": " - ", "hash": "#", "section": "§",
    }.items()
}  # fmt: skip
WITHOUT_HEADER |= {
    "aligned": lines("{:<40}{}"),
    "a comment": "# no header below\n" + lines("{}\t{}"),
    "a JSON array of arrays": json.dumps(ROWS),
    "lists on lines": "\n".join(map(json.dumps, ROWS)),
}
LABELLED = {
    "fastText": lines("__label__{1} {0}"),
    "fastText with commas": lines("__label__{1} , {0}"),
    "fastText at the end": lines("{0} __label__{1}"),
    "text@label": lines("{0} .@{1}"),
    "numbers": "\n".join(f"{int(label == 'pos')} {text}" for text, label in ROWS),
}
JSON = {
    "an array": json.dumps(OBJECTS),
    "an array on lines": "[\n" + ",\n".join(map(json.dumps, OBJECTS)) + "\n]",
    "a pretty array": json.dumps(OBJECTS, indent=2),
    "pandas' columns": json.dumps({key: {str(n): row[key] for n, row in enumerate(OBJECTS)} for key in OBJECTS[0]}),
    "pandas' index": json.dumps({str(n): row for n, row in enumerate(OBJECTS)}),
    "pandas' split": json.dumps({"columns": ["text", "label"], "index": [*range(10)], "data": ROWS}),
    "pandas' table": json.dumps({"schema": {"fields": []}, "data": OBJECTS}, indent=1),
    "an object of arrays": json.dumps({key: [row[key] for row in OBJECTS] for key in OBJECTS[0]}),
    "a version beside the rows": json.dumps({"version": "1.0", "data": OBJECTS}),
    "Rasa": json.dumps({"rasa_nlu_data": {"common_examples": OBJECTS}}),
    "the Hub's viewer": json.dumps({"features": [], "rows": [{"row_idx": n, "row": r} for n, r in enumerate(OBJECTS)]}),
    "Python's dicts": "\n".join(map(str, OBJECTS)),
    "a Python list": str(OBJECTS),
    "Prodigy": "\n".join(
        json.dumps({"text": text, "_input_hash": 1, "accept": [label], "answer": "accept"}) for text, label in ROWS
    ),
    "doccano": "\n".join(json.dumps({"id": 1, "text": text, "label": [label]}) for text, label in ROWS),
    "doccano's older form": "\n".join(
        json.dumps({"text": text, "annotations": [{"label": label}], "meta": {}}) for text, label in ROWS
    ),
    "Label Studio": json.dumps(
        [
            {
                "id": 1,
                "annotations": [{"result": [{"from_name": "label", "value": {"choices": [label]}}]}],
                "data": {"text": text},
            }
            for text, label in ROWS
        ],
        indent=1,
    ),
    "Argilla": json.dumps(
        [
            {
                "id": 1,
                "fields": {"text": text},
                "responses": {"label": [{"value": "?", "status": "draft"}, {"value": label, "status": "submitted"}]},
                "suggestions": {},
            }
            for text, label in ROWS
        ]
    ),
    "Argilla's rows": "\n".join(
        json.dumps({"id": "1", "text": text, "label.responses": [label], "label.responses.users": ["a"]})
        for text, label in ROWS
    ),
    "objects one after the other": "\n".join(json.dumps(row, indent=1) for row in OBJECTS),
    "an answer of an API": json.dumps({"status": "ok", "result": {"items": OBJECTS}}),
    "chats": "\n".join(
        json.dumps({"messages": [{"role": "text", "content": text}, {"role": "label", "content": label}]})
        for text, label in ROWS
    ),
}


def pairs_of(table):
    """The texts and labels of a table, by the columns that are guessed."""
    text, (label, *more) = guess_columns(table)
    assert more == []
    data = make_dataset(table, text, [label])
    return [(each, data.tasks[0].labels[index]) for each, index in zip(data.texts, data.labels[label], strict=True)]


@pytest.mark.parametrize("content", WITH_HEADER.values(), ids=WITH_HEADER)
def test_a_table_below_something_else_is_detected(table_of, content):
    table = table_of(content)
    assert pairs_of(table) == ROWS
    assert table.header_line


@pytest.mark.parametrize("content", WITHOUT_HEADER.values(), ids=WITHOUT_HEADER)
def test_a_table_without_names_and_with_any_delimiter_is_read(table_of, content):
    table = table_of(content)
    assert pairs_of(table) in (ROWS, PLAIN)
    assert table.header_line == 0


@pytest.mark.parametrize("content", LABELLED.values(), ids=LABELLED)
def test_labelled_lines_are_a_table_of_texts_and_labels(table_of, content):
    found = pairs_of(table_of(content))
    names = {"0": "neg", "1": "pos"}
    assert [(text.removesuffix(" ."), names.get(label, label)) for text, label in found] == ROWS


def test_several_labels_of_a_fasttext_line_are_a_list(table_of):
    table = table_of("__label__pos __label__en So good\n__label__neg Too bad\n" * 3)
    assert table.rows[:2] == (('["pos", "en"]', "So good"), ("neg", "Too bad"))
    (task,) = make_dataset(table, "text", LabelChoice(guessed=("label",)).columns(table)).tasks
    assert (task.multi, task.labels) == (True, ("en", "neg", "pos"))


def test_trec_lines_have_a_coarse_and_a_fine_label(table_of):
    table = table_of("\n".join(f"{'DESC' if label == 'neg' else 'HUM'}:ind {text} ?" for text, label in ROWS))
    assert table.columns == ("label", "fine label", "text")
    assert table.rows[1] == ("HUM", "HUM:ind", "so pleased with it ?")


@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_json_of_every_tool_is_read(table_of, content):
    table = table_of(content)
    assert pairs_of(table) == ROWS
    assert not table.skipped


def test_lists_of_rows_by_split_and_texts_by_label_are_read(table_of):
    splits = {"train": ROWS, "test": ROWS[:3]}
    for document in (splits, {"info": {}, "version": "1", "data": splits}):
        table = table_of(json.dumps(document))
        assert table.columns == ("split", "column 1", "column 2")
        assert table.column("split").count("test") == 3
    by_label = table_of(json.dumps({"pos": ["a", "b", "c"], "neg": ["d"]}))
    assert by_label.rows == (("a", "pos"), ("b", "pos"), ("c", "pos"), ("d", "neg"))


def test_an_annotation_without_a_label_has_none(table_of):
    labels = [["pos"], [], ["neg"], ["pos", "neg"]]
    table = table_of("\n".join(json.dumps({"text": f"film {n}", "label": label}) for n, label in enumerate(labels)))
    data = make_dataset(table, "text", ["label"])
    assert data.tasks[0].labels == ('["pos", "neg"]', "neg", "pos")
    assert [skip.line for skip in data.skipped] == [2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"message": "Not Found", "status": "404"}', "message of a server, not a table: 'Not Found'"),
        ('{"a": 1, "b": [', "cannot be read"),
        ("[]", "no rows"),
        ('{"a": {}}', "no rows"),
        ('[{"text": "a"}, 3', "cannot be read"),
    ],
)
def test_json_without_a_table_is_refused(table_of, content, words):
    with pytest.raises(DataError, match=words):
        table_of(content)


# --- quotes


def test_a_quote_that_opens_in_one_text_and_closes_in_another_swallows_nothing(table_of):
    table = table_of('text\tlabel\n"You will love it!\tpos\nSo bad.\tneg\nIt was dull."\tneg\nGood fun.\tpos\n')
    assert table.column("text") == ['"You will love it!', "So bad.", 'It was dull."', "Good fun."]
    assert table.lines == (2, 3, 4, 5)
    (decision,) = table.decisions
    assert (decision.kind, decision.count, decision.line) == ("literal quote", 1, 2)


def test_commas_need_a_known_label_on_each_line_that_a_quote_swallows(table_of):
    rows = [f"{text},{label}" for text, label in PLAIN]
    rows[2], rows[6] = '"' + rows[2], rows[6].replace(",", '",')
    assert len(table_of("text,label\n" + "\n".join(rows)).rows) == 10
    letters = "\n".join(f'"{text}, dear\nhope, you are well",{label}' for text, label in PLAIN)
    assert table_of("text,label\n" + letters).rows[0] == ("cold food and rude staff, dear\nhope, you are well", "neg")


# --- what the user knows better


def test_a_delimiter_an_encoding_and_a_header_can_be_chosen(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("a;b=c\nd;é=f\n".encode("cp850"))
    table = read_table(path, options=ReadOptions(header=True, encoding="cp850", delimiter="="))
    assert (table.columns, table.rows) == (("a;b", "c"), (("d;é", "f"),))
    assert (table.encoding, table.delimiter) == ("cp850", "=")
    assert read_table(path, options=ReadOptions(encoding="cp850", delimiter="none")).columns == ("a;b=c",)


def test_the_line_of_the_column_names_can_be_chosen(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\nc,d\n\ntext,label\nso,good\nso,bad\n")
    assert read_table(path).header_line == 1
    table = read_table(path, options=ReadOptions(header_line=4))
    assert (table.columns, table.header_line, table.lines) == (("text", "label"), 4, (5, 6))
    assert [row.line for row in table.skipped] == [1, 2]
    for line in (3, 500):
        with pytest.raises(DataError, match=rf"Line {line} of x.csv cannot name the columns.*on the lines 1, 2, 4, 5"):
            read_table(path, options=ReadOptions(header_line=line))
    path.write_text("Results; of: all, our, surveys\nMay;2024\ntext;label\nso, so;good\nno, no;bad\n")
    table = read_table(path, options=ReadOptions(header_line=3))
    assert (table.columns, table.rows[0]) == (("text", "label"), ("so, so", "good"))


@pytest.mark.parametrize(
    "options",
    [{"encoding": "klingon"}, {"encoding": "rot13"}, {"delimiter": '"'}, {"header_line": -1},
     {"header_line": 2, "header": False}],
)  # fmt: skip
def test_a_choice_that_makes_no_sense_is_refused(options):
    with pytest.raises(DataError, match=r"encoding|delimiter|column names"):
        ReadOptions(**options)


# --- binary formats


def parquet(columns, **options):
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, **options)
    return target.getvalue()


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
def test_parquet_is_read_however_it_is_packed(table_of, compression):
    columns = {"text": [row[0] for row in ROWS], "label": [row[1] for row in ROWS]}
    table = table_of(parquet(columns, compression=compression))
    assert pairs_of(table) == ROWS
    assert table.format == "Parquet"


def test_values_of_every_kind_in_parquet_become_text(table_of):
    table = table_of(
        parquet(
            {
                "text": ["a", None],
                "n": [1.0, 2.5],
                "flag": [True, None],
                "tags": [["x", "y"], []],
                "image": [b"1", b"2"],
            }
        )
    )
    assert table.columns == ("text", "n", "flag", "tags")
    assert table.rows == (("a", "1", "True", '["x", "y"]'), ("", "2.5", "", "[]"))
    assert "image" in table.decisions[0].sentence


def test_a_parquet_file_that_unpacks_to_more_than_the_limit_is_refused_before_that(table_of):
    long = parquet({"text": ["a" * 3_000_000, "b" * 3_000_000]}, compression="zstd", use_dictionary=False)
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000), pa.array(["a" * 9_000]))
    assert len(long) < 10_000
    for content in (long, parquet({"text": repeated}, compression="zstd", store_schema=False)):
        with pytest.raises(DataError, match=r"more than 5 (MB|million)"):
            table_of(content, megabytes=5)
    with pytest.raises(DataError, match="more than 4 rows"):
        table_of(parquet({"text": ["a"] * 5}), rows=4)


@pytest.mark.parametrize("place", [4, 10, 30, -9])
def test_a_damaged_parquet_file_is_refused(table_of, place):
    content = bytearray(parquet({"text": [f"film {n}" for n in range(50)], "label": ["a", "b"] * 25}))
    content[place : place + 4] = b"\xff\xff\xff\x7f"
    with pytest.raises(DataError, match=r"cannot be read as Parquet|more than"):
        table_of(b"PAR1\x15" + bytes(content[5:]), megabytes=5)


def zipped(files):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_the_table_in_an_archive_is_read(tmp_path):
    path = tmp_path / "kaggle.zip"
    table = "text,label\n" + CSV
    path.write_bytes(zipped({"__MACOSX/._train.csv": "x", "README.md": "about", "data/train.csv": table}))
    assert pairs_of(read_table(path)) == ROWS
    path.write_bytes(zipped({"test.csv": "text,label\n" + CSV * 9, "train.csv": table}))
    read = read_table(path)
    assert (read.sheet, read.sheets) == ("train.csv", ("test.csv", "train.csv"))
    assert "test.csv" in read.decisions[-1].sentence
    assert read_table(path, options=ReadOptions(sheet="test.csv")).sheet == "test.csv"
    with pytest.raises(DataError, match=r"no sheet or file 'x'\. It has: “test\.csv”, “train\.csv”"):
        read_table(path, options=ReadOptions(sheet="x"))


def test_an_archive_that_unpacks_to_more_than_the_limit_or_holds_no_table_is_refused(table_of):
    with pytest.raises(DataError, match="unpacks to more than 1 MB"):
        table_of(zipped({"a.csv": "text,label\n" + "a,b\n" * 300_000}), megabytes=1)
    with pytest.raises(DataError, match="archive in an archive"):
        table_of(zipped({"a.csv": zipped({"b.csv": CSV})}))
    with pytest.raises(DataError, match="no file that looks like one"):
        table_of(zipped({"a.png": "x", "b.png": "y"}))
    with pytest.raises(DataError, match=r"holds 20 text files, such as pos/0.txt, .* Write their texts to one CSV"):
        table_of(zipped({f"pos/{n}.txt": "So good" for n in range(20)}))
    with pytest.raises(DataError, match="Word document"):
        table_of(zipped({"word/document.xml": "<x/>"}))


def test_zstd_is_unpacked_up_to_the_limit_and_refused_if_it_is_cut_off(table_of):
    content = ("text,label\n" + "".join(f"film {n},{'ab'[n % 2]}\n" for n in range(30_000))).encode()
    packed = zstandard.compress(content)
    assert len(table_of(packed + zstandard.compress(b"last,a\n")).rows) == 30_001
    with pytest.raises(DataError, match=r"unpacks to more than 0\.1 MB"):
        table_of(packed, megabytes=0.1)
    for damaged in (packed[:-20], packed[:100]):
        with pytest.raises(DataError, match="damaged zstd file"):
            table_of(damaged)


ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def ods(*sheets):
    """A spreadsheet of sheets given as XML rows, by their names."""
    tables = "".join(f'<t:table t:name="{name}">{rows}</t:table>' for name, rows in sheets)
    names = 'xmlns:o="o" xmlns:t="t" xmlns:x="x"'
    return zipped({"mimetype": ODS_TYPE, "content.xml": f"<o:doc {names}>{tables}</o:doc>"})


def ods_rows(rows):
    cells = (
        "".join(f'<t:table-cell o:value-type="string"><x:p>{cell}</x:p></t:table-cell>' for cell in row) for row in rows
    )
    return "".join(f"<t:table-row>{row}</t:table-row>" for row in cells)


def test_an_ods_file_is_read_from_the_sheet_that_holds_a_table(tmp_path):
    path = tmp_path / "x.ods"
    data = ods_rows([("text", "label"), *ROWS])
    path.write_bytes(ods(("Read me", ods_rows([["How to"], ["fill in"]])), ("Data", data)))
    table = read_table(path)
    assert pairs_of(table) == ROWS
    assert (table.format, table.sheet) == ("ODS, sheet “Data”", "Data")
    assert read_table(path, options=ReadOptions(sheet="read me")).rows == (("fill in",),)


def test_cells_of_every_kind_in_ods_are_read_as_they_are_shown(table_of):
    row = (
        '<t:table-row><t:table-cell o:value-type="string"><o:annotation><x:p>a note</x:p></o:annotation>'
        '<x:p>two<x:s x:c="2"/><x:span>bold</x:span> words</x:p><x:p>and a line</x:p></t:table-cell>'
        '<t:table-cell o:value-type="float" o:value="5"><x:p>5.00</x:p></t:table-cell>'
        '<t:table-cell t:number-columns-repeated="2"/>'
        '<t:table-cell o:value-type="boolean" o:boolean-value="true"/>'
        '<t:table-cell t:formula="of:=1+1"/><t:table-cell t:number-columns-repeated="16000"/></t:table-row>'
        '<t:table-row t:number-rows-repeated="1048000"><t:table-cell/></t:table-row>'
    )
    table = table_of(ods(("A", ods_rows([["a", "b", "c", "d", "e", "f"]]) + row)))
    assert table.rows == (("two  bold words\nand a line", "5", "", "", "TRUE", ""),)
    assert [(each.kind, each.count, each.line) for each in table.decisions] == [("formulas", 1, 2)]


@pytest.mark.parametrize(
    "rows",
    [
        '<t:table-row t:number-rows-repeated="9000000"><t:table-cell><x:p>a</x:p></t:table-cell></t:table-row>',
        '<t:table-row><t:table-cell t:number-columns-repeated="9000"><x:p>a</x:p></t:table-cell></t:table-row>',
        "<t:table-row>" + "<t:table-cell><x:p>" + "a" * 600_000 + "</x:p></t:table-cell>" * 2 + "</t:table-row>",
        "not closed <",
    ],
)
def test_an_ods_file_beyond_the_limits_or_damaged_is_refused(table_of, rows):
    with pytest.raises(DataError, match=r"cannot be read as ODS|more than"):
        table_of(ods(("A", rows)), rows=1_000, columns=100, megabytes=1)


# --- files that are no table


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html>\n<html><body>data.csv at main</body></html>", "web page, not the file"),
        (b"<html><table><tr><td>text</td></tr></table></html>", "web page with a table"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "Excel 2003"),
        (b'<?xml version="1.0"?><rows/>', "XML file"),
        (b"<sentences>\n  <sentence id='1'><text>Good.</text></sentence>\n</sentences>", "XML file"),
        (b"- text: Good.\n  label: pos\n- text: Bad.\n  label: neg\n", "YAML list"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"),
        (b"% about\n@relation mood\n\n@attribute text string\n@data\n'a',b\n", "ARFF"),
        (b'version: "3.1"\nnlu:\n- intent: greet\n', "Rasa"),
        (b"{\\rtf1\\ansi text,label}", "RTF"),
        (gzip.compress(bytes(257) + b"ustar\0" + bytes(249), mtime=0), "tar"),
        (b"SQLite format 3\0" + bytes(84), "SQLite"),
        (b"<stata_dta><header>", "Stata"),
        (b"$FL2@(#) SPSS DATA FILE", "SPSS"),
        (bytes(12) + b"\xc2\xea\x81\x60" + bytes(16), "SAS"),
        (b"\x80\x04\x95\x02\x02", "pickle"),
        (b"ARROW1\0\0" + bytes(9), "Arrow"),
        (b"\xff\xff\xff\xff\xa0\0\0\0", "Arrow stream"),
        (b"MATLAB 5.0 MAT-file, Platform: posix" + bytes(92), "MATLAB"),
        (b"CREATE TABLE a (b int);\n", "SQL"),
        (b'{"cells": [], "metadata": {}, "nbformat": 4}', "Jupyter"),
        (b"1\n00:00:01,000 --> 00:00:02,500\nHello.\n\n", "subtitles"),
        (b"+1 3:0.5 17:1\n-1 2:0.25 3:1\n", "LIBSVM"),
        (b"EU NNP B-ORG\nrejects VBZ O\n. . O\n\nPeter NNP B-PER\n", "CoNLL"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_the_way_on(table_of, content, words):
    with pytest.raises(DataError, match=rf"table\.csv (is|has|holds) .*{words}.*\. |table\.csv is .*{words}.*\."):
        table_of(content)


def test_limits_hold_for_one_json_value_in_a_stream(tmp_path):
    from mtst.data.readers.stream import open_stream

    (tmp_path / "x.json").write_text(json.dumps(OBJECTS * 50))
    with pytest.raises(DataError, match="one JSON value of more than"):
        open_stream(tmp_path / "x.json", limits=Limits(megabytes=0.01))
