"""Resume or delete a run or comparison, for the tabs that show one."""

import gradio as gr

from mtst.errors import RunError
from mtst.ui.services.services import Services


def resume_run(services: Services, visitor: str, token: str | None) -> None:
    """Put an interrupted or stopped run in the queue again.

    Raises:
        gr.Error: it cannot be resumed.
    """
    try:
        services.runs.resume(token or "", visitor)
    except RunError as error:
        raise gr.Error(str(error), title="Cannot resume", print_exception=False) from error


def delete_run(services: Services, token: str | None) -> None:
    """Delete a run with all its files.

    Raises:
        gr.Error: it cannot be deleted.
    """
    try:
        services.delete(token)
    except RunError as error:
        raise gr.Error(str(error), title="Not deleted", print_exception=False) from error
