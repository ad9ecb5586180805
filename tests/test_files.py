"""A disk that takes no more: files of this process, or of one of its own, may only grow so large."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import mtst
from mtst.errors import ModelError
from mtst.files import atomic_write, checked_write
from mtst.model.export.onnx import export_onnx
from mtst.model.export.zip import zip_folder
from mtst.runs.folder import RunFolder
from mtst.runs.job import Job
from mtst.training import embedding_history
from mtst.training.config import TrainConfig

RUN = """
import resource, sys
from pathlib import Path
from mtst.runs.worker.main import train
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
train(Path(sys.argv[1]), 5.0, 1_000.0)
"""


@contextmanager
def files_up_to(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_every_library_that_writes_says_it_alike(tiny, tmp_path):
    tokenizer = tiny.encoder.backbone.tokenizer.backend_tokenizer
    writers = {
        "safetensors": lambda: save_file({"a": torch.ones(1000)}, tmp_path / "x"),
        "tokenizers": lambda: tokenizer.save(str(tmp_path / "y")),
        "python": lambda: (tmp_path / "z").write_bytes(bytes(1000)),
        "the journey of sentences": lambda: embedding_history.save_embeddings(tmp_path / "w", 1, torch.ones(100, 100)),
    }
    for write in writers.values():
        with files_up_to(500), pytest.raises(OSError) as caught, checked_write():  # noqa: PT011 (its number is looked at)
            write()
        assert caught.value.errno == errno.EFBIG


def test_what_is_not_of_the_disk_stays_what_it_is():
    with pytest.raises(ValueError, match="no number"), checked_write():
        raise ValueError("no number")


@pytest.mark.parametrize("size", [500, 10_000])  # the settings do not fit; the weights do not
def test_a_model_is_not_saved_by_half(tiny, tmp_path, size):
    with files_up_to(size), pytest.raises(ModelError, match="The disk is full"):
        tiny.save(tmp_path / "all" / "model")
    assert os.listdir(tmp_path / "all") == []


def test_a_model_that_does_not_fit_leaves_the_older_one(tiny, tmp_path):
    tiny.save(tmp_path / "model")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with files_up_to(10_000), pytest.raises(ModelError, match="The disk is full"):
        tiny.save(tmp_path / "model")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_zip_that_does_not_fit_leaves_the_older_one(tiny, tmp_path):
    tiny.save(tmp_path / "model")
    (tmp_path / "packed").mkdir()
    zip_folder(tmp_path / "model", tmp_path / "packed" / "mine.zip")
    before = (tmp_path / "packed" / "mine.zip").read_bytes()
    with files_up_to(100_000), pytest.raises(ModelError, match=r"The ZIP mine\.zip cannot be written: File too large"):
        zip_folder(tmp_path / "model", tmp_path / "packed" / "mine.zip")
    assert (tmp_path / "packed" / "mine.zip").read_bytes() == before
    assert os.listdir(tmp_path / "packed") == ["mine.zip"]


def test_onnx_is_not_written_by_half(tiny, tmp_path):
    with files_up_to(10_000), pytest.raises(ModelError, match="The disk is full"):
        export_onnx(tiny, tmp_path / "all" / "onnx")
    assert os.listdir(tmp_path / "all") == []


def test_a_run_says_so(tiny, swapped, tmp_path):
    """The state after an epoch fits, for only heads train; the model that goes on is saved whole, and does not."""
    tiny.save(tmp_path / "before")
    folder = RunFolder(tmp_path / "run")
    job = Job("", TrainConfig("freeze-encoder", epochs=1), start="before")
    folder.create(job, swapped, tmp_path / "before")
    command = [sys.executable, "-W", "ignore", "-c", RUN, folder.path, "60000"]
    done = subprocess.run(command, cwd=Path(mtst.__file__).parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    history = folder.history()
    assert len(history.epochs) == 2
    assert "disk is full" in history.failed.message
    assert not folder.model_path.exists()


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    file = tmp_path / "file.json"
    with atomic_write(file) as staging:
        staging.write_text("old")
        assert not file.exists()
    with files_up_to(500), pytest.raises(OSError, match="File too large"), atomic_write(file) as staging:
        staging.write_bytes(bytes(1000))
    with pytest.raises(FileNotFoundError), atomic_write(file):
        pass  # nothing was written
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.json"]
