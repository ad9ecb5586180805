"""What is selected on a map: a sentence and its neighbours, the matches of a search, or an area."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from mtst.analysis.projection import LinearProjection, project_new
from mtst.data.csv_writer import write_csv
from mtst.errors import MtstError
from mtst.text import quantity
from mtst.ui.components.events import UNCHANGED
from mtst.ui.components.html import problem, quiet
from mtst.ui.components.live_plot import show_marker
from mtst.ui.components.sentence_box import clean_query
from mtst.ui.components.templates import render
from mtst.ui.map.embedding_map import EmbeddingMap
from mtst.ui.plots.map import selection_trace
from mtst.ui.server.temporary_files import fresh_path
from mtst.ui.services.services import Services

MAX_LISTED = 100  # sentences; the file to save has them all
MAX_RINGED = 1_000  # points
NOT_CHOSEN = quiet(
    "Click a point, or search: the nearest sentences are listed here, by their true cosine. Lasso selects an area."
)
NOTHING_SELECTED: dict[str, Any] = {"selected": NOT_CHOSEN, "inside": [], "save": gr.update(visible=False)}


@dataclass(frozen=True, eq=False)
class SelectionView:
    """The updates after something was selected.

    Attributes:
        figure: rings what is selected.
        selected: the list below the map.
        inside: the indices of the sentences that can be saved.
        save: the button that saves them.
    """

    figure: Any = UNCHANGED
    selected: Any = UNCHANGED
    inside: Any = UNCHANGED
    save: Any = UNCHANGED


NO_CHANGE = SelectionView()


def select(drawing: EmbeddingMap | None, index: object) -> SelectionView:
    """Select the sentence of an index, as a number or a text, or all those of a list of indices."""
    if drawing is None:
        return NO_CHANGE
    if isinstance(index, list):
        inside = [k for k in index if _is_index(drawing, k)]
        return _select_area(drawing, inside) if inside else NO_CHANGE
    number = int(index) if isinstance(index, str) and index.isdecimal() and len(index) < 10 else index
    return _choose(drawing, number) if isinstance(number, int) and _is_index(drawing, number) else NO_CHANGE


def _is_index(drawing: EmbeddingMap, index: object) -> bool:
    return type(index) is int and 0 <= index < len(drawing.texts)


def _choose(drawing: EmbeddingMap, index: int) -> SelectionView:
    point = drawing.plane.points[index]
    return _with_neighbours(drawing, drawing.texts[index], drawing.embeddings[index], point, index)


def _with_neighbours(
    drawing: EmbeddingMap, text: str, embedding: np.ndarray, point: np.ndarray, index: int | None = None, note: str = ""
) -> SelectionView:
    """Return the view of a sentence and its true neighbours, to each of which a line leads."""
    nearest = drawing.neighbours(embedding, index)
    indices = [k for k, _ in nearest]
    kept = drawing.count_kept(indices, point, index)
    words = f"{kept} of its {len(nearest)} nearest sentences by cosine are also among its nearest points on the map."
    return SelectionView(
        figure=show_marker(selection_trace(drawing.plane.points[indices], text, point)),
        selected=_list(text, f"{words if nearest else 'It is alone here.'} {note}", drawing, nearest),
        inside=[],
        save=gr.update(visible=False),
    )


def _list(
    title: str, note: str, drawing: EmbeddingMap, rows: Iterable[tuple[int, float | None]], *, quoted: bool = True
) -> str:
    """Return sentences as buttons, with their cosines if there are any."""
    shown = [(k, drawing.texts[k], "" if cosine is None else f"{cosine:.3f}") for k, cosine in rows]
    return render("map/selected", title=title, quoted=quoted, note=note.strip(), rows=shown)


def add_sentence(services: Services, drawing: EmbeddingMap | None, sentence: str) -> SelectionView:
    """Place a sentence on the map, which may be new there, and list its true neighbours."""
    sentence = sentence.strip()
    if drawing is None or not sentence:
        return NO_CHANGE
    if sentence in drawing.texts:
        return _choose(drawing, drawing.texts.index(sentence))
    sentence = clean_query(sentence)
    try:
        model = services.run_model(drawing.run) if drawing.run else services.starter
        embedding = model.encoder.encode([sentence])[0]
    except MtstError as error:
        return SelectionView(selected=problem(error))
    point = project_new(drawing.plane, drawing.embeddings, embedding)
    is_linear = isinstance(drawing.plane, LinearProjection)
    where = "where the projection puts it" if is_linear else "between the five sentences that are nearest to it"
    return _with_neighbours(drawing, sentence, embedding, point, note=f"It is new here: it lies {where}.")


def search_sentences(drawing: EmbeddingMap | None, words: str) -> SelectionView:
    """Ring and list the sentences in which all the words occur, in any case."""
    wanted = words.casefold().split()
    if drawing is None:
        return NO_CHANGE
    if not wanted:
        return SelectionView(show_marker({}), **NOTHING_SELECTED)
    found = [k for k, text in enumerate(drawing.folded) if all(word in text for word in wanted)]
    hint = "Enter places your words on the map as a new sentence."
    return _several(drawing, found, f"{quantity(len(found), 'sentence').capitalize()} with these words", hint)


def _select_area(drawing: EmbeddingMap, inside: Sequence[int]) -> SelectionView:
    return _several(drawing, inside, f"{quantity(len(inside), 'sentence').capitalize()} in this area")


def _several(drawing: EmbeddingMap, indices: Sequence[int], title: str, hint: str = "") -> SelectionView:
    cut = f"The first {MAX_LISTED} are listed; the file has all." if len(indices) > MAX_LISTED else ""
    return SelectionView(
        figure=show_marker(selection_trace(drawing.plane.points[[*indices[:MAX_RINGED]]], "") if indices else {}),
        selected=_list(title, f"{cut} {hint}", drawing, [(k, None) for k in indices[:MAX_LISTED]], quoted=False),
        inside=list(indices),
        save=gr.update(visible=bool(indices), value=f"Save {quantity(len(indices), 'sentence')} as CSV"),
    )


def save_selection(drawing: EmbeddingMap | None, inside: Sequence[int]) -> str:
    """Write the selected sentences with their values, predictions and positions; return the path of the file.

    Raises:
        gr.Error: it cannot be written.
    """
    chosen = [k for k in inside if drawing is not None and _is_index(drawing, k)]
    if drawing is None or not chosen:
        raise gr.Error("Select sentences first.", print_exception=False)
    values = drawing.values
    predicted = {f"predicted {name}": head.predicted for name, head in drawing.predictions.items()}
    rows = (
        [k + 1, drawing.texts[k], *(column[k] for column in (*values.values(), *predicted.values())), *point.tolist()]
        for k, point in zip(chosen, np.round(drawing.plane.points[chosen], 4), strict=True)
    )
    try:
        path = fresh_path("mtst-selection.csv")
        write_csv(path, ["number", "sentence", *values, *predicted, *drawing.plane.axes], rows)
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(path)
