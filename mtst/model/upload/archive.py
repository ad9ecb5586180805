"""A ZIP that `mtst.model.export.bundle` has made, or somebody else in its likeness -> the folder of a model.

Code cannot come in: what is unpacked are tensors, words and settings, by their names, and `mtst.model.upload.validation` looks at the
settings. Sizes are counted while reading, for what an archive says of itself may be wrong.
"""

import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mtst.errors import ModelError
from mtst.model.export.bundle import read_report
from mtst.model.storage import HEADS, METADATA_FILE
from mtst.model.upload.validation import check_network, check_working

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

SMALL, WORDS, WEIGHTS = 2_000_000, 50_000_000, None  # the most bytes that a file may unpack to; None: what is left
MODEL_FILES = {
    METADATA_FILE: SMALL,
    HEADS: WEIGHTS,
    "report.json": WORDS,
    "modules.json": SMALL,
    "config.json": SMALL,
    "config_sentence_transformers.json": SMALL,
    "sentence_bert_config.json": SMALL,
    "model.safetensors": WEIGHTS,
    "tokenizer.json": WORDS,
    "tokenizer_config.json": SMALL,
    "special_tokens_map.json": SMALL,
    "added_tokens.json": SMALL,
    "vocab.txt": WORDS,
    "vocab.json": WORDS,
    "merges.txt": WORDS,
    "1_Pooling/config.json": SMALL,
    "2_Normalize/config.json": SMALL,
    "2_Dense/config.json": SMALL,
    "2_Dense/model.safetensors": WEIGHTS,
    "3_Normalize/config.json": SMALL,
}
NEEDED = (METADATA_FILE, HEADS, "modules.json", "config.json", "model.safetensors", "tokenizer.json")
# What goes along for people and stays in the archive.
LEFT_IN = {"README.md", "LICENSE", "requirements.txt", "predict.py", "predict_onnx.py", "requirements-onnx.txt"}
MAX_ENTRIES, MAX_DIRECTORY, MAX_RATIO = 64, 64_000, 100
END = struct.Struct("<4s4H2LH")  # the end record of a ZIP
END_64 = b"PK\x06\x07", 20  # what marks one that goes on, and how long that mark is
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OverflowError, RuntimeError, ValueError)
ADVICE = "Upload a ZIP as it was made by mtst."


def unpack(archive: Path, folder: Path, megabytes: float = 4_000.0) -> None:
    """Unpack the model of an archive into a new folder, which is there afterwards only if all is well.

    Args:
        archive: the ZIP.
        folder: where to; it must not be there yet.
        megabytes: the most that the archive may take, and the most that it may unpack to.

    Raises:
        ModelError: it is damaged, goes beyond a limit, or holds anything but such a model.
    """
    try:
        folder.mkdir(parents=True)
        try:
            _check_end(archive, int(megabytes * 1e6))
            with zipfile.ZipFile(archive) as source:
                _Unpacking(source, folder, int(megabytes * 1e6)).all()
            check_network(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except DAMAGED as error:
        raise ModelError(f"{archive.name} cannot be read as a ZIP: {error}. {ADVICE}") from error
    except OSError as error:
        raise ModelError(f"{archive.name} cannot be unpacked: {error.strerror or error}.") from error


def load_archive(archive: Path, *, fp32: bool = False) -> "MultiTaskSentenceTransformer":
    """Load the model of an archive without leaving anything behind.

    Raises:
        ModelError: it is none, as `unpack` says, or does not work.
        EncoderError: its encoder cannot be loaded.
    """
    from mtst.model.multitask import MultiTaskSentenceTransformer

    with TemporaryDirectory() as scratch:
        unpack(archive, Path(scratch) / "model")
        model = MultiTaskSentenceTransformer.load(Path(scratch) / "model", fp32=fp32)
        check_working(model)
    return model


def archived_report(archive: Path) -> bytes | None:
    """Return the report that goes along with the model of an archive, if there is one.

    Raises:
        ModelError: it is none, as `unpack` says.
    """
    with TemporaryDirectory() as scratch:
        unpack(archive, Path(scratch) / "model")
        return read_report(Path(scratch) / "model")


def _check_end(archive: Path, limit: int) -> None:
    """Look at the end of an archive, where it says how long its directory is, before anybody reads that directory."""
    size = archive.stat().st_size
    if size > limit:
        raise ModelError(f"{archive.name} is larger than the {limit / 1e6:g} MB that a model may have here.")
    with archive.open("rb") as file:
        file.seek(max(0, size - END.size - END_64[1]))
        end = file.read()
    if len(end) < END.size or not end[-END.size :].startswith(b"PK\x05\x06"):
        raise ModelError(f"{archive.name} is not a ZIP that mtst has made. {ADVICE}")
    _, _, _, _, entries, length, start, comment = END.unpack(end[-END.size :])
    whole = start + length + END.size == size and not comment and not end.startswith(END_64[0])
    if not whole or entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise ModelError(f"{archive.name} is not a ZIP that mtst has made: its directory is unusual. {ADVICE}")


class _Unpacking:
    """One archive on its way into one folder, and how many bytes it may still unpack to."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path, left: int) -> None:
        self._archive, self._folder, self._left = archive, folder, left
        self._name = Path(archive.filename or "").name

    def all(self) -> None:
        """Unpack every file of the model."""
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        names = [self._path(entry) for entry in self._archive.infolist()]
        tops = {name.parts[0] for name in names}
        root = len(tops) == 1 and all(len(self._path(entry).parts) > 1 for entry in entries)
        found: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            path = self._path(entry)
            name = str(PurePosixPath(*path.parts[1:]) if root else path)
            if name in found:
                raise self._refused(f"{name!r} is in it more than once")
            if name not in MODEL_FILES and name not in LEFT_IN and path.parts[-2:-1] != ("onnx",):
                raise self._refused(f"{name!r} is no part of a model")
            found[name] = entry
        if missing := [name for name in NEEDED if name not in found]:
            raise self._refused(f"{missing[0]!r} is missing")
        for name in MODEL_FILES:
            if name in found:
                self._file(name, found[name])

    def _path(self, entry: zipfile.ZipInfo) -> PurePosixPath:
        """Return the path of an entry if it stays where it is put and the entry is a plain file, or a folder."""
        path = PurePosixPath(entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if path.is_absolute() or {"..", ".", ""} & set(path.parts) or set("\\:\0") & set(entry.orig_filename):
            raise self._refused(f"{entry.filename[:80]!r} leads out of it")
        if not path.parts or kind not in {0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG}:
            raise self._refused(f"{entry.filename[:80]!r} is no plain file")
        if entry.flag_bits & 1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise self._refused(f"{entry.filename[:80]!r} is encrypted, or packed in an unusual way")
        return path

    def _file(self, name: str, entry: zipfile.ZipInfo) -> None:
        """Unpack a file, counting what comes out of it."""
        most = MODEL_FILES[name]
        limit = min(self._left, self._left if most is None else most, MAX_RATIO * entry.compress_size)
        target = self._folder / name
        target.parent.mkdir(exist_ok=True)
        count = 0
        with self._archive.open(entry) as source, target.open("xb") as file:
            while block := source.read(1 << 20):
                count += len(block)
                if count > limit:
                    raise self._refused(f"{name!r} unpacks to more than it may")
                file.write(block)
        self._left -= count

    def _refused(self, why: str) -> ModelError:
        return ModelError(f"{self._name} is not a model that mtst has made: {why}. {ADVICE}")
