"""The files in the ZIP of a model, read without trusting what the ZIP says about itself.

Names and entry types are checked before anything is read, and bytes are counted while they are unpacked, because the
sizes in a ZIP's directory may be wrong. Files that are not asked for are never unpacked.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from mtst.errors import ModelError
from mtst.model.storage import is_part

MAX_ENTRIES, MAX_DIRECTORY_BYTES = 64, 64_000
MAX_RATIO = 100  # unpacked bytes for each packed one
OLDER_FILES = {"LICENSE", "predict_onnx.py", "requirements-onnx.txt"}  # which earlier versions put beside the model
END_RECORD = struct.Struct("<4s4H2LH")
END_RECORD_MARK = b"PK\x05\x06"
ZIP64_LOCATOR_MARK, ZIP64_LOCATOR_BYTES = b"PK\x06\x07", 20
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OverflowError, RuntimeError, ValueError)
ADVICE = "Upload a ZIP as it was made by mtst."


class ModelArchive:
    """The files of a model in an open ZIP, by their paths in the model's folder.

    Attributes:
        names: the paths of all files, such as `mtst.json` or `2_Dense/model.safetensors`.
    """

    def __init__(self, archive: zipfile.ZipFile, max_bytes: int) -> None:
        self._archive = archive
        self._name = Path(archive.filename or "").name
        self._budget = max_bytes
        self._entries = self._check_entries()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file.

        Raises:
            ModelError: the file is missing or longer than `max_bytes`.
        """
        with _explained(self._name):
            return b"".join(self._blocks(name, max_bytes))

    def extract(self, name: str, target: Path, max_bytes: int) -> None:
        """Unpack a file to a new path; all files together may unpack to the limit that the archive was opened with.

        Raises:
            ModelError: the file is missing or longer than `max_bytes`.
        """
        with _explained(self._name), target.open("xb") as file:
            for block in self._blocks(name, max_bytes):
                file.write(block)

    def _blocks(self, name: str, max_bytes: int) -> Iterator[bytes]:
        if name not in self._entries:
            raise self._refused(f"{name!r} is missing")
        entry = self._entries[name]
        limit = min(self._budget, max_bytes, MAX_RATIO * entry.compress_size)
        count = 0
        with self._archive.open(entry) as source:
            while block := source.read(1 << 20):
                count += len(block)
                if count > limit:
                    raise self._refused(f"{name!r} unpacks to more than it may")
                yield block
        self._budget -= count

    def _check_entries(self) -> Mapping[str, zipfile.ZipInfo]:
        """Return the entries by their paths in the model's folder, which may be the only folder of the archive."""
        infos = self._archive.infolist()
        paths = [self._checked_path(info) for info in infos]
        files = [(info, path) for info, path in zip(infos, paths, strict=True) if not info.is_dir()]
        has_root = len({path.parts[0] for path in paths}) == 1 and all(len(path.parts) > 1 for _, path in files)
        entries: dict[str, zipfile.ZipInfo] = {}
        for info, path in files:
            inner = PurePosixPath(*path.parts[1:]) if has_root else path
            if str(inner) in entries:
                raise self._refused(f"{str(inner)!r} is in it more than once")
            if not (is_part(inner) or str(inner) in OLDER_FILES or inner.parts[-2:-1] == ("onnx",)):
                raise self._refused(f"{str(inner)[:80]!r} is no part of a model")
            entries[str(inner)] = info
        return entries

    def _checked_path(self, entry: zipfile.ZipInfo) -> PurePosixPath:
        """Return the path of an entry after making sure that it is a plain file or a folder inside the archive."""
        path = PurePosixPath(entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if path.is_absolute() or {"..", ".", ""} & set(path.parts) or set("\\:\0") & set(entry.orig_filename):
            raise self._refused(f"{entry.filename[:80]!r} leads out of it")
        if not path.parts or kind not in {0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG}:
            raise self._refused(f"{entry.filename[:80]!r} is no plain file")
        if entry.flag_bits & 1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise self._refused(f"{entry.filename[:80]!r} is encrypted, or packed in an unusual way")
        return path

    def _refused(self, why: str) -> ModelError:
        return ModelError(f"{self._name} is not a model that mtst has made: {why}. {ADVICE}")


@contextmanager
def open_archive(path: Path, max_megabytes: float) -> Iterator[ModelArchive]:
    """Open the ZIP of a model.

    Args:
        path: the ZIP.
        max_megabytes: the largest size of the ZIP, and of everything that is unpacked from it.

    Raises:
        ModelError: the ZIP is damaged, goes beyond a limit, or holds files that are no part of a model.
    """
    max_bytes = int(max_megabytes * 1e6)
    with ExitStack() as stack:
        with _explained(path.name):
            _check_end(path, max_bytes)
            files = ModelArchive(stack.enter_context(zipfile.ZipFile(path)), max_bytes)
        yield files


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what is raised for a damaged ZIP, or by a full disk, into a `ModelError`."""
    try:
        yield
    except DAMAGED as error:
        raise ModelError(f"{name} cannot be read as a ZIP: {error}. {ADVICE}") from error
    except OSError as error:
        raise ModelError(f"{name} cannot be unpacked: {error.strerror or error}.") from error


def _check_end(path: Path, max_bytes: int) -> None:
    """Check the end record, which says how long the directory is, before `zipfile` reads that directory."""
    size = path.stat().st_size
    if size > max_bytes:
        raise ModelError(f"{path.name} is larger than the {max_bytes / 1e6:g} MB that a model may have here.")
    with path.open("rb") as file:
        file.seek(max(0, size - END_RECORD.size - ZIP64_LOCATOR_BYTES))
        end = file.read()
    if len(end) < END_RECORD.size or not end[-END_RECORD.size :].startswith(END_RECORD_MARK):
        raise ModelError(f"{path.name} is not a ZIP that mtst has made. {ADVICE}")
    _, _, _, _, entries, length, start, comment = END_RECORD.unpack(end[-END_RECORD.size :])
    whole = start + length + END_RECORD.size == size and not comment and not end.startswith(ZIP64_LOCATOR_MARK)
    if not whole or entries > MAX_ENTRIES or length > MAX_DIRECTORY_BYTES:
        raise ModelError(f"{path.name} is not a ZIP that mtst has made: its directory is unusual. {ADVICE}")
