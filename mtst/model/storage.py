"""The folder of a saved model: what is part of it, and `mtst.json`, which holds its tasks."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from mtst.data.tasks import Task
from mtst.errors import ModelError
from mtst.files import FULL

METADATA_FILE, HEADS_FILE, MODULES_FILE = "mtst.json", "heads.safetensors", "modules.json"
FORMAT = 1
# What a model of any kind is saved as, by the names of the files; those of a module lie in a folder of its own.
MODULE = re.compile(r"\d+_[A-Z]\w*")
PARTS = re.compile(
    r"mtst\.json|heads\.safetensors|README\.md|report\.json|requirements\.txt|predict\.py|modules\.json"
    r"|config\.json|config_sentence_transformers\.json|sentence_[\w-]+_config\.json|generation_config\.json"
    r"|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json"
    r"|tokenizer(_config)?\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(txt|json)|merges\.txt"
    r"|unigram\.json|(tokenizer|spiece|sentencepiece(\.bpe)?)\.model|chat_template\.jinja|(pre)?processor_config\.json"
)
ONNX = frozenset({"model.onnx", "tokenizer.json", "mtst.json", "requirements.txt", "predict_onnx.py"})


def invalid_model(why: str) -> ModelError:
    """Return the error that says why a folder that came from anywhere is not taken for a saved model."""
    return ModelError(f"This is not a model that mtst has made: {why}.")


def check_target(folder: Path) -> None:
    """Make sure that a model can be saved in a folder: it is new, or empty, or holds an earlier model and nothing else.

    Raises:
        ModelError: it is none of these.
    """
    try:
        if not folder.exists():
            return
        found = next(_others(folder) if (folder / METADATA_FILE).is_file() else folder.iterdir(), None)
    except OSError as error:
        raise write_error(folder, error) from error
    if found:
        name = found.relative_to(folder).parts[0]
        raise ModelError(
            f"{folder} holds other files, {name!r} for one. Choose a new folder, or one with an earlier model alone."
        )


def _others(folder: Path) -> Iterator[Path]:
    """Yield what is no part of the model in a folder."""
    for path in folder.rglob("*"):
        if (path.is_symlink() or not path.is_dir()) and not is_part(path.relative_to(folder)):
            yield path


def is_part(path: PurePath) -> bool:
    """Tell whether a file is part of a model, by its path in the model's folder."""
    *above, name = path.parts
    if above == ["onnx"]:
        return name in ONNX
    return len(above) < 2 and all(map(MODULE.fullmatch, above)) and PARTS.fullmatch(name) is not None


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder, which takes the place of another when it is whole; if anything fails the other stays.

    A process that is killed leaves the old one or the new one, or for a moment none, and a hidden folder next to it.

    Raises:
        OSError: the disk does not take it.
    """
    target = folder.resolve()  # a link stays one
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".saving-", ignore_cleanup_errors=True) as scratch:
        made, older = Path(scratch) / "made", Path(scratch) / "older"
        made.mkdir()
        yield made
        try:
            if target.exists():
                shutil.copymode(target, made)
                target.rename(older)
            made.rename(target)
        except BaseException:
            if older.exists() and not target.exists():
                older.rename(target)
            raise


def write_error(folder: Path, error: OSError) -> ModelError:
    """Return the error which says why a model cannot be written to a folder."""
    if error.errno in FULL:
        return ModelError("The disk is full, so the model could not be stored. Free some space and try again.")
    return ModelError(f"The model cannot be written to {folder}: {error.strerror or error}.")


@dataclass(frozen=True)
class ModelMetadata:
    """The content of `mtst.json`.

    Attributes:
        tasks: the tasks, in the order of the heads.
        encoder: the name of the encoder if the model is saved without it.
        base: the name of the encoder that training began with; models of the first versions do not have it.
    """

    tasks: tuple[Task, ...]
    encoder: str | None
    base: str | None


def write_metadata(folder: Path, metadata: ModelMetadata, dimension: int) -> None:
    """Write `mtst.json`.

    Args:
        folder: of the model.
        metadata: its tasks and encoder.
        dimension: the length of an embedding.
    """
    content = {
        "format": FORMAT,
        "encoder": metadata.encoder,
        "base": metadata.base,
        "dimension": dimension,
        "tasks": tasks_to_json(metadata.tasks),
    }
    (folder / METADATA_FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def tasks_to_json(tasks: Sequence[Task]) -> list[dict[str, object]]:
    """Return tasks as `mtst.json` holds them."""
    return [{"name": task.name, "labels": list(task.labels)} for task in tasks]


def read_metadata(folder: Path) -> ModelMetadata:
    """Read the `mtst.json` of a saved model.

    Raises:
        ModelError: it is missing or cannot be read.
    """
    try:
        content = (folder / METADATA_FILE).read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{folder} holds no model: there is no {METADATA_FILE} in it.") from None
    except OSError as error:
        raise ModelError(f"{folder / METADATA_FILE} cannot be read: {error.strerror}.") from error
    return parse_metadata(content, str(folder / METADATA_FILE))


def parse_metadata(content: bytes, source: str) -> ModelMetadata:
    """Parse the content of an `mtst.json`.

    Args:
        content: of the file.
        source: what the file is called in an error message.

    Raises:
        ModelError: it does not describe a model of the format that this version reads.
    """
    try:
        values = json.loads(content.decode())
        tasks = tuple(Task(_text(task["name"]), tuple(map(_text, task["labels"]))) for task in values["tasks"])
        encoder, base = (None if name is None else _name(name) for name in (values["encoder"], values.get("base")))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{source} cannot be read as the description of a model.") from error
    if values.get("format") != FORMAT:
        raise ModelError(f"{source} is of format {values.get('format')!r}; this version reads format {FORMAT}.")
    return ModelMetadata(tasks, encoder, base)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return _text(value)


def _text(value: object) -> str:
    text = str(value)
    text.encode()  # raises a ValueError for lone surrogates, which could not be written again
    return text
