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


def test_check_says_what_looks_odd_with_the_option_that_treats_it(cli, tmp_path):
    rows = "".join(f"We like <b>{word}</b>,{'food' if word in FOOD else 'NULL'}\n" for word in (*FOOD, *SPORT))
    path = tmp_path / "my.csv"
    path.write_text("sep=,\ntext,topic\n" + rows + "We play tennis,sport\nWe play golf,sport\n")
    arguments = ("check", path, "--text", "text", "--labels", "topic", "--out", tmp_path / "found.csv")
    said = cli(*arguments).stderr
    assert "note: The first line, sep=,, names the delimiter" in said
    assert "(line 9: NULL) Treat “NULL” as no label: 6 rows: --missing NULL" in said
    assert "Remove HTML tags and entities: 12 texts: --clean html" in said
    treated = cli(*arguments, "--missing", "NULL", "--clean", "html", "--leave-out", "3")
    assert treated.exit_code == 0
    assert "Treat" not in treated.stderr
    assert "7 rows skipped: line 3: left out by choice; line 9: no label" in treated.stderr


def test_a_report_repeats_how_the_file_was_read_and_treated(cli, tmp_path):
    path = tmp_path / "my.txt"
    rows = [f"We like {word}^food" for word in FOOD] + [f"We play {word}é^sport" for word in SPORT] + ["What?^NULL"] * 2
    path.write_bytes("\n".join(["text^topic", *rows]).encode("cp850"))
    report = tmp_path / "report.json"
    choices = ("--encoding", "cp850", "--delimiter", "^", "--missing", "NULL")
    done = cli(*train(path, *choices, "--no-baselines", "--report", report))
    assert done.exit_code == 0, done.output
    written = json.loads(report.read_text())
    assert written["data"]["tasks"]["topic"].keys() == {"food", "sport"}
    assert "--encoding cp850 --delimiter '^' --missing NULL" in written["command"]


def test_a_choice_that_makes_no_sense_ends_in_one_line(cli, file):
    for choice in (("--encoding", "klingon"), ("--clean", "dust"), ("--sheet", "none")):
        done = cli(*train(file, *choice))
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), choice


def test_a_file_that_cannot_be_used_is_refused_with_what_the_reader_decided(cli, tmp_path):
    path = tmp_path / "my.csv"
    path.write_text("sep=;\ntext;topic\n" + "".join(f"We like {word};\n" for word in FOOD))
    done = cli(*train(path))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[0].startswith("note: The first line, sep=;,")
    assert done.stderr.splitlines()[-1].startswith("mtst: No row")
