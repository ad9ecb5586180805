"""Two encoders on the same sentences, side by side: how training changed the similarities."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from mtst.analysis.similarity import changed_pairs, cosine
from mtst.errors import MtstError
from mtst.ui.components.events import UNCHANGED
from mtst.ui.components.html import card, html, problem, quiet, table
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.sentence_box import numbered_sentence, split_sentences
from mtst.ui.components.templates import render
from mtst.ui.plots import similarity as similarity_plots
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.services import Services

MAX_PAIRS = 10
SAME = 5e-7  # the largest change of a cosine between encoders that count as the same
NO_SECOND, TRAINED = "none", "own"
BEFORE, AFTER = "before training", "your run"
CHANGES = "Heat map of how the cosine of every pair differs between two encoders; the table below holds the extremes"


@dataclass(frozen=True, eq=False)
class DifferencePanel:
    """The components of the card that compares two encoders."""

    card: gr.Column
    figures: gr.Column
    before: gr.HTML
    after: gr.HTML
    change: gr.HTML
    pairs: gr.HTML


@dataclass(frozen=True, eq=False)
class DifferenceView:
    """The updates of the `DifferencePanel`."""

    card: Any
    figures: Any
    before: Any
    after: Any
    change: Any
    pairs: Any

    @classmethod
    def message(cls, text: str, *, visible: bool = True) -> "DifferenceView":
        """Return the view without figures."""
        hidden = hide_figure()
        return cls(gr.Column(visible=visible), gr.Column(visible=False), hidden, hidden, hidden, text)


NO_CHANGE = DifferenceView(*[UNCHANGED] * 6)


def compare_encoders(services: Services, text: str, second: str, run: str | None) -> DifferenceView:
    """Compare the encoder of a run with the one that it started from, on the same sentences."""
    if second == NO_SECOND:
        return DifferenceView.message("", visible=False)
    try:
        sentences = split_sentences(text)
        trained, initial = services.run_model(run).encoder, services.initial_encoder(run)
        if len(sentences) < 2:
            return DifferenceView.message(quiet("Write two sentences or more first."))
        before, after = (cosine(encoder.encode(sentences)) for encoder in (initial, trained))
    except MtstError as error:
        return DifferenceView.message(problem(error))
    if np.abs(after - before).max() < SAME:
        unmoved = "Your run kept the encoder frozen: every cosine is what it was. Open some layers to move it."
        return DifferenceView.message(quiet(unmoved))
    rows = [
        [
            f"{before[i, j]:.3f}", f"{after[i, j]:.3f}", f"{change:+.3f}",
            numbered_sentence(sentences, i), numbered_sentence(sentences, j),
        ]
        for i, j, change in changed_pairs(before, after, MAX_PAIRS)
    ]  # fmt: skip
    limits = similarity_plots.colour_limits(before, after)
    return DifferenceView(
        card=gr.Column(visible=True),
        figures=gr.Column(visible=True),
        before=show_figure(similarity_plots.similarity_map(sentences, before, limits)),
        after=show_figure(similarity_plots.similarity_map(sentences, after, limits)),
        change=show_figure(similarity_plots.change_map(sentences, before, after)),
        pairs=oddity_note(unread_texts(services, trained, sentences))
        + table(
            ("before", AFTER, "change", "sentence", "sentence"),
            rows,
            caption="Largest changes",
            text_columns=(3, 4),
        ),
    )


def compare_encoders_again(services: Services, text: str, second: str, run: str | None) -> DifferenceView:
    """Repeat the comparison for new sentences; without a second encoder nothing changes."""
    return compare_encoders(services, text, second, run) if second != NO_SECOND else NO_CHANGE


def second_encoder() -> gr.Radio:
    """Return the choice of what the starter's encoder is compared with."""
    return gr.Radio(
        [("None", NO_SECOND), ("My trained run", TRAINED)],
        value=NO_SECOND,
        label="Second encoder",
        info="Shows what training changed.",
        visible=False,
        elem_id="compare-second",
    )


def difference_card() -> DifferencePanel:
    """Build the card."""
    with card("Two encoders", note="same sentences, same colours", visible=False) as column:
        with gr.Column(visible=False) as figures:
            with gr.Row():
                before, after = _figure("before", BEFORE), _figure("after", AFTER)
            html(render("compare/figure_caption", title=f"{AFTER} − {BEFORE}"))
            change = live_plot(height=400, description=CHANGES, elem_id="compare-changes")
        pairs = html(elem_id="compare-changed")
    return DifferencePanel(column, figures, before, after, change, pairs)


def _figure(key: str, title: str) -> gr.HTML:
    """Return the heat map of one encoder, below its name."""
    with gr.Column(min_width=260):
        html(render("compare/figure_caption", title=title))
        description = f"Heat map of the cosines of every pair, {title}"
        return live_plot(height=300, description=description, elem_id=f"compare-{key}")
