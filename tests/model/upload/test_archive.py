"""The ZIP itself: entries that would leave it, lies about sizes, bombs and damage are one sentence each."""

import io
import os
import struct
import zipfile

import pytest

from mtst.errors import ModelError
from mtst.model.upload.archive import open_archive
from tests.model.upload.conftest import zipped

LINK = 0o120777 << 16


@pytest.fixture
def refused(sent, tmp_path):
    """Return why a ZIP is refused when all of its files are extracted; nothing is written outside the target."""

    def explain(changed=None, *, max_megabytes=50.0, raw=None):
        path = sent(changed, raw=raw)
        (tmp_path / "target").mkdir()
        before = sorted(os.listdir(tmp_path))
        with pytest.raises(ModelError) as caught:
            extract_all(path, tmp_path / "target", max_megabytes)
        assert sorted(os.listdir(tmp_path)) == before
        assert str(caught.value).count("\n") == 0
        return str(caught.value)

    return explain


def extract_all(path, target, max_megabytes):
    with open_archive(path, max_megabytes) as archive:
        for number, name in enumerate(archive.names):
            archive.extract(name, target / str(number), 10**9)


def at(name):
    return f"mtst-model/{name}"


def test_a_model_is_read_below_its_folder_and_without_one(content, sent):
    flat = {name.removeprefix("mtst-model/"): data for name, data in content.items()}
    for raw in (zipped(content), zipped(flat, zipfile.ZIP_DEFLATED)):
        with open_archive(sent(raw=raw), 50.0) as archive:
            assert set(archive.names) == set(flat)
            assert archive.read("mtst.json", 10_000) == flat["mtst.json"]


@pytest.mark.parametrize("name", ["evil.py", "pytorch_model.bin", "a.pkl", "x.pt", "2_Evil/a"])
def test_a_file_that_is_no_part_of_a_model_is_refused(refused, name):
    assert "is no part of a model" in refused({at(name): b"x"})


@pytest.mark.parametrize("name", ["../evil", "mtst-model/../../evil", "/etc/evil", "mtst-model/..", "C:\\evil", "a\\b"])
def test_a_path_that_leads_out_of_the_archive_is_refused(refused, name):
    assert "leads out of it" in refused({name: b"x"})


def test_a_symbolic_link_is_refused(refused, content):
    entry = zipfile.ZipInfo(at("vocab.txt"))
    entry.external_attr = LINK
    target = io.BytesIO(zipped(content))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "is no plain file" in refused(raw=target.getvalue())


def test_a_name_that_comes_twice_is_refused(refused, content):
    target = io.BytesIO(zipped(content))
    with zipfile.ZipFile(target, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(at("mtst.json"), "{}")
    assert "more than once" in refused(raw=target.getvalue())


def test_a_missing_file_is_named(sent):
    with open_archive(sent({at("mtst.json"): None}), 50.0) as archive, pytest.raises(ModelError, match="is missing"):
        archive.read("mtst.json", 10_000)


def test_a_bomb_is_stopped_at_its_ratio(refused, content):
    bomb = zipped(content | {at("model.safetensors"): bytes(40_000_000)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1_000_000
    assert "unpacks to more" in refused(raw=bomb)


def test_a_size_that_is_a_lie_is_no_way_around_the_limits(refused, content):
    """The directory says that the weights are small: no more than that is read, and the checksum does not fit it."""
    made = bytearray(zipped(content | {at("model.safetensors"): os.urandom(3_000_000)}))
    place = made.rindex(at("model.safetensors").encode()) - 46
    assert made[place : place + 4] == b"PK\x01\x02"
    struct.pack_into("<L", made, place + 24, 100)
    assert "Bad CRC-32 for file 'mtst-model/model.safetensors'" in refused(raw=bytes(made), max_megabytes=4)


def test_files_that_are_too_large_only_together_are_stopped(refused, content):
    """Each may take what those before it have left."""
    tenfold = b"".join(10 * os.urandom(3_000) for _ in range(100))
    made = zipped(
        content | dict.fromkeys([at("model.safetensors"), at("heads.safetensors")], tenfold), zipfile.ZIP_DEFLATED
    )
    assert len(made) < 4_000_000 < 2 * len(tenfold)
    assert "unpacks to more" in refused(raw=made, max_megabytes=4)


def test_a_text_that_is_too_long_is_stopped(sent):
    path = sent({at("mtst.json"): os.urandom(3_000_000)})
    with open_archive(path, 100.0) as archive, pytest.raises(ModelError, match="unpacks to more"):
        archive.read("mtst.json", 2_000_000)


def test_an_archive_that_is_too_large_is_refused_before_it_is_read(refused):
    assert "larger than the 0.01 MB" in refused(max_megabytes=0.01)


def test_many_entries_are_refused_before_their_directory_is_read(refused):
    assert "its directory is unusual" in refused({at(f"onnx/{n}"): b"" for n in range(100)})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda whole: b"", "not a ZIP"),
        (lambda whole: b"text,mood\na,b\n", "not a ZIP"),
        (lambda whole: whole[:-40], "not a ZIP"),
        (lambda whole: b"#!/bin/sh\n" + whole, "its directory is unusual"),
        (lambda whole: whole.replace(b'"tasks"', b'"tasky"', 1), "cannot be read as a ZIP"),
    ],
)
def test_a_damaged_archive_is_refused(refused, content, damage, words):
    assert words in refused(raw=damage(zipped(content)))


def test_a_password_is_refused(refused, content):
    made = bytearray(zipped(content))
    for place in (made.index(b"PK\x03\x04") + 6, made.index(b"PK\x01\x02") + 8):
        made[place] |= 1
    assert "is encrypted" in refused(raw=bytes(made))
