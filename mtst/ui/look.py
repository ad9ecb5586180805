"""The look: colour means something (frozen or open, which task); everything else is ink on paper."""

import gradio as gr

from mtst.starter import ASSETS

STYLE = ASSETS / "style.css"
TASK_COLOURS = ("var(--task-a)", "var(--task-b)", *(f"var(--c{i})" for i in range(3, 9)))
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "hexagon")


def task_colour(number: int) -> str:
    """Return the colour of the task at a place, the same in every figure and table."""
    return TASK_COLOURS[number % len(TASK_COLOURS)]


_PAPER = gr.themes.Color(
    name="paper",
    c50="#f6f8fb",
    c100="#eef2f7",
    c200="#dfe5ee",
    c300="#c3cddb",
    c400="#8f9db1",
    c500="#66758b",
    c600="#4b596e",
    c700="#34425a",
    c800="#1f2a3c",
    c900="#131a26",
    c950="#0b0f17",
)
_INK = gr.themes.Color(
    name="ink",
    c50="#f3f5fa",
    c100="#e4e9f3",
    c200="#cbd5e6",
    c300="#a6b5cf",
    c400="#7688a8",
    c500="#4a5d80",
    c600="#2f4062",
    c700="#1e2c49",
    c800="#16213a",
    c900="#101829",
    c950="#0a101c",
)
_AXIS = {
    "gridcolor": "var(--grid)",
    "linecolor": "var(--grid)",
    "zeroline": False,
    "ticks": "",
    "title": {"standoff": 10, "font": {"size": 13}},
    "ticklabelstandoff": 5,
    "automargin": True,
}
# Colours written as `var(--name)` are filled in by the page, so that every figure follows light and dark.
PLOT = {
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


def theme() -> gr.themes.Base:
    """Return the theme; fonts and colours come with the app, nothing is fetched."""
    sans = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    mono = gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700))
    return gr.themes.Base(
        primary_hue=_INK,
        secondary_hue=_INK,
        neutral_hue=_PAPER,
        radius_size=gr.themes.sizes.radius_lg,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=(sans, "system-ui", "sans-serif"),
        font_mono=(mono, "ui-monospace", "monospace"),
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="#0f1520",
        body_text_color="#16213a",
        body_text_color_dark="#e8eef9",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="#a3b1c6",
        border_color_primary="*neutral_200",
        border_color_primary_dark="#2a374c",
        color_accent="*primary_800",
        border_color_accent_dark="*primary_300",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_border_color="*neutral_200",
        block_border_color_dark="#2a374c",
        block_shadow="none",
        block_radius="12px",
        block_padding="14px",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_border_width_dark="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="#a3b1c6",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_text_weight="600",
        block_title_text_size="13px",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="#a3b1c6",
        input_background_fill="*neutral_50",
        input_background_fill_dark="#0f1520",
        input_border_color="*neutral_400",
        input_border_color_dark="#566884",
        input_border_width="1px",
        input_radius="8px",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="#8896ad",
        input_border_color_focus="*primary_800",
        input_border_color_focus_dark="*primary_200",
        checkbox_background_color_selected="*primary_800",
        checkbox_background_color_selected_dark="*primary_200",
        checkbox_label_background_fill="white",
        checkbox_label_background_fill_dark="*neutral_900",
        checkbox_label_background_fill_selected="white",
        checkbox_label_background_fill_selected_dark="*neutral_900",
        checkbox_label_text_color_selected="*body_text_color",
        checkbox_label_text_color_selected_dark="*body_text_color",
        checkbox_label_border_color="*neutral_200",
        checkbox_label_border_color_dark="#2a374c",
        checkbox_label_border_width="1px",
        checkbox_label_shadow="none",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="#66758b",
        button_large_radius="10px",
        button_medium_radius="8px",
        button_small_radius="8px",
        button_large_text_weight="600",
        button_large_text_size="15px",
        button_primary_background_fill="*primary_800",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="#e8eef9",
        button_primary_background_fill_hover_dark="white",
        button_primary_text_color="white",
        button_primary_text_color_dark="#0b0f17",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="*neutral_900",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_hover_dark="*neutral_800",
        button_secondary_border_color="*neutral_400",
        button_secondary_border_color_dark="#566884",
        button_border_width="1px",
        button_cancel_background_fill="white",
        button_cancel_background_fill_dark="*neutral_900",
        button_cancel_text_color="#b42318",
        button_cancel_text_color_dark="#ff8f87",
        button_cancel_border_color="#b42318",
        button_cancel_border_color_dark="#ff8f87",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_200",
        table_border_color="*neutral_200",
        table_border_color_dark="#2a374c",
        slider_color="*primary_800",
        slider_color_dark="*primary_200",
        layout_gap="16px",
    )
