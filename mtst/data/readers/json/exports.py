"""The objects that annotation tools and chat data hold -> flat rows with a text and labels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mtst.data.readers.json.values import Object

Row = dict[str, Any]


@dataclass(frozen=True)
class Export:
    """A kind of object that a tool writes.

    Attributes:
        name: what wrote it.
        fits: whether an object is one of these.
        flatten: the object -> its row.
        sentence: what is said of a file that is read so.
    """

    name: str
    fits: Callable[[Object], bool]
    flatten: Callable[[Object], Row]
    sentence: str


def _is_label_studio(row: Object) -> bool:
    annotations = row.get("annotations", row.get("completions"))
    return isinstance(row.get("data"), dict) and isinstance(annotations, list)


def _label_studio(row: Object) -> Row:
    """Return the data of a task and, by the name of its control, the choices of the first annotation that counts."""
    flat: Row = {key: value for key, value in row["data"].items() if not isinstance(value, dict)}
    for annotation in row.get("annotations", row.get("completions")):
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        for result in annotation.get("result") or ():
            if isinstance(result, dict) and (values := _choices(result.get("value"))):
                flat[str(result.get("from_name", "label"))] = values
        break
    return flat


def _choices(value: object) -> Any:
    """Return the choices, the rating or the text that a control of Label Studio holds."""
    if not isinstance(value, dict):
        return None
    for key in ("choices", "taxonomy", "labels", "rating", "number"):
        if key in value:
            return value[key] if key != "taxonomy" else [_joined_path(path) for path in value[key]]
    return None


def _joined_path(path: object) -> str:
    """Return a path of a taxonomy, such as `["Food", "Drinks"]`, as one label."""
    return " / ".join(map(str, path)) if isinstance(path, list) else str(path)


def _is_argilla(row: Object) -> bool:
    return isinstance(row.get("fields"), dict) and isinstance(row.get("responses"), dict)


def _argilla(row: Object) -> Row:
    """Return the fields of a record and, by the name of its question, the first response that was submitted."""
    answers = {name: _first_answer(answers) for name, answers in row["responses"].items()}
    return {**row["fields"], **answers}


def _first_answer(answers: object) -> Any:
    given = answers if isinstance(answers, list) else [answers]
    return next(
        (each.get("value") for each in given if isinstance(each, dict) and each.get("status") in (None, "submitted")),
        None,
    )


def _is_argilla_row(row: Object) -> bool:
    return any(f"{key}.users" in row and isinstance(row[key], list) for key in row if key.endswith(".responses"))


def _argilla_row(row: Object) -> Row:
    """Return the same of a record that was exported as a row of a dataset."""
    flat: Row = {}
    for key, value in row.items():
        question, dot, kind = str(key).partition(".")
        if kind == "responses":
            flat[question] = value[0] if isinstance(value, list) and value else None
        elif not dot:
            flat[question] = value
    return flat


def _is_prodigy(row: Object) -> bool:
    return "text" in row and ("_input_hash" in row or row.get("answer") in ("accept", "reject", "ignore"))


def _prodigy(row: Object) -> Row:
    """Return text, label and answer of an example: without the answer “accept” it has no label."""
    answer = row.get("answer", "accept")
    if isinstance(row.get("accept"), list):
        return {"text": row["text"], "label": row["accept"] if answer == "accept" else None}
    return {"text": row["text"], "label": row.get("label") if answer == "accept" else None, "answer": answer}


def _is_doccano(row: Object) -> bool:
    annotations = row.get("annotations")
    return (
        isinstance(row.get("text"), str)
        and isinstance(annotations, list)
        and all(isinstance(each, dict) and "label" in each for each in annotations)
    )


def _doccano(row: Object) -> Row:
    """Return the row of doccano's older form, whose labels are objects."""
    kept = {key: value for key, value in row.items() if key not in ("annotations", "meta", "annotation_approver")}
    return kept | {"label": [each["label"] for each in row["annotations"]]}


def _messages(row: Object) -> Any:
    return next((row[key] for key in ("messages", "conversations", "conversation") if key in row), None)


def _is_chat(row: Object) -> bool:
    messages = _messages(row)
    return isinstance(messages, list) and bool(messages) and all(_turn(message) is not None for message in messages)


def _turn(message: object) -> tuple[str, str] | None:
    """Return who says what in a message, in OpenAI's or in ShareGPT's words."""
    if not isinstance(message, dict):
        return None
    role, content = message.get("role", message.get("from")), message.get("content", message.get("value"))
    return (role, content) if isinstance(role, str) and isinstance(content, str) else None


def _chat(row: Object) -> Row:
    """Return a column for each role, with all that it says."""
    said: dict[str, list[str]] = {}
    for message in _messages(row):
        if turn := _turn(message):
            said.setdefault(turn[0], []).append(turn[1])
    rest = {key: value for key, value in row.items() if key not in ("messages", "conversations", "conversation")}
    return {role: "\n".join(contents) for role, contents in said.items()} | rest


def _is_nested(row: Object) -> bool:
    """Return whether the texts of a row lie in objects, and none beside them."""
    nested = [value for value in row.values() if isinstance(value, dict)]
    return not any(isinstance(value, str) for value in row.values()) and any(
        isinstance(value, str) for inner in nested for value in inner.values()
    )


def _nested(row: Object) -> Row:
    """Return the values of the objects in a row as columns of their own, such as `data.text`."""
    flat: Row = {}
    for key, value in row.items():
        flat |= {f"{key}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _is_hub_row(row: Object) -> bool:
    return isinstance(row.get("row"), dict) and "row_idx" in row


EXPORTS = (
    Export(
        "Label Studio",
        _is_label_studio,
        _label_studio,
        "Label Studio tasks are read as rows: their data, and the choices of the first annotation of each.",
    ),
    Export(
        "Argilla",
        _is_argilla,
        _argilla,
        "Argilla records are read as rows: their fields, and the first submitted response to each question.",
    ),
    Export(
        "Argilla rows",
        _is_argilla_row,
        _argilla_row,
        "Argilla records are read as rows: their fields, and the first response to each question.",
    ),
    Export("Prodigy", _is_prodigy, _prodigy, "Prodigy examples that were not accepted have no label."),
    Export("doccano", _is_doccano, _doccano, "doccano's annotations are read as the column “label”."),
    Export("chat", _is_chat, _chat, "Conversations are read as a column for each role."),
    Export("Hub", _is_hub_row, lambda row: dict(row["row"]), "The rows of a Hugging Face dataset are read."),
)
NESTED = Export("nested objects", _is_nested, _nested, "The values of nested objects are read as columns of their own.")


def find_export(row: Object) -> Export | None:
    """Return the kind of an object that a tool wrote or that holds others; None for a plain row."""
    return next((export for export in (*EXPORTS, NESTED) if export.fits(row)), None)
