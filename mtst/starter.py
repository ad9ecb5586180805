"""What ships with the project: sample data, and heads trained on it for the default encoder."""

from pathlib import Path
from typing import TYPE_CHECKING

from mtst.assets import ASSETS
from mtst.takehome import report_in

if TYPE_CHECKING:
    from mtst.encoder import Encoder
    from mtst.model import MultiTaskSentenceTransformer

STARTER = "starter"
STARTER_FOLDER = ASSETS / "starter"
SAMPLE = ASSETS / "sample.csv"
SMALL_SAMPLE = ASSETS / "sample-small.csv"  # the first rows of the other


def load_model(name: str, encoder: "Encoder | None" = None, *, fp32: bool = False) -> "MultiTaskSentenceTransformer":
    """Load the starter model by its name, or a saved model by its folder or its ZIP.

    Raises:
        ModelError: the folder or the ZIP holds no model.
        EncoderError: its encoder cannot be loaded.
    """
    from mtst.archive import load_archive
    from mtst.model import MultiTaskSentenceTransformer

    if name != STARTER and Path(name).is_file():
        return load_archive(Path(name), fp32=fp32)
    return MultiTaskSentenceTransformer.load(STARTER_FOLDER if name == STARTER else name, encoder, fp32=fp32)


def report_of(name: str) -> bytes | None:
    """Return the report that goes along with a model, by the name that `load_model` takes, if there is one.

    Raises:
        ModelError: it cannot be read.
    """
    from mtst.archive import archived_report

    if name == STARTER:
        return None
    return archived_report(Path(name)) if Path(name).is_file() else report_in(Path(name))
