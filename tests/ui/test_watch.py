import pytest

from mtst.evaluation import LabelScores, Scores
from mtst.events import Embedded, EpochEnded, Event, Failed, Finished, GroupPlan, History, Started, StepEnded
from mtst.tasks import Task
from mtst.ui import watch

TASK = Task("a", ("often", "<b>seldom"))


def scores(loss: float, share: float, seldom: float) -> dict[str, Scores]:
    labels = (LabelScores(3, share, share, share), LabelScores(1, seldom, seldom, seldom))
    return {"a": Scores(4, loss, *[share] * 5, labels)}


SCORES = scores(0.7, 0.5, 0.0)
BETTER = scores(0.5, 0.75, 1.0)
GROUPS = (GroupPlan("block-0", "Block 0", 100, False, 0.0, None), GroupPlan("head:a", "a head", 10, True, 0.1, "a"))


def started(epochs: int = 2) -> Started:
    return Started("freeze-encoder", (TASK,), {"a": (6, 2)}, GROUPS, 8, 4, epochs, 2 * epochs, True)


def told(*events: Event) -> History:
    history = History()
    history.extend(events)
    return history


BEFORE = EpochEnded(0, 0, {}, SCORES, 0.1)
STEP = StepEnded(1, {"a": 0.6}, 1.0)
FIRST = EpochEnded(1, 2, SCORES, BETTER, 2.0)
DONE = Finished(1, False, {"block-0": 0.0, "head:a": 0.5}, 4.0)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (told(), "Loading the encoder"),
        (told(started()), "Embedding each sentence once: 0 of 12"),
        (told(started(), Embedded(5, 12, 0.5)), "Embedding each sentence once: 5 of 12"),
        (told(Failed("It was waiting", stopped=True)), "Stopped before it began"),
        (told(started(), BEFORE, STEP), "Epoch 1 of 2"),
        (told(started(), BEFORE, STEP, FIRST, StepEnded(3, {"a": 0.5}, 3.0)), "Epoch 2 of 2"),
        (told(started(), BEFORE, FIRST, StepEnded(4, {"a": 0.5}, 4.0)), "Keeping the best model"),
        (told(started(), BEFORE, FIRST, DONE), "Finished, the model of epoch 1 is kept"),
        (told(started(0), BEFORE, Finished(0, False, {}, 1.0)), "nothing was trained"),
        (told(started(), BEFORE, STEP, Finished(0, True, {}, 1.0)), "Stopped, no epoch had ended"),
        (told(started(), BEFORE, FIRST, Finished(0, False, {}, 1.0)), "the model before training was the best"),
        (told(started(), Failed("the disk is full")), "the disk is full"),
    ],
)
def test_the_status_says_what_is_so(history: History, words: str) -> None:
    assert words in watch.status(history)


def test_a_waiting_run_knows_how_many_are_before_it() -> None:
    assert "Waiting for 1 run before yours" in watch.status(told(), ahead=1)
    assert "Waiting for 3 runs before yours" in watch.status(told(), ahead=3)


def test_the_time_to_go_follows_the_pace_and_is_never_nothing() -> None:
    assert "1 s so far</span>" in watch.status(told(started(), BEFORE, STEP))
    assert "2 s so far, about 2 s to go" in watch.status(told(started(), BEFORE, STEP, StepEnded(2, {"a": 0.5}, 2.0)))
    nearly = told(started(), BEFORE, StepEnded(1, {"a": 0.5}, 0.1), StepEnded(3, {"a": 0.5}, 0.3))
    assert "about 1 s to go" in watch.status(nearly)


def test_stopping_is_said_until_it_is_done() -> None:
    assert "Stopping" in watch.status(told(started(), BEFORE, STEP), stopping=True)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (99.4, "99 s"), (100, "1 min 40 s"), (3600, "60 min 00 s")]
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert watch.duration(seconds) == words


def test_scores_show_the_kept_epoch_and_what_it_gained() -> None:
    html = watch.scores(told(started(), BEFORE, FIRST, DONE))
    assert "Epoch 1, the one that is kept" in html
    assert "75.0 %" in html
    assert "a +25.0" in html


def test_a_task_without_validation_rows_says_so() -> None:
    assert "no labelled rows" in watch.scores(told(started(), EpochEnded(0, 0, {}, {}, 0.1)))


def test_the_story_tells_what_moved_and_what_did_not() -> None:
    story = watch.story(told(started(), BEFORE, FIRST, DONE), ["python", "-m", "mtst", "train", "<file>"])
    assert "1 of 1 frozen groups" in story
    assert "1 of 1 open groups moved; a head the most, by 50.0 %" in story
    assert "&lt;file&gt;" in story


def test_each_label_is_shown_and_the_rare_ones_are_marked() -> None:
    html = watch.scores(told(started(), BEFORE, FIRST, DONE))
    assert "&lt;b&gt;seldom (rare)" in html
    assert "<b>seldom" not in html
    assert "Rare labels (&lt;b&gt;seldom, often): 88 % of their rows are found, 25 % before training." in html
