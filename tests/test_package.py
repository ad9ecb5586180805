import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mtst

PACKAGE = Path(mtst.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))

# From the ground up: a file imports only from lower floors.
FLOORS = (
    "errors",
    "disk",
    "assets",
    "writing",
    "limits",
    "settings",
    "tasks",
    "scores",
    "keeping",
    "spreadsheet",
    "source",
    "records",
    "delimited",
    "json_lines",
    "xml_parts",
    "cells",
    "workbook",
    "headers",
    "streams",
    "tables",
    "columns",
    "labels",
    "data",
    "uploads",
    "balance",
    "config",
    "splitting",
    "cache",
    "layers",
    "dropout",
    "dice",
    "attention",
    "stack",
    "encoder",
    "similarity",
    "projection",
    "journey",
    "space",
    "catalogue",
    "hub_trouble",
    "hub_files",
    "described",
    "hub_limits",
    "hub",
    "encoders",
    "offers",
    "saved",
    "card",
    "takehome",
    "publishing",
    "model",
    "groups",
    "checkpoint",
    "best",
    "scenarios",
    "freezing",
    "team",
    "features",
    "evaluation",
    "head_start",
    "baselines",
    "attempts",
    "events",
    "comparison",
    "history",
    "proof",
    "losses",
    "pairs",
    "used_rows",
    "optimization",
    "preparing",
    "stepping",
    "loop",
    "training",
    "learning_curve",
    "bakeoff",
    "bootstrap",
    "advice",
    "rate_finder",
    "explain",
    "mistakes",
    "quality",
    "clusters",
    "faithful",
    "charsmap",
    "tokenizer",
    "network",
    "archive",
    "starter",
    "onnx_export",
    "export",
    "event_log",
    "folder",
    "starting",
    "recovering",
    "repeating",
    "report",
    "worker",
    "waiting",
    "quota",
    "state_log",
    "last_words",
    "process",
    "expiry",
    "finding",
    "runs",
)
ABOVE_ALL = {"__main__", "cli", "ui"}  # the faces


def floor_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """The full names of all that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path):
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def keywords(call):
    """The keywords of a call whose value is literally true."""
    return {word.arg for word in call.keywords if isinstance(word.value, ast.Constant) and word.value.value is True}


def test_importing_the_package_brings_in_neither_the_page_nor_torch():
    script = (
        "import sys, mtst; from mtst import MtstError, Task, TrainConfig, read_table, Dataset\n"
        "print(sorted({'gradio', 'torch', 'sentence_transformers'} & set(sys.modules)))\n"
        "from mtst import fit, load_encoder, MultiTaskSentenceTransformer\n"
        "import mtst.worker, mtst.__main__\n"
        "print(sorted({'gradio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["[]", "[]", ""]


@pytest.mark.parametrize("name", mtst.__all__)
def test_every_public_name_is_there(name):
    assert getattr(mtst, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        _ = mtst.nothing


def test_every_file_has_its_floor():
    assert {floor_of(path) for path in FILES} - ABOVE_ALL - {"__init__"} == set(FLOORS)


@EVERY_FILE
def test_a_file_imports_only_from_floors_below(path):
    here = floor_of(path)
    below = set(FLOORS[: FLOORS.index(here)]) if here in FLOORS else set(FLOORS)
    below |= {"ui": {"ui"}, "cli": {"cli", "ui"}, "__main__": {"cli"}}.get(here, set())
    parts = (name.split(".") for name in imported(path) if name.split(".")[0] == "mtst")
    floors = {names[1] for names in parts if len(names) > 1}
    assert floors <= below


@EVERY_FILE
def test_only_the_page_imports_gradio(path):
    libraries = {name.split(".")[0] for name in imported(path)}
    assert floor_of(path) == "ui" or not libraries & {"gradio", "plotly"}


@EVERY_FILE
def test_nothing_that_runs_foreign_code_is_used(path):
    libraries = {name.split(".")[0] for name in imported(path)}
    assert not libraries & {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal", "subprocess"}
    for call in calls(path):
        assert ast.unparse(call.func) not in {"eval", "exec", "compile", "torch.load", "os.system", "os.popen"}
        assert not keywords(call) & {"trust_remote_code", "shell", "allow_pickle"}


@EVERY_FILE
def test_a_file_is_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 270


def test_every_pinned_library_is_pinned_exactly():
    lines = (PACKAGE.parent / "requirements.txt").read_text().split()
    assert lines == sorted(lines, key=str.lower)
    assert all(line.count("==") == 1 for line in lines)
