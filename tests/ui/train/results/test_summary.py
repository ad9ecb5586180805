from dataclasses import replace

import pytest

from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.training.events import GroupPlan, GroupProof
from mtst.ui.plots import numbers
from mtst.ui.train.results import summary
from tests.support.fake_history import (
    BEFORE,
    BETTER,
    FIRST,
    PROOF,
    SCORES,
    ended,
    finished,
    history_of,
    scores,
    started,
)

COMMAND = ["python", "-m", "mtst", "train", "<file>"]
JOB = Job("tiny", TrainConfig(), "<file>")
MOVING = (
    GroupPlan("block-0", "Block 0", 100, 1, 1e-4, None),
    GroupPlan("head:a", "a head", 10, None, 0.0, "a"),
)


def test_the_story_tells_what_moved_and_what_did_not() -> None:
    html = summary.summarize(history_of(started(), BEFORE, FIRST, finished()))
    assert "1 of 1 frozen groups are bit for bit" in html
    assert "unchanged ✓ (same SHA-256)" in html
    assert "50%" in html
    assert "1e−1" in html
    assert "1 to 2" in html
    assert "did not turn at all" in html


def test_the_command_of_a_run_says_when_it_repeats_a_longer_one() -> None:
    whole = summary.reproduce(history_of(started(), BEFORE, FIRST, finished()), JOB, COMMAND)
    assert "&lt;file&gt;" in whole
    assert "<file>" not in whole
    assert "problem" not in whole
    stopped = summary.reproduce(history_of(started(4), BEFORE, FIRST, finished(stopped=True)), JOB, COMMAND)
    assert "This run was stopped after 1 epoch of 4. The command trains all of them" in stopped


def test_a_group_that_opened_after_the_kept_epoch_is_marked() -> None:
    late = GroupProof("block-0", "Block 0", 100, (2, 2), 1e-4, 0.0, True)
    html = summary.summarize(history_of(started(), BEFORE, FIRST, finished(1, proof=(late, PROOF[1]))))
    assert "0: it opened after epoch 1, which is kept" in html
    assert "frozen groups" not in html


def test_groups_whose_learning_is_not_kept_say_so() -> None:
    still = GroupProof("block-0", "Block 0", 100, (1, 1), 1e-4, 0.0, True)
    html = summary.summarize(
        history_of(started(), BEFORE, FIRST, finished(0, proof=(still, replace(PROOF[1], same=True))))
    )
    assert html.count("0: what it learned is not kept") == 2


def test_a_frozen_group_that_moved_is_not_hidden() -> None:
    proof = (replace(PROOF[0], same=False, change=float("inf")), PROOF[1])
    html = summary.summarize(history_of(started(), BEFORE, FIRST, finished(proof=proof)))
    assert "0 of 1 frozen groups" in html
    assert "CHANGED" in html


def test_a_frozen_head_is_followed_while_the_encoder_moves() -> None:
    after = ended(1, 2, BETTER, 2.0, drift=0.125)
    proof = (GroupProof("block-0", "Block 0", 100, (1, 1), 1e-4, 0.01, False), replace(PROOF[0], key="head:a"))
    html = summary.summarize(history_of(started(1, MOVING), BEFORE, after, finished(proof=proof)))
    assert "The a head was frozen. Its macro-F1 went from 50.0% to 75.0% (+25.0 points)" in html
    assert "turned by 0.125" in html


def test_learned_task_weights_are_shown() -> None:
    learned = ended(1, 2, BETTER, 2.0, weights={"a": 0.42})
    assert "a 0.42" in summary.summarize(history_of(started(), BEFORE, learned, finished()))
    assert "weights:" not in summary.summarize(history_of(started(), BEFORE, FIRST, finished()))


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([FIRST, ended(2, 4, SCORES, 3.0), finished(1, early=True)], "none after epoch 1 was good enough"),
        ([finished(0, stopped=True)], "stopped before an epoch had ended"),
        ([ended(1, 2, SCORES, 2.0), finished(0)], "No epoch came near the untrained model"),
    ],
)
def test_how_a_run_ended_is_said(events: list, words: str) -> None:
    assert words in summary.summarize(history_of(started(4), BEFORE, *events))


@pytest.mark.parametrize(("keeps", "explained"), [("settled", True), ("last", False)])
def test_an_epoch_that_is_kept_without_being_the_best_is_accounted_for(keeps: str, explained: bool) -> None:
    start = replace(started(4), keeps=keeps)
    history = history_of(start, BEFORE, FIRST, ended(2, 4, scores(0.4, 0.7), 3.0), finished(2))
    assert history.highest_scoring.epoch == 1
    html = summary.summarize(history)
    assert ("Epoch 2 is kept, the latest within two standard errors" in html) == explained
    assert ("epoch 1 had a macro-F1 of 75.0% on 4 validation rows, epoch 2 one of 70.0%" in html) == explained


def test_a_run_that_keeps_its_best_epoch_has_nothing_to_account_for() -> None:
    start = replace(started(4), keeps="settled")
    assert "is kept" not in summary.summarize(history_of(start, BEFORE, FIRST, finished(1)))


@pytest.mark.parametrize(("value", "written"), [(1e-2, "1e−2"), (3.43e-5, "3.4e−5"), (0.3, "3e−1"), (1.0, "1e0")])
def test_rates_are_written_as_in_the_map(value: float, written: str) -> None:
    assert numbers.rate(value) == written


@pytest.mark.parametrize(
    ("scenario", "words"), [("bitfit", "everything but the biases is bit for bit"), ("lora", "adapters were merged")]
)
def test_where_a_part_of_a_group_trained_the_rest_is_accounted_for(scenario: str, words: str) -> None:
    block = GroupProof("block-0", "Block 0", 1000, (1, 2), 1e-3, 0.01, same=False, part=16, rest_same=True)
    start = replace(started(), scenario=scenario)
    html = summary.summarize(history_of(start, BEFORE, FIRST, finished(proof=(block, PROOF[1]))))
    assert "In 1 of 1 open groups" in html
    assert words in html
    assert all(cell in html for cell in (">trained<", ">1,000<", ">16<"))
    moved = replace(block, rest_same=False)
    html = summary.summarize(history_of(start, BEFORE, FIRST, finished(proof=(moved, PROOF[1]))))
    assert "In 0 of 1 open groups" in html
    assert "CHANGED where it should not" in html


def test_a_run_that_trained_whole_groups_has_no_such_column() -> None:
    html = summary.summarize(history_of(started(), BEFORE, FIRST, finished()))
    assert ">trained<" not in html
    assert "open groups of the encoder" not in html
