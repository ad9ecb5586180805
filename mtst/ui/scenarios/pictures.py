"""The layer picture of each scenario of a comparison."""

from mtst.comparison.results import Comparison
from mtst.errors import MtstError
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.plots.layer_picture import picture_variables
from mtst.ui.services.services import Services
from mtst.ui.train.form.scenario_picker import plan_of, untrained_model


def scenario_pictures(services: Services, job: Job, comparison: Comparison) -> dict[str, str]:
    """Return the variables of `picture_variables` by scenario; none before the start, or if the encoder is gone."""
    if not comparison.has_started:
        return {}
    scenarios = dict.fromkeys(attempt.scenario for attempt in comparison.started.attempts)
    try:
        model = untrained_model(services, comparison.tasks, job.encoder)
        plans = {key: plan_of(model, TrainConfig(key), comparison.started.train_rows) for key in scenarios}
    except MtstError:
        return {}
    return {key: picture_variables(groups, epochs) for key, (groups, epochs) in plans.items()}
