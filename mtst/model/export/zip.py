"""A model as one ZIP file."""

import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mtst.errors import ModelError

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

DEFAULT_NAME = "mtst-model"
TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same model gives the same bytes
REGULAR_FILE = 0o100644 << 16


def zip_model(
    model: "MultiTaskSentenceTransformer",
    target: Path,
    name: str = DEFAULT_NAME,
    report: bytes | None = None,
    *,
    onnx: bool = False,
) -> None:
    """Write a model with its encoder as a ZIP of one folder; the same model gives the same bytes.

    Args:
        model: to write.
        target: the ZIP.
        name: of the folder and, in the card, of the model.
        report: the report of the run as JSON, if there is one.
        onnx: whether to add the model as ONNX.

    Raises:
        ModelError: the ZIP cannot be written, or the report is none.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        model.save(folder, report=report)
        if onnx:
            from mtst.model.export.onnx import export_onnx

            export_onnx(model, folder / "onnx")
        zip_folder(folder, target)


def zip_folder(folder: Path, target: Path) -> None:
    """Write a folder as a ZIP that holds the folder; an older ZIP stays until the new one is complete.

    Raises:
        ModelError: the ZIP cannot be written.
    """
    path = target.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        raise ModelError(f"The ZIP {target} cannot be written: it is no file that may be replaced. Name another one.")
    try:
        with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-", ignore_cleanup_errors=True) as scratch:
            staging = Path(scratch) / path.name
            _write_zip(folder, staging)
            if path.exists():
                shutil.copymode(path, staging)
            staging.replace(path)
    except OSError as error:
        raise ModelError(f"The ZIP {target.name} cannot be written: {error.strerror or error}.") from error


def _write_zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), TIMESTAMP)
            entry.external_attr = REGULAR_FILE
            entry.file_size = path.stat().st_size
            # Stored without compression: weights hardly get smaller.
            with path.open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed, 1 << 20)
