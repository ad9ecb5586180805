"""What the commands do with the rows of a file: check them, leave some out, merge labels, balance labels."""

import csv
import json

import pytest
from typer.testing import CliRunner

from mtst.cli import app
from mtst.model.multitask import MultiTaskSentenceTransformer

FOOD = ("soup", "bread", "cheese", "apples", "noodles", "curry")
SPORT = ("tennis", "football", "running", "rowing", "chess", "golf")


@pytest.fixture
def cli(tiny_folder):
    """Run a command in this process with the tiny encoder."""

    def run(*arguments):
        return CliRunner().invoke(app, [*map(str, arguments), "--encoder", str(tiny_folder())])

    return run


@pytest.fixture
def file(tmp_path):
    """Twelve sentences on lines 2 to 13, one of them twice, with labels that differ in case."""
    rows = [(f"We like {word}.", "food", "Yes") for word in FOOD] + [
        (f"We play {word}.", "sport", "yes") for word in SPORT
    ]
    rows[5] = ("We play tennis.", "food", "no")
    path = tmp_path / "my.csv"
    with path.open("w", newline="") as target:
        csv.writer(target, delimiter=";").writerows([("text", "topic", "sure"), *rows])
    return path


def train(file, *more):
    return ("train", file, "--text", "text", "--labels", "topic", "--epochs", "1", *more)


def test_check_lists_what_may_be_wrong_with_line_numbers(cli, file, tmp_path):
    done = cli("check", file, "--text", "text", "--labels", "topic", "--labels", "sure", "--out", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as target:
        header, *rows = csv.reader(target)
    assert header[:2] == ["line", "finding"]
    assert ["8", "copy"] in [row[:2] for row in rows]
    conflicts = {tuple(row[:5]) for row in rows if row[1] == "conflict"}
    assert ("7", "conflict", "topic", "food", "sport") in conflicts
    assert ("8", "conflict", "topic", "sport", "food") in conflicts
    assert done.stdout.startswith("12 rows: 1 copies, ")
    assert f"{len(rows):,} lines written to" in done.stdout


def test_lines_that_are_left_out_are_not_trained_on(cli, file):
    done = cli(*train(file, "--leave-out", "7, 8,"))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "10 rows used"
    assert "2 rows skipped: line 7: left out by choice; line 8: left out by choice" in done.stderr


def test_labels_that_look_alike_are_merged_on_demand(cli, file, tmp_path):
    for more, labels in (((), ("Yes", "no", "yes")), (("--merge-labels",), ("no", "yes"))):
        out = tmp_path / f"model{len(more)}"
        done = cli(*train(file, "--labels", "sure", "--out", out, "--heads-only", *more))
        assert done.exit_code == 0, done.output
        assert MultiTaskSentenceTransformer.load(out).tasks[1].labels == labels


@pytest.mark.parametrize("balance", ["none", "class-weights", "balanced-sampling"])
def test_rare_labels_are_balanced_on_demand(cli, file, balance):
    done = cli(*train(file, "--balance", balance, "--json"))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["tasks"]["topic"]["validation"]["accuracy"] >= 0


def test_a_file_without_a_header_is_read_on_demand(cli, file):
    for header, text, rows in (("--no-header", "column 1", 13), ("--header", "text", 12)):
        label = text.replace("1", "2").replace("text", "topic")
        done = cli("train", file, "--text", text, "--labels", label, "--epochs", "1", header)
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines()[0] == f"{rows} rows used"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--balance", "more"), "balance must be one of none, class-weights, balanced-sampling"),
        (("--leave-out", "7,x"), "--leave-out takes line numbers"),
        (("--leave-out", ",".join(map(str, range(2, 14)))), "No row of my.csv has both"),
        (("--leave-out", ",".join(map(str, range(8, 14)))), "nothing to tell apart"),
        (("--labels", "text"), "each a different one"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(cli, file, more, words):
    done = cli(*train(file, *more))
    assert done.exit_code == 2
    assert words in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("mtst: ")
