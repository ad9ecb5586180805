"""The files of the page that are not Python: JavaScript and HTML."""

from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"


def static_text(name: str) -> str:
    """Return the text of a file in `mtst/ui/static`."""
    return (STATIC / name).read_text(encoding="utf-8")
