"""Runs and models that version 0.3.0 has written can be read, resumed and used."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from mtst.evaluation.error_analysis import predicted_rows
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.folder import RunFolder
from mtst.runs.report import build_comparison_report, build_report
from mtst.runs.worker.main import _train
from mtst.runs.worker.model import best_model
from mtst.training import embedding_history
from mtst.training.config import split
from mtst.training.events import Resumed

WRITTEN = Path(__file__).parents[1] / "support" / "version_0_3"
SENTENCES = ["A goal in the last minute!", "This soup is cold."]
TOPICS = [[0.9092, 0.0908], [0.0001, 0.9999]]  # what version 0.3.0 predicted for them
MOODS = [[0.2406, 0.7594], [0.6747, 0.3253]]
ENVIRONMENT = {"mtst", "versions", "machine"}  # parts of a report that say where it was made


@pytest.fixture
def run(tmp_path):
    """Copy the folder of a run, to be written to."""

    def copied(name):
        return RunFolder(Path(shutil.copytree(WRITTEN / name, tmp_path / name)))

    return copied


def predictions(path):
    found = MultiTaskSentenceTransformer.load(path).predict(SENTENCES)
    return [found[name].probabilities for name in ("topic", "mood")]


def older(value, written):
    """Leave out of a part of a report what the version before did not write."""
    if isinstance(written, dict):
        return {key: older(value[key], old) for key, old in written.items() if key in value}
    if isinstance(written, list):
        return [older(*both) for both in zip(value, written, strict=True)]
    return value


def same(report, written):
    """Compare two reports, but for the environment and for what only one of them has."""
    assert set(written) <= set(report)
    for key in set(written) - ENVIRONMENT:
        assert older(report[key], written[key]) == written[key], key


@pytest.mark.parametrize(
    ("name", "outcome", "epochs"),
    [("finished", "finished", 2), ("moved", "finished", 2), ("interrupted", "interrupted", 1)],
)
def test_the_history_of_a_run_is_read(name, outcome, epochs):
    folder = RunFolder(WRITTEN / name)
    history = folder.history()
    assert (history.outcome, history.last_epoch, history.total_epochs) == (outcome, epochs, 2)
    assert history.tasks == folder.data().tasks
    assert history.is_resumable == (name == "interrupted")
    assert history.best_validation["topic"].rows == 6
    assert folder.job().source == "rows.csv"


@pytest.mark.parametrize("name", ["finished", "moved"])
def test_a_report_is_made_again_as_it_was(name):
    folder = RunFolder(WRITTEN / name)
    report = build_report(folder.job(), folder.data(), folder.history())
    same(json.loads(json.dumps(report)), json.loads(folder.report_path.read_text(encoding="utf-8")))


def test_a_comparison_is_read_and_its_report_made_again():
    folder = RunFolder(WRITTEN / "comparison")
    comparison = folder.history().comparison
    assert [row.scenario for row in comparison.results] == ["freeze-all", "freeze-encoder"]
    report = build_comparison_report(folder.job(), folder.data(), comparison)
    same(json.loads(json.dumps(report)), json.loads(folder.report_path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["finished", "moved"])
def test_held_out_predictions_are_read(name):
    folder = RunFolder(WRITTEN / name)
    held_out = split(folder.data(), folder.job().config)[1]
    written = folder.held_out()
    assert written.lines == held_out.lines
    correct = [row.is_correct for row in predicted_rows(written, held_out, held_out.tasks[0])]
    assert np.mean(correct) == pytest.approx(folder.history().best_validation["topic"].accuracy)


def test_embeddings_of_every_epoch_are_read():
    folder = RunFolder(WRITTEN / "moved")
    assert embedding_history.saved_epochs(folder.embeddings_path) == [0, 1, 2]
    held_out = split(folder.data(), folder.job().config)[1]
    embeddings = MultiTaskSentenceTransformer.load(folder.model_path).encode(held_out.texts)
    kept = embedding_history.load_embeddings(folder.embeddings_path, folder.history().finished.best_epoch)
    np.testing.assert_allclose(kept, embeddings, atol=2e-3)


@pytest.mark.parametrize("path", ["model", "finished/best"])
def test_a_model_without_its_encoder_predicts_as_it_did(path):
    for found, written in zip(predictions(WRITTEN / path), (TOPICS, MOODS), strict=True):
        np.testing.assert_allclose(found, written, atol=5e-3)


def test_an_interrupted_run_has_a_model_and_is_resumed_to_its_end(run):
    folder, whole = run("interrupted"), RunFolder(WRITTEN / "finished").history()
    assert MultiTaskSentenceTransformer.load(best_model(folder)).tasks == folder.data().tasks
    checkpoint = folder.checkpoint_metadata
    with folder.event_log() as log:
        log.write(Resumed(checkpoint["epoch"], checkpoint["step"]))
        _train(folder, log, time.monotonic() + 600, 1_000.0)
    history = folder.history()
    assert history.outcome == "finished"
    assert [step.step for step in history.steps] == [step.step for step in whole.steps]
    for step, written in zip(history.steps, whole.steps, strict=True):
        assert step.losses == pytest.approx(written.losses, rel=1e-2)
    assert history.finished.best_epoch == whole.finished.best_epoch
    for found, written in zip(predictions(folder.model_path), (TOPICS, MOODS), strict=True):
        np.testing.assert_allclose(found, written, atol=2e-2)
