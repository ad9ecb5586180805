"""TODO."""

import gradio as gr

from mtst.errors import RunError
from mtst.ui.services.services import Services


def resume_run(services: Services, visitor: str, token: str | None) -> None:
    """Let what broke off, or was stopped, wait for its turn again.

    Raises:
        gr.Error: it cannot go on.
    """
    try:
        services.runs.resume(token or "", visitor)
    except RunError as error:
        raise gr.Error(str(error), title="Cannot resume", print_exception=False) from error


def delete_run(services: Services, token: str | None) -> None:
    """Remove what a token stands for now.

    Raises:
        gr.Error: it cannot be removed.
    """
    try:
        services.delete(token)
    except RunError as error:
        raise gr.Error(str(error), title="Not deleted", print_exception=False) from error
