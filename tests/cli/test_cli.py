import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import mtst
from mtst.cli import app, output
from mtst.data.table import read_table
from mtst.model.multitask import MultiTaskSentenceTransformer
from tests.support.labelled_csv import write_labelled_csv

COMMANDS = ("embed", "similarity", "predict", "train", "compare", "check", "export", "push")
SENTENCES = ("The team won the football match.", "The soup was delicious.", "The players scored a goal.")


@pytest.fixture
def cli(tiny_folder):
    """Run a command in this process; with the tiny encoder where the command takes one."""

    def run(*arguments, tiny=True):
        encoder = ["--encoder", str(tiny_folder())] if tiny else []
        return CliRunner().invoke(app, [*map(str, arguments), *encoder])

    return run


@pytest.fixture
def file(tmp_path, swapped):
    """A CSV file of sixteen labelled sentences."""
    return write_labelled_csv(tmp_path / "my.csv", swapped)


def process(*arguments):
    command = [sys.executable, "-m", "mtst", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(mtst.__file__).parent.parent)


def train(file, *more):
    return ("train", file, "--text", "text", "--labels", "topic", "--labels", "place", "--epochs", "1", *more)


def test_help_lists_every_command(cli):
    done = cli("--help", tiny=False)
    assert done.exit_code == 0
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_describes_it_and_each_option(command):
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()[2].strip()) > 20
    options = [
        parameter for parameter in get_command(app).commands[command].params if parameter.param_type_name == "option"
    ]
    assert all(option.help and option.opts[0] in done.stdout for option in options)


def test_embed_writes_a_row_for_each_row(cli, file, tmp_path, tiny_encoder):
    done = cli("embed", file, "--text", "text", "--out", tmp_path / "e.npy")
    assert done.exit_code == 0
    assert "16 embeddings of 32 numbers" in done.stdout
    found = np.load(tmp_path / "e.npy", allow_pickle=False)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, tiny_encoder.encode(read_table(file).column("text")))


def test_similarity_prints_every_pair(cli):
    done = cli("similarity", *SENTENCES, tiny=False)
    assert done.exit_code == 0
    header, *rows = done.stdout.rstrip().splitlines()
    assert header.split() == ["1", "2", "3"]
    cosines = np.array([row.split()[1:4] for row in rows], dtype=float)
    np.testing.assert_allclose(np.diag(cosines), 1)
    np.testing.assert_allclose(cosines, cosines.T)
    assert cosines[0, 2] > cosines[0, 1]
    assert [row.endswith(sentence) for row, sentence in zip(rows, SENTENCES, strict=True)] == [True] * 3


def test_similarity_says_that_sentences_are_unknown_to_the_encoder(cli):
    done = cli("similarity", "这部电影很好看", "我不喜欢这个故事")
    assert done.exit_code == 0, done.output
    assert "In 2 texts, a quarter or more of the tokens are unknown. (这部电影很好看) " in done.stderr
    assert "Use an encoder that reads Chinese characters: --encoder " in done.stderr


def test_predict_writes_the_table_with_predictions(cli, file, tmp_path):
    done = cli("predict", "starter", file, "--text", "text", "--out", tmp_path / "out.csv", tiny=False)
    assert done.exit_code == 0
    table = read_table(tmp_path / "out.csv")
    assert table.columns[:3] == ("text", "topic", "place")
    assert table.columns[3:] == ("predicted topic", "probability topic", "predicted sentiment", "probability sentiment")
    assert len(table.rows) == 16
    assert set(table.column("predicted topic")) >= {"sports", "food"}


def test_train_prints_each_epoch_scores_a_test_file_and_saves(cli, file, tmp_path):
    done = cli(*train(file, "--test", file, "--out", tmp_path / "model", "--seed", 3, "--heads-only"))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "16 rows used"
    assert [line.split()[1] for line in lines if line.startswith("epoch")] == ["0/1", "1/1"]
    assert [line.split(":")[0] for line in lines[-4:]] == [
        "validation topic",
        "validation place",
        "test topic",
        "test place",
    ]
    assert [task.name for task in MultiTaskSentenceTransformer.load(tmp_path / "model").tasks] == ["topic", "place"]


def test_predict_takes_what_train_saved(cli, file, tmp_path):
    assert cli(*train(file, "--scenario", "train-all", "--out", tmp_path / "model")).exit_code == 0
    done = cli("predict", tmp_path / "model", file, "--text", "text", "--out", tmp_path / "out.csv", tiny=False)
    assert done.exit_code == 0
    assert "predicted place" in read_table(tmp_path / "out.csv").columns


def no_file(file, out):
    return ("embed", "none.csv", "--text", "text", "--out", out / "e.npy")


def no_place(file, out):
    return ("embed", file, "--text", "text", "--out", out / "none" / "e.npy")


def no_encoder(file, out):
    return ("similarity", "a", "b", "--encoder", "./none")


def no_model(file, out):
    return ("predict", out, file, "--text", "text", "--out", out / "out.csv")


def no_scenario(file, out):
    return train(file, "--scenario", "thaw")


def no_epochs(file, out):
    return (*train(file), "--epochs", "0")


def no_label(file, out):
    return ("train", file, "--text", "text", "--labels", "text")


def full_folder(file, out):
    return train(file, "--out", out)


def file_as_folder(file, out):
    return train(file, "--out", file)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (no_file, "none.csv cannot be read"),
        (no_place, "cannot be written"),
        (no_encoder, "There is no folder './none'"),
        (no_model, "holds no model"),
        (no_scenario, "There is no scenario 'thaw'"),
        (no_epochs, "epochs must lie between 1 and 1000, not 0"),
        (no_label, "Choose one text column"),
        (full_folder, "holds other files"),
        (file_as_folder, "my.csv"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(cli, file, tmp_path, command, words):
    done = cli(*command(file, tmp_path), tiny=command in {no_scenario, no_epochs, full_folder, file_as_folder})
    assert done.exit_code == 2
    assert done.stderr.startswith("mtst: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.mark.parametrize("arguments", [["thaw"], ["train"], ["embed", "my.csv", "--speed", "9"], ["similarity"]])
def test_wrong_usage_is_exit_code_2(cli, arguments):
    done = cli(*arguments, tiny=False)
    assert done.exit_code == 2
    assert "Usage" in done.stderr


def test_a_wrong_column_is_one_line_on_standard_error(file, tmp_path):
    done = process("embed", file, "--text", "txt", "--out", tmp_path / "e.npy")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "mtst: my.csv has no column 'txt'. Its columns are: text, topic, place.\n"
    assert not (tmp_path / "e.npy").exists()


def test_the_last_line_of_train_with_json_is_one_object(cli, file):
    done = cli(*train(file, "--test", file, "--json"))
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert set(report) == {"scenario", "seed", "best_epoch", "tasks", "seconds"}
    assert (report["scenario"], report["seed"]) == ("freeze-encoder", 0)
    assert set(report["tasks"]) == {"topic", "place"}
    for where in report["tasks"].values():
        assert set(where) == {"validation", "test"}
        figures = {"accuracy", "precision", "recall", "macro_f1", "weighted_f1", "calibration_error"}
        assert all(set(found) == figures for found in where.values())


def test_skipped_rows_are_printed(cli, tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text("text,label\nfine,a\ntoo,many,cells\nalso fine,b\n")
    done = cli("embed", path, "--text", "text", "--out", tmp_path / "e.npy")
    assert done.exit_code == 0
    assert "1 row skipped: line 3: malformed: 3 cells in place of 2" in done.stderr
    assert np.load(tmp_path / "e.npy").shape[0] == 2


def test_a_folder_that_cannot_be_written_is_refused_before_training(cli, file, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    done = cli(*train(file, "--out", tmp_path / "full"))
    assert done.exit_code == 2
    assert "holds other files" in done.stderr
    assert "epoch" not in done.stdout


def test_the_progress_of_a_download_is_one_line(capsys):
    show = output.progress_line("some-encoder")
    for done in (0, 5_000_000, 12_000_000):
        show(done, 12_000_000)
    lines = capsys.readouterr().err
    assert lines.split("\r")[1:] == [f"fetching some-encoder: {done} of 12 MB" for done in (0, 5)] + [
        "fetching some-encoder: 12 of 12 MB\n"
    ]
