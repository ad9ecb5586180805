from .loading import load_model
from .multitask import MultiTaskSentenceTransformer
from .predictions import Prediction

__all__ = [
    "MultiTaskSentenceTransformer",
    "Prediction",
    "load_model",
]
