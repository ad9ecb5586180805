import re
from itertools import count

import pytest

from mtst.text import escape_html
from mtst.ui.predict import explanation
from mtst.ui.predict import tab as predict_tab
from mtst.ui.services.model_data import STARTER, TRAINED, model_data
from mtst.ui.services.services import Services
from tests.support import fake_run

CUP = "The team won the cup on penalties."
NUMBERS = count()


@pytest.fixture
def token() -> str:
    return f"whythis-{next(NUMBERS):024}"


def asked(services: Services, which: str, sentence: str, run: str | None = None) -> list[str]:
    return list(explanation.explain_prediction(services, explanation.sentence_key(which, sentence), run))


def own(services: Services, token: str) -> None:
    fake_run.folder(services, token, lambda kind: ((kind, 0.95), (1 - kind, 0.05)))


def test_every_predicted_sentence_can_be_asked_about(services: Services) -> None:
    made = predict_tab.predict(services, f'{CUP}\nIt\'s "late".', STARTER, None)
    assert f'data-key="starter:{CUP}"' in made
    assert 'data-key="starter:It&#39;s &#34;late&#34;."' in made


def test_words_for_and_against_are_marked_by_more_than_colour(services: Services, token: str) -> None:
    own(services, token)
    made = asked(services, TRAINED, "we ate soup with salt after the cup final", token)[-1]
    sides = re.findall(r'<mark class="(for|against)" style="--p: \d+%" title="([+−]\d+) points"><bdi>(\S+)</bdi>', made)
    assert {side for side, _, _ in sides} == {"for", "against"}
    assert all((points[0] == "+") == (side == "for") for side, points, _ in sides)
    assert "Each word in numbers" in made
    assert "without any word" in made
    assert "Shapley" in made


def test_the_words_come_first_and_the_rows_after(services: Services, token: str) -> None:
    own(services, token)
    first, words, *_, whole = asked(services, TRAINED, "a goal in the final", token)
    assert "<section" not in first
    assert "<mark" in words
    assert "Nearest training rows" not in words
    assert "Nearest training rows" in whole


def test_the_nearest_rows_are_of_the_train_side_alone_with_their_labels(services: Services, token: str) -> None:
    own(services, token)
    known = model_data(services, TRAINED, token)
    held_out, train = known.held_out.texts, known.train.texts
    made = asked(services, TRAINED, held_out[0], token)[-1]
    listed = [text for text in train if f'<p dir="auto">{escape_html(text)}</p>' in made]
    assert len(listed) == explanation.NEAREST
    assert not any(f'<p dir="auto">{escape_html(text)}</p>' in made for text in held_out)
    assert "place <b" in made


def test_it_says_how_right_such_a_confidence_was(services: Services, token: str) -> None:
    own(services, token)
    made = asked(services, TRAINED, "a goal in the cup final", token)[-1]
    assert "Calibration" in made
    assert '<td><span dir="auto">6</span></td><td><span dir="auto">100%</span></td>' in made  # kind: 90 to 100%
    assert re.search(r"No held-out row had a confidence of|That is too few to go by", made)


def test_script_is_shown_as_text(services: Services, token: str) -> None:
    own(services, token)
    for made in asked(services, TRAINED, fake_run.EVIL, token):
        assert "<script" not in made
        assert "<img" not in made
    assert "&lt;script&gt;" in made


@pytest.mark.parametrize("sentence", ["", "W", "\u202eabc def", "我爱 pizza", "x" * 20_000, "w " * 3_000])
def test_odd_sentences_are_explained_too(services: Services, token: str, sentence: str) -> None:
    own(services, token)
    assert '<div class="why">' in asked(services, TRAINED, sentence, token)[-1]


def test_without_a_run_it_says_what_to_do(services: Services) -> None:
    assert "Train one first" in asked(services, TRAINED, CUP, None)[-1]
    assert "Train again" in asked(services, TRAINED, CUP, "../../etc/passwd")[-1]


def test_a_run_that_kept_no_answers_still_explains(services: Services, token: str) -> None:
    fake_run.folder(services, token, None)
    made = asked(services, TRAINED, CUP, token)[-1]
    assert "<mark" in made
    assert "Nearest training rows" in made
    assert "confidence was" not in made


def test_the_starter_heads_are_judged_by_rows_they_have_not_seen(services: Services) -> None:
    known = model_data(services, STARTER, None)
    assert (len(known.train), len(known.held_out)) == (4504, 796)
    assert not {text.casefold() for text in known.train.texts} & {text.casefold() for text in known.held_out.texts}
    assert known.predictions.lines == known.held_out.lines
