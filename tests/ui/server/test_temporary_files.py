import pytest

from mtst.errors import DataError
from mtst.ui.server import temporary_files
from mtst.ui.server.temporary_files import fresh_path, write_file


@pytest.fixture(autouse=True)
def downloads(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary_files, "DOWNLOADS", tmp_path / "downloads")


def test_what_is_written_lies_in_a_folder_of_its_own():
    one, other = write_file("a.csv", b"1"), write_file("a.csv", b"2")
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")
    assert one.parent != other.parent


def test_without_room_nothing_is_begun(monkeypatch, tmp_path):
    monkeypatch.setattr(temporary_files, "RESERVED_BYTES", 1e18)
    for make in (fresh_path, lambda name: write_file(name, b"")):
        with pytest.raises(DataError, match="This server has no room for files now"):
            make("a.csv")
    assert not (tmp_path / "downloads").exists()


def test_what_cannot_be_written_is_said_in_words(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="No file can be made for you now: File name too long"):
        write_file("x" * 300, b"")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(temporary_files, "DOWNLOADS", tmp_path / "file")
    with pytest.raises(DataError, match="No file can be made for you now: File exists"):
        write_file("a.csv", b"")
