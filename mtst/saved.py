"""The folder of a saved model: the names of its files, and `mtst.json`, which holds its tasks."""

import json
from collections.abc import Sequence
from pathlib import Path

from mtst.errors import FULL, ModelError
from mtst.tasks import Task

CARD, HEADS, ENCODER = "mtst.json", "heads.safetensors", "modules.json"
FORMAT = 1


def refused(why: str) -> ModelError:
    """Return the error that says why a folder that came from anywhere is not taken for a saved model."""
    return ModelError(f"This is not a model that mtst has made: {why}.")


def check_target(folder: Path) -> None:
    """Make sure that a model can be saved in a folder: it is new, or empty, or holds an earlier model.

    Raises:
        ModelError: it is none of these.
    """
    try:
        foreign = folder.exists() and not (folder / CARD).is_file() and any(folder.iterdir())
    except OSError as error:
        raise unwritten(folder, error) from error
    if foreign:
        raise ModelError(f"{folder} holds other files. Choose a new folder, or one with an earlier model.")


def unwritten(folder: Path, error: OSError) -> ModelError:
    """Return the error which says why a model cannot be written to a folder."""
    if error.errno in FULL:
        return ModelError("The disk is full, so the model could not be stored. Free some space and try again.")
    return ModelError(f"The model cannot be written to {folder}: {error.strerror or error}.")


def write_card(folder: Path, tasks: Sequence[Task], encoder: str | None, base: str, dimension: int) -> None:
    """Write the tasks of a model, the name of its encoder if it has none of its own, and that of its base."""
    card = {
        "format": FORMAT,
        "encoder": encoder,
        "base": base,
        "dimension": dimension,
        "tasks": [{"name": task.name, "labels": list(task.labels)} for task in tasks],
    }
    (folder / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_card(folder: Path) -> tuple[tuple[Task, ...], str | None, str | None]:
    """Return the tasks of a saved model, the name of its encoder if it has none of its own, and that of its base.

    Raises:
        ModelError: they cannot be read.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        tasks = tuple(Task(str(task["name"]), tuple(map(str, task["labels"]))) for task in card["tasks"])
        name, base = (None if found is None else _text(found) for found in (card["encoder"], card.get("base")))
    except FileNotFoundError:
        raise ModelError(f"{folder} holds no model: there is no {CARD} in it.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / CARD} cannot be read as the description of a model.") from error
    if card.get("format") != FORMAT:
        raise ModelError(f"{folder} was saved in format {card.get('format')!r}; this version reads format {FORMAT}.")
    return tasks, name, base


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return value
