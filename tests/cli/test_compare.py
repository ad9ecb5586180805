import json
import shlex

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from mtst.assets import SMALL_SAMPLE
from mtst.cli import app
from mtst.runs.job import Job
from mtst.runs.report import comparison_command
from mtst.training.config import TrainConfig

KEYS = ("freeze-all", "freeze-encoder", "top-k")


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def few_rows(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("".join(SMALL_SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)[:61]), encoding="utf-8")
    return path


def test_scenarios_are_compared_written_and_repeated_by_the_command(tiny_folder, tmp_path):
    config = TrainConfig(epochs=1, batch_size=8, top_blocks=1, balance="class-weights", seed=3)
    job = Job(
        str(tiny_folder()), config, str(few_rows(tmp_path)), kind="compare", scenarios=KEYS, seeds=2, alone="top-k"
    )
    words = shlex.split(" ".join(comparison_command(job, ["topic", "sentiment"])))
    assert words[:4] == ["python", "-m", "mtst", "compare"]
    html, report = tmp_path / "c.html", tmp_path / "c.json"
    done = run(*words[3:-1], html, "--report", report, "--json")
    assert done.exit_code == 0, done.stderr
    made = json.loads(report.read_text(encoding="utf-8"))
    assert made == json.loads(done.stdout.splitlines()[-1])
    assert [row["scenario"] for row in made["scenarios"]] == list(KEYS)
    assert len(made["attempts"]) == 2 * 5 * (len(KEYS) + 2)
    assert set(made["alone_and_together"]) == {"topic", "sentiment"}
    assert made["config"]["balance"] == "class-weights"
    assert shlex.split(made["command"]) == words
    assert made["recommendation"][0] in done.stdout
    assert made["recommendation"][-1].split("“")[0] in html.read_text(encoding="utf-8").replace("−", "-")


def test_an_error_is_one_line(tiny_folder, tmp_path):
    file = few_rows(tmp_path)
    for more, words in ((["--scenario", "thaw"], "no scenario 'thaw'"), (["--seeds", "0"], "1 to 10 seeds, not 0")):
        done = run("compare", file, "--text", "text", "--labels", "topic", "--encoder", tiny_folder(), *more)
        assert done.exit_code == 2
        assert words in done.stderr
        assert done.stderr.splitlines()[-1].startswith("mtst: ")


@pytest.mark.parametrize(("option", "name"), [("--html", "none/c.html"), ("--report", "none/c.json"), ("--report", "")])
def test_a_result_that_cannot_be_written_is_refused_before_training(tiny_folder, tmp_path, option, name):
    words = ("--text", "text", "--labels", "topic", "--encoder", tiny_folder(), option, tmp_path / name)
    done = run("compare", few_rows(tmp_path), *words)
    assert done.exit_code == 2
    assert done.stdout == ""
    why = "No such file or directory" if name else "Is a directory"
    assert done.stderr.splitlines()[-1] == f"mtst: {tmp_path / name} cannot be written: {why}."


def test_the_seed_of_a_comparison_is_that_of_the_split(tiny_folder, tmp_path):
    words = ("--text", "text", "--labels", "topic", "--encoder", tiny_folder(), "--scenario", "freeze-encoder")
    made = []
    for seed in (0, 7):
        report = tmp_path / f"{seed}.json"
        done = run("compare", few_rows(tmp_path), *words, "--epochs", 1, "--seed", seed, "--report", report)
        assert done.exit_code == 0, done.stderr
        made.append(json.loads(report.read_text(encoding="utf-8")))
    assert [{each["attempt"]["seed"] for each in report["attempts"]} for report in made] == [{0}, {0}]
    assert made[0]["logistic"] != made[1]["logistic"]  # on other rows
    (option,) = (each for each in get_command(app).commands["compare"].params if each.name == "seed")
    assert "which rows are set aside" in option.help


def test_what_the_encoder_cannot_read_is_said_before_training(tiny_folder, tmp_path):
    rows = [
        f"{'good' if n % 2 else '这部电影很好看'} {'abcdefghij'[n]},{'yes' if n % 2 else 'no'}" for n in range(10)
    ] * 2
    (tmp_path / "zh.csv").write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    words = ("--text", "text", "--labels", "label", "--encoder", tiny_folder(), "--epochs", "1")
    done = run("compare", tmp_path / "zh.csv", *words, "--scenario", "freeze-all", "--scenario", "freeze-encoder")
    assert done.exit_code == 0, done.stderr
    assert "Use an encoder that reads Chinese characters: --encoder multilingual-e5-small" in done.stderr
