"""The result of a comparison as one page to keep: it opens without any network, and holds its own figures."""

import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mtst.assets import ASSETS
from mtst.comparison.results import Comparison
from mtst.data.dataset import Dataset
from mtst.runs.job import Job
from mtst.runs.report import comparison_command
from mtst.ui.components.templates import render
from mtst.ui.plots import comparison as comparison_plots
from mtst.ui.scenarios import recommendation
from mtst.ui.scenarios.ranking import Pictures, ranking
from mtst.ui.scenarios.recommendation import NO_PICTURES

if TYPE_CHECKING:
    import plotly.graph_objects as go

STYLES = (ASSETS / "style.css", ASSETS / "comparison.css")
# The page has no theme of Gradio's to take these from.
THEME_COLOURS = {
    "font": "system-ui, sans-serif",
    "body-text-color-subdued": "#4b596e",
    "border-color-primary": "#dfe5ee",
}
FIGURE_HEIGHT = 420


def html_report(job: Job, data: Dataset, comparison: Comparison, pictures: Pictures = NO_PICTURES) -> str:
    """Return the page for a comparison of a job on its data."""
    figures = [("Score and cost", comparison_plots.costs(comparison))] if comparison.results else []
    if comparison.has_started:
        figures.append(("During training, validation rows", comparison_plots.curves(comparison)))
    if comparison.learning_curve:
        figures.append(("Would more data help?", comparison_plots.learning(comparison.learning_curve)))
    return render(
        "scenarios/report",
        source=job.source or "comparison",
        rows=len(data),
        style=Markup("".join(path.read_text(encoding="utf-8") for path in STYLES)),  # noqa: S704 (our own files)
        recommendation=recommendation.recommendation(comparison, job.source, pictures),
        ranked=ranking(comparison, pictures),
        scores=recommendation.scores_table(comparison) + recommendation.joint_training(comparison),
        figures=[(title, _figure_html(figure, first=k == 0)) for k, (title, figure) in enumerate(figures)],
        more_data=recommendation.more_data(comparison.learning_curve),
        command=" ".join(comparison_command(job, [task.name for task in data.tasks])),
    )


def _figure_html(figure: "go.Figure", *, first: bool) -> Markup:
    """Return a figure as HTML; the first on a page includes the library."""
    import plotly.graph_objects as go
    import plotly.io

    coloured = go.Figure(_with_colours(figure.to_plotly_json(), _light_colours()))
    coloured.update_layout(height=FIGURE_HEIGHT)
    page = plotly.io.to_html(coloured, full_html=False, include_plotlyjs=first, config={"displayModeBar": False})
    return Markup(page)  # noqa: S704 (Plotly escapes the data, our figures their texts)


def _light_colours() -> dict[str, str]:
    """Return the light colours of the style sheet by name, which a page of the app would read from it."""
    root = STYLES[0].read_text(encoding="utf-8").split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", root)) | THEME_COLOURS


def _with_colours(value: Any, colours: dict[str, str]) -> Any:
    """Replace every `var(--name)` in a figure."""
    if isinstance(value, dict):
        return {key: _with_colours(part, colours) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_with_colours(part, colours) for part in value]
    if isinstance(value, str) and (name := re.fullmatch(r"var\(--([\w-]+)\)", value)):
        return colours[name[1]]
    return value
