"""The download of a run's model: a ZIP that is made when a visitor asks for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import gradio as gr

from mtst.errors import MtstError
from mtst.ui.components.events import Update
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.progress import ProgressSteps, with_progress
from mtst.ui.services.model_zip import make_model_zip
from mtst.ui.services.services import Services

CONTENTS = (
    "In it: the encoder, which loads with SentenceTransformer, the heads, a model card, the report with the proof of "
    "freezing, and predict.py, which needs no mtst."
)
WITH_ONNX = " As ONNX in the folder onnx, compared with PyTorch."


@dataclass(frozen=True)
class DownloadView:
    """The button that saves the ZIP, and a message about it."""

    download: Update
    packing: Update


def pack_model(services: Services, token: str | None, *, onnx: bool = False) -> Iterator[DownloadView]:
    """Pack the model of a run, with an ONNX copy if `onnx`; yield the progress, then the download.

    Closing the generator while the ZIPs of others are made removes this one from the queue.
    """
    hidden = gr.update(visible=False)
    yield DownloadView(hidden, show_message(quiet("Packing the model.")))
    make = partial(make_download, services, token, onnx=onnx)
    steps = ProgressSteps(with_progress("Packing the model", make, services.executors.packing))
    for progress in steps:
        yield DownloadView(hidden, show_message(progress.html()))
    yield steps.result


def make_download(services: Services, token: str | None, *, onnx: bool = False) -> DownloadView:
    """Make the ZIP; return the button that saves it, or a message why there is none."""
    try:
        path = make_model_zip(services, token, onnx=onnx)
    except MtstError as error:
        return DownloadView(gr.update(visible=False), show_message(problem(error)))
    label = f"Save mtst-model.zip ({path.stat().st_size / 1e6:.0f} MB)"
    message = quiet(f"{CONTENTS}{WITH_ONNX if onnx else ''}")
    return DownloadView(gr.update(label=label, value=str(path), visible=True), show_message(message))
