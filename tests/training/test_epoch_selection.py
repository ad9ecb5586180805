import pytest

from mtst.evaluation.scores import Scores, standard_error
from mtst.training.epoch_selection import EpochSelection


def scored(*figures, rows=100):
    """The scores of tasks with these shares right, and macro-F1 the same."""
    return {f"task {n}": Scores(rows, 0.5, f1, f1, f1, f1, f1, 0.1) for n, f1 in enumerate(figures)}


def selected(rule, *epochs, rows=100):
    selection = EpochSelection(rule)
    return selection, [selection.update(number, scored(f1, rows=rows)) for number, f1 in enumerate(epochs)]


def test_the_standard_error_is_that_of_shares_of_so_many_rows():
    assert standard_error(scored(0.5, rows=96)) == pytest.approx(0.05)
    assert standard_error(scored(0.5, 0.5, rows=96)) == pytest.approx(0.05 / 2**0.5)
    assert standard_error(scored(1.0, rows=15)) == pytest.approx((17 / 19 * 2 / 19 / 19) ** 0.5)  # not certain
    assert standard_error({}) == 0


def test_the_best_is_the_first_of_the_highest():
    selection, kept = selected("best", 0.1, 0.5, 0.5, 0.49, 0.6, 0.6)
    assert kept == [True, True, False, False, True, False]
    assert (selection.best_epoch, selection.highest_epoch) == (4, 4)


@pytest.mark.parametrize(
    ("epochs", "epoch", "highest"),
    [
        ((0.1, 0.5, 0.41), 2, 1),  # 0.09 below, with a standard error of 0.049
        ((0.1, 0.5, 0.39), 1, 1),
        ((0.1, 0.5, 0.41, 0.38), 2, 1),  # compared with the highest, not with the kept one: it would creep down
        ((0.1, 0.5, 0.39, 0.41), 3, 1),
        ((0.1, 0.5, 0.49, 0.6, 0.5), 3, 3),  # the highest raises the bar for those after it
    ],
)
def test_a_settled_run_keeps_the_latest_that_is_not_shown_to_be_worse_than_the_best(epochs, epoch, highest):
    selection, _ = selected("settled", *epochs)
    assert (selection.best_epoch, selection.highest_epoch) == (epoch, highest)


def test_many_rows_tell_more_apart():
    assert selected("settled", 0.1, 0.5, 0.46, rows=1000)[0].best_epoch == 1


def test_the_last_is_kept_whatever_it_scores():
    selection, kept = selected("last", 0.1, 0.5, 0.2)
    assert all(kept)
    assert (selection.best_epoch, selection.highest_epoch) == (2, 1)


@pytest.mark.parametrize(("before", "epoch"), [(0.54, 1), (0.6, 0)])
def test_the_untrained_model_is_kept_only_where_it_is_clearly_better(before, epoch):
    assert selected("best", before, 0.5, 0.4)[0].best_epoch == epoch


def test_tasks_without_scores_keep_something():
    selection = EpochSelection("settled")
    assert selection.update(0, {})
    assert selection.update(1, {})


@pytest.mark.parametrize("rule", ["best", "settled", "last"])
@pytest.mark.parametrize("after", range(1, 6))
def test_it_goes_on_where_it_was(rule, after):
    scores = [0.3, 0.5, 0.48, 0.52, 0.51, 0.4]
    unbroken, kept = selected(rule, *scores)
    first, before = selected(rule, *scores[:after])
    second = EpochSelection(rule)
    second.load_state_dict(first.state_dict())
    rest = [second.update(number, scored(scores[number])) for number in range(after, len(scores))]
    assert before + rest == kept
    assert second.state_dict() == unbroken.state_dict()
