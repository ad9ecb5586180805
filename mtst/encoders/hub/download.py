"""A model of the Hub: looked at before it is fetched, fetched with progress, found again without the network.

Only the files that an encoder is made of are fetched: its configuration, its tokenizer, and its weights once, as
safetensors if there are any. Each of them must be what the Hub lists, or it is thrown away.
"""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

from mtst.encoders.catalogue import CATALOGUE, DEFAULT
from mtst.encoders.hub.errors import changed, own_code
from mtst.encoders.hub.files import (
    TEXTS,
    RemoteFile,
    is_complete,
    module_paths,
    read_json,
    required_files,
    requires_code,
)
from mtst.encoders.hub.limits import check_network, check_room, check_size
from mtst.errors import EncoderError

SECONDS = 10.0  # to wait for the first answer
QUICK_SECONDS = 3.0  # to wait for a sign of life
MODULES, CONFIG = "modules.json", "config.json"
MOST_SAID = 2_000_000  # bytes of a file that is read before the size of all is known
MOST_PARTS = 20
ProgressCallback = Callable[[int, int], None]  # is given how many bytes have been fetched, and of how many


@dataclass(frozen=True)
class HubModel:
    """What the Hub says of a model before it is fetched.

    Attributes:
        hub_id: its name.
        commit: its version.
        files: those that are needed.
        parameters: how many numbers it consists of.
        config: its configuration.
        parts: the configurations of all its modules.
    """

    hub_id: str
    commit: str
    files: tuple[RemoteFile, ...]
    parameters: int
    config: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Mapping[str, Any], ...] = ()

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(file.size for file in self.files)

    @property
    def weights(self) -> tuple[RemoteFile, ...]:
        """The files that hold its numbers."""
        return _weights(self.files)


def _weights(files: tuple[RemoteFile, ...]) -> tuple[RemoteFile, ...]:
    return tuple(file for file in files if not file.path.endswith(TEXTS))


def is_reachable() -> bool:
    """Tell whether there is a Hub, by asking it for a model that it has."""
    import httpx2
    from huggingface_hub import HfApi, errors

    try:
        HfApi().model_info(CATALOGUE[DEFAULT].hub_id, timeout=QUICK_SECONDS)
    except errors.HfHubHTTPError:
        return True  # it has another opinion, but it is there
    except (httpx2.TransportError, ConnectionError):
        return False
    return True


def fetch_model_info(hub_id: str) -> HubModel:
    """Ask the Hub for a model and read its configuration; neither weights nor code are fetched.

    Raises:
        EncoderError: it is not there or not to be read, has no weights that can be read, or needs code of its own.
        Exception: of the libraries, if the Hub does not answer or with an error; `hub_trouble.explain` knows them.
    """
    from huggingface_hub import HfApi, hf_hub_download, logging

    logging.set_verbosity_error()
    info = HfApi().model_info(hub_id, files_metadata=True, timeout=SECONDS)
    if info.id != hub_id:  # it has moved, and the way there may have lost that sizes were asked for
        info = HfApi().model_info(info.id, files_metadata=True, timeout=SECONDS)
    listed = {
        each.rfilename: RemoteFile(
            each.rfilename, each.size or 0, each.blob_id or "", each.lfs.sha256 if each.lfs else None
        )
        for each in info.siblings or ()
    }

    def said(path: str) -> Any:
        if listed[path].size > MOST_SAID:
            megabytes = listed[path].size / 1e6
            raise EncoderError(f"{hub_id!r} has a {path} of {megabytes:,.0f} MB, which describes no encoder.")
        return read_json(Path(hf_hub_download(hub_id, path, revision=info.sha)))

    modules = said(MODULES) if MODULES in listed else None
    places = module_paths(modules)
    files = tuple(listed[path] for path in required_files(listed, places))
    paths = [file.path for file in files if Path(file.path).name == CONFIG]
    if len(paths) > MOST_PARTS:
        raise EncoderError(f"{hub_id!r} consists of {len(paths)} parts. Choose an encoder of fewer.")
    found = {str(Path(path).parent): config for path in paths if isinstance(config := said(path), dict)}
    if requires_code(found.values(), modules):
        raise EncoderError(own_code(hub_id))
    weights = _weights(files)
    if not weights:
        raise EncoderError(
            f"{hub_id!r} is not a text encoder that can be loaded: it has neither model.safetensors nor "
            "pytorch_model.bin."
        )
    counted = info.safetensors.total if info.safetensors else sum(file.size for file in weights) // 4
    return HubModel(hub_id, info.sha, files, counted, found.get(places[0] or ".", {}), tuple(found.values()))


def download(listing: HubModel, told: ProgressCallback | None = None, megabytes: float = math.inf) -> Path:
    """Download what is not here yet; return the folder.

    Args:
        listing: what `look` has found.
        told: is told how far it is, from any thread.
        megabytes: the most that it may have.

    Raises:
        EncoderError: it is too large for that, for the disk, or for its own weights; or what arrives is not what the
            Hub lists.
        Exception: of the libraries, as `look` says.
    """
    from huggingface_hub import constants, snapshot_download, try_to_load_from_cache

    check_size(listing.hub_id, listing.size / 1e6, megabytes)
    check_network(listing.hub_id, listing.parts, sum(file.size for file in listing.weights))
    fresh = [
        file
        for file in listing.files
        if not isinstance(try_to_load_from_cache(listing.hub_id, file.path, revision=listing.commit), str)
    ]
    missing = sum(file.size for file in fresh)
    check_room(listing.hub_id, missing, Path(constants.HF_HUB_CACHE))
    tell = told or (lambda *_: None)
    tell(0, missing)
    folder = Path(
        snapshot_download(
            listing.hub_id,
            allow_patterns=[escape(file.path) for file in listing.files],
            tqdm_class=_bar(missing, tell),
            max_workers=2,
        )
    )
    wrong = [file for file in listing.files if not file.matches(folder / file.path)]
    for file in wrong:
        for path in ((folder / file.path).resolve(), folder / file.path):
            path.unlink(missing_ok=True)
    if wrong:
        raise EncoderError(changed(listing.hub_id))
    tell(missing, missing)
    return folder


def find_cached(hub_id: str) -> Path | None:
    """Return the folder of a model of which all that is needed is on this machine; the Hub is not asked."""
    from huggingface_hub import errors, get_cached_repo_tree, snapshot_download

    try:
        listed = [file.path for file in get_cached_repo_tree(hub_id)]
    except errors.CachedRepoTreeNotFoundError:
        return _left_here(hub_id)
    except errors.HFValidationError:
        return None
    try:
        modules = [MODULES] if MODULES in listed else []
        folder = Path(snapshot_download(hub_id, local_files_only=True, allow_patterns=modules or [CONFIG]))
        wanted = required_files(listed, module_paths(read_json(folder / MODULES)))
        return Path(snapshot_download(hub_id, local_files_only=True, allow_patterns=list(map(escape, wanted))))
    except errors.LocalEntryNotFoundError:
        return None


def _left_here(hub_id: str) -> Path | None:
    """Return the folder of a model that another program has fetched file by file, if it looks whole."""
    from huggingface_hub import errors, snapshot_download

    try:
        folder = Path(snapshot_download(hub_id, local_files_only=True))
    except errors.LocalEntryNotFoundError:
        return None
    found = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return folder if is_complete(required_files(found, module_paths(read_json(folder / MODULES)))) else None


def _bar(total: int, told: ProgressCallback) -> type:
    """Return a class of progress bars that draw nothing and tell how many bytes have come."""
    from tqdm.auto import tqdm

    lock = threading.Lock()

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # Of the bars of a download one counts files, one what the network brings, one what reaches the disk.
            self._counts = kwargs.get("unit") == "B" and "Reconstruct" in str(kwargs.get("desc"))
            self._come = 0
            super().__init__(*args, **kwargs | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            if self._counts:
                with lock:
                    self._come += int(n or 0)
                    if self._come < total:  # the last word comes when all of it has been checked
                        told(self._come, total)

    return Bar
