import json
import os
import runpy
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard
from sentence_transformers import SentenceTransformer

from mtst.assets import SMALL_SAMPLE
from mtst.data.dataset import make_dataset
from mtst.data.table import read_table
from mtst.data.tasks import Task
from mtst.encoders.catalogue import DEFAULT
from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.model.card import RunReport, render_card
from mtst.model.export.bundle import REPORT, pinned_requirements
from mtst.model.export.zip import zip_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.report import build_report as report_of
from mtst.training.config import TrainConfig
from mtst.training.fitting import fit

SENTENCES = ["The striker scored twice in the cup final.", "This soup needs more salt and pepper."]
ODD = "pipe | `tick` <b>\n---\nlicense: none"


@pytest.fixture(scope="module")
def trained(tiny_folder):
    """A model trained on the sample for an epoch, and the report of its run as JSON.

    Its encoder is a tiny one that goes by the name of the default.
    """
    data = make_dataset(read_table(SMALL_SAMPLE), "text", ["topic", "sentiment"]).take(range(60))
    model = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder())), data.tasks)
    model.base = DEFAULT
    history, config = History(), TrainConfig(epochs=1)
    history.extend(fit(model, data, config))
    job = Job(DEFAULT, config, source="my rows.csv")
    return model, json.dumps(report_of(job, data, history)).encode()


@pytest.fixture(scope="module")
def taken(trained, tmp_path_factory):
    """That model as a ZIP, and the folder that was in it."""
    place = tmp_path_factory.mktemp("home")
    model, report = trained
    zip_model(model, place / "model.zip", "mine", report)
    with zipfile.ZipFile(place / "model.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"mine"}
        archive.extractall(place)
    return place / "mine"


def run(folder, *arguments):
    """Run Python as a stranger would: without this project on its path, and without the network."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-I", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_card_says_to_the_hub_what_the_run_reached(taken, trained):
    told = RunReport.parse(trained[1])
    data = ModelCard.load(taken / "README.md").data
    assert (data.library_name, data.license) == ("sentence-transformers", "apache-2.0")
    assert data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    assert data.model_name == "mine"
    assert {"sentence-transformers", "mtst"} <= set(data.tags)
    found = {(each.dataset_config, each.metric_name): each for each in data.eval_results}
    assert len(found) == len(data.eval_results) == 2 * 3
    for task, scores in told.validation.items():
        assert found[task, "accuracy"].metric_value == pytest.approx(scores.accuracy, abs=1e-4)
        assert found[task, "macro-F1"].metric_value == pytest.approx(scores.macro_f1, abs=1e-4)
        assert found[task, "weighted F1"].metric_value == pytest.approx(scores.weighted_f1, abs=1e-4)
        assert found[task, "accuracy"].dataset_name == "my rows.csv"
        assert found[task, "accuracy"].dataset_split == "validation"


def test_the_card_says_to_a_person_what_was_frozen_and_how_to_repeat_it(taken, trained):
    text = (taken / "README.md").read_text()
    told = RunReport.parse(trained[1])
    assert told.command in text
    assert told.data.sha256 in text
    for group in told.groups:
        row = next(line for line in text.splitlines() if line.startswith(f"| {group.title} |"))
        assert ("frozen | 0, same SHA-256" in row) == (group.open_epochs is None)
    assert (taken / REPORT).read_bytes() == trained[1]


def test_a_stranger_without_mtst_gets_the_same_labels(taken, trained):
    assert run(taken, "-c", "import mtst").returncode != 0
    done = run(taken, "predict.py", *SENTENCES)
    assert done.returncode == 0, done.stderr
    found = trained[0].predict(SENTENCES)
    lines = [line.rpartition(" (")[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert lines == [f"  {name}: {each.labels[row]}" for row in range(2) for name, each in found.items()]


@pytest.mark.slow  # a fresh process that imports PyTorch
def test_the_script_says_how_it_is_used(taken):
    done = run(taken, "predict.py")
    assert done.returncode == 1
    assert "python predict.py" in done.stderr


def test_the_encoder_and_the_model_load_from_the_folder(taken, trained):
    plain = SentenceTransformer(str(taken)).encode(SENTENCES)
    assert plain == pytest.approx(trained[0].encode(SENTENCES), abs=1e-2)  # bf16 where the machine has it
    assert MultiTaskSentenceTransformer.load(taken).tasks == trained[0].tasks


def test_what_is_needed_is_pinned_as_an_index_has_it(taken):
    lines = (taken / "requirements.txt").read_text().splitlines()
    assert "sentence-transformers" in [line.split("==")[0] for line in lines]
    assert not any("+" in line for line in lines)
    assert pinned_requirements(("torch",)).startswith("torch==")


def test_the_same_model_is_the_same_zip(tiny, tmp_path):
    zip_model(tiny, tmp_path / "a.zip")
    zip_model(tiny, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_names_of_a_visitor_stay_names(trained):
    tasks = (Task(ODD, ("a | b", "# c\n<img src=x>", "`")), Task("plain", ("x",)))
    text = render_card(ODD, tasks, "all-MiniLM-L6-v2", RunReport.parse(trained[1]))
    data = ModelCard(text).data
    assert data.license == "apache-2.0"
    assert data.model_name == ODD
    header, body = text.removeprefix("---\n").split("\n---\n\n", 1)
    assert yaml.safe_load(header)["model-index"][0]["name"] == ODD
    assert "<img" not in body.replace("\\<", "")
    (row,) = [line for line in body.splitlines() if line.startswith("| pipe")]
    assert row.replace("\\|", "").count("|") == 3


def test_a_model_without_a_run_has_a_card_without_scores(tiny, tmp_path):
    tiny.save(tmp_path / "model")
    data = ModelCard.load(tmp_path / "model" / "README.md").data
    assert data.eval_results is None
    assert data.base_model is None
    assert data.license is None
    assert not (tmp_path / "model" / REPORT).exists()


@pytest.mark.parametrize("report", [b"", b"[]", b'{"encoder": "x"}', b"\xff"])
def test_what_is_no_report_is_refused_and_nothing_written(tiny, tmp_path, report):
    with pytest.raises(ModelError, match=r"report\.json"):
        tiny.save(tmp_path / "model", report=report or b" ")
    assert not (tmp_path / "model").exists()


def test_a_stranger_gets_the_same_sets_of_labels(tiny_folder, tmp_path, monkeypatch, capsys):
    tasks = [Task("tags", ("a", "b", "c"), multi=True), Task("mood", ("glad", "sad"))]
    model = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder())), tasks)
    low, high = np.sort(model.predict(SENTENCES)["tags"].probabilities, axis=None)[[2, 3]]
    model.set_thresholds({"tags": float(low + high) / 2})
    model.save(tmp_path / "model")
    monkeypatch.setattr(sys, "argv", ["predict.py", *SENTENCES])
    runpy.run_path(str(tmp_path / "model" / "predict.py"))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    found = model.predict(SENTENCES)["tags"].label_sets
    assert sum(map(len, found)) == 3
    said = [[part.rpartition(" (")[0] for part in line.removeprefix("tags: ").split(", ")] for line in lines[::2]]
    assert said == [list(labels) or [""] for labels in found]
    card = (tmp_path / "model" / "README.md").read_text()
    assert f"(several a row; those with a probability of {model.tasks[0].threshold:.3g} or more)" in card
