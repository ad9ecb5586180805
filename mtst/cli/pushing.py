"""`push`: a saved model -> the Hub."""

from pathlib import Path
from typing import Annotated

import typer

from mtst.errors import ModelError
from mtst.publishing import publish
from mtst.saved import ENCODER, read_card


def push(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A saved model, with its encoder.")],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="What it is called on the Hub.")],
    private: Annotated[
        bool | None,
        typer.Option("--private/--public", help="Who may see a new one; as your account says if left out."),
    ] = None,
) -> None:
    """Upload a model to the Hub: encoder, heads, model card, report, script; with --private to no public repository.

    The token is that of `hf auth login`, or HF_TOKEN; it is no option, since a shell keeps what is typed.
    """
    read_card(folder)
    if not (folder / ENCODER).is_file():
        raise ModelError(f"{folder} has no encoder of its own. Save the model without --heads-only first.")
    typer.echo(publish(folder, repo, private=private))
