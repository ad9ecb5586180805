"""How training moves sentences: the embeddings of validation rows after every epoch."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from mtst.errors import RunError
from mtst.files import atomic_write

if TYPE_CHECKING:
    from torch import Tensor

MAX_ROWS = 500  # of the validation rows, the first
NAME = "embeddings"


def save_embeddings(folder: Path, epoch: int, embeddings: "Tensor") -> None:
    """Save the embeddings (n, d) of the first validation rows after an epoch, in 16 bits; replace an older file.

    Raises:
        OSError: the disk does not take them.
    """
    folder.mkdir(exist_ok=True)
    with atomic_write(folder / f"{epoch}.safetensors") as staging:
        save_file({NAME: embeddings[:MAX_ROWS].half().cpu().contiguous().numpy()}, staging)


def saved_epochs(folder: Path) -> list[int]:
    """Return the epochs that are saved, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.safetensors") if path.stem.isdecimal())


def load_embeddings(folder: Path, epoch: int) -> np.ndarray:
    """Return the embeddings (n, d) after an epoch.

    Raises:
        RunError: they are not there, or cannot be read.
    """
    try:
        return load_file(folder / f"{epoch}.safetensors")[NAME].astype(np.float32)
    except (OSError, SafetensorError, KeyError) as error:
        raise RunError(f"The embeddings after epoch {epoch} are not here any more. Train again.") from error
