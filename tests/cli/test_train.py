import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import mtst
from mtst.cli import app
from mtst.runs.job import Job
from mtst.runs.report import data_hash, training_command
from mtst.training.config import TrainConfig
from tests.support.labelled_csv import write_labelled_csv

ROOT = Path(mtst.__file__).parent.parent
EVERYTHING = TrainConfig(
    "custom", open_groups=("block-1", "head:topic"), top_blocks=1, epochs_per_group=2, epochs=2, batch_size=5,
    head_rate=0.02, encoder_rate=0.001, layer_decay=0.5, decay="linear", warm_up=0.25, weight_decay=0.0,
    label_smoothing=0.125, clip=2.0, patience=7, task_weights={"topic": 2.0, "place": 0.5}, learn_weights=True,
    frozen_head_loss=False, validation_share=0.25, balance="class-weights", seed=5,
)  # fmt: skip


@pytest.fixture
def file(tmp_path, swapped):
    """A CSV file of sixteen labelled sentences."""
    return write_labelled_csv(tmp_path / "my file.csv", swapped)


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def train(file, folder, *more):
    return ("train", file, "--text", "text", "--labels", "topic", "--labels", "place", "--encoder", folder, *more)


def test_every_choice_of_a_run_is_an_option_and_comes_back_from_the_command(file, tiny_folder, tmp_path):
    assert all(getattr(EVERYTHING, field.name) != getattr(TrainConfig(), field.name) for field in fields(TrainConfig))
    job = Job(str(tiny_folder()), EVERYTHING, source=str(file), fp32=True)
    words = shlex.split(" ".join(training_command(job, ["topic", "place"])))
    assert words[:4] == ["python", "-m", "mtst", "train"]
    done = run(*words[3:-2], "--report", tmp_path / "report.json")
    assert done.exit_code == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    again = {name: tuple(value) if isinstance(value, list) else value for name, value in report["config"].items()}
    assert TrainConfig(**again) == EVERYTHING
    assert report["command"] == " ".join(training_command(job, ["topic", "place"]))


def test_the_report_proves_what_was_frozen_and_repeats_the_run(file, tiny_folder, tmp_path, swapped):
    target = tmp_path / "report.json"
    more = ("--scenario", "top-k", "--top-blocks", 1, "--epochs", 2, "--batch-size", 4, "--report", target)
    done = run(*train(file, tiny_folder(), *more, "--out", tmp_path / "first"))
    assert done.exit_code == 0, done.stderr
    report = json.loads(target.read_text())
    groups = {group["key"]: group for group in report["groups"]}
    frozen = {key for key, group in groups.items() if group["change"] == 0 and group["same"]}
    assert frozen == {"embeddings", "block-0"}
    assert {key for key, group in groups.items() if group["open_epochs"] == [1, 2]} == set(groups) - frozen
    assert report["data"]["sha256"] == data_hash(swapped)
    assert set(report["versions"]) >= {"python", "torch", "transformers", "sentence-transformers"}
    assert set(report["baselines"]["logistic"]) == {"topic", "place"}
    assert all("0 (same hash)" in line for line in done.stdout.splitlines() if line.startswith(("embed", "block-0")))
    words = shlex.split(report["command"])
    words[-1] = str(tmp_path / "second")
    again = run(*words[3:], "--report", target)
    assert again.exit_code == 0, again.stderr
    repeated = json.loads(target.read_text())

    def timeless(made):
        return re.sub(r'"seconds": [\d.]+', "", json.dumps(made))

    assert timeless(repeated) == timeless(report)
    files = ("heads.safetensors", "model.safetensors")
    assert all((tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes() for name in files)


def test_suggested_learning_rates_are_used(file, tiny_folder, tmp_path):
    done = run(*train(file, tiny_folder(), "--find-rates", "--epochs", 1, "--report", tmp_path / "r.json"))
    assert done.exit_code == 0, done.stderr
    (rate,) = re.findall(r"rates found: heads ([\d.e+-]+)", done.stdout)
    assert json.loads((tmp_path / "r.json").read_text())["config"]["head_rate"] == pytest.approx(float(rate), rel=0.06)


def test_gradual_unfreezing_prints_what_opens(file, tiny_folder):
    done = run(*train(file, tiny_folder(), "--scenario", "gradual", "--no-baselines"))
    assert done.exit_code == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if "opens" in line]
    assert told == ["epoch 2 opens block-1", "epoch 3 opens block-0", "epoch 4 opens embeddings"]
    assert "baseline" not in done.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--scenario", "custom"), "Choose at least one layer group"),
        (("--scenario", "custom", "--open-groups", "block-9"), "'block-9'"),
        (("--task-weights", "topic"), "'topic'"),
        (("--task-weights", "mood=1"), "'mood'"),
        (("--task-weights", "topic=-1"), "-1.0"),
        (("--decay", "sometimes"), "'sometimes'"),
        (("--label-smoothing", "0.9"), "0.9"),
        (("--scenario", "freeze-all", "--find-rates"), "trains nothing"),
        (
            ("--scenario", "custom", "--open-groups", "block-1", "--no-frozen-head-loss"),
            "No task's loss is left",
        ),
    ],
)
def test_an_invalid_option_is_one_line_that_quotes_it(file, tiny_folder, more, words):
    done = run(*train(file, tiny_folder(), *more))
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_option_has_a_short_help_text():
    parameters = get_command(app).commands["train"].params
    assert all(parameter.help for parameter in parameters if parameter.param_type_name == "option")
    assert all(len(parameter.help) < 170 for parameter in parameters if parameter.help)


@pytest.mark.slow
def test_two_processes_train_the_same_model_as_one(file, tiny_folder, tmp_path):
    words = train(file, tiny_folder(), "--epochs", 3, "--batch-size", 5, "--fp32", "--report")
    launcher = [
        "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
        "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0",
    ]  # fmt: skip
    one = run(*words, tmp_path / "one.json")
    two = subprocess.run(
        [sys.executable, *launcher, "-m", "mtst", *map(str, (*words, tmp_path / "two.json"))],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert one.exit_code == 0, one.stderr
    assert two.returncode == 0, two.stderr
    assert two.stdout.count("rows used") == 1
    alone, together = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert (alone["machine"]["processes"], together["machine"]["processes"]) == (1, 2)
    for expected, epoch in zip(alone["epochs"], together["epochs"], strict=True):
        for task in ("topic", "place"):
            for split in ("train", "validation"):
                if task in expected[split]:
                    assert epoch[split][task]["loss"] == pytest.approx(expected[split][task]["loss"], abs=1e-4)


def test_a_report_that_cannot_be_written_is_refused_before_training(file, tiny_folder, tmp_path):
    report = tmp_path / "none" / "report.json"
    done = run(*train(file, tiny_folder(), "--epochs", "1", "--report", report))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"mtst: {report} cannot be written: No such file or directory."


TAGS = "text,tags,rude,spam,long\n" + "\n".join(
    f"{text},{tags},{row % 2},{row % 3 % 2},{row % 5 % 2}"
    for row, (text, tags) in enumerate([(f"text {n}", ("a;b", "a", "b;c", "c")[n % 4]) for n in range(24)])
)


def test_several_labels_a_row_are_recognised_said_and_repeated(tiny_folder, tmp_path):
    file, report = tmp_path / "tags.csv", tmp_path / "report.json"
    file.write_text(TAGS)
    words = ("train", file, "--text", "text", "--labels", "tags", "--multi-label", "kind=rude,spam,long", "--epochs", 2)
    done = run(*words, "--encoder", tiny_folder(), "--report", report, "--json")
    assert done.exit_code == 0, done.stderr
    assert "tags: several labels per row, 3 labels" in done.stderr
    assert "mean average precision" in done.stdout
    figures = json.loads(done.stdout.splitlines()[-1])["tasks"]["kind"]["validation"]
    assert {"macro_f1", "micro_f1", "samples_f1", "mean_average_precision"} <= figures.keys()
    written = json.loads(report.read_text())
    assert written["thresholds"].keys() == {"tags", "kind"}
    assert written["caution"].startswith("Only 5 rows are held out")
    assert done.stdout.index(written["caution"]) > done.stdout.index("kept epoch")  # beside the scores
    again = run(*shlex.split(written["command"])[3:-2], "--report", report)
    assert again.exit_code == 0, again.stderr
    assert json.loads(report.read_text())["validation"] == written["validation"]


def test_cells_are_kept_whole_where_the_user_says_so(tiny_folder, tmp_path):
    file = tmp_path / "tags.csv"
    file.write_text(TAGS)
    done = run(
        "train", file, "--text", "text", "--single-label", "tags", "--epochs", 1, "--encoder", tiny_folder(), "--json"
    )
    assert done.exit_code == 0, done.stderr
    assert "several labels" not in done.stderr
    assert "micro_f1" not in json.loads(done.stdout.splitlines()[-1])["tasks"]["tags"]["validation"]


def test_without_a_column_of_labels_the_option_is_named(file):
    done = run("train", file, "--text", "text")
    assert done.exit_code == 2
    assert "--labels COLUMN" in done.stderr
