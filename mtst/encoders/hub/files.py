"""The files of a model: which of them an encoder needs, and whether their content is right."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtst.hub.repositories import RemoteFile

TEXT_SUFFIXES = (".json", ".txt", ".model", ".jinja")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "spiece.model")
WEIGHT_FORMATS = (  # the first that a module has is the one that is downloaded
    r"model\.safetensors",
    r"model-\d+-of-\d+\.safetensors",
    r"pytorch_model\.bin",
    r"pytorch_model-\d+-of-\d+\.bin",
)


def required_files(paths: Iterable[str], folders: Sequence[str]) -> list[str]:
    """Return those of a model's files that an encoder needs.

    Args:
        paths: all files.
        folders: those of its modules, "" for the top.
    """
    paths = list(paths)
    texts = [path for path in paths if path.endswith(TEXT_SUFFIXES) and _is_inside(path, {"", *folders})]
    weights = [path for folder in folders for path in _module_weights(paths, folder)]
    return sorted({*texts, *weights})


def weight_files(files: Iterable[RemoteFile]) -> tuple[RemoteFile, ...]:
    """Return those of the required files that hold parameters."""
    return tuple(file for file in files if not file.path.endswith(TEXT_SUFFIXES))


def is_complete(paths: Sequence[str]) -> bool:
    """Return whether required files include weights, every shard of them, and a tokenizer."""
    weights = [path for path in paths if not path.endswith(TEXT_SUFFIXES)]
    shards = [int(count) for path in weights for count in re.findall(r"-of-(\d+)\.", path)]
    tokenizer = any(Path(path).name in TOKENIZER_FILES for path in paths)
    return bool(weights) and tokenizer and (not shards or len(shards) == shards[0])


def _module_weights(paths: Sequence[str], folder: str) -> list[str]:
    """Return the weights of one module: one file or shards, as safetensors if there are any."""
    inside = [path for path in paths if str(Path(path).parent) == (folder or ".")]
    matches = ([path for path in inside if re.fullmatch(name, Path(path).name)] for name in WEIGHT_FORMATS)
    return next((files for files in matches if files), [])


def _is_inside(path: str, folders: Iterable[str]) -> bool:
    """Return whether a file lies in one of the folders: directly in the top one, at any depth in the others."""
    parent = Path(path).parent
    return any(parent == Path(folder) or (folder and Path(folder) in parent.parents) for folder in folders)


def read_json(file: Path) -> Any:
    """Return the content of a JSON file of the model, or None if it is missing or no JSON."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, FileNotFoundError):
        return None


def module_paths(modules: Any) -> list[str]:
    """Return the folders of the modules that `modules.json` names, or the top one if there is no such file."""
    if not isinstance(modules, list):
        return [""]
    folders = [str(module.get("path", "")).strip("/") for module in modules if isinstance(module, dict)]
    return list(dict.fromkeys(folders)) or [""]


def requires_code(configs: Iterable[Mapping[str, Any]], modules: Any) -> bool:
    """Return whether a model needs classes that are neither in Transformers nor in Sentence Transformers.

    A model class of its own under a known model type is one as well: Transformers would load its own class instead,
    and give random numbers to whatever the other one calls by another name.
    """
    from transformers import CONFIG_MAPPING

    types = [str(module.get("type")) for module in modules or () if isinstance(module, dict)]
    foreign = any(not name.startswith("sentence_transformers.") for name in types)
    return foreign or any(
        "auto_map" in config
        and (config.get("model_type") not in CONFIG_MAPPING or _names_model_class(config["auto_map"]))
        for config in configs
    )


def _names_model_class(auto_map: Any) -> bool:
    return isinstance(auto_map, dict) and any(str(key).startswith("AutoModel") for key in auto_map)
