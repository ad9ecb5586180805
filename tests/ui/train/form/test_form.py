from dataclasses import replace

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.data.tasks import Task
from mtst.text import escape_html, inline_text
from mtst.training.config import TrainConfig
from mtst.ui.components.upload import limits_note
from mtst.ui.services.services import Services
from mtst.ui.train.form import chosen_file, data_quality, dataset, form, restored_run
from mtst.ui.train.form.form_values import ConfigForm, DataForm, TrainingForm
from mtst.ui.train.form.upload_draft import ColumnChoice
from tests.support.csv_rows import rows_of

CUPS = ("The team won the cup.", "Our striker scored.", "The match was lost.", "A late goal decided it.")
PANS = ("The soup was cold.", "Bread needs salt.", "The cake is sweet.", "We fried the fish.")


@pytest.fixture
def form_of(services: Services, write_csv):
    """Return the form of a visitor who has chosen a table of sentences and labels."""

    def read(rows: list[tuple[str, ...]], header: str = "text,label", **values: object) -> DataForm:
        lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
        file = chosen_file.read_file(services, write_csv("\n".join([header, *lines])))
        return DataForm(file.draft, "text", ["label"], **values)

    return read


def describe(services: Services, data: DataForm) -> dataset.DataView:
    return dataset.describe_data(services, data, None)


def test_the_limits_are_said_before_the_upload(services: Services) -> None:
    note = limits_note(services.settings.limits)
    for limit in ("20 MB", "700 rows", "1,000 columns", "200 labels", "100,000 characters"):
        assert limit in note


def test_alike_labels_are_merged_only_when_ticked(services: Services, form_of) -> None:
    rows = [(text, "Good") for text in CUPS] + [(text, "good ") for text in PANS] + [("So so.", "bad")]
    view = describe(services, form_of(rows))
    assert (view.merge["visible"], "3 labels" in view.rows) == (True, True)
    assert "“Good” + “good”" in view.merge["label"]
    view = describe(services, form_of(rows, merge=True))
    assert (view.merge["visible"], "2 labels" in view.rows) == (True, True)


def test_what_cannot_be_trained_is_said_and_the_start_stays_closed(services: Services, form_of) -> None:
    view = describe(services, form_of([(text, "same") for text in CUPS]))
    assert "nothing to tell apart" in view.rows
    assert not view.begin["interactive"]


def test_without_labels_nothing_is_described(services: Services, form_of) -> None:
    view = describe(services, replace(form_of([(text, "cup") for text in CUPS]), labels=[]))
    assert 'class="problem"' in view.rows
    assert not view.begin["interactive"]


def test_rows_that_are_ticked_are_left_out_and_listed(services: Services, form_of) -> None:
    rows = [(text, "cup") for text in CUPS] + [(text, "pan") for text in PANS]
    view = describe(services, form_of(rows, copies=["3"], doubtful=["3", "7"]))
    assert "<b>6</b> used" in view.rows
    assert "(2 left out by choice)" in view.rows


def test_every_row_of_the_file_is_in_the_saved_report(services: Services, form_of) -> None:
    long = "word " * 400
    rows = [(CUPS[0], "cup"), ("", "cup"), (CUPS[1], ""), (long, "pan"), ("=1+1 and more", "pan")]
    rows = rows_of(form.save_rows(services, form_of(rows, conflicts=["6"])))
    assert [(row["line"], row["used"]) for row in rows] == [
        ("2", "yes"), ("3", "no"), ("4", "no"), ("5", "yes"), ("6", "no")
    ]  # fmt: skip
    assert [row["note"] for row in rows[:3]] == ["", "no text", "no label"]
    assert rows[3]["note"].startswith("cut: 402 tokens, of which 256")
    assert rows[4]["note"] == "left out by choice"


def test_a_text_that_is_cut_is_counted(services: Services, form_of) -> None:
    view = describe(services, form_of([(text, "cup") for text in CUPS] + [("word " * 400, "pan"), (PANS[0], "pan")]))
    assert "<b>1</b> text is longer than the 256 tokens" in view.rows


def test_saving_without_a_file_is_an_error_that_says_so(services: Services) -> None:
    with pytest.raises(gr.Error, match="Choose a file"):
        form.save_rows(services, DataForm())


def test_a_file_is_read_again_without_names_in_its_first_row(services: Services, form_of) -> None:
    draft = form_of([(text, "cup") for text in CUPS], header="A title,pan").draft
    again = chosen_file.reread_file(services, draft, header_line=0)
    assert len(again.draft.table.rows) == len(draft.table.rows) + 1
    assert (again.text["value"], again.labels["value"]) == ("column 1", ["column 2"])
    assert again.header_line["value"] == 0


def test_doubtful_rows_are_listed_and_saved(services: Services, form_of) -> None:
    rows = [(text, "cup") for text in CUPS * 3] + [(text, "pan") for text in PANS] + [(CUPS[0], "pan")]
    first, *_, last = data_quality.find_doubtful_rows(services, form_of(rows))
    assert "Embedding all texts" in first.findings["value"]
    assert "9 copies" in last.findings["value"]
    assert len(last.copies["choices"]) == 9
    assert [line for _, line in last.conflicts["choices"]] == ["2", "6", "10", "18"]
    assert "on line 18 “pan”" in last.conflicts["choices"][0][0]
    kinds = [row["finding"] for row in rows_of(last.save_findings["value"])]
    assert (kinds.count("copy"), kinds.count("conflict")) == (9, 4)


def test_looking_without_a_file_says_what_to_do(services: Services) -> None:
    (view,) = data_quality.find_doubtful_rows(services, DataForm())
    assert "Choose a file" in view.findings["value"]
    lists = (view.copies, view.conflicts, view.doubtful, view.save_findings)
    assert not any(update["visible"] for update in lists)


def test_a_clean_set_has_no_copies(services: Services) -> None:
    draft = chosen_file.read_file(services, str(SMALL_SAMPLE)).draft
    *_, view = data_quality.find_doubtful_rows(services, DataForm(draft, "text", ["topic", "sentiment"]))
    assert [update["visible"] for update in (view.copies, view.conflicts, view.doubtful)] == [False, False, True]
    assert len(view.doubtful["choices"]) == data_quality.MAX_SHOWN
    assert "found among 600 rows" in view.findings["value"]


def test_the_values_of_the_form_are_those_of_its_components() -> None:
    values = {"draft": None, "text": "text", "labels": ["a"], "merge": True, "copies": ["2"], "conflicts": []}
    values |= {"doubtful": ["5"], "encoder": "tiny", "scenario": "custom", "open_groups": ["block-0"], "seed": "3"}
    read = TrainingForm.from_inputs(values)
    assert read.data.columns == ColumnChoice("text", ("a",), True, frozenset({2, 5}))
    assert read.data.encoder == "tiny"
    assert read.config == ConfigForm("custom", ["block-0"], {"seed": "3"})


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


def test_columns_with_several_labels_are_guessed_shown_and_changed(services: Services, write_csv) -> None:
    tags = ("a;b", "a", "b;c", "c")
    rows = [f'"{text}",{tags[n % 4]},{n % 2}' for n, text in enumerate(CUPS + PANS)]
    file = chosen_file.read_file(services, write_csv("\n".join(["text,tags,half", *rows])))
    assert (file.several["value"], file.several["visible"]) == (["tags"], True)
    chosen = DataForm(file.draft, "text", ["tags"], several=file.several["value"])
    view = describe(services, chosen)
    assert (view.tasks[0].multi, len(view.tasks[0].labels)) == (True, 3)
    assert "3 labels, 8 rows, several a row" in view.rows
    assert "labels a row on average" in view.rows
    whole = describe(services, replace(chosen, several=[]))
    assert (whole.tasks[0].multi, len(whole.tasks[0].labels)) == (False, 4)
    job = dataset.build_job(services, replace(chosen, several=[]), whole.tasks, TrainConfig())
    assert job.label_choice.single == ("tags",)


def test_columns_of_0_and_1_are_offered_as_one_task(services: Services, write_csv) -> None:
    rows = [f'"{text}",{n % 2},{n % 3 % 2},{n // 4}' for n, text in enumerate(CUPS + PANS)]
    file = chosen_file.read_file(services, write_csv("\n".join(["text,rude,spam,long", *rows])))
    assert file.labels["value"] == ["labels=rude,spam,long"]
    (task,) = describe(services, DataForm(file.draft, "text", file.labels["value"])).tasks
    assert (task.name, task.labels, task.multi) == ("labels", ("long", "rude", "spam"), True)


def test_the_run_bar_names_the_scenario_and_the_file(services: Services, form_of) -> None:
    draft = form_of([("fine", "good"), ("bad", "poor")]).draft
    tasks = (Task("mood", ("good", "poor")),)
    assert "Heads only on table.csv" in restored_run.describe_next(services, draft, None, "freeze-encoder", tasks)
    assert restored_run.describe_next(services, None, None, "freeze-encoder", tasks) == ""
    assert restored_run.describe_next(services, draft, None, "freeze-encoder", None) == ""
