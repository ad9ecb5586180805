"""HTML from the templates in `mtst/ui/templates`, and the JavaScript and HTML in `mtst/ui/static` that needs no values.

In a template every value is escaped unless it is itself rendered HTML.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mtst.text import truncate, visible

TEMPLATES = Path(__file__).parent.parent / "templates"
STATIC = Path(__file__).parent.parent / "static"


def _finalize(value: object) -> object:
    """Make control characters of a plain string visible; rendered HTML stays as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_finalize,
)
_ENVIRONMENT.filters["short"] = truncate
_ENVIRONMENT.filters["thousands"] = "{:,}".format


def render(name: str, /, **values: object) -> Markup:
    """Render a template.

    Args:
        name: its path below `mtst/ui/templates`, without the suffix: `components/problem`.
        values: what it shows. A template that misses one raises `jinja2.UndefinedError`.
    """
    return Markup(_ENVIRONMENT.get_template(f"{name}.html").render(**values))  # noqa: S704 (autoescape is on)


def static_text(name: str) -> str:
    """Return the text of a file in `mtst/ui/static`."""
    return (STATIC / name).read_text(encoding="utf-8")
