"""What all figures share: the colours of tasks and groups, symbols, and the Plotly template."""

from typing import Any

TASK_COLOURS = ("var(--task-a)", "var(--task-b)", *(f"var(--c{i})" for i in range(3, 9)))
SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "hexagon", "x", "pentagon",
    "star-diamond", "bowtie", "hourglass", "star-square",
)  # fmt: skip


def task_colour(index: int) -> str:
    """Return the colour of a task by its index, the same in every figure and table."""
    return TASK_COLOURS[index % len(TASK_COLOURS)]


_AXIS = {
    "gridcolor": "var(--grid)",
    "linecolor": "var(--grid)",
    "zeroline": False,
    "ticks": "",
    "title": {"standoff": 10, "font": {"size": 13}},
    "ticklabelstandoff": 5,
    "automargin": True,
}
# The page replaces colours written as `var(--name)`, so that every figure follows light and dark.
PLOT: dict[str, Any] = {
    "layout": {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": TASK_COLOURS,
        "font": {"family": "var(--font)", "size": 13, "color": "var(--body-text-color-subdued)"},
        "margin": {"l": 52, "r": 14, "t": 8, "b": 44},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {
            "bgcolor": "var(--card)",
            "bordercolor": "var(--border-color-primary)",
            "font": {"color": "var(--ink)", "family": "var(--font)"},
            "align": "left",
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"color": "var(--ink)"},
            "bgcolor": "rgba(0,0,0,0)",
        },
    }
}
