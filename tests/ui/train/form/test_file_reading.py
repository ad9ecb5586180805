"""How the file was read can be changed in the page, and what looks odd is shown there with a tick."""

import zipfile
from dataclasses import replace

import gradio as gr
import pytest

from mtst.data.readers.options import ReadOptions
from mtst.ui.services.services import Services
from mtst.ui.train.form import chosen_file, dataset
from mtst.ui.train.form.form_values import DataForm

ROWS = [
    ("The team won the cup.", "pos"),
    ("The soup was cold.", "neg"),
    ("A late goal.", "NULL"),
    ("Bread.", "neg"),
] * 4
TABLE = "text,label\n" + "".join(f"{number} {text},{label}\n" for number, (text, label) in enumerate(ROWS))


@pytest.fixture
def view_of(services: Services, tmp_path):
    """Return what the page shows of a file with this content and name."""

    def read(content: str | bytes, name: str = "no known ending") -> chosen_file.FileView:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return chosen_file.read_file(services, str(path))

    return read


def describe(services: Services, data: DataForm) -> dataset.DataView:
    return dataset.describe_data(services, data, None)


def test_a_file_of_any_name_is_read_and_only_the_choices_it_has_are_shown(view_of) -> None:
    view = view_of(TABLE)
    shown = {
        name: getattr(view, name)["visible"] for name in ("reading", "header_line", "encoding", "delimiter", "sheet")
    }
    assert shown == {"reading": True, "header_line": True, "encoding": True, "delimiter": True, "sheet": False}
    assert (view.encoding["value"], view.delimiter["value"]) == ("utf-8", ",")
    view = view_of('{"text": "a", "label": "b"}\n' * 3)
    assert (view.header_line["visible"], view.encoding["visible"], view.delimiter["visible"]) == (False, True, False)


def test_another_encoding_is_tried_and_one_that_fails_changes_nothing(services: Services, view_of) -> None:
    view = view_of((TABLE + "Bu şahane ve çok hızlı ve güzel ığ,pos\n").encode("cp1254"))
    assert view.encoding["value"] == "cp1254"
    again = chosen_file.reread_file(services, view.draft, encoding="cp1252")
    assert again.draft.table.encoding == again.encoding["value"] == "cp1252"
    assert "þahane" in again.draft.table.rows[-1][0]
    failed = chosen_file.reread_file(services, again.draft, encoding="utf-16")
    assert failed.draft is again.draft
    assert failed.encoding["value"] == "cp1252"
    assert failed.unread["visible"]


def test_a_file_of_an_archive_can_be_chosen(services: Services, tmp_path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.csv", TABLE)
        archive.writestr("test.csv", "text,other\na,b\nc,d\n")
    view = chosen_file.read_file(services, str(path))
    assert (view.sheet["value"], view.sheet["visible"]) == ("train.csv", True)
    again = chosen_file.reread_file(services, view.draft, sheet="test.csv")
    assert again.draft.table.columns == ("text", "other")
    assert again.draft.options == ReadOptions(sheet="test.csv")


def test_what_looks_odd_is_listed_and_treated_only_when_ticked(services: Services, view_of) -> None:
    draft = view_of("A title\n\n" + TABLE).draft
    view = describe(services, DataForm(draft, "text", ["label"]))
    assert "1 line above the column names" in view.rows
    assert "“NULL” in column “label” looks like the mark of a missing value" in view.rows
    assert "16</b> used" in view.rows
    (choice,) = view.treat["choices"]
    assert choice == ("Treat “NULL” as no label: 4 rows", "--missing NULL")
    assert (view.treat["value"], view.treat["visible"]) == ([], True)
    view = describe(services, DataForm(draft, "text", ["label"], treat=["--missing NULL"]))
    assert "12</b> used" in view.rows
    assert view.treat["value"] == ["--missing NULL"]
    assert "looks like the mark of a missing value" not in view.rows


def test_a_tick_reaches_the_job_and_its_command(services: Services, view_of) -> None:
    from mtst.runs.report import training_command
    from mtst.training.config import TrainConfig

    draft = view_of(TABLE.replace(",", ";"), "x.csv").draft
    form = DataForm(draft, "text", ["label"], treat=["--missing NULL", "--clean html", "--leave-out 3"])
    data = form.dataset()
    job = dataset.build_job(services, form, data.tasks, TrainConfig("freeze-all"))
    command = " ".join(training_command(job, ["label"]))
    assert "--missing NULL --clean html --leave-out 3" in command
    assert 3 not in data.lines


def test_hostile_texts_of_a_finding_are_shown_as_typed(services: Services, view_of) -> None:
    draft = view_of("text,label\n" + "<img src=x onerror=alert(1)> &amp; so,pos\nother,neg\nmore,neg\n").draft
    rows = describe(services, DataForm(draft, "text", ["label"])).rows
    assert "&lt;img src=x onerror" in rows
    assert "<img" not in rows


def test_without_a_file_nothing_is_shown(services: Services) -> None:
    view = chosen_file.reread_file(services, None, header_line=1)
    assert view.draft is None
    assert view.reading == gr.update(visible=False)


def test_a_dataset_that_cannot_be_read_leaves_the_file_as_it_was(services: Services, view_of, monkeypatch) -> None:
    draft = view_of(TABLE).draft
    view = chosen_file.read_dataset(services, draft, "no name")
    assert view.draft is draft
    assert "owner/name" in view.unread["value"]
    monkeypatch.setattr(services, "settings", replace(services.settings, hub_datasets=False))
    assert "This server reads no datasets" in chosen_file.read_dataset(services, draft, "owner/name").unread["value"]
