from .clustering import clusters
from .data_quality import check_quality
from .explanation import explain
from .projection import project
from .similarity import cosine, search

__all__ = [
    "check_quality",
    "clusters",
    "cosine",
    "explain",
    "project",
    "search",
]
