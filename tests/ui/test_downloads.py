import pytest

from mtst.errors import DataError
from mtst.ui import downloads
from mtst.ui.downloads import fresh, written


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "PLACE", tmp_path / "downloads")


def test_what_is_written_lies_in_a_folder_of_its_own():
    one, other = written("a.csv", b"1"), written("a.csv", b"2")
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")
    assert one.parent != other.parent


def test_without_room_nothing_is_begun(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "SPARED", 1e18)
    for make in (fresh, lambda name: written(name, b"")):
        with pytest.raises(DataError, match="This server has no room for files now"):
            make("a.csv")
    assert not (tmp_path / "downloads").exists()


def test_what_cannot_be_written_is_said_in_words(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="No file can be made for you now: File name too long"):
        written("x" * 300, b"")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(downloads, "PLACE", tmp_path / "file")
    with pytest.raises(DataError, match="No file can be made for you now: File exists"):
        written("a.csv", b"")
