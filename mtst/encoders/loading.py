"""Load a sentence encoder: from the bundled package, from the Hub, or from a folder."""

import hashlib
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.encoders.catalogue import CATALOGUE, DEFAULT, Bundle, catalogue_key
from mtst.encoders.hub import download
from mtst.encoders.hub.errors import NEEDS_CODE, explain_error
from mtst.encoders.hub.files import module_paths, read_json, requires_code
from mtst.encoders.prompts import default_prompt, set_default_prompt
from mtst.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from mtst.encoders.encoder import Encoder


def load_encoder(
    name: str = DEFAULT,
    *,
    prompt: str | None = None,
    fp32: bool = False,
    progress: download.ProgressCallback | None = None,
) -> "Encoder":
    """Load an encoder by its name in the catalogue, a folder, or a Hub id; remote code never runs.

    What has been downloaded once is used as it is; the Hub is not asked again.

    Args:
        name: a key of `CATALOGUE`, the path of a folder, or an id such as `owner/model`.
        prompt: what to put in front of every text, by the name that the encoder has for it or as a text; empty for
            nothing. By default it is what the encoder's authors say.
        fp32: compute in 32 bits even where the machine has bf16 in hardware.
        progress: called with the bytes downloaded so far and their total, if something has to be downloaded.

    Raises:
        EncoderError: it is unknown, out of reach, altered, or not a text encoder, or has no such prompt.
    """
    return _load_folder(name, find_encoder(name) or fetch_encoder(name, progress), prompt, fp32=fp32)


def find_encoder(name: str) -> Path | None:
    """Return the folder of an encoder that is on this machine, or None if it would have to be downloaded.

    Raises:
        EncoderError: it is named like a folder that is not there, or its bundled weights have been altered.
    """
    entry = CATALOGUE.get(name)
    if entry:
        return (entry.bundle and _bundled(entry.bundle)) or download.find_cached(entry.hub_id)
    if not name.strip():
        raise EncoderError(f"Name an encoder: one of {', '.join(CATALOGUE)}, a folder, or a Hub id.")
    if Path(name).is_dir():
        return Path(name)
    if (os.sep in name.strip("/") and name.count("/") > 1) or name.startswith((".", "/", "~")):
        raise EncoderError(f"There is no folder {name!r}. Give a folder that holds an encoder, or a Hub id.")
    return download.find_cached(name)


def fetch_encoder(
    name: str, progress: download.ProgressCallback | None = None, max_megabytes: float = math.inf
) -> Path:
    """Download an encoder from the Hub and return its folder.

    Raises:
        EncoderError: it is unknown, out of reach, too large, or not what the Hub lists.
    """
    with _hub_id(name) as hub_id:
        return download.download(download.inspect_model(hub_id), progress, max_megabytes)


def inspect_hub_model(name: str) -> download.HubModel:
    """Ask the Hub for the size and configuration of an encoder, without downloading it.

    Raises:
        EncoderError: it is unknown, out of reach, or cannot be loaded.
    """
    with _hub_id(name) as hub_id:
        return download.inspect_model(hub_id)


@contextmanager
def _hub_id(name: str) -> Iterator[str]:
    """Yield an encoder's id on the Hub; raise errors of the libraries as `EncoderError`, which names the encoder."""
    try:
        yield CATALOGUE[name].hub_id if name in CATALOGUE else name
    except EncoderError:
        raise
    except Exception as error:  # there is no common base class
        raise EncoderError(explain_error(name, error, hub=True)) from error


def _bundled(bundle: Bundle) -> Path | None:
    """Return the folder of the bundled weights after verifying them, or None if the package is not installed."""
    spec = find_spec(bundle.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / bundle.folder
    weights = folder / "model.safetensors"
    _verify_once(weights, bundle.sha256, weights.stat().st_mtime_ns if weights.exists() else None)
    return folder


@lru_cache(maxsize=8)
def _verify_once(weights: Path, sha256: str, _mtime_ns: int | None) -> None:
    """Verify a file of weights unless that has succeeded since it was last written."""
    verify(weights, sha256)


def verify(weights: Path, sha256: str) -> None:
    """Check a file of weights against the published checksum.

    Raises:
        EncoderError: it is missing or differs.
    """
    try:
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"The weights {weights.name} cannot be read: {error.strerror}. Install again.") from error
    if digest != sha256:
        raise EncoderError(
            f"The weights {weights.name} are not the published ones (SHA-256 {digest[:12]}…, expected {sha256[:12]}…), "
            "so they are not loaded. Install the package again from a source you trust."
        )


def with_prompt(encoder: "Encoder", prompt: str) -> "Encoder":
    """Return an encoder with another prompt that shares the weights of a loaded one.

    Args:
        encoder: the loaded one, which keeps its prompt.
        prompt: the name of one of its prompts, or a text; empty for none.

    Raises:
        EncoderError: the encoder has no such prompt, or it leaves no room for texts.
    """
    from mtst.encoders.encoder import Encoder

    backbone = copy(encoder.backbone)  # prompts of its own, the same modules
    set_default_prompt(backbone, prompt, encoder.name)
    return Encoder(backbone, encoder.name, fp32=encoder.fp32)


def _load_folder(name: str, folder: Path, prompt: str | None, *, fp32: bool) -> "Encoder":
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    from mtst.encoders.encoder import Encoder

    logging.disable_progress_bar()
    try:
        modules = read_json(folder / download.MODULES)
        configs = [read_json(folder / part / download.CONFIG) for part in module_paths(modules)]
        if requires_code([config for config in configs if isinstance(config, dict)], modules):
            raise EncoderError(NEEDS_CODE.describe(name))
        backbone = SentenceTransformer(
            str(folder), trust_remote_code=False, local_files_only=True, model_kwargs={"dtype": "float32"}
        )
        missing = missing_weights(backbone)
        if prompt is None and (key := catalogue_key(name)) and not default_prompt(backbone):
            prompt = CATALOGUE[key].prompt
        if prompt is not None:
            set_default_prompt(backbone, prompt, name)
        encoder = Encoder(backbone, name=name, fp32=fp32)
        if lacking := [key for group in encoder.groups for key in group.parameters if key in missing]:
            raise EncoderError(
                f"The weights of {name!r} are incomplete: {len(lacking)} missing, such as {lacking[0]}. "
                "Fetch the encoder again, or choose another."
            )
        return encoder
    except (EncoderError, MemoryError):
        raise
    except Exception as error:  # there is no common base class
        raise EncoderError(explain_error(name, error, hub=False)) from error


def missing_weights(backbone: "SentenceTransformer") -> set[str]:
    """Return the names of the parameters that Transformers has filled with random numbers, for want of weights.

    It only warns of them. Parameters that it has read have a mark; other modules refuse to load without all weights.
    """
    from transformers import PreTrainedModel

    networks = [(path, module) for path, module in backbone.named_modules() if isinstance(module, PreTrainedModel)]
    return {
        f"{path}.{name}"
        for path, network in networks
        for name, parameter in network.named_parameters()
        if not getattr(parameter, "_is_hf_initialized", False)
    }
