import copy
import itertools

import pytest
import torch

from mtst.errors import SettingsError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.events import RatesFound, RateTried, Started
from mtst.training.lr_finder import STEPS, find_learning_rates
from tests.support.stopping import Stop


@pytest.fixture
def tiny(tiny_encoder, swapped):
    return MultiTaskSentenceTransformer(tiny_encoder, swapped.tasks)


def test_rates_rise_evenly_and_a_tenth_of_the_best_is_suggested(fresh_encoder, sample):
    model = MultiTaskSentenceTransformer(fresh_encoder, sample.tasks)
    events = list(find_learning_rates(model, sample, TrainConfig(batch_size=8)))
    tried = [event for event in events if isinstance(event, RateTried)]
    assert isinstance(events[0], Started)
    assert 40 < len(tried) <= STEPS
    steps = [after.head_rate / before.head_rate for before, after in itertools.pairwise(tried)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    best = min(tried, key=lambda event: event.loss)
    assert isinstance(events[-1], RatesFound)
    assert events[-1].head_rate == pytest.approx(0.1 * best.head_rate)
    assert best.loss < 0.8 * tried[0].loss
    assert tried[0].head_rate < events[-1].head_rate < best.head_rate


@pytest.mark.parametrize("scenario", ["freeze-encoder", "gradual", pytest.param("train-all", marks=pytest.mark.slow)])
def test_the_model_stays_as_it_is(tiny, swapped, scenario):
    then = copy.deepcopy(tiny)
    events = list(find_learning_rates(tiny, swapped, TrainConfig(scenario, batch_size=4)))
    assert isinstance(events[-1], RatesFound)
    assert all(torch.equal(now, old) for now, old in zip(tiny.parameters(), then.parameters(), strict=True))
    assert [module.training for module in tiny.modules()] == [module.training for module in then.modules()]
    losses = [event.loss for event in events if isinstance(event, RateTried)]
    assert len(set(losses)) > len(losses) / 2


def test_it_can_be_stopped_and_repeated(tiny, swapped):
    def tries(stop_after):
        config, stop = TrainConfig(batch_size=4), Stop(after=stop_after + 2)  # two events come before the first step
        events = list(find_learning_rates(tiny, swapped, config, should_stop=stop))
        assert isinstance(events[-1], RatesFound)
        return [(event.head_rate, event.loss) for event in events if isinstance(event, RateTried)]

    assert tries(0) == []
    assert len(tries(5)) == 5
    assert tries(20) == tries(20)


def test_what_trains_nothing_has_no_rates(tiny, swapped):
    with pytest.raises(SettingsError, match="trains nothing"):
        next(find_learning_rates(tiny, swapped, TrainConfig("freeze-all")))
