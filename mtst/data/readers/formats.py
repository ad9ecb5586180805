"""The content of a file -> its records: which format it has, and how it is read."""

from mtst.data.limits import Limits
from mtst.data.readers.json.documents import check_no_message, document_table, is_document, parse_document
from mtst.data.readers.json.lines import (
    BLANK,
    has_half_character,
    parse_list,
    parse_object,
    read_json_lines,
    read_list_lines,
)
from mtst.data.readers.notes import Notes
from mtst.data.readers.options import ReadOptions
from mtst.data.readers.records import Reading, Records
from mtst.data.readers.signatures import check_text_kind
from mtst.data.readers.source import CHUNK, PARQUET, ZIP, Content, open_content, read_start
from mtst.data.readers.text.delimited import read_delimited
from mtst.data.readers.text.dialect import (
    NO_DELIMITER,
    SAMPLE_CHARACTERS,
    Dialect,
    excel_delimiter,
    find_dialect,
)
from mtst.data.readers.text.encoding import choose_encoding, encoding_name, is_text, text_lines, text_stream
from mtst.data.readers.text.labelled_lines import find_line_format, read_labelled_lines
from mtst.data.readers.text.markdown import is_markdown_table, read_markdown
from mtst.data.readers.text.quotes import find_quotes
from mtst.errors import DataError

JSON_LINES = "JSON Lines"


def read_records(name: str, content: Content, limits: Limits, options: ReadOptions) -> Reading:
    """Detect the format of a file's content and return its records.

    Raises:
        DataError: it is not a table, or `options` ask for what it does not have.
    """
    if isinstance(content, bytes) and content.startswith(ZIP):
        from mtst.data.readers.binary.archive import read_archive

        return read_archive(name, content, limits, options)
    if options.sheet:
        raise DataError(f"{name} has no sheets. Leave out the choice of a sheet.")
    if isinstance(content, bytes) and content.startswith(PARQUET):
        from mtst.data.readers.binary.parquet import read_parquet

        return read_parquet(name, content, limits)
    return _read_text(name, content, limits, options)


def _read_text(name: str, content: Content, limits: Limits, options: ReadOptions) -> Reading:
    notes = Notes()
    encoding = choose_encoding(content, options.encoding, notes)
    if not is_text(name, content, encoding):
        raise DataError(f"{name} is not a text file. Save the table as CSV (UTF-8) and choose that file.")
    start = text_stream(read_start(content, 4 * SAMPLE_CHARACTERS), encoding).read(SAMPLE_CHARACTERS)
    check_text_kind(name, start)
    if not options.delimiter:
        if reading := _read_json(name, content, encoding, limits, notes):
            return reading
        if reading := _read_known_lines(name, content, encoding, start, notes):
            return reading
    dialect, skip_lines = _choose_dialect(start, options, notes)
    return Reading(
        f"{dialect.format}, {encoding_name(encoding)}",
        read_delimited(name, content, encoding, dialect, notes, skip_lines),
        notes,
        encoding=encoding,
        delimiter="" if dialect.delimiter == NO_DELIMITER else dialect.delimiter,
    )


def _choose_dialect(start: str, options: ReadOptions, notes: Notes) -> tuple[Dialect, int]:
    """Return the dialect of a text, and how many lines stand before its first row."""
    excel, line = excel_delimiter(start)
    if excel:
        notes.add("separator line", 1, what=line)
    if options.separator or excel:
        dialect = Dialect(options.separator or excel)
    else:
        dialect = find_dialect(start.split("\n", max(0, options.header_line - 1))[-1])
        if not dialect.is_common and dialect.delimiter != NO_DELIMITER:
            notes.add("unusual delimiter", what=dialect.name)
    dialect = find_quotes(start, dialect)
    if dialect.quote == "'":
        notes.add("single quotes")
    return dialect, int(bool(excel))


def _read_json(name: str, content: Content, encoding: str, limits: Limits, notes: Notes) -> Reading | None:
    """Return the records of JSON Lines, or of one JSON value that holds a table; None if a text is neither."""
    lines = (line.strip(BLANK) for line in text_lines(name, content, encoding))
    line = next(filter(None, lines), "")
    parsed = parse_object(line)
    alone = not any(lines)
    is_line = parsed is not None and not (alone and is_document(parsed))
    if is_line or has_half_character(line):
        if alone and parsed is not None:
            check_no_message(name, parsed)
        records = read_json_lines(name, content, encoding, limits, notes)
        return Reading(f"{JSON_LINES}, {encoding_name(encoding)}", records, notes, names=True, encoding=encoding)
    if parsed is None and not alone and parse_list(line) is not None:
        rows = read_list_lines(name, content, encoding)
        return Reading(f"{JSON_LINES}, {encoding_name(encoding)}", rows, notes, encoding=encoding)
    if parsed is None and not _begins_json(line):
        return None
    table = document_table(name, parse_document(name, _utf8(name, content, encoding, limits), limits), limits, notes)
    return Reading(f"JSON, {encoding_name(encoding)}", table.records, notes, names=table.names, encoding=encoding)


def _begins_json(line: str) -> bool:
    """Return whether the first line of a text is the beginning of a JSON value rather than a sentence in brackets."""
    rest = line[1:].lstrip()
    return line[:1] in ("[", "{") and (not rest or rest[0] in '[{"')


def _utf8(name: str, content: Content, encoding: str, limits: Limits) -> bytes:
    """Return a text in UTF-8.

    Raises:
        DataError: it is larger than the limit.
    """
    raw = bytearray()
    with open_content(content) as file:
        while chunk := file.read(CHUNK):
            raw += chunk
            if len(raw) > limits.bytes:
                raise DataError(
                    f"{name} is one JSON value of more than {limits.megabytes:g} MB, the most that can be read here. "
                    "Save it as JSON Lines: one object per line."
                )
    return text_stream(bytes(raw), encoding).read().lstrip("\ufeff").encode("utf-8", "replace")


def _read_known_lines(name: str, content: Content, encoding: str, start: str, notes: Notes) -> Reading | None:
    """Return the records of a Markdown table or of labelled lines; None if a text is neither."""
    if is_markdown_table(start):
        records: Records = read_markdown(name, content, encoding, notes)
        return Reading(f"Markdown, {encoding_name(encoding)}", records, notes, names=True, encoding=encoding)
    form = find_line_format(start, whole=len(start) < SAMPLE_CHARACTERS)
    if form is None:
        return None
    records = read_labelled_lines(name, content, encoding, form, notes)
    return Reading(f"{form.name}, {encoding_name(encoding)}", records, notes, names=True, encoding=encoding)
