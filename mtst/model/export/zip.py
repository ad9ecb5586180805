"""What a visitor takes home: predictions as a CSV, a model as a ZIP."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mtst.model.export.bundle import NAME, zip_folder

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer


def zip_model(
    model: "MultiTaskSentenceTransformer",
    target: Path,
    name: str = NAME,
    report: bytes | None = None,
    *,
    onnx: bool = False,
) -> None:
    """Write a model, encoder included, as a ZIP with one folder in it; the same model gives the same bytes.

    Args:
        model: the model.
        target: where to.
        name: what the folder, and the card in it, call the model.
        report: the report of its run as JSON, if there is one.
        onnx: whether the model goes along as ONNX too.

    Raises:
        ModelError: it cannot be written, or the report is none.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        model.save(folder, report=report)
        if onnx:
            from mtst.model.export.onnx import export_onnx

            export_onnx(model, folder / "onnx")
        zip_folder(folder, target)
