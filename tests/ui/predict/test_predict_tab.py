import asyncio
from collections.abc import Iterator

import pytest

from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.components.upload import show_file_note
from mtst.ui.predict import answers, file_predictions
from mtst.ui.predict.explanation import sentence_key
from mtst.ui.services.model_data import STARTER, TRAINED, run_data
from mtst.ui.services.services import Services

ODD = "text,other\nNULL,fine\n<b>bold</b> words,fine\n这部电影很好看,fine\n我不喜欢这个故事,<i>fine</i>\nshort\n"


@pytest.fixture(scope="module")
def run(services, sample, tiny_folder) -> str:
    """Return the token of a run that has ended."""
    token = services.runs.submit(Job(str(tiny_folder()), TrainConfig("freeze-all")), sample)

    async def follow() -> None:
        async for _ in services.runs.follow(token):
            pass

    asyncio.run(follow())
    return token


def last(updates: Iterator[tuple[object, dict]]) -> dict:
    return list(updates)[-1][1]


def test_typed_sentences_that_the_model_cannot_read_are_reported(services: Services) -> None:
    made = answers.predict(services, "a film\n这部电影很好看\n我不喜欢这个故事", STARTER, None)
    assert made.index("tokens are unknown to the encoder") < made.index('class="prediction"')
    assert "unknown" not in answers.predict(services, "a film", STARTER, None)


def test_what_looks_odd_in_a_file_is_reported_for_its_column(services: Services, write_csv) -> None:
    file = file_predictions.read_file(services, write_csv(ODD))
    assert "4 rows read, 1 skipped (line 6: malformed" in file.note["value"]
    assert "Worth a look: missing text, HTML" in file.note["value"]
    other = show_file_note(file.table, "other")
    assert "Worth a look" not in other["value"]
    assert "line 5: " in other["value"]
    assert show_file_note(None, None)["visible"] is False


def test_what_the_model_cannot_read_is_reported_with_the_predictions(services: Services, write_csv) -> None:
    table = file_predictions.read_file(services, write_csv(ODD)).table
    note = last(file_predictions.predict_file(services, table, "text", STARTER, None))
    assert "4 rows predicted" in note["value"]
    assert "Worth a look: missing text, HTML, unknown tokens" in note["value"]
    assert "line 4: <span" in note["value"]


def test_an_explanation_stands_below_its_sentence_until_it_is_closed(services: Services) -> None:
    text = "The team won the cup.\nMy soup was cold."
    key = sentence_key(STARTER, "My soup was cold.")
    *_, page = answers.explain_below(services, key, text, STARTER, None)
    assert page.count('class="prediction"') == 2
    first, second = page.split("</article>")[:2]
    assert 'id="predict-why"' not in first
    assert second.index("My soup was cold.") < second.index('id="predict-why"')
    assert 'data-key="close"' in page
    for other in (answers.CLOSE, sentence_key(STARTER, "another sentence"), ""):
        (closed,) = answers.explain_below(services, other, text, STARTER, None)
        assert closed == answers.predict(services, text, STARTER, None)
    (problem,) = answers.explain_below(services, key, text, TRAINED, None)
    assert "Train one first" in problem


def test_a_run_suggests_its_held_out_sentences_and_what_was_written_stays(services: Services, run: str) -> None:
    suggested = answers.suggest_sentences(services, TRAINED, answers.EXAMPLES, answers.EXAMPLES, run)
    held_out = run_data(services.runs.folder(run)).held_out.texts
    assert suggested
    assert set(suggested.splitlines()) <= set(held_out)
    assert len(suggested.splitlines()) == answers.HELD_OUT_SENTENCES
    assert answers.suggest_sentences(services, STARTER, suggested, suggested, run) == answers.EXAMPLES
    assert answers.suggest_sentences(services, TRAINED, "my own", answers.EXAMPLES, run) is None
    assert answers.suggest_sentences(services, TRAINED, " ", "", None) is None


def test_a_predicted_file_is_summed_up_and_previewed(services: Services, write_csv) -> None:
    path = write_csv("text\n" + "The team won the cup.\n" * 9 + "<b>My soup</b> was cold.\n")
    table = file_predictions.read_file(services, path).table
    note = last(file_predictions.predict_file(services, table, "text", STARTER, None))["value"]
    assert "sports</span><b>9</b>" in note
    assert "The first 5 rows" in note
    assert note.count("<td") == 5 * 5
