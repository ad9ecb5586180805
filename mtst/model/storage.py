"""The folder of a saved model: which files belong to it, how it is replaced, and its `mtst.json`."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mtst.data.tasks import Task
from mtst.errors import ModelError
from mtst.files import FULL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedModel

METADATA_FILE, HEADS_FILE, MODULES_FILE = "mtst.json", "heads.safetensors", "modules.json"
FORMAT, MULTI_FORMAT = 1, 2  # without and with multi-label tasks, which version 0.4 would read as single-label ones
WEIGHTS = "model.safetensors"  # of each module of the encoder
# The files that a model of any kind is saved as. Those of a module may be in a folder of its own.
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
    """Return the error for a model from elsewhere that is refused."""
    return ModelError(f"This is not a model that mtst has made: {why}.")


def check_target(folder: Path) -> None:
    """Check that a model can be saved in a folder: it does not exist, is empty, or holds an older model alone.

    Raises:
        ModelError: it holds other files or cannot be read.
    """
    try:
        if not folder.exists():
            return
        other = next(_other_files(folder) if (folder / METADATA_FILE).is_file() else folder.iterdir(), None)
    except OSError as error:
        raise write_error(folder, error) from error
    if other:
        name = other.relative_to(folder).parts[0]
        raise ModelError(
            f"{folder} holds other files, {name!r} for one. Choose a new folder, or one with an earlier model alone."
        )


def _other_files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder that do not belong to a model."""
    for path in folder.rglob("*"):
        if (path.is_symlink() or not path.is_dir()) and not is_part(path.relative_to(folder)):
            yield path


def is_part(path: PurePath) -> bool:
    """Return whether a file belongs to a model, given its path in the model's folder."""
    *folders, name = path.parts
    if folders == ["onnx"]:
        return name in ONNX
    return len(folders) < 2 and all(map(MODULE.fullmatch, folders)) and PARTS.fullmatch(name) is not None


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that replaces another when the block has filled it; if the block fails, the old folder stays.

    A process that is killed leaves the old folder or the new one, for a moment neither, and a hidden folder beside it.

    Raises:
        OSError: the disk does not take it.
    """
    target = folder.resolve()  # a link stays a link
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".saving-", ignore_cleanup_errors=True) as scratch:
        staging, old = Path(scratch) / "new", Path(scratch) / "old"
        staging.mkdir()
        yield staging
        try:
            if target.exists():
                shutil.copymode(target, staging)
                target.rename(old)
            staging.rename(target)
        except BaseException:
            if old.exists() and not target.exists():
                old.rename(target)
            raise


def write_error(folder: Path, error: OSError) -> ModelError:
    """Return the error for a model that cannot be written to a folder."""
    if error.errno in FULL:
        return ModelError("The disk is full, so the model could not be stored. Free some space and try again.")
    return ModelError(f"The model cannot be written to {folder}: {error.strerror or error}.")


def save_backbone(backbone: "SentenceTransformer", folder: Path) -> None:
    """Save a backbone in a folder, its weights under the names of its parameters, which an upload compares them with.

    Transformers saves some networks, such as Nomic's, under the names that they were published with; it reads both.
    """
    from safetensors import safe_open

    backbone.save_pretrained(str(folder), create_model_card=False)
    network: PreTrainedModel | None = getattr(backbone[0], "auto_model", None)
    weights = folder / WEIGHTS
    if network is not None and weights.is_file():
        with safe_open(weights, framework="pt") as tensors:
            renamed = not set(tensors.keys()) <= network.state_dict().keys()
        if renamed:
            network.save_pretrained(folder, save_original_format=False)


@dataclass(frozen=True)
class ModelMetadata:
    """The content of `mtst.json`.

    Attributes:
        tasks: the tasks, in the order of the heads.
        encoder: the name of the encoder if the model is saved without it.
        base: the name of the encoder that training began with; models of the first versions do not have it.
        prompt: what the encoder puts in front of every text; None if an earlier version has saved the model.
    """

    tasks: tuple[Task, ...]
    encoder: str | None
    base: str | None
    prompt: str | None = None


def write_metadata(folder: Path, metadata: ModelMetadata, dimension: int) -> None:
    """Write `mtst.json`.

    Args:
        folder: of the model.
        metadata: its tasks and encoder.
        dimension: the length of an embedding.
    """
    content = {
        "format": MULTI_FORMAT if any(task.multi for task in metadata.tasks) else FORMAT,
        "encoder": metadata.encoder,
        "base": metadata.base,
        "prompt": metadata.prompt,
        "dimension": dimension,
        "tasks": tasks_to_json(metadata.tasks),
    }
    (folder / METADATA_FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def tasks_to_json(tasks: Sequence[Task]) -> list[dict[str, object]]:
    """Return tasks as `mtst.json` holds them."""
    return [
        {"name": task.name, "labels": list(task.labels)}
        | ({"multi": True, "threshold": task.threshold} if task.multi else {})
        for task in tasks
    ]


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
        tasks = tuple(map(_task, values["tasks"]))
        encoder, base, prompt = (
            None if name is None else _name(name)
            for name in (values["encoder"], values.get("base"), values.get("prompt"))
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{source} cannot be read as the description of a model.") from error
    if values.get("format") not in (FORMAT, MULTI_FORMAT):
        raise ModelError(
            f"{source} is of format {values.get('format')!r}; this version reads formats {FORMAT} and {MULTI_FORMAT}."
        )
    return ModelMetadata(tasks, encoder, base, prompt)


def _task(values: Mapping[str, Any]) -> Task:
    labels = tuple(map(_text, values["labels"]))
    return Task(
        _text(values["name"]), labels, multi=values.get("multi") is True, threshold=float(values.get("threshold", 0.5))
    )


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return _text(value)


def _text(value: object) -> str:
    text = str(value)
    text.encode()  # raises a ValueError for lone surrogates, which could not be written again
    return text
