"""The files of a model: which of them an encoder is made of, and whether they are what they should be."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEXTS = (".json", ".txt", ".model", ".jinja")
TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "spiece.model")
WEIGHTS = (  # the first kind that there is
    r"model\.safetensors",
    r"model-\d+-of-\d+\.safetensors",
    r"pytorch_model\.bin",
    r"pytorch_model-\d+-of-\d+\.bin",
)


@dataclass(frozen=True)
class RemoteFile:
    """A file that the Hub lists: its size in bytes, and the digest that its content has.

    `sha256` is known of large files; `blob_id` is git's name for the others.
    """

    path: str
    size: int
    blob_id: str
    sha256: str | None = None

    def matches(self, file: Path) -> bool:
        """Tell whether a file has this content."""
        with file.open("rb") as content:
            if self.sha256:
                return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256
            body = content.read()
        return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest() == self.blob_id


def required_files(listed: Iterable[str], places: Sequence[str]) -> list[str]:
    """Return those of a model's files that an encoder is made of.

    Args:
        listed: the paths of all.
        places: the folders of its modules, "" for the top.
    """
    listed = list(listed)
    texts = [path for path in listed if path.endswith(TEXTS) and _lies_in(path, {"", *places})]
    weights = [path for place in places for path in _weights(listed, place)]
    return sorted({*texts, *weights})


def is_complete(files: Sequence[str]) -> bool:
    """Tell whether files that `needed` has chosen have weights, each shard of them, and a tokenizer."""
    weights = [path for path in files if not path.endswith(TEXTS)]
    shards = [int(count) for path in weights for count in re.findall(r"-of-(\d+)\.", path)]
    tokenizer = any(Path(path).name in TOKENIZERS for path in files)
    return bool(weights) and tokenizer and (not shards or len(shards) == shards[0])


def _weights(listed: Sequence[str], place: str) -> list[str]:
    """Return the weights of one module: whole or in shards, as safetensors if there are any."""
    inside = [path for path in listed if str(Path(path).parent) == (place or ".")]
    for kind in WEIGHTS:
        if found := [path for path in inside if re.fullmatch(kind, Path(path).name)]:
            return found
    return []


def _lies_in(path: str, places: Iterable[str]) -> bool:
    parent = Path(path).parent
    return any(parent == Path(place) or (place and Path(place) in parent.parents) for place in places)


def read_json(file: Path) -> Any:
    """Return what a JSON file of the model holds; nothing if it is none, or not there."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, FileNotFoundError):
        return None


def module_paths(modules: Any) -> list[str]:
    """Return the folders of the modules that `modules.json` names, or the top one if there is no such file."""
    if not isinstance(modules, list):
        return [""]
    found = [str(module.get("path", "")).strip("/") for module in modules if isinstance(module, dict)]
    return list(dict.fromkeys(found)) or [""]


def requires_code(configs: Iterable[Mapping[str, Any]], modules: Any) -> bool:
    """Tell whether the classes of a model are neither those of Transformers nor of Sentence Transformers."""
    from transformers import CONFIG_MAPPING

    kinds = [str(module.get("type")) for module in modules or () if isinstance(module, dict)]
    foreign = any(not kind.startswith("sentence_transformers.") for kind in kinds)
    return foreign or any("auto_map" in each and each.get("model_type") not in CONFIG_MAPPING for each in configs)
