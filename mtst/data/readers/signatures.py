"""Files that are no table, by their first bytes: what each is, and the way on."""

import re
from dataclasses import dataclass

from mtst.errors import DataError

TEXT_START = 2_000  # characters in which a text says what it is


@dataclass(frozen=True)
class Signature:
    """The bytes that a kind of file has at a place near its beginning, and what to do about it, as a sentence's end."""

    magic: bytes
    advice: str
    offset: int = 0

    def matches(self, start: bytes) -> bool:
        """Return whether a file begins like this."""
        return start.startswith(self.magic, self.offset)


@dataclass(frozen=True)
class TextSignature:
    """A pattern that the beginning of a text has if it is of a kind, and what to do about it."""

    pattern: re.Pattern[str]
    advice: str


HTML_ELEMENTS = r"p|div|span|b|i|a|br|ul|ol|li|h\d|strong|em|u|font|blockquote"  # that a text may begin with
UNPACK = "Unpack it and choose the table in it"
IWORK = "is an Apple iWork document, such as Numbers. Export it as XLSX or CSV"
AS_CSV = "Save the table as CSV or XLSX"
IN_PANDAS = "In Python, read it with pandas.{reader} and save it with to_csv or to_parquet"
SIGNATURES: tuple[Signature, ...] = (
    Signature(
        b"\xd0\xcf\x11\xe0",
        "is an Office file of the old kind (.xls, .doc) or has a password. Save the table as .xlsx or CSV, without a "
        "password",
    ),
    Signature(b"%PDF-", f"is a PDF. {AS_CSV}"),
    Signature(b"{\\rtf", "is a text document (RTF), not a table. Save it as plain text, or the table as CSV"),
    Signature(b"7z\xbc\xaf", f"is an archive (7z). {UNPACK}"),
    Signature(b"Rar!\x1a", f"is an archive (RAR). {UNPACK}"),
    Signature(b"BZh91AY&SY", "is packed with bzip2. Unpack it, or pack it with gzip"),
    Signature(b"\xfd7zXZ", "is packed with xz. Unpack it, or pack it with gzip"),
    Signature(b"\x04\x22\x4d\x18", "is packed with LZ4. Unpack it, or pack it with gzip"),
    Signature(b"ustar", f"is an archive (tar). {UNPACK}", offset=257),
    Signature(b"SQLite format 3\0", "is an SQLite database. Export the table from it as CSV"),
    Signature(b"<stata_dta>", f"is a Stata file. {IN_PANDAS.format(reader='read_stata')}"),
    Signature(b"\0\0\0\0\0\0\0\0\0\0\0\0\xc2\xea\x81\x60", f"is a SAS file. {IN_PANDAS.format(reader='read_sas')}"),
    Signature(b"HEADER RECORD*******", f"is a SAS transport file. {IN_PANDAS.format(reader='read_sas')}"),
    Signature(b"$FL2@(#)", f"is an SPSS file. {IN_PANDAS.format(reader='read_spss')}"),
    Signature(b"$FL3@(#)", f"is an SPSS file. {IN_PANDAS.format(reader='read_spss')}"),
    Signature(b"ARROW1\0\0", f"is an Arrow (Feather) file. {IN_PANDAS.format(reader='read_feather')}"),
    Signature(
        b"\xff\xff\xff\xff",
        "is an Arrow stream. In Python, read it with pyarrow.ipc.open_stream and save it with pandas' to_csv",
    ),
    Signature(b"Obj\x01", "is an Avro file. Save the table as CSV, JSON Lines or Parquet"),
    Signature(b"\x89HDF\r\n\x1a\n", f"is an HDF5 file. {IN_PANDAS.format(reader='read_hdf')}"),
    Signature(b"\x93NUMPY", "holds a NumPy array, not a table of texts. Save the texts and labels as CSV"),
    Signature(b"RDX2\n", "is an R data file. In R, save the table with write.csv"),
    Signature(b"RDX3\n", "is an R data file. In R, save the table with write.csv"),
    Signature(b"X\n\0\0\0", "is an R data file. In R, save the table with write.csv"),
    Signature(b"MATLAB 5.0 MAT-file", "is a MATLAB file. In MATLAB, save the table with writetable"),
    Signature(b"\0\x01\0\0Standard ACE DB", "is an Access database. Export the table from it as CSV"),
    Signature(b"\0\x01\0\0Standard Jet DB", "is an Access database. Export the table from it as CSV"),
    Signature(b"\x89PNG", f"is an image. {AS_CSV}"),
    Signature(b"\xff\xd8\xff", f"is an image. {AS_CSV}"),
    Signature(b"GIF89a", f"is an image. {AS_CSV}"),
    Signature(b"MZ\x90\0", "is a program. Choose the file of the table"),
    Signature(b"\x7fELF", "is a program. Choose the file of the table"),
)
# A pickle may run code when it is read, so it is never read. Protocols 2 to 5; none of these bytes begins a text.
SIGNATURES += tuple(
    Signature(bytes([0x80, protocol]), "is a Python pickle, which is not safe to read. Save the table with to_csv")
    for protocol in range(2, 6)
)
STATA_VERSIONS = (b"\x71", b"\x72", b"\x73")  # before Stata 13: version, byte order, file type, unused
SIGNATURES += tuple(
    Signature(version + order + b"\x01\x00", f"is a Stata file. {IN_PANDAS.format(reader='read_stata')}")
    for version in STATA_VERSIONS
    for order in (b"\x01", b"\x02")
)

# Parts that a ZIP archive of a kind has -> what it is.
ARCHIVES = (
    ("word/", "is a Word document, not a table. Save the table in it as XLSX or CSV"),
    ("ppt/", f"is a PowerPoint presentation. {AS_CSV}"),
    ("xl/workbook.bin", "is a binary Excel workbook (.xlsb). Save it as .xlsx or CSV"),
    ("Index/Document.iwa", IWORK),
    ("Index.zip", IWORK),
    ("META-INF/container.xml", f"is an e-book (EPUB). {AS_CSV}"),
    ("AndroidManifest.xml", "is an Android app. Choose the file of the table"),
)
# The types that OpenDocument files and others begin with, in a part named `mimetype`.
DOCUMENT_TYPES = {
    b"application/vnd.oasis.opendocument.text": "is a text document (ODT). Save the table in it as ODS, XLSX or CSV",
    b"application/vnd.oasis.opendocument.presentation": f"is a presentation (ODP). {AS_CSV}",
    b"application/epub+zip": f"is an e-book (EPUB). {AS_CSV}",
}


def _text(pattern: str, advice: str) -> TextSignature:
    return TextSignature(re.compile(pattern, re.I | re.S), advice)


TEXT_SIGNATURES = (
    _text(
        r"version https://git-lfs\.github\.com/spec/",
        "is a pointer to a file in Git LFS, not the file. Download the file itself (git lfs pull, or the Download "
        "button of its page)",
    ),
    _text(
        r"<\?xml.*?progid=.Excel\.Sheet|<\?xml.*?urn:schemas-microsoft-com:office:spreadsheet",
        "is an XML spreadsheet of Excel 2003. Open it in Excel or LibreOffice and save it as .xlsx or CSV",
    ),
    _text(
        r"(<!doctype html|<html|<head|<meta|<table|<body).*?<t(able|r)\b(?!.*github)",
        "is a web page with a table, not a spreadsheet. Open it in Excel or LibreOffice and save it as .xlsx or CSV",
    ),
    _text(
        r"(<!doctype html|<html|<head|<meta|<body|<div|<script)[\s>]",
        "is a web page, not the file that it shows. Download the file itself: on GitHub and Hugging Face with the "
        "Raw or Download button of its page",
    ),
    _text(
        rf"<\?xml|<!doctype\s|<(?!(?:{HTML_ELEMENTS})\b)[a-z][\w:.-]*(\s[^<>]*)?>\s*\n\s*<[a-z]",
        f"is an XML file. {IN_PANDAS.format(reader='read_xml')}",
    ),
    _text(
        r"(%[^\n]*\n|\s)*@relation\s.*?@attribute\s",
        "is an ARFF file of Weka. In Python, read it with scipy.io.arff.loadarff, or save it as CSV in Weka",
    ),
    _text(
        r"""(version:\s*["']?[\d.]+["']?\s*\n\s*)?(nlu:|intents:|stories:|- intent:)\s""",
        "is YAML training data of Rasa, not a table. Write it as CSV with a column of texts and a column of intents",
    ),
    _text(r"---\s*\n[\w-]+:\s", f"is a YAML or Markdown document, not a table. {AS_CSV}"),
    _text(
        r"(- ([\w-]+):[^\n]*\n(  [\w-]+:[^\n]*\n)+){2}",
        "is a YAML list. In Python, read it with yaml.safe_load and pandas.DataFrame, and save it with to_csv",
    ),
    _text(r"\\documentclass|\\begin\{", f"is a LaTeX document. {AS_CSV}"),
    _text(
        r"(--[^\n]*\n|/\*.*?\*/|\s)*(CREATE TABLE|INSERT INTO|DROP TABLE)\s",
        "is an SQL script. Export the table as CSV",
    ),
    _text(
        r"\{\s*\"(cells|metadata|nbformat)\"\s*:.*?\"(cell_type|nbformat|kernelspec)\"",
        "is a Jupyter notebook. Save the table in it with to_csv or to_parquet",
    ),
    _text(
        r"(WEBVTT\b|\d+\s*\n\d\d:\d\d:\d\d[,.]\d{3} --> \d\d:\d\d:)",
        "is a file of subtitles, without labels. Write it as CSV with a column of texts and one of labels",
    ),
    _text(
        r"([-+]?\d+(\.\d+)?([ \t]+\d+:[-+.\de]+)+[ \t]*\r?\n){2}",
        "holds numbers in the form of LIBSVM, not texts. Choose the file of the texts that they were computed from",
    ),
    _text(
        r"((-DOCSTART-[^\n]*\n\s*)?(\S+[ \t](\S+[ \t]){0,8}(O|[BIES]-\S+)[ \t]*\r?\n){3,}\s*\n)"
        r"(\S+[ \t](\S+[ \t]){0,8}(O|[BIES]-\S+)[ \t]*\r?\n)",
        "has a line and a label for each word (CoNLL); a label for each sentence is needed. Write it as CSV with a "
        "column of sentences and one of labels",
    ),
    _text(r"#!\s*/", "is a program or a script. Choose the file of the table"),
)  # fmt: skip


def check_kind(name: str, start: bytes) -> None:
    """Refuse a file whose first bytes are those of a known format that is no table.

    Raises:
        DataError: it is such a file; the message says what to do about it.
    """
    for signature in SIGNATURES:
        if signature.matches(start):
            raise DataError(f"{name} {signature.advice}.")


def check_text_kind(name: str, start: str) -> None:
    """Refuse a text that begins like a document of another kind.

    Raises:
        DataError: it is such a text; the message says what to do about it.
    """
    beginning = start[:TEXT_START].lstrip("\ufeff \t\r\n")
    for signature in TEXT_SIGNATURES:
        if signature.pattern.match(beginning):
            raise DataError(f"{name} {signature.advice}.")


def check_archive_kind(name: str, parts: list[str]) -> None:
    """Refuse a ZIP archive that is a document of another kind.

    Raises:
        DataError: it is such a document; the message says what to do about it.
    """
    for part, advice in ARCHIVES:
        if any(each.startswith(part) for each in parts):
            raise DataError(f"{name} {advice}.")


def check_name_kind(name: str) -> None:
    """Refuse a file that cannot be looked into and that has the name of a document of another kind.

    Raises:
        DataError: it has such a name; the message says what to do about it.
    """
    if name.lower().endswith((".numbers", ".pages", ".key")):
        raise DataError(f"{name} {IWORK}.")
