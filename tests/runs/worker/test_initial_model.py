"""A visitor's model on its way into a folder of runs."""

import os

import pytest

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError, RunError
from mtst.model.export.zip import zip_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.upload.base_encoder import BaseEncoderPolicy
from mtst.runs.folder import RunFolder
from mtst.runs.worker.model import store_uploaded_model

POLICY = BaseEncoderPolicy()


@pytest.fixture
def model(cached_encoder):
    return MultiTaskSentenceTransformer(load_encoder(cached_encoder()), [Task("mood", ("glad", "sad"))])


def test_a_model_that_is_kept_lies_in_a_folder_for_its_owner_alone(model, tmp_path):
    zip_model(model, tmp_path / "sent.zip")
    folder = RunFolder(tmp_path / "runs" / "token")
    store_uploaded_model(tmp_path / "sent.zip", folder, POLICY, 50.0)
    assert folder.is_model_only
    assert folder.job().source == "sent.zip"
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_model_that_cannot_be_kept_leaves_nothing(model, tmp_path):
    """Nobody would have its token."""
    (tmp_path / "runs").mkdir()
    zip_model(model, tmp_path / "sent.zip")
    folder = RunFolder(tmp_path / "runs" / "token")
    with pytest.raises(ModelError, match=r"larger than the 0\.01 MB"):
        store_uploaded_model(tmp_path / "sent.zip", folder, POLICY, 0.01)
    assert os.listdir(tmp_path / "runs") == []
    (folder.path / "config.part").mkdir(parents=True)  # in the way
    with pytest.raises(RunError, match="cannot be stored"):
        store_uploaded_model(tmp_path / "sent.zip", folder, POLICY, 50.0)
    assert os.listdir(tmp_path / "runs") == []
