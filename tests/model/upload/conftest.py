"""A small model on an encoder of the Hub, and its ZIP as `zip_model` makes it."""

import io
import zipfile
from collections.abc import Callable

import pytest

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.model.export.zip import zip_model
from mtst.model.multitask import MultiTaskSentenceTransformer

TASKS = (Task("mood", ("glad", "sad")), Task("topic", ("x", "y", "z")))


@pytest.fixture(scope="session")
def model(cached_encoder):
    return MultiTaskSentenceTransformer(load_encoder(cached_encoder()), TASKS)


@pytest.fixture(scope="session")
def content(model, tmp_path_factory):
    """The files in the ZIP, by name."""
    path = tmp_path_factory.mktemp("made") / "model.zip"
    zip_model(model, path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: dict[str, bytes | None], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a ZIP of these files; one without content is left out."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return target.getvalue()


@pytest.fixture
def sent(content, tmp_path) -> Callable:
    """Write the ZIP with some files replaced, or other bytes in its place; return its path."""

    def write(changed=None, *, raw=None):
        path = tmp_path / "sent.zip"
        path.write_bytes(zipped(content | (changed or {})) if raw is None else raw)
        return path

    return write
