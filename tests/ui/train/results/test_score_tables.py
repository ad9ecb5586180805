from dataclasses import replace

import pytest

from mtst.runs.history import History
from mtst.runs.queue import QueuePosition
from mtst.training.events import Embedded, Failed, Resumed, StepEnded
from mtst.ui.components import run_status
from mtst.ui.train.results import score_tables
from tests.support.fake_history import BASELINES, BEFORE, FIRST, SCORES, STEP, ended, finished, history_of, started

DONE = finished()


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (history_of(), "Loading the encoder"),
        (history_of(started()), "Embedding sentences: 0 of 12"),
        (history_of(started(), Embedded(5, 12, 0.5)), "Embedding sentences: 5 of 12"),
        (history_of(started(), Embedded(12, 12, 0.5), BASELINES), "Measuring the model before training"),
        (history_of(started(), BASELINES, Embedded(5, 12, 0.5)), "Computing the frozen layers once: 5 of 12"),
        (
            history_of(started(), BASELINES, BEFORE, FIRST, Embedded(5, 12, 3.0)),
            "computing the frozen layers again: 5 of 12",
        ),
        (history_of(started(), BASELINES, BEFORE, FIRST, Embedded(12, 12, 3.0), StepEnded(3, {}, 4.0)), "Epoch 2 of 2"),
        (history_of(Failed("It was waiting", "stopped")), "Stopped before it began"),
        (history_of(started(), BEFORE, STEP), "Epoch 1 of 2"),
        (history_of(started(), BEFORE, STEP, FIRST, StepEnded(3, {"a": 0.5}, 3.0)), "Epoch 2 of 2"),
        (history_of(started(), BEFORE, FIRST, StepEnded(4, {"a": 0.5}, 4.0)), "Validating epoch 2 of 2"),
        (
            history_of(started(), BEFORE, FIRST, StepEnded(4, {"a": 0.5}, 4.0), ended(2, 4, SCORES, 4.1)),
            "Saving the best",
        ),
        (history_of(started(), BEFORE, Failed("Out of luck", "interrupted")), "Training was interrupted"),
        (history_of(started(), BEFORE, Failed("Out of luck", "interrupted")), "Out of luck Resume begins again."),
        (history_of(started(), BEFORE, FIRST, Failed("Out of luck"), Resumed(1, 2)), "Loading the encoder"),
        (history_of(started(), BEFORE, FIRST, DONE), "Finished, epoch 1 is kept"),
        (history_of(started(), BEFORE, FIRST, finished(early=True)), "Finished early, epoch 1 is kept"),
        (history_of(started(0), BEFORE, finished(0)), "nothing was trained"),
        (history_of(started(), BEFORE, STEP, finished(0, stopped=True)), "Stopped, no epoch had ended"),
        (
            history_of(started(), BEFORE, FIRST, replace(finished(stopped=True), out_of_time=True)),
            "Time is up, epoch",
        ),
        (history_of(started(), BEFORE, FIRST, finished(0)), "the model before training was the best"),
        (history_of(started(), Failed("the disk is full")), "the disk is full"),
    ],
)
def test_the_status_says_what_is_so(history: History, words: str) -> None:
    assert words in run_status.status(history)


def test_a_run_that_broke_off_says_where_it_would_go_on() -> None:
    history = history_of(started(), BEFORE, FIRST, Failed("Out of luck", "interrupted"))
    saved = {"epoch": 1, "best": {"epoch": 0}}
    assert "Out of luck Resume goes on after epoch 1." in run_status.status(history, checkpoint=saved)
    assert "the one before training" in run_status.best_model_note(saved)
    assert "that of epoch 2" in run_status.best_model_note({"epoch": 3, "best": {"epoch": 2}})
    assert run_status.best_model_note(None) == ""


def test_a_waiting_run_knows_how_many_are_before_it() -> None:
    assert "Next in line" in run_status.status(history_of(), QueuePosition(1, 4, None))
    assert "it starts by itself" in run_status.status(history_of(), QueuePosition(1, 4, None))
    assert "number 3 of 4 in line" in run_status.status(history_of(), QueuePosition(3, 4, 130.0))
    assert "it starts in about 2 min 10 s" in run_status.status(history_of(), QueuePosition(3, 4, 130.0))


def test_the_time_to_go_follows_the_pace_and_is_never_nothing() -> None:
    assert "1 s so far</span>" in run_status.status(history_of(started(), BEFORE, STEP))
    assert "2 s so far, about 2 s to go" in run_status.status(
        history_of(started(), BEFORE, STEP, StepEnded(2, {"a": 0.5}, 2.0))
    )
    nearly = history_of(started(), BEFORE, StepEnded(1, {"a": 0.5}, 0.1), StepEnded(3, {"a": 0.5}, 0.3))
    assert "about 1 s to go" in run_status.status(nearly)


def test_stopping_is_said_until_it_is_done() -> None:
    assert "Stopping" in run_status.status(history_of(started(), BEFORE, STEP), stopping=True)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (99.4, "99 s"), (100, "1 min 40 s"), (3600, "60 min 00 s")]
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert run_status.format_duration(seconds) == words


def test_scores_show_the_kept_epoch_beside_what_needs_no_training() -> None:
    html = score_tables.scores(history_of(started(), BASELINES, BEFORE, FIRST, DONE))
    assert "Epoch 1, the one that is kept" in html
    assert "75.0%" in html
    assert "a 12.5%. It is how far confidence lies" in html
    assert "25.0%<small>0.800</small>" in html
    assert "a +12.5 over logistic regression" in html


def test_baselines_that_are_not_measured_yet_are_left_blank() -> None:
    html = score_tables.scores(history_of(started(), BEFORE))
    assert "<td>–</td>" in html
    assert "over logistic" not in html


def test_a_task_without_validation_rows_says_so() -> None:
    assert "no labelled rows" in score_tables.scores(history_of(started(), ended(0, 0, {}, 0.1)))


def test_each_label_is_shown_and_the_rare_ones_are_marked() -> None:
    html = score_tables.scores(history_of(started(), BEFORE, FIRST, DONE))
    assert "&lt;b&gt;seldom (rare)" in html
    assert "<b>seldom" not in html
    assert "Rare labels (&lt;b&gt;seldom, often): 87.5% of their rows are found, 25.0% before training." in html
