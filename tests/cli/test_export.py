"""Save, export and load a model on the command line."""

import json
import zipfile

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from mtst.cli import app
from mtst.model.export.onnx import NETWORK
from mtst.model.multitask import MultiTaskSentenceTransformer


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Return a CSV file of sixteen labelled sentences."""
    path = tmp_path_factory.mktemp("rows") / "my.csv"
    topics = ("food", "sports")
    path.write_text("text,topic\n" + "".join(f"the {word} of row {n},{word}\n" for n in range(8) for word in topics))
    return path


@pytest.fixture(scope="module")
def trained(rows, tmp_path_factory, cached_encoder):
    """Return the folder of a model that `train` has saved."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    done = run(*train(rows, folder), "--encoder", cached_encoder(), "--epochs", 1)
    assert done.exit_code == 0, done.output
    return folder


def train(rows, out):
    return "train", rows, "--text", "text", "--labels", "topic", "--scenario", "train-all", "--out", out


def test_train_saves_the_card_and_the_report_too(trained):
    report = json.loads((trained / "report.json").read_text())
    results = ModelCard.load(trained / "README.md").data.eval_results
    (accuracy,) = [result for result in results if result.metric_type == "accuracy"]
    assert accuracy.metric_value == pytest.approx(report["validation"]["topic"]["accuracy"], abs=1e-4)
    assert report["command"] in (trained / "README.md").read_text()


def test_a_zip_predicts_as_its_folder_does(trained, rows, tmp_path):
    assert run("export", trained, "--zip", tmp_path / "mine.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert archive.read("mine/report.json") == (trained / "report.json").read_bytes()
    for model in (trained, tmp_path / "mine.zip"):
        done = run("predict", model, rows, "--text", "text", "--out", tmp_path / f"{model.name}.csv")
        assert done.exit_code == 0, done.output
    assert (tmp_path / "mine.zip.csv").read_bytes() == (tmp_path / "model.csv").read_bytes()


def files_in(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_zip_of_a_zip_tells_the_same(trained, tmp_path):
    """The report and the scores of the card go along."""
    assert run("export", trained, "--zip", tmp_path / "a" / "mine.zip").exit_code == 2  # there is no such folder
    (tmp_path / "a").mkdir()
    assert run("export", trained, "--zip", tmp_path / "a" / "mine.zip").exit_code == 0
    assert run("export", tmp_path / "a" / "mine.zip", "--zip", tmp_path / "mine.zip").exit_code == 0
    first, second = (files_in(path / "mine.zip") for path in (tmp_path / "a", tmp_path))
    # A tokenizer that was loaded from the folder carries how it last cut a text; one of the base encoder does not.
    assert first.pop("mine/tokenizer_config.json") != second.pop("mine/tokenizer_config.json")
    assert first == second
    assert "mine/report.json" in first


def test_training_goes_on_from_a_zip(trained, rows, tmp_path):
    model = MultiTaskSentenceTransformer.load(trained)
    model.heads[0].bias.data += 3
    model.save(tmp_path / "changed")
    assert run("export", tmp_path / "changed", "--zip", tmp_path / "mine.zip").exit_code == 0
    done = run(*train(rows, tmp_path / "further"), "--from", tmp_path / "mine.zip", "--scenario", "freeze-all")
    assert done.exit_code == 0, done.output
    assert "topic: its head goes on" in done.stdout
    card = (tmp_path / "further" / "README.md").read_text()
    assert f"--from {tmp_path / 'mine.zip'}" in card
    assert "may have learned from some of these rows before" in card
    further = MultiTaskSentenceTransformer.load(tmp_path / "further")
    assert further.base == model.base
    assert further.heads[0].bias.equal(model.heads[0].bias)
    assert (further.encode(["a goal"]) == model.encode(["a goal"])).all()


def test_a_head_of_other_labels_is_new(rows, tmp_path):
    done = run(*train(rows, tmp_path / "further"), "--from", "starter", "--scenario", "freeze-all")
    assert done.exit_code == 0, done.output
    assert "topic: its head is new" in done.stdout
    assert MultiTaskSentenceTransformer.load(tmp_path / "further").base == "all-MiniLM-L6-v2"


def test_export_writes_onnx(trained, tmp_path):
    done = run("export", trained, "--onnx", tmp_path / "onnx")
    assert done.exit_code == 0, done.output
    assert "differs from PyTorch by at most" in done.stdout
    assert (tmp_path / "onnx" / NETWORK).is_file()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--from", "starter", "--encoder", "x/y"], "brings its own encoder"),
        (["--from", "starter", "--heads-only"], "brings its own encoder"),
        (["--from", "none"], "none holds no model"),
    ],
)
def test_options_that_exclude_each_other_are_refused(rows, tmp_path, more, words):
    done = run(*train(rows, tmp_path / "model"), *more)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_file_that_is_no_model_is_refused(rows, tmp_path):
    done = run("predict", rows, rows, "--text", "text", "--out", tmp_path / "out.csv")
    assert done.exit_code == 2
    assert "my.csv is not a ZIP that mtst has made" in done.stderr
    done = run("export", rows)
    assert "--zip FILE.zip, --onnx FOLDER" in done.stderr
