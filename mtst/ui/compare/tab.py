"""The Compare tab: how close sentences are, which pairs stand out, which form groups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from mtst.analysis.clustering import similarity_order
from mtst.analysis.similarity import cosine, extreme_pairs, rank_by_cosine
from mtst.errors import MtstError
from mtst.ui.compare.encoder_difference import (
    DifferenceView,
    compare_encoders,
    compare_encoders_again,
    difference_card,
    second_encoder,
)
from mtst.ui.compare.groups import GROUP_COSINE, group_sentences, pair_table
from mtst.ui.compare.search import search_card
from mtst.ui.components.events import SILENT, Event, Outputs, show_with_run
from mtst.ui.components.html import card, empty, html, problem, quiet, show_message, table
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.sentence_box import (
    MAX_SENTENCES,
    clean_query,
    numbered_sentence,
    split_sentences,
)
from mtst.ui.components.sortable_table import sortable_html, sortable_table
from mtst.ui.components.templates import render
from mtst.ui.plots import similarity as similarity_plots
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.services import Services

MAX_EXTREME_PAIRS = 5
MAX_LISTED_PAIRS = 100  # the closest, and as many of the farthest
EXAMPLES = (
    "The flight was three hours late.",
    "Our plane took off long after it should have.",
    "She scored twice in the second half.",
    "The striker decided the match with two goals.",
    "Shares fell sharply after the announcement.",
    "I loved every minute of this film.",
    "I did not enjoy this film at all.",
    "Machine learning is amazing!",
)
DESCRIPTION = "Heat map of the cosine similarity of every pair of sentences; a table holds the extremes"
HEIGHT = 440
FIRST = empty("Comparing these sentences", "A server that has just started takes seconds for the first.", HEIGHT)
NO_RANKING = quiet("The sentences appear here, the nearest to the query first.")
NO_NUMBERS = quiet("The first numbers of each embedding appear here.")
TOO_FEW = empty("Nothing to compare yet", "Enter at least two different sentences, one per line, and press Compare.")


@dataclass(frozen=True, eq=False)
class ComparePanel:
    """The components that show a comparison."""

    figure: gr.HTML
    placeholder: gr.HTML
    pairs: gr.HTML
    numbers: gr.HTML
    ranking: gr.HTML
    unread: gr.HTML


@dataclass(frozen=True, eq=False)
class CompareView:
    """The updates of the `ComparePanel`."""

    figure: Any
    placeholder: Any
    pairs: str = ""
    numbers: str = ""
    ranking: str = ""
    unread: Any = field(default_factory=lambda: show_message(""))


def compare(services: Services, text: str, query: str, *, by_similarity: bool = False) -> CompareView:
    """Compare the sentences of the text box with each other and with the query.

    `by_similarity` puts the rows of the figure beside those that are like them.
    """
    try:
        sentences = split_sentences(text)
        if len(sentences) < 2:
            return CompareView(hide_figure(), html(TOO_FEW, visible=True), numbers=NO_NUMBERS, ranking=NO_RANKING)
        embeddings = services.encoder.encode(sentences)
        unread = unread_texts(services, services.encoder, sentences)
        ranking = _ranking(services, query, sentences, embeddings)
    except MtstError as error:
        return CompareView(hide_figure(), html(problem(error), visible=True))
    cosines = cosine(embeddings)
    return CompareView(
        figure=show_figure(
            similarity_plots.similarity_map(
                sentences, cosines, order=similarity_order(cosines) if by_similarity else None
            )
        ),
        placeholder=html(visible=False),
        pairs=_pairs(sentences, cosines),
        numbers=_numbers(sentences, embeddings),
        ranking=ranking,
        unread=show_message(oddity_note(unread)),
    )


def _pairs(sentences: Sequence[str], cosines: np.ndarray) -> str:
    """Return the extreme pairs, and below them more pairs in a sortable table."""
    closest, farthest = extreme_pairs(cosines, MAX_EXTREME_PAIRS)
    near, far = extreme_pairs(cosines, MAX_LISTED_PAIRS)
    count = len(sentences) * (len(sentences) - 1) // 2
    all_listed = len(near) + len(far) == count
    some = f"The {len(near)} closest and {len(far)} farthest of {count:,} pairs"
    title = f"All {count:,} pairs" if all_listed else some
    rows = [
        [
            (f"{value:.3f}", value),
            (numbered_sentence(sentences, i), float(i)),
            (numbered_sentence(sentences, j), float(j)),
        ]
        for i, j, value in near + far[::-1]
    ]
    return render(
        "compare/pairs",
        closest=pair_table(sentences, closest, "Closest pairs"),
        farthest=pair_table(sentences, farthest, "Farthest pairs"),
        title=title,
        listed=sortable_table(("cosine", "sentence", "sentence"), rows, title, text_columns=(1, 2)),
    )


def _numbers(sentences: Sequence[str], embeddings: np.ndarray) -> str:
    """Return the length and the first numbers of each embedding, a row of `embeddings` (n, d)."""
    rows = [
        [
            numbered_sentence(sentences, index),
            f"{np.linalg.norm(embedding):.3f}",
            "  ".join(f"{value:+.3f}" for value in embedding[:5]) + "  …",
        ]
        for index, embedding in enumerate(embeddings)
    ]
    caption = f"Each sentence becomes {embeddings.shape[1]} numbers"
    return table(("sentence", "length", "first five numbers"), rows, caption=caption, text_columns=(0, 2))


def _ranking(services: Services, query: str, sentences: Sequence[str], embeddings: np.ndarray) -> str:
    query = clean_query(query)
    if not query:
        return quiet("Write a query to rank the sentences by how close they are to it.")
    ranking = rank_by_cosine(services.encoder.encode([query])[0], embeddings)
    rows = [
        [str(position), f"{value:.3f}", numbered_sentence(sentences, index)]
        for position, (index, value) in enumerate(ranking, 1)
    ]
    return table(("rank", "cosine", "sentence"), rows, caption="Nearest to the query first", text_columns=(2,))


def compare_tab(services: Services, tab: gr.Tab, run: gr.BrowserState | None = None) -> gr.Textbox:
    """Build the tab; return the text box, which the Map tab reads too. `run` holds the token of the visitor's run."""
    token = run or gr.State()
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320):
            with card("Sentences", note=f"one per line, up to {MAX_SENTENCES}"):
                sentences = gr.Textbox(
                    "\n".join(EXAMPLES), lines=9, max_lines=16, label="Sentences, one per line", elem_id="compare-text"
                )
                query = gr.Textbox("a delayed plane", label="Query", info="ranked against the sentences", max_lines=1)
                second = second_encoder()
                button = gr.Button("Compare", variant="primary", size="lg", elem_id="compare-go")
                unread = html(visible=False, elem_id="compare-unread")
            with card("Query"):
                ranking = html(NO_RANKING, elem_id="compare-ranking")
            with card("Groups"):
                min_cosine = gr.Slider(
                    0.1, 0.95, GROUP_COSINE, step=0.05, label="Similarity threshold", elem_id="compare-least",
                    info="Groups merge while their mean cosine is at least this. Its most central sentence names each.",
                )  # fmt: skip
                groups = html(elem_id="compare-groups")
        with gr.Column(scale=7, min_width=320):
            with card("Cosine similarity", note="1 = very similar, 0 = unrelated (topic more than opinion)"):
                placeholder = html(FIRST)
                by_similarity = gr.Checkbox(
                    label="Similar sentences side by side", container=False, elem_id="compare-order"
                )
                figure = live_plot(height=HEIGHT, description=DESCRIPTION, elem_id="compare-map")
                pairs = sortable_html(elem_id="compare-pairs")
            difference = difference_card()
            with card("Embeddings"):
                numbers = html(NO_NUMBERS, elem_id="compare-numbers")
    search_card(services)
    panel = ComparePanel(figure, placeholder, pairs, numbers, ranking, unread)
    compared, differing = Outputs(CompareView, panel), Outputs(DifferenceView, difference)
    grouping: Event = {
        "fn": partial(group_sentences, services), "inputs": [sentences, min_cosine], "outputs": groups,
        "concurrency_limit": 4, **SILENT,
    }  # fmt: skip

    def difference_event(handler: Callable[..., DifferenceView]) -> Event:
        return {
            "fn": differing.by_name(partial(handler, services)), "inputs": [sentences, second, token],
            "outputs": differing.components, "concurrency_limit": 4, **SILENT,
        }  # fmt: skip

    comparing: Event = {
        "fn": compared.by_name(partial(compare, services)),
        "inputs_kwargs": {"text": sentences, "query": query, "by_similarity": by_similarity},
        "outputs": compared.components, "concurrency_limit": 4, "trigger_mode": "always_last", **SILENT,
    }  # fmt: skip
    by_similarity.input(**comparing)
    gr.on([button.click, query.submit], **comparing).then(**grouping).then(**difference_event(compare_encoders_again))
    min_cosine.release(**grouping)
    second.input(**difference_event(compare_encoders))
    show_with_run(second, tab, token)
    return sentences
