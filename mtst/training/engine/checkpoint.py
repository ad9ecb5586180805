"""All that the rest of a run depends on, after an epoch: one file of tensors and numbers, without pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from safetensors import SafetensorError, safe_open

from mtst.errors import RunError
from mtst.files import atomic_write

if TYPE_CHECKING:  # the page reads checkpoints before torch is imported
    import torch
    from torch import Tensor

UNREADABLE = "The state of the run in {} cannot be read. Train again."
Part = dict[str, "Tensor"]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Tensors in named parts, and numbers that JSON can hold.

    Attributes:
        parts: the tensors of each part, by name.
        numbers: among them `epoch`, `step` and `seconds`: how far the run had come.
    """

    parts: Mapping[str, Part]
    numbers: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Write the file; it is the old one or the new one at every moment, also if the machine stops.

        Raises:
            RunError: the disk does not take it.
        """
        from safetensors.torch import save_file  # here, since it brings in torch

        tensors = {
            f"{part}|{name}": tensor.detach().cpu().contiguous()
            for part, named in self.parts.items()
            for name, tensor in named.items()
        }
        try:
            with atomic_write(path) as staging:
                save_file(tensors, staging, {"numbers": json.dumps(self.numbers)})
        except OSError as error:
            raise RunError(
                f"The state of the run cannot be stored: {error.strerror}. Make room, or try later."
            ) from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file that `write` wrote.

        Raises:
            RunError: it is none.
        """
        parts: dict[str, Part] = {}
        with _opened(path) as file:
            for key in file.keys():  # noqa: SIM118 (it is no dictionary)
                part, _, name = key.partition("|")
                parts.setdefault(part, {})[name] = file.get_tensor(key)
            return cls(parts, _numbers(file, path))


def read_metadata(path: Path) -> Mapping[str, Any]:
    """Return the numbers of a checkpoint without reading its tensors.

    Raises:
        RunError: it is none.
    """
    with _opened(path) as file:
        return _numbers(file, path)


def _opened(path: Path) -> safe_open:
    try:
        return safe_open(path, framework="pt")
    except (OSError, SafetensorError) as error:
        raise RunError(UNREADABLE.format(path.name)) from error


def _numbers(file: safe_open, path: Path) -> Mapping[str, Any]:
    try:
        return json.loads(file.metadata()["numbers"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(UNREADABLE.format(path.name)) from error


CPU, CUDA = "dice", "dice of the GPU"  # names in the files of version 0.3.0


def rng_state(device: "torch.device") -> dict[str, "Tensor"]:
    """Return the state of the random number generators that a run on a device uses."""
    import torch

    drawn = {CPU: torch.get_rng_state()}
    return drawn | {CUDA: torch.cuda.get_rng_state(device)} if device.type == "cuda" else drawn


def restore_rng_state(states: Mapping[str, "Tensor"], device: "torch.device") -> None:
    """Restore what `rng_state` returned; a state of another kind of device is ignored."""
    import torch

    torch.set_rng_state(states[CPU])
    if device.type == "cuda" and CUDA in states:
        torch.cuda.set_rng_state(states[CUDA], device)
