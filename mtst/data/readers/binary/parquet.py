"""Parquet -> records: its text, number and flag columns, read in batches and never unpacked beyond the limit."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from json import dumps
from typing import TYPE_CHECKING, Any

from mtst.data.limits import Limits
from mtst.data.readers.binary.parquet_labels import label_names, name_labels
from mtst.data.readers.binary.parquet_pages import page_sizes
from mtst.data.readers.notes import Notes
from mtst.data.readers.records import Reading, Record
from mtst.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 1_024
MAX_FOOTER_BYTES = 10_000_000
MAX_PAGES = 200_000


def read_parquet(name: str, raw: bytes, limits: Limits) -> Reading:
    """Return the rows of a Parquet file; lists and structures become JSON, and binary columns are left out.

    The line of a row is its number, counted from 1.

    Raises:
        DataError: it is damaged or goes beyond a limit; iterating over the rows can raise it too.
    """
    with _translate_damage(name):
        import pyarrow.parquet as pq  # here, since few files need it

        if int.from_bytes(raw[-8:-4], "little") > MAX_FOOTER_BYTES:
            raise ValueError(f"its directory is larger than {MAX_FOOTER_BYTES / 1e6:g} MB")
        file = pq.ParquetFile(BytesIO(raw))
        _check_size(name, raw, file.metadata, limits)
        kept = [field.name for field in file.schema_arrow if _is_readable(field.type)]
        left_out = [field.name for field in file.schema_arrow if not _is_readable(field.type)]
        leaves = [file.schema.column(index) for index in range(len(file.schema.names))]
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY" and leaf.path.split(".")[0] in kept]
        file = pq.ParquetFile(BytesIO(raw), read_dictionary=texts)
        names = label_names(file.schema_arrow)
    notes = Notes()
    if left_out:
        notes.add("list shape", what=f"Columns of bytes or nested values are left out: {', '.join(left_out[:8])}.")
    named = [column for column in kept if column in names]
    if named:
        notes.add("label names", count=len(named), what=", ".join(named[:8]))
    return Reading("Parquet", _records(name, file, kept, names, limits), notes, names=True)


@contextmanager
def _translate_damage(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = str(error).split("\n")[0][:200].rstrip(".")
        raise DataError(
            f"{name} cannot be read as Parquet: {reason}. Save the table again, or save it as CSV."
        ) from error


def _check_size(name: str, raw: bytes, metadata: "pq.FileMetaData", limits: Limits) -> None:
    """Refuse a file that unpacks to more than the limit, whatever its directory says.

    Raises:
        DataError: there are more rows, columns or bytes than the limits allow.
        ValueError: it is damaged.
    """
    if metadata.num_rows > limits.rows:
        raise DataError(f"{name} has more than {limits.rows:,} rows, the most that can be read here. Keep that many.")
    if metadata.num_columns > limits.columns:
        raise DataError(
            f"{name} has {metadata.num_columns:,} columns; at most {limits.columns:,} can be read here. "
            "Keep those of the text and the labels."
        )
    unpacked = pages = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            pages += 1
            start = min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset)), default=0)
            for size in page_sizes(raw, start, min(len(raw), start + chunk.total_compressed_size)):
                unpacked, pages = unpacked + size, pages + 1
                if pages > MAX_PAGES:
                    raise ValueError(f"it has more than {MAX_PAGES:,} pages")
                if unpacked > limits.bytes:
                    raise DataError(
                        f"{name} unpacks to more than {limits.megabytes:g} MB, the most that can be read here. "
                        "Keep fewer rows, or only the columns of the text and the labels."
                    )


def _is_readable(kind: "pa.DataType") -> bool:
    """Return whether a column holds texts, numbers, flags or dates, or lists of these."""
    import pyarrow.types as types

    if types.is_list(kind) or types.is_large_list(kind):
        return not types.is_nested(kind.value_type) and _is_readable(kind.value_type)
    return not (
        types.is_nested(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
    )


def _records(
    name: str, file: "pq.ParquetFile", columns: list[str], names: Mapping[str, tuple[str, ...]], limits: Limits
) -> Iterator[Record]:
    """Yield the names of the columns, then the rows; equal texts of a batch are one object.

    A file may refer to one long text from every row, so characters are counted as they are given out.
    """
    yield Record(0, list(columns))
    number = characters = 0
    with _translate_damage(name):
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            pairs = zip(columns, batch.columns, strict=True)
            for row in zip(*(_cells(cells, names.get(column, ()), limits) for column, cells in pairs), strict=True):
                number += 1
                characters += sum(map(len, row))
                if characters > limits.bytes:
                    raise _too_long(limits)
                yield Record(number, list(row))


def _too_long(limits: Limits) -> ValueError:
    return ValueError(f"it holds more than {limits.megabytes:g} million characters, the most that can be read here")


def _cells(column: "pa.Array", names: tuple[str, ...], limits: Limits) -> Iterator[str]:
    """Yield the values of a column as texts, a missing one as a blank; a list as JSON; the numbers of labels by name.

    Raises:
        ValueError: a list is longer than all texts may be.
    """
    import pyarrow.types as types

    if not (types.is_list(column.type) or types.is_large_list(column.type)):
        yield from map(_cell_text, _values(column, names))
        return
    offsets, missing = column.offsets.to_pylist(), column.is_null().to_pylist()
    values = _values(column.values, names)
    for start, end, is_missing in zip(offsets, offsets[1:], missing, strict=False):
        row = values[start:end]
        if sum(len(value) for value in row if isinstance(value, str)) > limits.bytes:
            raise _too_long(limits)
        yield "" if is_missing else dumps(row, ensure_ascii=False, default=str)


def _values(column: "pa.Array", names: tuple[str, ...]) -> list[Any]:
    """Return the values of an array, numbers of labels by their names; equal texts are one object."""
    import pyarrow as pa

    if not isinstance(column, pa.DictionaryArray):
        values = column.to_pylist()
        return [name_labels(value, names) for value in values] if names else list(values)
    values = column.dictionary.to_pylist()
    return [None if index is None else values[index] for index in column.indices.to_pylist()]


def _cell_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
