import csv
import os
import shutil
import zipfile

import pytest

from mtst.data.csv_writer import FORMULA_PREFIXES
from mtst.data.tasks import Task
from mtst.errors import DataError, ModelError
from mtst.model.export.predictions_csv import write_predictions
from mtst.model.export.zip import zip_model
from mtst.model.multitask import MultiTaskSentenceTransformer


@pytest.fixture
def tiny(tiny_encoder):
    return MultiTaskSentenceTransformer(tiny_encoder, [Task("mood", ("=glad", "sad")), Task("topic", ("x", "y", "z"))])


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def unquoted(cell):
    return cell.removeprefix("'")


def test_predictions_are_written_next_to_every_row(tiny, table_of, tmp_path):
    content = '=text,note\nthe film,"two\nlines"\n  ,blank\nmore food,@me\n'
    table = table_of(content)
    assert write_predictions(tiny, table, "=text", tmp_path / "out.csv") == 3
    header, *rows = rows_of(tmp_path / "out.csv")
    added = ["predicted mood", "probability mood", "predicted topic", "probability topic"]
    assert header == ["'=text", "note", *added]
    assert [tuple(map(unquoted, row[:2])) for row in rows] == list(table.rows)
    assert rows[1][2:] == ["", "", "", ""]
    found = tiny.predict(["the film", "more food"])
    for place, row in enumerate((rows[0], rows[2])):
        assert [unquoted(row[2]), row[4]] == [found["mood"].labels[place], found["topic"].labels[place]]
        assert float(row[5]) == pytest.approx(found["topic"].confidences[place], abs=1e-4)
    assert not any(cell.startswith(FORMULA_PREFIXES) for row in [header, *rows] for cell in row)


def test_a_long_table_is_written_in_parts_without_a_seam(monkeypatch, tiny, table_of, tmp_path):
    monkeypatch.setattr("mtst.model.export.predictions_csv.BATCH_ROWS", 2)
    table = table_of("text\n" + "".join(f"film {'and ' * n}\n" for n in range(5)))
    assert write_predictions(tiny, table, "text", tmp_path / "out.csv") == 5
    rows = rows_of(tmp_path / "out.csv")[1:]
    assert [row[0] for row in rows] == table.column("text")
    assert [row[3] for row in rows] == tiny.predict(table.column("text"))["topic"].labels


def test_a_table_of_blanks_is_written_too(tiny, table_of, tmp_path):
    assert write_predictions(tiny, table_of("text,n\n ,1\n ,2\n"), "text", tmp_path / "out.csv") == 2
    assert [row[1:] for row in rows_of(tmp_path / "out.csv")[1:]] == [["1", *[""] * 4], ["2", *[""] * 4]]


def test_a_zip_replaces_files_only(tiny, tmp_path):
    """A pipe or a device, whose place a file would take, is left alone; a link stays one."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(ModelError, match="no file that may be replaced"):
            zip_model(tiny, tmp_path / name)
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "mine.zip").write_text("old")
    (tmp_path / "link.zip").symlink_to("mine.zip")
    zip_model(tiny, tmp_path / "link.zip")
    assert (tmp_path / "link.zip").is_symlink()
    assert zipfile.is_zipfile(tmp_path / "mine.zip")
    assert sorted(os.listdir(tmp_path)) == ["folder", "link.zip", "mine.zip", "pipe"]


def test_one_who_interrupts_keeps_the_older_zip(tiny, tmp_path, monkeypatch):
    zip_model(tiny, tmp_path / "mine.zip")
    before = (tmp_path / "mine.zip").read_bytes()
    copy = shutil.copyfileobj

    def interrupted(*what):
        copy(*what)
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfileobj", interrupted)
    with pytest.raises(KeyboardInterrupt):
        zip_model(tiny, tmp_path / "mine.zip")
    assert (tmp_path / "mine.zip").read_bytes() == before
    assert os.listdir(tmp_path) == ["mine.zip"]


def test_a_missing_column_writes_no_file(tiny, table_of, tmp_path):
    with pytest.raises(DataError, match="no column"):
        write_predictions(tiny, table_of("text\na\n"), "txt", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_cannot_be_written_is_refused(tiny, table_of, tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_predictions(tiny, table_of("text\na\n"), "text", tmp_path / "none" / "out.csv")
