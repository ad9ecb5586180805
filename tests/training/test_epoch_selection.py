import pytest

from mtst.evaluation.scores import Scores, standard_error
from mtst.training.epoch_selection import EpochSelection


def scored(*figures, rows=100):
    """The scores of tasks with these shares right, and macro-F1 the same."""
    return {f"task {n}": Scores(rows, 0.5, f1, f1, f1, f1, f1, 0.1) for n, f1 in enumerate(figures)}


def heard(keeps, *epochs, rows=100):
    choice = EpochSelection(keeps)
    return choice, [choice.hear(number, scored(f1, rows=rows)) for number, f1 in enumerate(epochs)]


def test_the_standard_error_is_that_of_shares_of_so_many_rows():
    assert standard_error(scored(0.5)) == pytest.approx(0.05)
    assert standard_error(scored(0.5, 0.5)) == pytest.approx(0.05 / 2**0.5)
    assert standard_error(scored(1.0)) == standard_error({}) == 0


def test_the_best_is_the_first_of_the_highest():
    choice, kept = heard("best", 0.1, 0.5, 0.5, 0.49, 0.6, 0.6)
    assert kept == [True, True, False, False, True, False]
    assert (choice.epoch, choice.progressed) == (4, 4)


@pytest.mark.parametrize(
    ("epochs", "epoch", "progressed"),
    [
        ((0.1, 0.5, 0.48), 2, 1),  # 0.02 below, with a standard error of 0.05, and half of that for a difference
        ((0.1, 0.5, 0.47), 1, 1),
        ((0.1, 0.5, 0.48, 0.46), 2, 1),  # not the error of what was kept meanwhile: it would creep down
        ((0.1, 0.5, 0.47, 0.48), 3, 1),
        ((0.1, 0.5, 0.49, 0.52, 0.49), 3, 3),  # the highest raises the bar for those after it
    ],
)
def test_a_settled_run_keeps_the_latest_that_cannot_be_told_from_the_best(epochs, epoch, progressed):
    choice, _ = heard("settled", *epochs)
    assert (choice.epoch, choice.progressed) == (epoch, progressed)


def test_many_rows_tell_more_apart():
    assert heard("settled", 0.1, 0.5, 0.48, rows=1000)[0].epoch == 1


def test_the_last_is_kept_whatever_it_scores():
    choice, kept = heard("last", 0.1, 0.5, 0.2)
    assert all(kept)
    assert (choice.epoch, choice.progressed) == (2, 1)


@pytest.mark.parametrize(("before", "epoch"), [(0.54, 1), (0.6, 0)])
def test_the_untrained_model_is_kept_only_where_it_is_clearly_better(before, epoch):
    assert heard("best", before, 0.5, 0.4)[0].epoch == epoch


def test_tasks_without_scores_keep_something():
    choice = EpochSelection("settled")
    assert choice.hear(0, {})
    assert choice.hear(1, {})


@pytest.mark.parametrize("keeps", ["best", "settled", "last"])
@pytest.mark.parametrize("after", range(1, 6))
def test_it_goes_on_where_it_was(keeps, after):
    told = [0.3, 0.5, 0.48, 0.52, 0.51, 0.44]
    unbroken, kept = heard(keeps, *told)
    first, before = heard(keeps, *told[:after])
    second = EpochSelection(keeps)
    second.load(first.numbers)
    rest = [second.hear(number, scored(told[number])) for number in range(after, len(told))]
    assert before + rest == kept
    assert second.numbers == unbroken.numbers
