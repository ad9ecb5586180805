"""The tensors of an uploaded model: compared with the network that they belong to before any of them is read."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mtst.model.storage import invalid_model

MAX_HEADER_BYTES = 2_000_000
MAX_NUMBER_BYTES = 8  # of a buffer of int64; weights have 4 or 2
FLOAT_TYPES = {"F32", "F16", "BF16"}


def max_file_bytes(expected: Mapping[str, Tensor]) -> int:
    """Return the most that a safetensors file with the tensors of a module can have."""
    return 8 + MAX_HEADER_BYTES + MAX_NUMBER_BYTES * sum(tensor.numel() for tensor in expected.values())


def check_tensors(path: Path, expected: Mapping[str, Tensor], owner: str) -> None:
    """Compare the header of a safetensors file with the tensors of a module; no tensor is read.

    Args:
        path: the file.
        expected: the state dict of the module. Of tensors that share memory one is enough.
        owner: what the module is called in an error message.

    Raises:
        ModelError: names, shapes or types differ.
    """
    try:
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > MAX_HEADER_BYTES:
                raise invalid_model(f"{path.name} has too long a list of tensors")
        with safe_open(path, framework="pt") as tensors:
            slices = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118 (it is no dictionary)
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            types = {part.get_dtype() for name, part in slices.items() if _is_float(expected.get(name))}
    except (OSError, SafetensorError) as error:
        raise invalid_model(f"{path.name} cannot be read as safetensors") from error
    present = {_memory(expected[name]) for name in shapes if name in expected}
    missing = [name for name, tensor in expected.items() if _memory(tensor) not in present]
    different = [name for name, shape in shapes.items() if name not in expected or shape != tuple(expected[name].shape)]
    if problems := [*different, *missing]:
        raise invalid_model(f"{path.name} does not fit {owner} in {problems[0][:80]!r}")
    if not types <= FLOAT_TYPES:
        raise invalid_model(f"{path.name} holds other numbers than weights")


def assign_tensors(path: Path, expected: Mapping[str, Tensor]) -> None:
    """Copy the tensors of a file that `check_tensors` accepted into a module; tensors that are equal are not written.

    Args:
        path: the file.
        expected: the state dict of the module, whose tensors share memory with its parameters.

    Raises:
        ModelError: a tensor is not finite.
    """
    with safe_open(path, framework="pt") as tensors, torch.no_grad():
        for name in tensors.keys():  # noqa: SIM118 (it is no dictionary)
            target = expected[name]
            if not _is_float(target):
                continue  # a buffer such as position ids: this machine's own copy stays
            value = tensors.get_tensor(name).to(target)
            if not torch.isfinite(value).all():
                raise invalid_model(f"{path.name} holds weights that are no numbers")
            if not torch.equal(value, target):  # writing would mark the encoder as trained
                target.copy_(value)


def _is_float(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.is_floating_point()


def _memory(tensor: Tensor) -> int:
    """Return what is equal for tensors that share all of their memory."""
    return tensor.data_ptr()
