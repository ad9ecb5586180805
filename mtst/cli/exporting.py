"""`export`: a model -> a ZIP to take away, or ONNX files."""

from pathlib import Path
from typing import Annotated

import typer

from mtst.errors import SettingsError
from mtst.export import zip_model
from mtst.onnx_export import export_onnx
from mtst.starter import load_model, report_of


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A saved model's folder or ZIP, or 'starter'.")],
    archive: Annotated[
        Path | None, typer.Option("--zip", metavar="FILE.zip", help="Where to write all of it as one file.")
    ] = None,
    onnx: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to write it as ONNX.")] = None,
) -> None:
    """Write a model as one ZIP that works without mtst, or as ONNX, compared with PyTorch before it is handed out."""
    if archive is None and onnx is None:
        raise SettingsError("Say what to make of the model: --zip FILE.zip, --onnx FOLDER, or both.")
    loaded = load_model(model, fp32=True)
    if archive:
        zip_model(loaded, archive, archive.stem, report_of(model))
        typer.echo(f"written to {archive}")
    if onnx:
        worst = export_onnx(loaded, onnx)
        typer.echo(f"written to {onnx}; it differs from PyTorch by at most {worst:.1e}")
