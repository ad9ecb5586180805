"""`embed` and `predict` on files of any length, by one process and by two, and what is left when one of them fails."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mtst
from mtst.cli import app
from mtst.data.readers.stream import BATCH_ROWS
from mtst.data.table import read_table
from mtst.data.tasks import Task
from mtst.model.export.predictions_csv import write_predictions
from mtst.model.multitask import MultiTaskSentenceTransformer

HOME = Path(mtst.__file__).parent.parent
LAUNCH = ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1")
LAUNCH += ("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", "-m")
PEAK = """
import re, resource, sys
from pathlib import Path
from mtst.cli import app
try:
    app(sys.argv[1:])
finally:
    status = Path("/proc/self/status")  # Linux counts what stood there before `exec` into the other number
    measured = status.exists() and re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]
    print(measured or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
MAX_PROCESS_GROWTH = 60_000  # kilobytes
MAX_PYTHON_GROWTH = 2_000_000  # bytes
TIMEOUT = 120  # seconds


def long_file(path, rows, end=""):
    path.write_text("text,topic\n" + "".join(f"row {n}\n" * (n == 5) + f"row {n}{end},a\n" for n in range(rows)))
    return path


@pytest.fixture
def model(tiny_encoder, tmp_path):
    """The folder of a model with a tiny encoder."""
    MultiTaskSentenceTransformer(tiny_encoder, [Task("mood", ("=glad", "sad"))]).save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def start():
    """Start `python …` and make sure that it has ended in the end."""
    started = []

    def run(*arguments):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([sys.executable, *map(str, arguments)], cwd=HOME, **pipes))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def embed(file, out, folder):
    return ("mtst", "embed", file, "--text", "text", "--out", out, "--encoder", folder)


def invoke(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)][1:])


def wait_for(condition):
    """Wait until something holds, and return it."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("nothing happened")


def test_embed_says_what_is_odd_about_the_sentences_and_which_encoder_reads_them(tmp_path, tiny_folder):
    file = tmp_path / "odd.csv"
    file.write_text("text,n\nNULL,1\n<b>fine</b>,2\n这部电影很好看,3\n,4\n")
    done = invoke(*embed(file, tmp_path / "x.npy", tiny_folder()))
    assert done.exit_code == 0, done.output
    missing, html, unknown = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert "“NULL” is the whole text of 1 row" in missing
    assert "--missing" not in missing  # an option of other commands
    assert "1 text holds HTML" in html
    assert "are unknown. (line 3: <b>fine</b>) Use an encoder that reads Chinese characters" in unknown
    assert unknown.endswith("--encoder multilingual-e5-small")


def test_predict_says_it_too_and_advises_to_train(tmp_path, model):
    file = tmp_path / "odd.csv"
    file.write_text("text,n\nfine,1\n这部电影很好看,2\n")
    done = invoke("mtst", "predict", model, file, "--text", "text", "--out", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    assert "For such texts, train with --encoder multilingual-e5-small. (line 3: " in done.stderr


def test_of_a_long_file_the_first_rows_are_looked_at(tmp_path, tiny_folder):
    file = long_file(tmp_path / "long.csv", BATCH_ROWS + 10, " <i>new</i>")
    done = invoke(*embed(file, tmp_path / "x.npy", tiny_folder()))
    assert done.exit_code == 0, done.output
    assert f"note, from the first {BATCH_ROWS:,} rows: {BATCH_ROWS:,} texts hold HTML" in done.stderr


def parts_of(out):
    return list(out.parent.glob(f".{out.name}-*/*"))


def left(folder):
    return sorted(path.name for path in folder.iterdir())


# --- one process


def test_the_output_is_that_of_the_whole_table(tmp_path, tiny_folder, tiny_encoder):
    file = long_file(tmp_path / "my.csv", 2 * BATCH_ROWS + 9)
    done = invoke(*embed(file, tmp_path / "e.npy", tiny_folder()))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("8,201 embeddings of 32 numbers written to ")
    assert done.stderr == "1 row skipped: line 7: malformed: 1 cells in place of 2\n"
    texts = read_table(file).column("text")
    found = np.load(tmp_path / "e.npy", allow_pickle=False)
    np.testing.assert_allclose(found, tiny_encoder.encode(texts), atol=2e-2)  # bf16, and other batches
    tiny_encoder.clear_cache()
    np.testing.assert_array_equal(found[:BATCH_ROWS], tiny_encoder.encode(texts[:BATCH_ROWS]))
    expected = io.BytesIO()
    np.save(expected, found)
    assert (tmp_path / "e.npy").read_bytes() == expected.getvalue()


def test_predictions_are_those_of_the_whole_table(tmp_path, model):
    file = tmp_path / "my.csv"
    file.write_text('=text,note\nthe film,"two\nlines"\n  ,blank\ntoo,many,cells\nmore food,@me\n')
    done = invoke("mtst", "predict", model, file, "--text", "=text", "--out", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("3 rows with predictions written to ")
    assert done.stderr == "1 row skipped: line 5: malformed: 3 cells in place of 2\n"
    write_predictions(MultiTaskSentenceTransformer.load(model), read_table(file), "=text", tmp_path / "expected.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_a_long_file_takes_hardly_more_memory_than_a_short_one(tmp_path, tiny_folder):
    """Python's and numpy's memory; that of the whole process is measured with the marker `slow`."""
    invoke(*embed(long_file(tmp_path / "first.csv", 3), tmp_path / "first.npy", tiny_folder()))  # imports what it needs
    peaks = []
    for rows in (2_000, 6_000):
        file = long_file(tmp_path / f"{rows}.csv", rows, " " + "x" * 2_000)  # one token, however long it is
        command = embed(file, tmp_path / f"{rows}.npy", tiny_folder())
        tracemalloc.start()
        try:
            done = invoke(*command)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert done.exit_code == 0, done.output
        assert np.load(tmp_path / f"{rows}.npy", mmap_mode="r").shape == (rows, 32)
    assert peaks[1] - peaks[0] < MAX_PYTHON_GROWTH


@pytest.mark.slow
def test_a_process_takes_hardly_more_memory_for_a_long_file_than_for_a_short_one(tmp_path, tiny_folder, start):
    files = {rows: long_file(tmp_path / f"{rows}.csv", rows) for rows in (5_000, 100_000)}
    readers = [
        start("-c", PEAK, *embed(file, tmp_path / f"{rows}.npy", tiny_folder())[1:]) for rows, file in files.items()
    ]
    peaks = []
    for rows, reader in zip(files, readers, strict=True):
        stdout, stderr = reader.communicate(timeout=TIMEOUT)
        assert reader.returncode == 0, stderr
        assert np.load(tmp_path / f"{rows}.npy", mmap_mode="r").shape == (rows, 32)
        peaks.append(int(stdout.splitlines()[-1]))
    assert peaks[1] - peaks[0] < MAX_PROCESS_GROWTH


def test_an_existing_file_is_kept_until_the_new_one_is_complete(tmp_path, tiny_folder):
    out, file = tmp_path / "e.npy", tmp_path / "my.jsonl"
    out.write_text("mine")
    out.chmod(0o640)
    file.write_bytes(b'{"text":"a"}\n' * (BATCH_ROWS + 1) + b'{"text":"' + b"x" * 2_000_001)
    done = invoke(*embed(file, out, tiny_folder()))
    assert done.exit_code == 2
    assert "has more than 2,000,000 characters" in done.stderr
    assert (out.read_text(), left(tmp_path)) == ("mine", ["e.npy", "my.jsonl"])
    (tmp_path / "link.npy").symlink_to(out)
    done = invoke(*embed(long_file(tmp_path / "my.csv", 3), tmp_path / "link.npy", tiny_folder()))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "link.npy").is_symlink()
    assert np.load(out).shape == (3, 32)
    assert out.stat().st_mode & 0o777 == 0o640


def test_only_a_file_is_replaced(tmp_path, tiny_folder):
    (tmp_path / "folder").mkdir()
    for out in (tmp_path / "folder", "/dev/null"):
        done = invoke(*embed(long_file(tmp_path / "my.csv", 3), out, tiny_folder()))
        assert done.exit_code == 2
        assert "it is no file that may be replaced" in done.stderr


def test_a_terminated_process_leaves_nothing(tmp_path, tiny_folder, start):
    out = tmp_path / "e.npy"
    process = start("-m", *embed(long_file(tmp_path / "my.csv", 100_000), out, tiny_folder()))
    wait_for(lambda: [path for path in parts_of(out) if path.stat().st_size > 1_000])
    process.terminate()
    assert process.wait(TIMEOUT) == -signal.SIGTERM
    assert left(tmp_path) == ["my.csv"]


# --- two processes


@pytest.mark.parametrize("command", ["embed", pytest.param("predict", marks=pytest.mark.slow)])
def test_two_processes_write_the_file_that_one_writes(tmp_path, tiny_folder, model, start, command):
    file = long_file(tmp_path / "my.csv", 2 * BATCH_ROWS + 9)
    one, two = (
        embed(file, out, tiny_folder())
        if command == "embed"
        else ("mtst", "predict", model, file, "--text", "text", "--out", out)
        for out in (tmp_path / "one", tmp_path / "two")
    )
    alone = invoke(*one)
    launched = start("-m", *LAUNCH, *two)
    stdout, stderr = launched.communicate(timeout=TIMEOUT)
    assert (launched.returncode, alone.exit_code) == (0, 0), stderr
    assert stdout == alone.stdout.replace(str(tmp_path / "one"), str(tmp_path / "two"))
    assert stderr.count("1 row skipped") == 1
    assert (tmp_path / "two").read_bytes() == (tmp_path / "one").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_launcher_that_starts_one_process_instead_of_two_is_reported(tmp_path, tiny_folder, monkeypatch):
    """Without `--multi_gpu` it leaves these names behind on a CPU, and no number of processes."""
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    monkeypatch.setenv("MASTER_PORT", "29500")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    file, out = long_file(tmp_path / "my.csv", 3), tmp_path / "e.npy"
    done = invoke(*embed(file, out, tiny_folder()))
    assert (done.exit_code, done.stderr.count("with --multi_gpu it starts several")) == (0, 1)
    assert np.load(out).shape == (3, 32)
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert "multi_gpu" not in invoke(*embed(file, out, tiny_folder())).stderr


@pytest.mark.slow  # that processes fail together is tried in tests/training/test_distributed.py each time
@pytest.mark.parametrize(
    ("file", "out", "words"),
    [
        ("none.csv", "e.npy", "none.csv cannot be read"),
        ("my.csv", "none/e.npy", "e.npy cannot be written: No such file"),
    ],
)
def test_an_error_is_printed_once_and_ends_both_processes(tmp_path, tiny_folder, start, file, out, words):
    long_file(tmp_path / "my.csv", 9)
    process = start("-m", *LAUNCH, *embed(tmp_path / file, tmp_path / out, tiny_folder()))
    _, stderr = process.communicate(timeout=TIMEOUT)
    assert process.returncode != 0
    assert len(re.findall(rf"^mtst: .*{re.escape(words)}", stderr, re.MULTILINE)) == 1
    assert left(tmp_path) == ["my.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_ends_the_other_and_leaves_nothing(tmp_path, tiny_folder, start, rank):
    out = tmp_path / "e.npy"
    process = start("-m", *LAUNCH, *embed(long_file(tmp_path / "my.csv", 200_000), out, tiny_folder()))
    wait_for(lambda: [path for path in parts_of(out) if path.name == "1"])
    os.kill(process_of(rank, out), signal.SIGKILL)
    process.communicate(timeout=TIMEOUT)
    assert process.returncode != 0
    assert left(tmp_path) == ["my.csv"]


def process_of(rank, out):
    """Return the id of the process that a launcher gave this rank and that writes to `out`."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            environment = (place / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is somebody else's
            continue
        if str(out).encode() in words and f"RANK={rank}".encode() in environment:
            return int(place.name)
    raise AssertionError("no such process")
