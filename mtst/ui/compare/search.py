"""Search by meaning in a file: its sentences are embedded once, then every query takes milliseconds."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np

from mtst.analysis.similarity import distinct, search, unit
from mtst.data.columns import guess_columns
from mtst.data.limits import Limits
from mtst.data.table import Table, read_table
from mtst.errors import MtstError
from mtst.text import inline_text, truncate
from mtst.ui.components.html import card, html, problem, quiet, show_message, table
from mtst.ui.components.progress import ProgressSteps, embed_with_progress
from mtst.ui.components.sentence_box import clean_query
from mtst.ui.components.upload import claim_upload, limits_note, upload_area
from mtst.ui.services.services import Services

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

MAX_ROWS = 50_000
SHOWN = 20
LONGEST = 500  # characters of a sentence that was found
WAITING = quiet("Choose a file and embed it; then write what you look for.")


@dataclass(frozen=True, eq=False)
class Searchable:
    """The n distinct sentences of a file, their embeddings (n, d) of length 1, and what has embedded them."""

    texts: list[str]
    unit_rows: np.ndarray
    encoder: "Encoder"


def search_limits(services: Services) -> Limits:
    """Return how much is read: of rows more than for training, which takes far longer."""
    return replace(services.settings.limits, rows=max(MAX_ROWS, services.settings.max_rows))


def read_file(services: Services, path: str | None) -> tuple[Table | None, dict, gr.Button, dict, None]:
    """Read an uploaded table; return it, the menu of its columns, the button, a word about it, nothing to search."""
    none = None, gr.update(choices=[], value=None, visible=False), gr.Button(interactive=False)
    if not path:
        return *none, show_message(""), None
    try:
        found = read_table(claim_upload(path), search_limits(services))
    except MtstError as error:
        return *none, show_message(problem(error)), None
    menu = gr.update(
        choices=[(inline_text(name), name) for name in found.columns], value=guess_columns(found)[0], visible=True
    )
    skipped = f", {len(found.skipped):,} skipped" if found.skipped else ""
    return (
        found,
        menu,
        gr.Button(interactive=True),
        show_message(quiet(f"{found.format}: {len(found.rows):,} rows{skipped}.")),
        None,
    )


def embed(services: Services, found: Table | None, column: str | None) -> Iterator[tuple[object, object, object]]:
    """Yield how far it is, then what can be searched; with it the message and the result so far."""
    if found is None or column is None:
        yield None, show_message(problem("Choose a file first.")), WAITING
        return
    try:
        texts = distinct(found.column(column))
        if not texts:
            yield None, show_message(problem("This column is empty. Choose another one.")), WAITING
            return
        encoder = services.encoder
        start = time.monotonic()
        for progress in (
            steps := ProgressSteps(embed_with_progress(encoder, texts, services.executors.large_embeddings))
        ):
            yield None, show_message(progress.html()), WAITING
    except MtstError as error:
        yield None, show_message(problem(error)), WAITING
        return
    done = (
        f"{len(texts):,} different sentences embedded in {time.monotonic() - start:.0f} s. Now write what you look for."
    )
    yield (
        Searchable(texts, unit(steps.result), encoder),
        show_message(quiet(done)),
        quiet("Press Enter in the query to search."),
    )


def find(searchable: Searchable | None, query: str) -> str:
    """Return the nearest sentences to a query as HTML, and how long that took."""
    query = clean_query(query)
    if searchable is None:
        return problem("Embed a file first.")
    if not query:
        return quiet("Write what you look for, and press Enter.")
    try:
        start = time.perf_counter()
        row = searchable.encoder.encode([query])[0]
        middle = time.perf_counter()
        found = search(row, searchable.unit_rows, SHOWN)
        end = time.perf_counter()
    except MtstError as error:
        return problem(error)
    rows = [
        [str(rank), f"{cosine:.3f}", truncate(searchable.texts[k], LONGEST)]
        for rank, (k, cosine) in enumerate(found, 1)
    ]
    title = f"The {len(found)} nearest to “{truncate(query, 80)}”"
    took = (
        f"{len(searchable.texts):,} sentences searched in {1000 * (end - middle):.0f} ms, "
        f"after {1000 * (middle - start):.0f} ms to embed the query."
    )
    return quiet(took) + table(("rank", "cosine", "sentence"), rows, caption=title, text_columns=(2,))


def search_card(services: Services) -> None:
    """Build the card: a file on the left, what is found in it on the right."""
    found, searchable = gr.State(), gr.State()
    with card("Search in a file", note="by meaning, not by words"), gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=280):
            html(quiet(limits_note(search_limits(services), labelled=False)))
            upload = upload_area("search-upload")
            column = gr.Dropdown(label="Column of the sentences", visible=False, elem_id="search-column")
            button = gr.Button("Embed the file", interactive=False, elem_id="search-embed")
            note = html(visible=False, elem_id="search-note")
        with gr.Column(scale=7, min_width=280):
            query = gr.Textbox(
                label="What do you look for?", info="Press Enter to search.", max_lines=1, elem_id="search-query"
            )
            result = html(WAITING, elem_id="search-result")
    private = {"api_visibility": "private", "show_progress": "hidden"}
    upload.change(partial(read_file, services), upload, [found, column, button, note, searchable], **private)
    column.input(lambda: None, None, searchable, **private)
    button.click(partial(embed, services), [found, column], [searchable, note, result], concurrency_limit=8, **private)
    query.submit(find, [searchable, query], result, concurrency_limit=4, **private)
