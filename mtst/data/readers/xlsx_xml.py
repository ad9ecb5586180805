"""XML as a stream of the elements that end, of which nothing is kept: no file can make it take much memory."""

from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

CHUNK = 1 << 16
DEPTH = 50
TAG = 1_000_000  # bytes
TEXT = 1_000_000  # characters; a spreadsheet's cell holds 32,767

# Its name and its parent's, without prefixes; its attributes; the text behind its last child.
Element = tuple[str, str, dict[str, str], str]


def elements(file: BinaryIO) -> Iterator[list[Element]]:
    """Yield the elements in the order in which they end, so children come before their parents, some at a time.

    Raises:
        ValueError: an element is larger or deeper than any of a workbook, or there may be entities.
        expat.ExpatError: it is not XML.
    """
    opened: list[tuple[str, dict[str, str]]] = [("", {})]
    ended: list[Element] = []
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(opened) > DEPTH:
            raise ValueError(f"elements are nested deeper than {DEPTH}")
        opened.append((name.rpartition(":")[2] if ":" in name else name, attributes))
        if text:
            text.clear()

    def end(_: str) -> None:
        name, attributes = opened.pop()
        if text:
            ended.append((name, opened[-1][0], attributes, "".join(text)))
            text.clear()
        else:
            ended.append((name, opened[-1][0], attributes, ""))

    def add(characters: str) -> None:
        text.append(characters)
        if sum(map(len, text)) > TEXT:
            raise ValueError(f"a text is longer than {TEXT:,} characters")

    parser = expat.ParserCreate()
    parser.buffer_text, parser.buffer_size = True, CHUNK
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, add
    parser.StartDoctypeDeclHandler = _refuse
    read = 0
    while chunk := file.read(CHUNK):
        parser.Parse(chunk)
        read += len(chunk)
        if read - parser.CurrentByteIndex > TAG:
            raise ValueError(f"a tag is longer than {TAG:,} bytes")
        yield ended
        ended.clear()
    parser.Parse(b"", True)
    yield ended


def _refuse(*_: object) -> None:
    raise ValueError("it declares a document type")  # in which entities would grow
