from .dataset import Dataset, make_dataset
from .labels.choice import LabelChoice
from .labels.columns import LabelColumns
from .limits import Limits
from .readers.options import ReadOptions
from .split import stratified_split
from .table import Table, read_hub_table, read_table
from .tasks import Task

__all__ = [
    "Dataset",
    "LabelChoice",
    "LabelColumns",
    "Limits",
    "ReadOptions",
    "Table",
    "Task",
    "make_dataset",
    "read_hub_table",
    "read_table",
    "stratified_split",
]
