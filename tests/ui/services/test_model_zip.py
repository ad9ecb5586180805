"""The ZIP of a run's model, and where it lies."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.errors import DataError, RunError
from mtst.runs.settings import Settings
from mtst.ui.api.endpoints import Api
from mtst.ui.server import temporary_files
from mtst.ui.services.model_zip import make_model_zip
from mtst.ui.services.services import Services
from mtst.ui.train import model_download, run_controls
from tests.ui.api.test_endpoints import TABLE, ended


@pytest.fixture(scope="module")
def services(tiny_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """An app on a tiny encoder, whose models are quickly trained, packed and exported."""
    services = Services(Settings(encoder=str(tiny_folder()), runs_dir=tmp_path_factory.mktemp("runs")))
    yield services
    services.close()


@pytest.fixture(scope="module")
def api(services: Services) -> Api:
    with gr.Blocks() as demo:
        return Api(services, demo)


@pytest.fixture
def token(api, services, tmp_path, monkeypatch) -> str:
    """A run that is over, in an app of which Gradio's files lie in a folder of their own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    token = api.train(None, None, TABLE, "", None, "freeze-encoder", 1, 0, None, None)
    ended(services, token)
    return token


def inside(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_zip_is_made_once_and_takes_room_in_the_runs_folder_alone(api, services, token, tmp_path) -> None:
    folder = services.runs.folder(token)
    first = make_model_zip(services, token)
    kept = folder.zip_path(onnx=False)
    before = kept.stat()
    button = model_download.make_download(services, token).download
    for path in (make_model_zip(services, token), Path(api.model(None, token).path), Path(button["value"])):
        assert path == first
        assert path.samefile(kept)
    assert kept.stat().st_mtime_ns == before.st_mtime_ns
    assert kept.stat().st_ino == before.st_ino
    files = [path for path in (tmp_path / "gradio").rglob("*") if path.is_file()]
    assert files == [first]
    assert token not in str(first)
    with zipfile.ZipFile(first) as archive:
        assert archive.read("mtst-model/report.json") == folder.report_path.read_bytes()
    assert not [*folder.path.glob("*.part")]


def test_with_onnx_it_is_another_and_another_model_has_another(services, token) -> None:
    plain, both = make_model_zip(services, token), make_model_zip(services, token, onnx=True)
    assert "mtst-model/onnx/model.onnx" in inside(both) - inside(plain)
    folder = services.runs.folder(token)
    old = plain.stat().st_ino
    os.utime(folder.model_path)  # as if it had been trained further
    assert make_model_zip(services, token).stat().st_ino != old
    assert make_model_zip(services, token).samefile(folder.zip_path(onnx=False))


def test_it_keeps_no_run_alive_and_goes_with_it(services, token) -> None:
    folder = services.runs.folder(token)
    said = max(path.stat().st_mtime_ns for path in folder.path.glob("*"))
    with_onnx = shutil.copy2(make_model_zip(services, token), folder.zip_path(onnx=True))  # as if it had been made
    lent = [make_model_zip(services, token), make_model_zip(services, token, onnx=True)]
    assert lent[1].samefile(with_onnx)
    assert max(path.stat().st_mtime_ns for path in folder.path.glob("*")) == said
    run_controls.delete_run(services, token)
    assert not folder.path.exists()
    assert not any(path.exists() or path.parent.exists() for path in lent)


def test_a_run_that_is_not_over_has_none(api, services, token) -> None:
    long = api.train(None, None, SMALL_SAMPLE.read_text(), "text", ["topic"], "train-all", 50, 0, None, None)
    with pytest.raises(RunError, match="not ended yet"):
        make_model_zip(services, long)
    api.stop(None, long)
    ended(services, long)


def test_without_room_none_is_made_and_one_that_is_there_is_lent(services, token, monkeypatch) -> None:
    monkeypatch.setattr(temporary_files, "RESERVED_BYTES", 1e18)
    with pytest.raises(DataError, match="no room for files now"):
        make_model_zip(services, token)
    view = model_download.make_download(services, token)
    assert "no room for files now" in view.packing["value"]
    monkeypatch.undo()
    made = make_model_zip(services, token)
    monkeypatch.setattr(temporary_files, "RESERVED_BYTES", 1e18)
    assert make_model_zip(services, token) == made
