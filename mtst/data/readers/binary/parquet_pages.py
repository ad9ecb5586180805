"""The sizes of the pages of a Parquet file, so that none is unpacked that is larger than the limit.

The footer says how large the columns are, but a page says for itself what it unpacks to, and that is what a library
allocates. Page headers are structures of Thrift's compact protocol.
"""

from collections.abc import Iterator

INTEGER = 5
MAX_HEADER_BYTES = 1 << 16
MAX_DEPTH = 8  # of structures in a header
UNPACKED_SIZE, PACKED_SIZE = 2, 3  # the fields of a page header


class _Header:
    """The bytes of a page header, read one value at a time.

    Raises:
        ValueError: while reading, if they are no such header.
    """

    def __init__(self, raw: bytes, start: int) -> None:
        self._raw = raw
        self._end = min(len(raw), start + MAX_HEADER_BYTES)
        self.position = start

    def integers(self) -> dict[int, int]:
        """Return the integer fields of the structure at the position, and skip the others."""
        found: dict[int, int] = {}
        field = 0
        while head := self._byte():
            kind = head & 0x0F
            field = field + (head >> 4) if head >> 4 else self._signed()
            if kind == INTEGER:
                found[field] = self._signed()
            else:
                self._skip(kind, 0)
        return found

    def _byte(self) -> int:
        if self.position >= self._end:
            raise ValueError("a page header is damaged")
        self.position += 1
        return self._raw[self.position - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("a page header is damaged")

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, kind: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ValueError("a page header is damaged")
        match kind:
            case 1 | 2:  # a boolean, which its type holds
                pass
            case 3 | 4 | 5 | 6:  # whole numbers
                self._varint()
            case 8:  # bytes or a text
                length = self._varint()
                self.position += length
            case 12:  # a structure
                self._skip_structure(depth + 1)
            case _:  # none of the others is in a page header
                raise ValueError("a page header is damaged")

    def _skip_structure(self, depth: int) -> None:
        while head := self._byte():
            if not head >> 4:
                self._varint()
            self._skip(head & 0x0F, depth)


def page_sizes(raw: bytes, start: int, end: int) -> Iterator[int]:
    """Yield the unpacked size in bytes of each page of a column, which lies from `start` to `end`.

    Raises:
        ValueError: a header is damaged.
    """
    position = start
    while position < end:
        header = _Header(raw, position)
        fields = header.integers()
        unpacked, packed = fields.get(UNPACKED_SIZE, -1), fields.get(PACKED_SIZE, -1)
        if unpacked < 0 or packed < 0:
            raise ValueError("a page header is damaged")
        yield unpacked
        position = header.position + packed
