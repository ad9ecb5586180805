from .recommendation import recommend
from .results import Comparison
from .runner import compare_scenarios

__all__ = [
    "Comparison",
    "compare_scenarios",
    "recommend",
]
