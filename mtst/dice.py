"""The state of torch's random numbers: a generator draws on the CPU, and another one on each GPU."""

from collections.abc import Mapping

import torch
from torch import Tensor

CPU, CUDA = "dice", "dice of the GPU"


def state(device: torch.device) -> dict[str, Tensor]:
    """Return what the next draws of a run on a device depend on."""
    drawn = {CPU: torch.get_rng_state()}
    return drawn | {CUDA: torch.cuda.get_rng_state(device)} if device.type == "cuda" else drawn


def restore(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Take back what `state` gave; the other kind of device has drawn nothing that could be taken back."""
    torch.set_rng_state(states[CPU])
    if device.type == "cuda" and CUDA in states:
        torch.cuda.set_rng_state(states[CUDA], device)
