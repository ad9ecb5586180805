"""A ZIP archive -> records: a workbook, an OpenDocument sheet, or the table that lies in it."""

import posixpath
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

from mtst.data.limits import Limits
from mtst.data.readers.binary.sheets import find_sheet, note_sheet
from mtst.data.readers.binary.xlsx import DAMAGE_ERRORS, DIRECTORY_ENTRY, MAX_PARTS, WORKBOOK, read_workbook
from mtst.data.readers.options import ReadOptions
from mtst.data.readers.records import Reading
from mtst.data.readers.signatures import DOCUMENT_TYPES, check_archive_kind, check_kind, check_name_kind
from mtst.data.readers.source import PACKINGS, ZIP
from mtst.errors import DataError

TABLE_SUFFIXES = (
    ".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson", ".json", ".xlsx", ".xlsm", ".ods", ".parquet", ".data",
)  # fmt: skip
NO_TABLES = ("readme", "license", "licence", "copying", "notice", "changelog")
ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
ENCRYPTED = 1  # a flag of a part
MAX_TYPE_BYTES = 200
MIN_TEXT_FILES = 20  # so many, and nothing else, are one text each


def read_archive(name: str, raw: bytes, limits: Limits, options: ReadOptions, *, inner: bool = False) -> Reading:
    """Return the records of a workbook or of the table in an archive.

    Raises:
        DataError: it is damaged, goes beyond a limit, or holds no table.
    """
    try:
        if raw.count(DIRECTORY_ENTRY) > MAX_PARTS:
            raise ValueError(f"it has more than {MAX_PARTS:,} parts")
        archive = zipfile.ZipFile(BytesIO(raw))
        parts = archive.namelist()
        kind = _document_type(archive)
    except DAMAGE_ERRORS as error:
        check_name_kind(name)
        reason = str(error).strip("'\"")
        raise DataError(
            f"{name} cannot be read as XLSX or ZIP: {reason}. Open it and save it again, or save the table as CSV."
        ) from error
    if WORKBOOK in parts:
        return read_workbook(name, archive, limits, options)
    if kind.startswith(ODS_TYPE):
        from mtst.data.readers.binary.ods import read_sheet

        return read_sheet(name, archive, limits, options)
    if kind in DOCUMENT_TYPES:
        raise DataError(f"{name} {DOCUMENT_TYPES[kind]}.")
    check_archive_kind(name, parts)
    if inner:
        raise DataError(f"{name} is an archive in an archive. Unpack it and choose the table in it.")
    return _read_member(name, archive, limits, options)


def _document_type(archive: zipfile.ZipFile) -> bytes:
    """Return the type that an OpenDocument file declares."""
    if "mimetype" not in archive.namelist() or archive.getinfo("mimetype").file_size > MAX_TYPE_BYTES:
        return b""
    return archive.read("mimetype").strip()


def _read_member(name: str, archive: zipfile.ZipFile, limits: Limits, options: ReadOptions) -> Reading:
    """Return the records of the table in an archive: the one that is asked for, one for training, or the largest."""
    from mtst.data.readers.formats import read_records  # which reads archives with this module

    members = _tables(archive.infolist())
    if not members:
        raise DataError(f"{name} is a ZIP archive and not a table: it holds no file that looks like one.")
    names = tuple(member.filename for member in members)
    if len(names) >= MIN_TEXT_FILES and all(each.lower().endswith(".txt") for each in names):
        raise DataError(
            f"{name} holds {len(names):,} text files, such as {names[0][:100]}, and no table. Write their texts to one "
            "CSV file, with a column for the label that each folder or name stands for."
        )
    if options.sheet:
        member = members[find_sheet(name, names, options.sheet)]
    else:
        member = max(members, key=lambda each: ("train" in each.filename.lower(), each.file_size))
    content = _unpack(name, archive, member, limits)
    inner_name = posixpath.basename(member.filename)
    check_kind(inner_name, content)
    if any(content.startswith(packing.magic) for packing in PACKINGS):
        raise DataError(f"{inner_name} in {name} is packed itself. Unpack the archive first.")
    inner_options = replace(options, sheet="")
    if content.startswith(ZIP):
        reading = read_archive(inner_name, content, limits, inner_options, inner=True)
    else:
        reading = read_records(inner_name, content, limits, inner_options)
    note_sheet(reading.notes, names, member.filename, "file")
    return replace(reading, format=f"{reading.format}, in a ZIP archive", sheets=names, sheet=member.filename)


def _tables(members: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the files that are tables by their names, or the only file there is."""
    files = [
        member
        for member in members
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and not posixpath.basename(member.filename).startswith(".")
    ]
    tables = [
        file
        for file in files
        if file.filename.lower().endswith(TABLE_SUFFIXES)
        and not posixpath.basename(file.filename).lower().startswith(NO_TABLES)
    ]
    return tables or (files if len(files) == 1 else [])


def _unpack(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> bytes:
    """Return the content of a file in an archive; it cannot hold more than it declares.

    Raises:
        DataError: it is too large, has a password, or is damaged.
    """
    where = f"{member.filename[:100]} in {name}"
    if member.flag_bits & ENCRYPTED:
        raise DataError(f"{where} has a password. Unpack it and choose the table in it.")
    if member.file_size > limits.bytes:
        raise DataError(
            f"{where} unpacks to more than {limits.megabytes:g} MB, the most that can be read here. Keep fewer rows, "
            "or only the columns of the text and the labels."
        )
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:  # other methods unpack without a bound
        raise DataError(f"{where} is packed in an unusual way. Unpack it and choose the table in it.")
    try:
        return archive.read(member)
    except (*DAMAGE_ERRORS, zlib.error) as error:
        raise DataError(f"{where} is damaged: {error}. Pack it again.") from error
