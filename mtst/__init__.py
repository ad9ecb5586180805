"""One shared sentence encoder, several task heads: understand them, train them, take them home.

The public names are imported when they are first used, so `import mtst` is quick and never brings in the page.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtst.config import TrainConfig
    from mtst.data import Dataset, make_dataset
    from mtst.encoder import Encoder
    from mtst.encoders import load_encoder
    from mtst.errors import MtstError
    from mtst.model import MultiTaskSentenceTransformer
    from mtst.tables import read_table
    from mtst.tasks import Task
    from mtst.training import fit

__version__ = "0.3.0"
__all__ = [
    "Dataset",
    "Encoder",
    "MtstError",
    "MultiTaskSentenceTransformer",
    "Task",
    "TrainConfig",
    "fit",
    "load_encoder",
    "make_dataset",
    "read_table",
]

_HOMES = {
    "Dataset": "data",
    "Encoder": "encoder",
    "MtstError": "errors",
    "MultiTaskSentenceTransformer": "model",
    "Task": "tasks",
    "TrainConfig": "config",
    "fit": "training",
    "load_encoder": "encoders",
    "make_dataset": "data",
    "read_table": "tables",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mtst' has no attribute {name!r}")
    return getattr(import_module(f"mtst.{_HOMES[name]}"), name)
