"""Loading a saved model by its name: the starter model, a folder, or a ZIP."""

from pathlib import Path
from typing import TYPE_CHECKING

from mtst.assets import STARTER, STARTER_FOLDER
from mtst.model.export.bundle import read_report

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder
    from mtst.model.multitask import MultiTaskSentenceTransformer


def load_model(name: str, encoder: "Encoder | None" = None, *, fp32: bool = False) -> "MultiTaskSentenceTransformer":
    """Load the starter model by its name, or a saved model by its folder or its ZIP.

    A folder is loaded as it is. From a ZIP, which may come from anybody, only tensors and labels are taken.

    Args:
        name: `starter`, or the path of a folder or a ZIP.
        encoder: one that is already loaded, used if the model names it. A ZIP gets a copy.
        fp32: compute in 32 bits even where the machine has bf16 in hardware.

    Raises:
        ModelError: the folder or the ZIP holds no model.
        EncoderError: its encoder cannot be loaded.
    """
    from mtst.model.multitask import MultiTaskSentenceTransformer
    from mtst.model.upload.loading import load_archive

    if name != STARTER and Path(name).is_file():
        return load_archive(Path(name), encoder=encoder, fp32=fp32)
    return MultiTaskSentenceTransformer.load(STARTER_FOLDER if name == STARTER else name, encoder, fp32=fp32)


def load_report(name: str) -> bytes | None:
    """Return the report that is stored with a model, by the name that `load_model` takes, if there is one.

    Raises:
        ModelError: it cannot be read.
    """
    from mtst.model.upload.loading import archived_report

    if name == STARTER:
        return None
    return archived_report(Path(name)) if Path(name).is_file() else read_report(Path(name))
