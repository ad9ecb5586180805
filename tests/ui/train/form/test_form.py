import csv

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.text import escape_html, inline_text
from mtst.ui.components.upload import limits_note
from mtst.ui.services.services import Services
from mtst.ui.train.form import data_quality, dataset, form

START = 7  # the place of the button among what `describe` returns
CUPS = ("The team won the cup.", "Our striker scored.", "The match was lost.", "A late goal decided it.")
PANS = ("The soup was cold.", "Bread needs salt.", "The cake is sweet.", "We fried the fish.")


@pytest.fixture
def draft_of(services: Services, write_csv):
    """Read a table of sentences and labels as a visitor's file."""

    def read(rows: list[tuple[str, ...]], header: str = "text,label"):
        lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
        return dataset.choose(services, write_csv("\n".join([header, *lines])))[0]

    return read


def describe(services: Services, draft, labels=("label",), merge: bool = False, *ticked: list[str]) -> tuple:
    return dataset.describe(services, draft, "text", list(labels), merge, None, *ticked)


def rows_of(path: str) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_limits_are_said_before_the_upload(services: Services) -> None:
    note = limits_note(services.settings.limits)
    for limit in ("20 MB", "700 rows", "1,000 columns", "200 labels", "100,000 characters"):
        assert limit in note


def test_alike_labels_are_merged_only_when_ticked(services: Services, draft_of) -> None:
    draft = draft_of([(text, "Good") for text in CUPS] + [(text, "good ") for text in PANS] + [("So so.", "bad")])
    report, _, merge, *_ = describe(services, draft)
    assert (merge["visible"], "3 labels" in report) == (True, True)
    assert "“Good” + “good”" in merge["label"]
    report, _, merge, *_ = describe(services, draft, merge=True)
    assert (merge["visible"], "2 labels" in report) == (True, True)


def test_what_cannot_be_trained_is_said_and_the_start_stays_closed(services: Services, draft_of) -> None:
    described = describe(services, draft_of([(text, "same") for text in CUPS]))
    assert "nothing to tell apart" in described[0]
    assert not described[START].interactive


def test_rows_that_are_ticked_are_left_out_and_listed(services: Services, draft_of) -> None:
    draft = draft_of([(text, "cup") for text in CUPS] + [(text, "pan") for text in PANS])
    report, *_ = describe(services, draft, ("label",), False, ["3"], ["3", "7"])
    assert "<b>6</b> used" in report
    assert "(2 left out by choice)" in report


def test_every_row_of_the_file_is_in_the_saved_report(services: Services, draft_of) -> None:
    long = "word " * 400
    draft = draft_of([(CUPS[0], "cup"), ("", "cup"), (CUPS[1], ""), (long, "pan"), ("=1+1 and more", "pan")])
    rows = rows_of(form.save_rows(services, draft, "text", ["label"], False, ["6"]))
    assert [(row["line"], row["used"]) for row in rows] == [
        ("2", "yes"), ("3", "no"), ("4", "no"), ("5", "yes"), ("6", "no")
    ]  # fmt: skip
    assert [row["note"] for row in rows[:3]] == ["", "no text", "no label"]
    assert rows[3]["note"].startswith("cut: 402 tokens, of which 256")
    assert rows[4]["note"] == "left out by choice"


def test_a_text_that_is_cut_is_counted(services: Services, draft_of) -> None:
    draft = draft_of([(text, "cup") for text in CUPS] + [("word " * 400, "pan"), (PANS[0], "pan")])
    report, *_ = describe(services, draft)
    assert "<b>1</b> text is longer than the 256 tokens" in report


def test_saving_without_a_file_is_an_error_that_says_so(services: Services) -> None:
    with pytest.raises(gr.Error, match="Choose a file"):
        form.save_rows(services, None, None, [], False)


def test_a_file_is_read_again_without_names_in_its_first_row(services: Services, draft_of) -> None:
    draft = draft_of([(text, "cup") for text in CUPS], header="A title,pan")
    again, text, labels, header, _ = dataset.choose_again(services, draft, False)
    assert len(again.table.rows) == len(draft.table.rows) + 1
    assert (text["value"], labels["value"], header["value"]) == ("column 1", ["column 2"], False)


def test_doubtful_rows_are_found_listed_and_saved(services: Services, draft_of) -> None:
    rows = [(text, "cup") for text in CUPS * 3] + [(text, "pan") for text in PANS] + [(CUPS[0], "pan")]
    draft = draft_of(rows)
    *progress, last = data_quality.look(services, draft, "text", ["label"], False)
    assert "Reading every text once" in progress[0][0]["value"]
    message, copies, conflicts, _, save = last
    assert "9 copies" in message["value"]
    assert len(copies["choices"]) == 9
    assert [line for _, line in conflicts["choices"]] == ["2", "6", "10", "18"]
    assert "on line 18 “pan”" in conflicts["choices"][0][0]
    kinds = [row["finding"] for row in rows_of(save["value"])]
    assert (kinds.count("copy"), kinds.count("conflict")) == (9, 4)


def test_looking_without_a_file_says_what_to_do(services: Services) -> None:
    ((message, *lists, save),) = data_quality.look(services, None, None, [], False)
    assert "Choose a file" in message["value"]
    assert not any(update["visible"] for update in (*lists, save))


def test_a_clean_set_has_no_copies(services: Services) -> None:
    draft = dataset.choose(services, str(SMALL_SAMPLE))[0]
    *_, (message, copies, conflicts, doubtful, _) = data_quality.look(
        services, draft, "text", ["topic", "sentiment"], False
    )
    assert (copies["visible"], conflicts["visible"], doubtful["visible"]) == (False, False, True)
    assert len(doubtful["choices"]) == data_quality.SHOWN
    assert "found among 600 rows" in message["value"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("<b>&", "&lt;b&gt;&amp;"), ("a\0b", "a\u2400b"), ("a\x1bb", "a\u241bb"), ("tab\there\n", "tab\there\n")],
)
def test_text_is_shown_as_typed(text: str, shown: str) -> None:
    assert escape_html(text) == shown


def test_text_in_a_menu_is_cut_and_turns_nothing_beside_it() -> None:
    assert inline_text("\u202eabc") == "\u2068\u202eabc\u2069"
    assert len(inline_text("x" * 100_000)) == 80
    assert inline_text("plain") == "plain"
