"""Files that are made to exhaust whoever reads them: each is read or refused within 300 MB of memory.

They are read in a process of its own, with the limits of the app.
"""

import gzip
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import mtst
from tests.support.sheets import PARTS, filled, write_large, zipped

MOST = 300_000_000  # bytes, above an idle process
SHEET, STRINGS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
BOOK, TYPES, RELATIONS = "xl/workbook.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
SCRIPT = """
import json, re, resource, sys
from pathlib import Path
from mtst.errors import DataError
from mtst.runs.settings import Settings
from mtst.data.table import read_table

def peak():
    status = Path("/proc/self/status")  # what a process inherits from the one that started it does not count there
    if status.exists():
        return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

idle = peak()
for line in sys.stdin:
    try:
        table = read_table(line.strip(), Settings().limits)
        said = f"{len(table.rows)} rows, {len(table.skipped)} skipped"
    except DataError as error:
        said = str(error)
    table = None
    print(json.dumps([said, peak() - idle]), flush=True)
"""


@pytest.fixture(scope="module")
def outcome():
    """Tell what reading a file comes to, and how much memory it and those before it took at most."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    home = Path(mtst.__file__).parent.parent
    with subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=home, **pipes) as reader:

        def tell(path):
            reader.stdin.write(f"{path}\n")
            reader.stdin.flush()
            return json.loads(reader.stdout.readline())

        yield tell


def text(unit, megabytes=19, start="", end=""):
    """A maker of a file that holds `unit` again and again."""

    def make(path):
        block = unit * (1_000_000 // len(unit.encode()))
        path.write_bytes((start + block * megabytes + end).encode())

    return make


def part(name, unit, megabytes, start="", end=""):
    return lambda path: write_large(path, name, unit, megabytes, start, end)


def sparse(path):
    with path.open("wb") as file:
        file.write(b"text,mood\n")
        file.truncate(500_000_000)


def gzip_bomb(path):
    path.write_bytes(gzip.compress(b"text,mood\n") + gzip.compress(b"so far,glad\n" * 800_000, 9) * 100)


def many_parts(path):
    """Half a million entries in the directory, none of which is anywhere else."""
    empty, target = zipfile.ZipInfo("a"), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(empty, b"")
    content = target.getvalue()
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    directory = content[start:end] * 400_000
    size = len(directory).to_bytes(4, "little")
    path.write_bytes(content[:start] + directory + content[end : end + 12] + size + content[end + 16 :])


def rows(*lines):
    return lambda path: path.write_bytes(zipped(filled(PARTS, "".join(lines))))


def blank_rows(path):
    lines = (f'<row r="{number}" ht="15"/>' for number in range(3, 1_000_003))
    rows('<row r="2"><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>', *lines)(path)


def far_cells(path):
    rows(*(f'<row r="{number}"><c r="XFD{number}"><v>1</v></c></row>' for number in range(2, 100_000)))(path)


def laughs(path):
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(10))
    sheet = filled(PARTS)[SHEET].replace("<v>0</v>", "<v>&a10;</v>")
    path.write_bytes(zipped(filled(PARTS) | {SHEET: f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>{sheet}'}))


def one_text_everywhere(path):
    sheet = "<row><c t='s'><v>2</v></c><c t='s'><v>2</v></c></row>" * 19_000
    path.write_bytes(zipped(filled(PARTS, sheet, ["word " * 6_500])))


def wide_json(path):
    path.write_text("{" + ",".join(f'"{n:x}":0' for n in range(1_000)) + "}\n" + '{"1":"a"}\n' * 19_000)


def many_keys(path):
    path.write_text("".join(f'{{"{n:x}":0}}\n' for n in range(500_000)))


BOMBS = {
    "500 MB": (sparse, "more than 20 MB"),
    "gzip": (gzip_bomb, "unpacks to more than 20 MB"),
    "commas": (text(","), "Line 1 .* more than 2,000,000 characters"),
    "cells": (text("ab,", start="text,mood\n"), "Line 2 .* more than 2,000,000 characters"),
    "wide rows": (text("ab," * 300_000 + "\n", 19, "text,mood\n"), "no rows .* in place of 2"),
    "one line": (text("x", 9, "text,mood\n\U0001f600"), "Line 2 .* more than 2,000,000 characters"),
    "quotes that never match": (text('a","b\n'), "many quotes"),
    "a quote that is never closed": (text("\n", 4, 'text,mood\n"so'), "no rows .* malformed: a quote"),
    "an open quote with words": (text("a\n", start='text,mood\n"\U0001f600'), "more than 20,000 rows"),
    "blank lines": (text("\n", 3, "text,mood\na,b\n"), "1 rows, 0 skipped"),
    "two million cells": (text("ab," * 99 + "ab\n", 5), r"\d+ rows, 0 skipped|more than"),
    "JSON lists": (text("[],", start='{"text":[', end="[]]}"), "Line 1 .* characters"),
    "JSON objects": (text("{},", 1, '{"text":[', "{}]}\n"), "more than 20,000 rows"),
    "JSON keys": (many_keys, "more than 1,000 columns"),
    "JSON columns": (wide_json, "more than 2,000,000 cells"),
    "a large sheet": (part(SHEET, "<row><c t='s'><v>0</v></c></row>", 101), "unpacks to more than 100 MB"),
    "large strings": (part(STRINGS, "<si><t>ab</t></si>", 101), "unpacks to more than 100 MB"),
    "large styles": (part(STYLES, "<xf/>", 101), "larger than 5 MB"),
    "a large workbook.xml": (part(BOOK, '<sheet name="a" sheetId="1"/>', 101), "larger than 5 MB"),
    "large content types": (part(TYPES, "<a/>", 101), "no rows"),
    "styles within the limit": (part(STYLES, "<xf/>", 3), "no rows"),
    "sheets within the limit": (part(BOOK, '<sheet name="a" r:id="r1"/>', 4), "no rows"),
    "relations within the limit": (part(RELATIONS, "<a Id='a' Target='a'/>", 4), "no rows"),
    "strings within the limit": (part(STRINGS, "<si><t>ab</t></si>", 9), "no rows"),
    "one long text": (part(STRINGS, "ab \U0001f600", 50, "<si><t>", "</t></si>"), "text is longer than 1,000,000"),
    "rows without cells": (part(SHEET, "<row/>", 6), "no rows"),
    "one row": (part(SHEET, '<c r="A1" s="0" t="s"/>', 20, "<row>", "</row>"), "no rows"),
    "elements of no meaning": (part(SHEET, '<a b="c"/>', 12), "no rows"),
    "deep XML": (part(SHEET, "<a>", 50), "nested deeper than 50"),
    "a long tag": (part(SHEET, "a", 50, "<", "/>"), "a tag is longer than 1,000,000 bytes"),
    "a long attribute": (part(SHEET, "a", 50, "<row r='", "'/>"), "a tag is longer than 1,000,000 bytes"),
    "a long comment": (part(SHEET, "a ", 50, "<!--", "-->"), "a tag is longer than 1,000,000 bytes"),
    "a long format": (part(STYLES, "[", 1, "<numFmt numFmtId='1' formatCode='", "'/>"), "no rows|a tag is longer"),
    "many parts": (many_parts, "more than 10,000 parts"),
    "a million blank rows": (blank_rows, "1 rows, 0 skipped"),
    "far cells": (far_cells, "beyond column 1,000"),
    "a billion laughs": (laughs, "declares a document type"),
    "one text everywhere": (one_text_everywhere, "more than 20 million characters"),
}


# Those that take seconds; of each kind a quicker one is left for every run.
SLOW = {
    "quotes that never match", "a quote that is never closed", "blank lines", "strings within the limit",
    "rows without cells", "one row", "elements of no meaning", "a million blank rows",
}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "words"),
    [pytest.param(*bomb, id=name, marks=[pytest.mark.slow] * (name in SLOW)) for name, bomb in BOMBS.items()],
)
def test_a_file_takes_little_memory_whatever_is_in_it(outcome, tmp_path, make, words):
    make(tmp_path / "bomb")
    said, taken = outcome(tmp_path / "bomb")
    assert re.search(words, said), said
    assert taken < MOST
