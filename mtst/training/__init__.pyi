from .config import ResolvedConfig, TrainConfig
from .events import (
    Baselines,
    Embedded,
    EpochEnded,
    Failed,
    Finished,
    Opened,
    RatesFound,
    RateTried,
    Resumed,
    Started,
    StepEnded,
    TrainingEvent,
)
from .fitting import fit
from .lr_finder import find_learning_rates
from .planning import plan
from .scenarios import Scenario, find_scenario, list_scenarios

__all__ = [
    "Baselines",
    "Embedded",
    "EpochEnded",
    "Failed",
    "Finished",
    "Opened",
    "RateTried",
    "RatesFound",
    "ResolvedConfig",
    "Resumed",
    "Scenario",
    "Started",
    "StepEnded",
    "TrainConfig",
    "TrainingEvent",
    "find_learning_rates",
    "find_scenario",
    "fit",
    "list_scenarios",
    "plan",
]
