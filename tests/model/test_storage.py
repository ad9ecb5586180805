"""What becomes of the folder that a model is saved in."""

import os
import shutil
from pathlib import Path

import pytest

from mtst.data.tasks import Task
from mtst.errors import ModelError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.storage import check_target, is_part
from tests.model.conftest import OTHER_KINDS

MOOD, OTHER = (Task("mood", ("glad", "sad")),), (Task("other", ("x",)),)


@pytest.fixture
def tiny(tiny_encoder):
    return MultiTaskSentenceTransformer(tiny_encoder, MOOD)


@pytest.fixture
def other(tiny_encoder):
    return MultiTaskSentenceTransformer(tiny_encoder, OTHER)


@pytest.fixture
def saved(tiny, tmp_path):
    """The folder of a saved tiny model."""
    tiny.save(tmp_path / "saved")
    return tmp_path / "saved"


def contents(folder):
    """All files below a folder, by their paths."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_older_model_is_replaced_whole(saved, other, tmp_path):
    (saved / "2_Dense").mkdir()
    for name in ("report.json", "vocab.txt", "2_Dense/model.safetensors", "model-00001-of-00002.safetensors"):
        (saved / name).write_text("of the older one")
    other.save(saved)
    other.save(tmp_path / "fresh" / "saved")
    assert contents(saved) == contents(tmp_path / "fresh" / "saved")
    assert sorted(os.listdir(tmp_path)) == ["fresh", "saved"]


@pytest.mark.parametrize("kind", ["bert", *OTHER_KINDS])
def test_what_is_saved_is_part_of_a_model(export, tmp_path, kind):
    model, folder = export(kind)
    model.save(tmp_path)
    shutil.copytree(folder, tmp_path / "onnx")
    assert not [path for path in contents(tmp_path) if not is_part(path)]
    check_target(tmp_path)
    with pytest.raises(ModelError, match="other files"):
        check_target(tmp_path / "onnx")  # it has an mtst.json too


@pytest.mark.parametrize(
    "name", ["notes.txt", ".git/config", "data.csv", "onnx/notes.txt", "1_Pooling/mine.csv", "1_a/config.json", "a/b/c"]
)
def test_a_model_with_other_files_beside_it_is_left_alone(saved, other, name):
    (saved / name).parent.mkdir(parents=True, exist_ok=True)
    (saved / name).write_text("mine")
    before = contents(saved)
    with pytest.raises(ModelError, match=f"holds other files, '{name.split('/')[0]}' for one"):
        other.save(saved)
    assert contents(saved) == before


def test_a_link_to_other_files_is_left_alone(saved, other, tmp_path):
    (tmp_path / "data").mkdir()
    (saved / "linked").symlink_to(tmp_path / "data")
    with pytest.raises(ModelError, match="'linked'"):
        other.save(saved)


@pytest.mark.parametrize("name", ["notes.txt", "config.json"])
def test_a_folder_with_other_files_is_left_alone(tiny, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ModelError, match="other files"):
        tiny.save(tmp_path)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_cannot_be_a_folder_is_refused(tiny, tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ModelError):
        tiny.save(tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_link_to_a_model_stays_a_link(saved, other, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(saved)
    other.save(tmp_path / "elsewhere" / "link")
    assert (tmp_path / "elsewhere" / "link").readlink() == saved
    assert MultiTaskSentenceTransformer.load(saved).tasks == OTHER
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "saved"]


def test_the_folder_that_one_is_in_can_be_saved_to(saved, other, monkeypatch):
    monkeypatch.chdir(saved)
    other.save(".")
    assert MultiTaskSentenceTransformer.load(saved).tasks == OTHER


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
@pytest.mark.parametrize("heads_only", [False, True])
def test_whoever_may_read_a_new_file_may_read_every_file(tiny, tmp_path, mask, mode, heads_only):
    before = os.umask(mask)
    try:
        tiny.save(tmp_path / "model", heads_only=heads_only)
    finally:
        os.umask(before)
    files = [path for path in (tmp_path / "model").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}
    folders = [tmp_path / "model", *(path for path in (tmp_path / "model").rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o777 & ~mask}


def test_a_folder_that_others_may_not_open_stays_closed(tiny, tmp_path):
    (tmp_path / "model").mkdir(mode=0o700)
    tiny.save(tmp_path / "model")
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("reached", [1, 2])
def test_one_who_interrupts_finds_the_older_model(saved, other, monkeypatch, reached):
    """The older folder is put aside, then the new one in its place: it may break off before each of the two."""
    before, rename, count = contents(saved), Path.rename, iter(range(1, 9))

    def interrupted(self, target):
        if next(count) == reached:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        other.save(saved)
    assert contents(saved) == before
    assert os.listdir(saved.parent) == ["saved"]
