"""The Compare tab: sentences in; how close they are, which pairs stand out, which belong together."""

from functools import partial

import gradio as gr
import numpy as np

from mtst.analysis.clustering import connected_groups, near_duplicates
from mtst.analysis.similarity import Pair, cosine, extreme_pairs, rank
from mtst.errors import MtstError
from mtst.text import escape_html, truncate
from mtst.ui.compare.encoder_difference import both_encoders, compare_encoders, compare_encoders_again, second_encoder
from mtst.ui.compare.search import search_card
from mtst.ui.components.html import card, empty, html, problem, quiet, table
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.components.sentence_box import (
    CELL_CHARACTERS,
    MAX_SENTENCES,
    clean_query,
    numbered_sentence,
    split_sentences,
)
from mtst.ui.components.sortable_table import sortable_html, sortable_table
from mtst.ui.plots import similarity as similarity_plots
from mtst.ui.services.services import Services

PAIRS_AT_ONCE = 5
PAIRS_LISTED = 100  # the closest, and as many of the farthest
DUPLICATES = 0.9
MERGED = 0.3
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
NOTHING = empty("Nothing to compare yet", "Write two different sentences or more, one a line, and press Compare.")


def compare(services: Services, text: str, query: str) -> tuple[object, ...]:
    """Return the figure, the pairs, the numbers of the embeddings and the ranking for what was typed."""
    try:
        sentences = split_sentences(text)
        if len(sentences) < 2:
            return hide_figure(), html(NOTHING, visible=True), "", "", ""
        embeddings = services.encoder.encode(sentences)
        ranking = _ranking(services, query, sentences, embeddings)
    except MtstError as error:
        return hide_figure(), html(problem(error), visible=True), "", "", ""
    cosines = cosine(embeddings)
    return (
        show_figure(similarity_plots.similarity_map(sentences, cosines)),
        html(visible=False),
        _pairs(sentences, cosines),
        _numbers(sentences, embeddings),
        ranking,
    )


def _rows(sentences: list[str], pairs: list[Pair], form: str = ".3f") -> list[list[str]]:
    return [
        [format(value, form), numbered_sentence(sentences, i), numbered_sentence(sentences, j)] for i, j, value in pairs
    ]


def _pairs(sentences: list[str], cosines: np.ndarray) -> str:
    """Return the extreme pairs, and below them a table of more that can be sorted."""
    header = ("cosine", "sentence", "sentence")
    near, far = extreme_pairs(cosines, PAIRS_AT_ONCE)
    made = table(header, _rows(sentences, near), caption="Closest pairs", text_columns=(1, 2))
    made += table(header, _rows(sentences, far), caption="Farthest pairs", text_columns=(1, 2)) if far else ""
    near, far = extreme_pairs(cosines, PAIRS_LISTED)
    count = len(sentences) * (len(sentences) - 1) // 2
    every = len(near) + len(far) == count
    title = f"All {count:,} pairs" if every else f"The {len(near)} closest and {len(far)} farthest of {count:,} pairs"
    rows = [
        [
            (f"{value:.3f}", value),
            (numbered_sentence(sentences, i), float(i)),
            (numbered_sentence(sentences, j), float(j)),
        ]
        for i, j, value in near + far[::-1]
    ]
    listed = sortable_table(header, rows, title, text_columns=(1, 2))
    return f"{made}<details><summary>{title}, to be sorted</summary>{listed}</details>"


def _numbers(sentences: list[str], embeddings: np.ndarray) -> str:
    rows = [
        [
            numbered_sentence(sentences, k),
            f"{np.linalg.norm(row):.3f}",
            "  ".join(f"{value:+.3f}" for value in row[:5]) + "  …",
        ]
        for k, row in enumerate(embeddings)
    ]
    caption = f"Each sentence becomes {embeddings.shape[1]} numbers"
    return table(("sentence", "length", "first five numbers"), rows, caption=caption, text_columns=(0, 2))


def _ranking(services: Services, query: str, sentences: list[str], embeddings: np.ndarray) -> str:
    query = clean_query(query)
    if not query:
        return quiet("Write a query to rank the sentences by how close they are to it.")
    found = rank(services.encoder.encode([query])[0], embeddings)
    rows = [[str(place), f"{value:.3f}", numbered_sentence(sentences, k)] for place, (k, value) in enumerate(found, 1)]
    return table(("rank", "cosine", "sentence"), rows, caption="Nearest to the query first", text_columns=(2,))


def group_sentences(services: Services, text: str, least: float) -> str:
    """Return the near duplicates among the sentences and the groups that they make, as HTML."""
    try:
        sentences = split_sentences(text)
        if len(sentences) < 2:
            return quiet("Groups appear here once there are sentences to compare.")
        embeddings = services.encoder.encode(sentences)
    except MtstError as error:
        return problem(error)
    found = connected_groups(embeddings, least)
    alone = sum(len(group.members) == 1 for group in found)
    made = "".join(
        f'<p class="caption" dir="auto">{escape_html(truncate(sentences[group.centre], CELL_CHARACTERS))}</p><ul class="rows">'
        + "".join(f'<li dir="auto">{escape_html(numbered_sentence(sentences, k))}</li>' for k in group.members)
        + "</ul>"
        for group in found
        if len(group.members) > 1
    )
    copies = near_duplicates(embeddings, DUPLICATES)
    rows = _rows(sentences, copies)
    title = f"Near duplicates: cosine of {DUPLICATES} or more"
    told = table(("cosine", "sentence", "sentence"), rows, caption=title, text_columns=(1, 2)) if copies else ""
    counted = f"{_count(len(found) - alone, 'group')} and {_count(alone, 'sentence')} alone."
    none = "" if copies else f" No near duplicates (cosine of {DUPLICATES} or more)."
    return f"{quiet(counted + none)}{told}{made}"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'s' if number != 1 else ''}"


def compare_tab(services: Services, run: gr.BrowserState | None = None) -> gr.Textbox:
    """Build the tab; return the box of sentences, which the Map tab reads too. `run` is the visitor's trained run."""
    run = run or gr.State()
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320):
            with card("Sentences", note=f"one a line, up to {MAX_SENTENCES}"):
                sentences = gr.Textbox(
                    "\n".join(EXAMPLES), lines=9, max_lines=16, label="Sentences, one a line", elem_id="compare-text"
                )
                query = gr.Textbox("a delayed plane", label="Query", info="ranked against the sentences", max_lines=1)
                second = second_encoder()
                button = gr.Button("Compare", variant="primary", size="lg", elem_id="compare-go")
            with card("Query"):
                ranking = html(quiet("The ranking appears here."), elem_id="compare-ranking")
            with card("What belongs together"):
                least = gr.Slider(
                    0.1, 0.95, MERGED, step=0.05, label="How close", elem_id="compare-least",
                    info="Groups merge while their mean cosine is at least this. The most central sentence names each.",
                )  # fmt: skip
                grouped = html(elem_id="compare-groups")
        with gr.Column(scale=7, min_width=320):
            with card("Cosine similarity", note="cosine: 1 = same meaning, 0 = unrelated"):
                nothing = html(FIRST)
                figure = live_plot(height=HEIGHT, description=DESCRIPTION, elem_id="compare-map")
                pairs = sortable_html(elem_id="compare-pairs")
            both = both_encoders()
            with card("Embeddings"):
                numbers = html(quiet("The first numbers of each embedding appear here."), elem_id="compare-numbers")
    search_card(services)
    quietly = {"show_progress": "hidden", "concurrency_limit": 4}
    private = {"api_visibility": "private", **quietly}
    grouping = {"fn": partial(group_sentences, services), "inputs": [sentences, least], "outputs": grouped, **private}
    second_one = {
        "fn": partial(compare_encoders, services), "inputs": [sentences, second, run],
        "outputs": both, **private,
    }  # fmt: skip
    gr.on(
        [button.click, query.submit],
        partial(compare, services),
        [sentences, query],
        [figure, nothing, pairs, numbers, ranking],
        **private,
    ).then(**grouping).then(**second_one | {"fn": partial(compare_encoders_again, services)})
    least.release(**grouping)
    second.input(**second_one)
    return sentences
