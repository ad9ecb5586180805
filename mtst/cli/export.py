"""`export` and `push`: a saved model -> a ZIP or ONNX files, or a repository on the Hub."""

from pathlib import Path
from typing import Annotated

import typer

from mtst.errors import ModelError, SettingsError
from mtst.model import hub
from mtst.model.export.onnx import export_onnx
from mtst.model.export.zip import zip_model
from mtst.model.loading import load_model, load_report
from mtst.model.storage import MODULES_FILE, read_metadata


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
        zip_model(loaded, archive, archive.stem, load_report(model))
        typer.echo(f"written to {archive}")
    if onnx:
        max_difference = export_onnx(loaded, onnx)
        typer.echo(f"written to {onnx}; it differs from PyTorch by at most {max_difference:.1e}")


def push(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A saved model, with its encoder.")],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="What it is called on the Hub.")],
    private: Annotated[
        bool | None,
        typer.Option("--private/--public", help="Who may see a new one; as your account says if omitted."),
    ] = None,
) -> None:
    """Upload a model to the Hub: encoder, heads, model card, report, script; with --private to no public repository.

    The token is that of `hf auth login`, or HF_TOKEN; it is no option, since a shell keeps what is typed.
    """
    read_metadata(folder)
    if not (folder / MODULES_FILE).is_file():
        raise ModelError(f"{folder} has no encoder of its own. Save the model without --heads-only first.")
    typer.echo(hub.push(folder, repo, private=private))
