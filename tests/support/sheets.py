"""XLSX files made by hand: as Excel writes them, with shared strings, and as no program would."""

import io
import zipfile
from xml.sax.saxutils import escape

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORKSHEET = f"<worksheet {MAIN}><sheetData>", "</sheetData></worksheet>"
STRINGS = f"<sst {MAIN}>", "</sst>"
STYLES = f"<styleSheet {MAIN}><cellXfs><xf/>", "</cellXfs></styleSheet>"
TYPES = f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>', "</Types>"
BOOK = f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="a" sheetId="1" r:id="r1"/>', "</sheets></workbook>"
RELATIONS = (
    f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{OFFICE}/sharedStrings" Target="/xl/sharedStrings.xml"/>'
    f'<Relationship Id="r3" Type="{OFFICE}/styles" Target="styles.xml"/>',
    "</Relationships>",
)
HEADER = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
PARTS = {
    "[Content_Types].xml": TYPES,
    "xl/workbook.xml": BOOK,
    "xl/_rels/workbook.xml.rels": RELATIONS,
    "xl/styles.xml": STYLES,
    "xl/sharedStrings.xml": STRINGS,
    "xl/worksheets/sheet1.xml": WORKSHEET,
}
MEGABYTE = 1_000_000


def string(text):
    return f'<si><t xml:space="preserve">{escape(text)}</t></si>'


def filled(parts, sheet="", strings=()):
    """Parts as text: the sheet with rows of XML in it, and shared strings of which the first two name the columns."""
    inside = {
        "xl/worksheets/sheet1.xml": HEADER + sheet,
        "xl/sharedStrings.xml": "".join(map(string, ["text", "mood", *strings])),
    }
    return {name: start + inside.get(name, "") + end for name, (start, end) in parts.items()}


def zipped(parts, packing=zipfile.ZIP_DEFLATED):
    """A ZIP archive that is the same whenever it is made."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, packing)
    return target.getvalue()


def parts_of(rows):
    """The parts of a workbook with these rows of texts, each text said once and referred to, as Excel writes it."""
    places = {}
    lines = []
    for number, row in enumerate(rows, 1):
        cells = [f'<c t="s"><v>{places.setdefault(cell, len(places))}</v></c>' if cell else "<c/>" for cell in row]
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    inside = {"xl/worksheets/sheet1.xml": "".join(lines), "xl/sharedStrings.xml": "".join(map(string, places))}
    return {name: start + inside.get(name, "") + end for name, (start, end) in PARTS.items()}


def write_large(path, part, unit, megabytes, start="", end=""):
    """Write a workbook of which one part holds `unit` again and again, between what else it is to hold."""
    opened, closed = PARTS.get(part, ("", ""))
    header = HEADER if part.endswith("sheet1.xml") else ""
    block = (unit * (MEGABYTE // len(unit.encode()))).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in filled(PARTS).items():
            if name != part:
                archive.writestr(name, content)
        with archive.open(part, "w", force_zip64=True) as file:
            file.write((opened + header + start).encode())
            for _ in range(megabytes):
                file.write(block)
            file.write((end + closed).encode())
