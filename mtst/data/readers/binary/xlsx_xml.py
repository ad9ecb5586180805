"""XML -> a stream of its elements, of which nothing is kept, so that no file can make it take much memory."""

from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

CHUNK = 1 << 16
MAX_DEPTH = 50
MAX_TAG_BYTES = 1_000_000
MAX_TEXT = 1_000_000  # characters; a spreadsheet's cell holds 32,767

# Name and parent's name, without prefixes; attributes; the text after the last child.
Element = tuple[str, str, dict[str, str], str]


TEXT = "#text"  # the name of a text that stands before a child element


def iter_elements(file: IO[bytes], *, mixed: bool = False) -> Iterator[list[Element]]:
    """Yield the elements in batches, in the order in which they end: children before their parents.

    With `mixed`, the text before a child is yielded too, as an element named `TEXT` whose parent holds it.

    Raises:
        ValueError: an element is larger or nested deeper than any of a workbook, or a document type is declared.
        expat.ExpatError: it is not XML.
    """
    open_elements: list[tuple[str, dict[str, str]]] = [("", {})]
    ended: list[Element] = []
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > MAX_DEPTH:
            raise ValueError(f"elements are nested deeper than {MAX_DEPTH}")
        if text and mixed:
            ended.append((TEXT, open_elements[-1][0], {}, "".join(text)))
        text.clear()
        open_elements.append((name.rpartition(":")[2] if ":" in name else name, attributes))

    def end(_: str) -> None:
        name, attributes = open_elements.pop()
        if text:
            ended.append((name, open_elements[-1][0], attributes, "".join(text)))
            text.clear()
        else:
            ended.append((name, open_elements[-1][0], attributes, ""))

    def add_text(characters: str) -> None:
        text.append(characters)
        if sum(map(len, text)) > MAX_TEXT:
            raise ValueError(f"a text is longer than {MAX_TEXT:,} characters")

    parser = expat.ParserCreate()
    parser.buffer_text, parser.buffer_size = True, CHUNK
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, add_text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    bytes_read = 0
    while chunk := file.read(CHUNK):
        parser.Parse(chunk)
        bytes_read += len(chunk)
        if bytes_read - parser.CurrentByteIndex > MAX_TAG_BYTES:
            raise ValueError(f"a tag is longer than {MAX_TAG_BYTES:,} bytes")
        yield ended
        ended.clear()
    parser.Parse(b"", True)  # noqa: FBT003 (positional only: isfinal)
    yield ended


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it declares a document type")  # whose entities could expand without bound
