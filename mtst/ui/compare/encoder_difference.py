"""Two encoders on the same sentences, side by side: what training did to their similarity."""

import gradio as gr
import numpy as np

from mtst.analysis.similarity import changed_pairs, cosine
from mtst.errors import MtstError
from mtst.ui.components.html import card, html, problem, quiet, table
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.components.sentence_box import numbered_sentence, split_sentences
from mtst.ui.plots import similarity as similarity_plots
from mtst.ui.services.services import Services

PAIRS = 10
PLACES = 6
NO_SECOND, TRAINED = "none", "own"
SIDES = {"before": "before training", "after": "your run"}  # by the names of their places
CHANGES = "Heat map of how the cosine of every pair differs between two encoders; the table below holds the extremes"


def compare_encoders(services: Services, text: str, second: str, run: str | None) -> tuple[object, ...]:
    """Compare a run's encoder with the one that it began with, on the same sentences.

    Return the card, the place of all figures, that of each encoder, that of their difference, and what changed most.
    """
    if second == NO_SECOND:
        return _only_told("", card=False)
    try:
        sentences = split_sentences(text)
        other, first = services.run_model(run).encoder, services.initial_encoder(run)
        if len(sentences) < 2:
            return _only_told(quiet("Write two sentences or more first."))
        before, after = (cosine(encoder.encode(sentences)) for encoder in (first, other))
    except MtstError as error:
        return _only_told(problem(error))
    if np.abs(after - before).max() < 5e-7:
        same = "Your run kept the encoder frozen: every cosine is what it was. Open some layers to move it."
        return _only_told(quiet(same))
    rows = [
        [
            f"{before[i, j]:.3f}",
            f"{after[i, j]:.3f}",
            f"{change:+.3f}",
            numbered_sentence(sentences, i),
            numbered_sentence(sentences, j),
        ]
        for i, j, change in changed_pairs(before, after, PAIRS)
    ]
    header = ("before", "your run", "change", "sentence", "sentence")
    made = table(header, rows, caption="Pairs whose cosine changed most", text_columns=(3, 4))
    lowest = float(min(before.min(), after.min()))
    figures = [similarity_plots.similarity_map(sentences, cosines, lowest) for cosines in (before, after)]
    figures.append(similarity_plots.change_map(sentences, before, after))
    return gr.Column(visible=True), gr.Column(visible=True), *map(show_figure, figures), made


def compare_encoders_again(services: Services, text: str, second: str, run: str | None) -> tuple[object, ...]:
    """Compare as `beside` does after new sentences; without a second encoder nothing is touched."""
    return (
        compare_encoders(services, text, second, run)
        if second != NO_SECOND
        else tuple(gr.skip() for _ in range(PLACES))
    )


def _only_told(told: str, *, card: bool = True) -> tuple[object, ...]:
    """Return what `beside` does where there is nothing to draw."""
    return gr.Column(visible=card), gr.Column(visible=False), hide_figure(), hide_figure(), hide_figure(), told


def second_encoder() -> gr.Radio:
    """Return the choice of what the starter's encoder is compared with."""
    return gr.Radio(
        [("None", NO_SECOND), ("My trained run", TRAINED)],
        value=NO_SECOND,
        label="Second encoder",
        info="Shows what training changed.",
        elem_id="compare-second",
    )


def both_encoders() -> list[gr.components.Component | gr.blocks.BlockContext]:
    """Build the card; return what `beside` updates, in its order."""
    with card("Two encoders", note="the same sentences, the same colours", visible=False) as both:
        with gr.Column(visible=False) as drawings:
            with gr.Row():
                pictures = [_picture(name, title) for name, title in SIDES.items()]
            html('<p class="caption">your run − before training</p>')
            changes = live_plot(height=400, description=CHANGES, elem_id="compare-changes")
        changed = html(elem_id="compare-changed")
    return [both, drawings, *pictures, changes, changed]


def _picture(name: str, title: str) -> gr.HTML:
    """Return a place for the heat map of one encoder, below its name."""
    with gr.Column(min_width=260):
        html(f'<p class="caption">{title}</p>')
        return live_plot(
            height=300, description=f"Heat map of the cosines of every pair, {title}", elem_id=f"compare-{name}"
        )
