"""Models of the Hub: inspect one before downloading it, download it with progress, find it again in the cache.

Only the files that an encoder needs are downloaded: its configuration, its tokenizer, and one copy of its weights, as
safetensors if there are any. Each of them must be what the Hub lists, or it is deleted.
"""

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtst.encoders.catalogue import CATALOGUE, DEFAULT
from mtst.encoders.hub.errors import NEEDS_CODE
from mtst.encoders.hub.files import (
    is_complete,
    module_paths,
    read_json,
    required_files,
    requires_code,
    weight_files,
)
from mtst.encoders.hub.limits import check_network, check_room, check_size
from mtst.errors import EncoderError
from mtst.hub.problems import ALTERED
from mtst.hub.repositories import RemoteFile

if TYPE_CHECKING:
    from tqdm.auto import tqdm

TIMEOUT = 10.0  # seconds to wait for the first answer
PING_TIMEOUT = 3.0  # seconds to wait for a sign of life
MODULES, CONFIG = "modules.json", "config.json"
MAX_CONFIG_BYTES = 2_000_000  # of a file that is read before the size of all is known
MAX_MODULES = 20
ProgressCallback = Callable[[int, int], None]
"""Receives the bytes downloaded so far and their total; may be called from any thread."""


@dataclass(frozen=True)
class HubModel:
    """What the Hub says of a model before it is downloaded.

    Attributes:
        hub_id: its name.
        commit: its version.
        files: those that an encoder needs.
        parameters: the number of its parameters.
        config: its configuration.
        module_configs: the configurations of all its modules.
    """

    hub_id: str
    commit: str
    files: tuple[RemoteFile, ...]
    parameters: int
    config: Mapping[str, Any] = field(default_factory=dict)
    module_configs: tuple[Mapping[str, Any], ...] = ()

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def weights(self) -> tuple[RemoteFile, ...]:
        """The files that hold its parameters."""
        return weight_files(self.files)


def is_reachable() -> bool:
    """Return whether the Hub answers, by asking it for a model that it has."""
    import httpx2
    from huggingface_hub import HfApi, errors

    try:
        HfApi().model_info(CATALOGUE[DEFAULT].hub_id, timeout=PING_TIMEOUT)
    except errors.HfHubHTTPError:
        return True  # an answer too
    except (httpx2.TransportError, ConnectionError):
        return False
    return True


def inspect_model(hub_id: str) -> HubModel:
    """Ask the Hub for a model's files and read its configuration; neither weights nor code are downloaded.

    Raises:
        EncoderError: it has no weights that can be read, or needs code of its own.
        Exception: of the libraries, if the Hub does not answer or refuses; `hub.errors.explain_error` explains it.
    """
    from huggingface_hub import HfApi, hf_hub_download, logging

    logging.set_verbosity_error()
    info = HfApi().model_info(hub_id, files_metadata=True, timeout=TIMEOUT)
    if info.id != hub_id:  # the model was renamed, and the redirect may have dropped `files_metadata`
        info = HfApi().model_info(info.id, files_metadata=True, timeout=TIMEOUT)
    listed = {
        file.rfilename: RemoteFile(
            file.rfilename, file.size or 0, file.blob_id or "", file.lfs.sha256 if file.lfs else None
        )
        for file in info.siblings or ()
    }

    def download_json(path: str) -> Any:
        if listed[path].size > MAX_CONFIG_BYTES:
            megabytes = listed[path].size / 1e6
            raise EncoderError(f"{hub_id!r} has a {path} of {megabytes:,.0f} MB, which describes no encoder.")
        return read_json(Path(hf_hub_download(hub_id, path, revision=info.sha)))

    modules = download_json(MODULES) if MODULES in listed else None
    folders = module_paths(modules)
    files = tuple(listed[path] for path in required_files(listed, folders))
    paths = [file.path for file in files if Path(file.path).name == CONFIG]
    if len(paths) > MAX_MODULES:
        raise EncoderError(f"{hub_id!r} consists of {len(paths)} parts. Choose an encoder of fewer.")
    configs = {str(Path(path).parent): config for path in paths if isinstance(config := download_json(path), dict)}
    if requires_code(configs.values(), modules):
        raise EncoderError(NEEDS_CODE.describe(hub_id))
    weights = weight_files(files)
    if not weights:
        raise EncoderError(
            f"{hub_id!r} is not a text encoder that can be loaded: it has neither model.safetensors nor "
            "pytorch_model.bin."
        )
    parameters = info.safetensors.total if info.safetensors else sum(file.size for file in weights) // 4
    return HubModel(
        hub_id, info.sha or "", files, parameters, configs.get(folders[0] or ".", {}), tuple(configs.values())
    )


def download(model: HubModel, progress: ProgressCallback | None = None, max_megabytes: float = math.inf) -> Path:
    """Download the files that are not cached yet and return the folder.

    Args:
        model: what `inspect_model` returned.
        progress: called with the bytes downloaded so far and their total.
        max_megabytes: the largest size that is allowed.

    Raises:
        EncoderError: it is larger than that, than the disk, or than its own weights; or a file arrives that is not
            what the Hub lists.
        Exception: of the libraries, as for `inspect_model`.
    """
    from huggingface_hub import constants, snapshot_download, try_to_load_from_cache

    check_size(model.hub_id, model.size / 1e6, max_megabytes)
    check_network(model.hub_id, model.module_configs, sum(file.size for file in model.weights))
    missing = sum(
        file.size
        for file in model.files
        if not isinstance(try_to_load_from_cache(model.hub_id, file.path, revision=model.commit), str)
    )
    check_room(model.hub_id, missing, Path(constants.HF_HUB_CACHE))
    report = progress or (lambda _done, _total: None)
    report(0, missing)
    folder = Path(
        snapshot_download(
            model.hub_id,
            allow_patterns=_exactly(file.path for file in model.files),
            tqdm_class=_progress_bar(missing, report),
            max_workers=2,
        )
    )
    altered = [file for file in model.files if not file.matches(folder / file.path)]
    for file in altered:
        for path in ((folder / file.path).resolve(), folder / file.path):
            path.unlink(missing_ok=True)
    if altered:
        raise EncoderError(ALTERED.describe(model.hub_id))
    report(missing, missing)
    return folder


def find_cached(hub_id: str) -> Path | None:
    """Return the folder of a model whose needed files are all on this machine, or None; the Hub is not asked."""
    from huggingface_hub import errors, get_cached_repo_tree, snapshot_download

    try:
        listed = [file.path for file in get_cached_repo_tree(hub_id)]
    except errors.CachedRepoTreeNotFoundError:
        return _find_unlisted(hub_id)
    except errors.HFValidationError:
        return None
    try:
        first = MODULES if MODULES in listed else CONFIG
        folder = Path(snapshot_download(hub_id, local_files_only=True, allow_patterns=[first]))
        required = required_files(listed, module_paths(read_json(folder / MODULES)))
        return Path(snapshot_download(hub_id, local_files_only=True, allow_patterns=_exactly(required)))
    except errors.LocalEntryNotFoundError:
        return None


def _find_unlisted(hub_id: str) -> Path | None:
    """Return the folder of a model that another program downloaded file by file, without a list, if it is complete."""
    from huggingface_hub import errors, snapshot_download

    try:
        folder = Path(snapshot_download(hub_id, local_files_only=True))
    except errors.LocalEntryNotFoundError:
        return None
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return folder if is_complete(required_files(files, module_paths(read_json(folder / MODULES)))) else None


def _exactly(paths: Iterable[str]) -> list[str]:
    """Return patterns that match these paths alone."""
    return [escape(path) for path in paths]


def _progress_bar(total: int, progress: ProgressCallback) -> "type[tqdm]":
    """Return a class of progress bars that draw nothing and report how many bytes have arrived."""
    from tqdm.auto import tqdm

    lock = threading.Lock()

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # A download has one bar for files, one for bytes from the network, one for bytes written to the disk.
            self._counts = kwargs.get("unit") == "B" and "Reconstruct" in str(kwargs.get("desc"))
            self._done = 0
            super().__init__(*args, **kwargs | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            if self._counts:
                with lock:
                    self._done += int(n or 0)
                    if self._done < total:  # completion is reported once all files have been checked
                        progress(self._done, total)

    return Bar
