import copy
import resource
from dataclasses import replace

import pytest
import torch

from mtst.errors import RunError
from mtst.training.config import TrainConfig
from mtst.training.engine.checkpoint import Checkpoint, read_metadata
from mtst.training.events import EpochEnded, Finished, StepEnded
from mtst.training.fitting import fit

HARSH = {"epochs": 4, "batch_size": 4, "head_rate": 0.03, "encoder_rate": 3e-3}
CONFIGS = {
    "heads": TrainConfig("freeze-encoder", **HARSH),
    "top": TrainConfig("top-k", top_blocks=1, **HARSH),
    "gradual": TrainConfig("gradual", **HARSH | {"epochs": 6}),
    "all": TrainConfig("train-all", learn_weights=True, **HARSH),
    "pairs": TrainConfig("few-examples", **HARSH),
    "adapters": TrainConfig("lora", **HARSH),
    "biases": TrainConfig("bitfit", **HARSH),
    "drawn": TrainConfig("discriminative", balance="balanced-sampling", patience=9, **HARSH),
}


def timeless(event):
    return replace(event, seconds=0.0)


def weights(model):
    return [parameter.detach().clone() for parameter in model.parameters()]


def break_off(run, after, steps=1):
    """Go through a run until some steps after an epoch, then drop it as a killed process would."""
    events, left = [], None
    for event in run:
        events.append(event)
        if isinstance(event, EpochEnded) and event.epoch == after:
            left = steps
        elif isinstance(event, StepEnded) and left is not None:
            left -= 1
            if not left:
                run.close()
                return events
    raise AssertionError("the run ended before")


@pytest.mark.parametrize("epoch", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_goes_on_as_if_it_had_never_been_broken_off(name, epoch, tiny, swapped, tmp_path):
    config, file = CONFIGS[name], tmp_path / "checkpoint.safetensors"
    whole, torn, resumed = (copy.deepcopy(tiny) for _ in range(3))
    expected = [timeless(event) for event in fit(whole, swapped, config) if hasattr(event, "seconds")]
    break_off(fit(torn, swapped, config, checkpoint=file), epoch, steps=2)
    assert read_metadata(file)["epoch"] == epoch
    so_far = read_metadata(file)["seconds"]
    torch.manual_seed(99)  # nothing of this process may matter
    events = list(fit(resumed, swapped, config, checkpoint=file))
    after = [timeless(event) for event in events if isinstance(event, EpochEnded | StepEnded | Finished)]
    place = next(k for k, event in enumerate(expected) if isinstance(event, EpochEnded) and event.epoch == epoch)
    assert after == [event for event in expected[place + 1 :] if isinstance(event, EpochEnded | StepEnded | Finished)]
    assert all(map(torch.equal, weights(whole), weights(resumed)))
    times = [event.seconds for event in events]
    assert times == sorted(times)
    assert times[0] >= so_far


def test_a_run_that_was_over_ends_again_with_the_same_model(tiny, swapped, tmp_path):
    file, config = tmp_path / "checkpoint.safetensors", CONFIGS["all"]
    again = copy.deepcopy(tiny)
    *_, first = fit(tiny, swapped, config, checkpoint=file)
    (second,) = fit(again, swapped, config, checkpoint=file)
    assert timeless(second) == timeless(first)
    assert all(map(torch.equal, weights(tiny), weights(again)))


def test_a_checkpoint_of_another_job_is_refused(tiny, swapped, tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    list(fit(copy.deepcopy(tiny), swapped, CONFIGS["heads"], checkpoint=file))
    with pytest.raises(RunError, match="does not fit"):
        list(fit(tiny, swapped, CONFIGS["all"], checkpoint=file))


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_checkpoint_is_refused(content, tiny, swapped, tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(content)
    with pytest.raises(RunError, match="cannot be read"):
        list(fit(tiny, swapped, CONFIGS["heads"], checkpoint=file))
    with pytest.raises(RunError, match="cannot be read"):
        read_metadata(file)


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    Checkpoint({"a": {"b": torch.ones(3)}}, {"epoch": 1}).write(file)
    staging = file.with_suffix(".part")
    staging.mkdir()  # in the way
    (staging / "x").touch()
    with pytest.raises((RunError, OSError)):
        Checkpoint({"a": {"b": torch.zeros(3)}}, {"epoch": 2}).write(file)
    assert read_metadata(file)["epoch"] == 1
    assert Checkpoint.read(file).parts["a"]["b"].tolist() == [1.0] * 3


def test_a_disk_that_takes_no_more_is_said(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(RunError, match="cannot be stored"):
            Checkpoint({"a": {"b": torch.ones(100_000)}}, {"epoch": 1}).write(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert list(tmp_path.iterdir()) == []
