from itertools import count

import pytest

from mtst.evaluation.error_analysis import HeldOutPredictions, Ranking
from mtst.training.config import split
from mtst.ui.services.services import Services
from mtst.ui.train.results import error_analysis
from mtst.ui.train.results.error_analysis import ErrorsView
from tests.support import fake_run

NUMBERS = count()


def always_food(_: int) -> Ranking:
    return ((0, 0.9), (1, 0.1))


@pytest.fixture
def token() -> str:
    return f"errors-{next(NUMBERS):025}"


def last(pieces: object) -> str:
    return list(pieces)[-1]


def test_the_cells_of_a_run_are_buttons_that_name_what_they_hold(services: Services, token: str) -> None:
    fake_run.folder(services, token, always_food)
    view = error_analysis.examine_run(services, token)
    matrices = view.matrices
    assert view.cell == ""
    assert matrices.count('<table class="confusion') == 2
    assert 'data-key="0|0|0"' in matrices
    assert 'data-key="0|1|0"' in matrices
    assert 'data-key="0|0|1"' not in matrices  # an empty cell opens nothing
    assert 'aria-label="3 rows: food predicted as food"' in matrices


def test_a_cell_opens_its_held_out_sentences_and_no_others(services: Services, token: str) -> None:
    fake_run.folder(services, token, always_food)
    held_out = split(fake_run.data(), fake_run.CONFIG)[1]
    made = last(error_analysis.cell_sentences(services, token, "0|0|0"))
    right = [text for text, kind in zip(held_out.texts, held_out.labels["kind"], strict=True) if kind == 0]
    assert made.count("<li>") == len(right) == 3
    assert f"{len(right)} held-out rows" in made
    assert "food 90%" in made
    wrong = last(error_analysis.cell_sentences(services, token, "0|1|0"))
    assert wrong.count("<li>") == len(held_out) - len(right)
    assert "soup" not in wrong


def test_the_most_confident_mistakes_and_the_scores_of_groups_are_shown(services: Services, token: str) -> None:
    fake_run.folder(services, token, always_food)
    errors = error_analysis.examine_run(services, token).errors
    kind, place = errors.split("<section")[1:]
    assert "kind: all 3 mistakes in 6 held-out rows" in kind
    assert "short (" in kind
    assert "kind by place" in kind
    assert "kitchen (too few rows)" in kind
    assert "place by kind" in place


def test_script_in_rows_and_labels_is_shown_as_text(services: Services, token: str) -> None:
    fake_run.folder(services, token, lambda kind: ((1 - kind, 0.7), (kind, 0.3)))
    view = error_analysis.examine_run(services, token)
    errors = view.errors
    opened = last(error_analysis.cell_sentences(services, token, "0|0|1"))
    for made in (view.matrices, errors, opened):
        assert "<script" not in made
        assert "<img" not in made
    assert "&lt;script&gt;" in errors
    assert "&lt;script&gt;" in opened


@pytest.mark.parametrize("key", ["", "0", "0|0", "9|0|0", "0|9|0", "a|b|c", None, "0|0|0|0", 'x"><script>'])
def test_a_cell_that_is_not_there_is_said_to_be_none(services: Services, token: str, key: object) -> None:
    fake_run.folder(services, token, always_food)
    made = last(error_analysis.cell_sentences(services, token, key))
    assert "There is no such cell" in made
    assert "<script" not in made


@pytest.mark.parametrize("nobody", [None, "", "../../etc/passwd", "x" * 32])
def test_without_a_run_nothing_is_examined(services: Services, nobody: str | None) -> None:
    assert error_analysis.examine_run(services, nobody) == ErrorsView()
    assert 'class="problem"' in last(error_analysis.cell_sentences(services, nobody, "0|0|0"))


def test_a_run_that_kept_no_answers_keeps_its_plain_matrices(services: Services, token: str) -> None:
    fake_run.folder(services, token, None)
    assert error_analysis.examine_run(services, token) == ErrorsView()
    assert "There is no such cell" not in last(error_analysis.cell_sentences(services, token, "0|0|0"))


def test_answers_for_other_rows_are_not_taken_for_these(services: Services, token: str) -> None:
    folder = fake_run.folder(services, token, always_food)
    kept = folder.held_out()
    folder.write_held_out(HeldOutPredictions(tuple(line + 1 for line in kept.lines), kept.said))
    assert error_analysis.examine_run(services, token) == ErrorsView()
