from .catalogue import CATALOGUE, DEFAULT
from .encoder import Encoder
from .loading import load_encoder

__all__ = [
    "CATALOGUE",
    "DEFAULT",
    "Encoder",
    "load_encoder",
]
