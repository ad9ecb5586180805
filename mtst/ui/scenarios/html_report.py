"""The result of a comparison as one page to keep: it opens without any network, and holds its own figures."""

import re
from html import escape
from typing import TYPE_CHECKING, Any

from mtst.comparison.results import Comparison
from mtst.data.dataset import Dataset
from mtst.runs.job import Job
from mtst.runs.report import comparison_command
from mtst.text import escape_html
from mtst.ui.components.theme import STYLE
from mtst.ui.plots import comparison as comparison_plots
from mtst.ui.scenarios import recommendation

if TYPE_CHECKING:
    import plotly.graph_objects as go

OWN_STYLE = """
body { --font: "IBM Plex Sans", system-ui, sans-serif; --font-mono: "IBM Plex Mono", ui-monospace, monospace;
  --body-text-color-subdued: #4b596e; --border-color-primary: #dfe5ee; font: 16px/1.5 var(--font); color: var(--ink);
  max-width: 1000px; margin: 0 auto; padding: 24px 16px 60px; background: #f6f8fb; }
section { background: var(--card); border: 1px solid var(--border-color-primary); border-radius: 14px;
  padding: 12px 18px 18px; margin-top: 16px; }
h1 { font-size: 24px; } h2 { font-size: 17px; margin: 6px 0 10px; } pre { white-space: pre-wrap; font-size: 13px; }
"""


def html_report(job: Job, data: Dataset, comparison: Comparison) -> str:
    """Return the page.

    Args:
        job: what was asked for.
        data: the rows it was done with.
        comparison: what happened.
    """
    command = " ".join(comparison_command(job, [task.name for task in data.tasks]))
    figures = [("Score and cost, test rows", comparison_plots.costs(comparison))] if comparison.rows else []
    if comparison.started:
        figures.append(("While they trained, validation rows", comparison_plots.curves(comparison)))
    if comparison.learning:
        figures.append(("Would more data help?", comparison_plots.learning(comparison.learning)))
    sections = [
        ("What should I freeze?", recommendation.recommendation(comparison, job.source)),
        ("Scenarios", recommendation.scores(comparison) + recommendation.together(comparison)),
        *((title, _drawn(figure, first=number == 0)) for number, (title, figure) in enumerate(figures)),
        ("More rows", recommendation.more_data(comparison.learning)),
        ("Again", f"<pre>{escape(command)}</pre>"),
    ]
    body = "".join(
        f"<section><h2>{escape_html(title)}</h2>{content}</section>" for title, content in sections if content
    )
    name = escape_html(job.source or "comparison")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mtst: {name}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE.read_text(encoding='utf-8')}{OWN_STYLE}</style></head>"
        f"<body><h1>{name}: {len(data):,} rows</h1>{body}</body></html>"
    )


def _drawn(figure: "go.Figure", *, first: bool) -> str:
    """Return a figure as HTML; the first on a page brings the library along."""
    import plotly.graph_objects as go
    import plotly.io

    coloured = go.Figure(_filled(figure.to_plotly_json(), _colours()))
    coloured.update_layout(height=420)
    return plotly.io.to_html(coloured, full_html=False, include_plotlyjs=first, config={"displayModeBar": False})


def _colours() -> dict[str, str]:
    """Return the light colours of the style sheet, which a page of the app would fill in."""
    root = STYLE.read_text(encoding="utf-8").split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", root)) | {
        "font": "system-ui, sans-serif",
        "body-text-color-subdued": "#4b596e",
        "border-color-primary": "#dfe5ee",
    }


def _filled(value: Any, colours: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part, colours) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(part, colours) for part in value]
    if isinstance(value, str) and (name := re.fullmatch(r"var\(--([\w-]+)\)", value)):
        return colours[name[1]]
    return value
