"""Search by meaning in a file: its sentences are embedded once, then a query takes milliseconds."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from mtst.analysis.similarity import normalize_rows, search, unique_sentences
from mtst.data.columns import guess_columns
from mtst.data.limits import Limits
from mtst.data.oddities.finding import find_sentence_oddities
from mtst.data.table import Table, read_table
from mtst.errors import MtstError
from mtst.text import inline_text, truncate
from mtst.ui.components.events import SILENT, Outputs
from mtst.ui.components.html import card, html, problem, quiet, show_message
from mtst.ui.components.html import table as html_table
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.progress import ProgressSteps, embed_with_progress
from mtst.ui.components.sentence_box import clean_query
from mtst.ui.components.upload import claim_upload, limits_note, show_file_note, upload_area
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.services import Services

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

MAX_ROWS = 50_000
MAX_RESULTS = 20
RESULT_CHARACTERS = 500
WAITING = quiet("Choose a file and embed it, then search.")


@dataclass(frozen=True, eq=False)
class SearchIndex:
    """The n distinct sentences of a file, their embeddings (n, d) of length 1, and the encoder that made them."""

    texts: list[str]
    unit_rows: np.ndarray
    encoder: "Encoder"


@dataclass(frozen=True, eq=False)
class SearchPanel:
    """The components that a file changes."""

    table: gr.State
    column: gr.Dropdown
    embed: gr.Button
    note: gr.HTML
    index: gr.State
    result: gr.HTML


@dataclass(frozen=True, eq=False)
class FileView:
    """The updates for a new file: it has to be embedded before it can be searched."""

    table: Table | None
    column: Any
    embed: gr.Button
    note: Any
    index: None = None

    @classmethod
    def none(cls, message: str) -> "FileView":
        """Return the view without a table."""
        no_column = gr.update(choices=[], value=None, visible=False)
        return cls(None, no_column, gr.Button(interactive=False), show_message(message))


@dataclass(frozen=True, eq=False)
class IndexView:
    """The updates while a file is embedded, and afterwards."""

    index: SearchIndex | None
    note: Any
    result: str = WAITING


def search_limits(services: Services) -> Limits:
    """Return the limits of a file: more rows than for training, which takes far longer."""
    return replace(services.settings.limits, rows=max(MAX_ROWS, services.settings.max_rows))


def read_file(services: Services, path: str | None) -> FileView:
    """Read an uploaded table."""
    if not path:
        return FileView.none("")
    try:
        table = read_table(claim_upload(path), search_limits(services))
    except MtstError as error:
        return FileView.none(problem(error))
    choices = [(inline_text(name), name) for name in table.columns]
    text = guess_columns(table)[0]
    return FileView(
        table=table,
        column=gr.update(choices=choices, value=text, visible=True),
        embed=gr.Button(interactive=True),
        note=show_file_note(table, text),
    )


def build_index(services: Services, table: Table | None, column: str | None) -> Iterator[IndexView]:
    """Embed a column; yield the progress, then the index."""
    if table is None or column is None:
        yield IndexView(None, show_message(problem("Choose a file first.")))
        return
    try:
        texts = unique_sentences(table.column(column))
        if not texts:
            yield IndexView(None, show_message(problem("This column is empty. Choose another one.")))
            return
        encoder = services.encoder
        start = time.monotonic()
        steps = ProgressSteps(embed_with_progress(encoder, texts, services.executors.large_embeddings))
        for progress in steps:
            yield IndexView(None, show_message(progress.html()))
        unread = unread_texts(services, encoder, texts)
    except MtstError as error:
        yield IndexView(None, show_message(problem(error)))
        return
    seconds = time.monotonic() - start
    done = f"{len(texts):,} different sentences embedded in {seconds:.0f} s. Now enter a query."
    yield IndexView(
        SearchIndex(texts, normalize_rows(steps.result), encoder),
        show_message(quiet(done) + oddity_note((*find_sentence_oddities(table, column), *unread))),
        quiet("Press Enter in the query to search."),
    )


def search_file(index: SearchIndex | None, query: str) -> str:
    """Return the sentences nearest to a query as HTML, and how long the search took."""
    query = clean_query(query)
    if index is None:
        return problem("Embed a file first.")
    if not query:
        return quiet("Enter a query, and press Enter.")
    try:
        start = time.perf_counter()
        embedding = index.encoder.encode([query])[0]
        embedded = time.perf_counter()
        nearest = search(embedding, index.unit_rows, MAX_RESULTS)
        end = time.perf_counter()
    except MtstError as error:
        return problem(error)
    rows = [
        [str(rank), f"{cosine:.3f}", truncate(index.texts[row], RESULT_CHARACTERS)]
        for rank, (row, cosine) in enumerate(nearest, 1)
    ]
    title = f"The {len(nearest)} nearest to “{truncate(query, 80)}”"
    timing = (
        f"{len(index.texts):,} sentences searched in {1000 * (end - embedded):.0f} ms, "
        f"after {1000 * (embedded - start):.0f} ms to embed the query."
    )
    return quiet(timing) + html_table(("rank", "cosine", "sentence"), rows, caption=title, text_columns=(2,))


def search_card(services: Services) -> None:
    """Build the card: a file on the left, the results on the right."""
    table, index = gr.State(), gr.State()
    with card("Search in a file", note="by meaning, not by words"), gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=280):
            html(quiet(limits_note(search_limits(services), labelled=False)))
            upload = upload_area("search-upload")
            column = gr.Dropdown(label="Column of the sentences", visible=False, elem_id="search-column")
            embed = gr.Button("Embed the file", interactive=False, elem_id="search-embed")
            note = html(visible=False, elem_id="search-note")
        with gr.Column(scale=7, min_width=280):
            query = gr.Textbox(label="Search for…", info="Press Enter to search.", max_lines=1, elem_id="search-query")
            result = html(WAITING, elem_id="search-result")
    panel = SearchPanel(table, column, embed, note, index, result)
    file_view, index_view = Outputs(FileView, panel), Outputs(IndexView, panel)
    upload.change(file_view.by_name(partial(read_file, services)), upload, file_view.components, **SILENT)
    column.input(lambda: None, None, index, **SILENT)
    column.input(show_file_note, [table, column], note, **SILENT)
    embed.click(
        index_view.by_name(partial(build_index, services)), [table, column], index_view.components,
        concurrency_limit=8, **SILENT,
    )  # fmt: skip
    query.submit(search_file, [index, query], result, concurrency_limit=4, **SILENT)
