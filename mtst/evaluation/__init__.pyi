from .metrics import evaluate, score
from .scores import Scores

__all__ = [
    "Scores",
    "evaluate",
    "score",
]
