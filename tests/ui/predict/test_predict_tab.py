from collections.abc import Iterator

from mtst.ui.components.upload import show_file_note
from mtst.ui.predict import file_predictions
from mtst.ui.predict import tab as predict_tab
from mtst.ui.services.model_data import STARTER
from mtst.ui.services.services import Services

ODD = "text,other\nNULL,fine\n<b>bold</b> words,fine\n这部电影很好看,fine\n我不喜欢这个故事,<i>fine</i>\nshort\n"


def last(updates: Iterator[tuple[object, dict]]) -> dict:
    return list(updates)[-1][1]


def test_typed_sentences_that_the_model_cannot_read_are_reported(services: Services) -> None:
    made = predict_tab.predict(services, "a film\n这部电影很好看\n我不喜欢这个故事", STARTER, None)
    assert made.index("tokens are unknown to the encoder") < made.index('class="prediction"')
    assert "unknown" not in predict_tab.predict(services, "a film", STARTER, None)


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
