from .data.dataset import Dataset, make_dataset
from .data.table import read_table
from .data.tasks import Task
from .encoders.encoder import Encoder
from .encoders.loading import load_encoder
from .errors import MtstError
from .model.multitask import MultiTaskSentenceTransformer
from .training.config import TrainConfig
from .training.fitting import fit

__version__: str

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
