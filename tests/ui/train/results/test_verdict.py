from dataclasses import replace

import pytest

from mtst.data.tasks import Task
from mtst.evaluation.score_interval import gain_interval, macro_f1_interval
from mtst.evaluation.scores import LabelScores, Scores
from mtst.runs.history import History
from mtst.training.events import Baselines, EpochEnded
from mtst.ui.train.results import verdict
from tests.support.fake_history import BASELINES, BEFORE, FIRST, ended, finished, history_of, started

EVIL = "<img src=x onerror=alert(1)>"


def scored(share: float, rows: int = 200) -> Scores:
    labels = tuple(LabelScores(rows // 2, share, share, share) for _ in range(2))
    return Scores(rows, 0.5, *[share] * 5, calibration_error=0.1, labels=labels)


def run(score: float, baseline: float, rows: int = 200, tasks: tuple[str, ...] = ("a",)) -> History:
    """A finished run whose tasks all have one score, beside a logistic regression."""
    start = replace(started(), tasks=tuple(Task(name, ("x", "y")) for name in tasks), validation_rows=rows)
    poor = dict.fromkeys(tasks, scored(0.1, rows))
    measured = Baselines(poor, dict.fromkeys(tasks, scored(baseline, rows)), 0.1)
    after = EpochEnded(1, 2, {}, dict.fromkeys(tasks, scored(score, rows)), 0.0, {}, 1.0)
    return history_of(start, measured, EpochEnded(0, 0, {}, poor, 0.0, {}, 0.2), after, finished())


@pytest.mark.parametrize(
    ("score", "baseline", "words"),
    [
        (0.9, 0.7, "Training paid off: 20.0 points more macro-F1 than logistic regression."),
        (0.72, 0.7, "No clear gain: +2.0 points of macro-F1 against logistic regression may be chance."),
        (0.5, 0.8, "Logistic regression does better without this training, by 30.0 points of macro-F1."),
    ],
)
def test_the_verdict_is_judged_against_the_best_baseline(score: float, baseline: float, words: str) -> None:
    assert words in verdict.verdict_text(run(score, baseline))


def test_several_tasks_share_a_sentence_and_no_name_becomes_markup() -> None:
    made = run(0.9, 0.7, tasks=("topic", EVIL, "c", "d", "e"))
    text = verdict.verdict_text(made)
    assert "Training paid off for topic (+20.0)" in text
    assert "and 2 more." in text
    for html in (text, verdict.score_box(made)):
        assert "<img" not in html
        assert "&lt;img" in html


def test_a_run_that_trained_nothing_or_kept_nothing_says_so() -> None:
    assert "Without training, the words of the labels reach 50.0% macro-F1" in verdict.verdict_text(
        history_of(started(0), BEFORE, finished(0))
    )
    assert "Training did not help" in verdict.verdict_text(history_of(started(), BASELINES, BEFORE, FIRST, finished(0)))
    unmeasured = history_of(started(), ended(0, 0, {}, 0.1), finished(0))
    assert verdict.NOTHING_MEASURED in verdict.verdict_text(unmeasured)
    assert verdict.score_box(unmeasured) == ""


def test_scores_stand_beside_their_intervals() -> None:
    html = verdict.score_box(run(0.9, 0.7))
    assert "<b>90.0%</b>" in html
    assert "200 held-out rows" in html
    assert html.count("95% interval 8") == 1  # that of the run
    assert html.count("<li") == 2


def test_an_interval_holds_its_score_and_narrows_with_more_rows() -> None:
    few, many = (macro_f1_interval(scored(0.8, rows)) for rows in (40, 4000))
    assert few[0] < 0.8 < few[1]
    assert few[1] - few[0] > 5 * (many[1] - many[0])
    assert macro_f1_interval(scored(1.0)) == (1.0, 1.0)
    low, high = gain_interval(scored(0.8), scored(0.8))
    assert low < 0 < high
    assert gain_interval(replace(scored(0.8), labels=()), scored(0.5)) == pytest.approx((0.3, 0.3))
