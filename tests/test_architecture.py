"""The packages and their direction: see the map in `.github/CONTRIBUTING.md`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mtst

PACKAGE = Path(mtst.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}

# A file imports only from its own package and from layers above its own in this list.
LAYERS = (
    ("errors", "files", "text", "assets"),
    ("hub",),
    ("data", "encoders"),
    ("model",),
    ("analysis",),
    ("evaluation",),
    ("training",),
    ("comparison",),
    ("runs",),
    ("ui", "cli"),
)
UI_LAYERS = (
    ("server",),
    ("plots",),
    ("components",),
    ("services",),
    ("compare", "map", "predict", "start", "train"),
    ("scenarios",),
    ("api",),
    ("guide",),
    ("app",),
)
CLI_MAY_IMPORT_FROM_UI = {"ui.scenarios.html_report"}
PLOTLY_OUTSIDE_PLOTS = {"ui.scenarios.html_report", "ui.components.live_plot"}
MAX_ENTRIES = 15  # files and folders of one package, without its __init__
MAX_LINES = 260


def rank_of(layers: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    return {name: rank for rank, layer in enumerate(layers) for name in layer}


def relative(path: Path) -> str:
    """Return the dotted name of a module inside the package: `data.readers.source`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def imported(path: Path) -> set[str]:
    """Return the full names of everything that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)} imports by a relative name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_imports(path: Path) -> set[str]:
    """Return what a file imports from this package, without the leading `mtst.`."""
    return {name.removeprefix("mtst.") for name in imported(path) if name.startswith("mtst.")}


def libraries(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def test_imports_point_in_one_direction() -> None:
    ranks, upward = rank_of(LAYERS), []
    for path in FILES:
        here = relative(path)
        package = here.split(".")[0]
        if package not in ranks:  # the package itself and __main__
            continue
        for name in own_imports(path):
            other = name.split(".")[0]
            allowed = other == package or other not in ranks or ranks[other] < ranks[package]
            if package == "cli" and any(name.startswith(free) for free in CLI_MAY_IMPORT_FROM_UI):
                allowed = True
            if not allowed:
                upward.append(f"{here} imports {name}")
    assert upward == []


def test_imports_inside_the_page_point_in_one_direction() -> None:
    ranks, upward = rank_of(UI_LAYERS), []
    for path in FILES:
        here = relative(path)
        if not here.startswith("ui."):
            continue
        room = here.split(".")[1]
        for name in own_imports(path):
            if name.startswith("ui."):
                other = name.split(".")[1]
                if other != room and ranks[other] >= ranks[room]:
                    upward.append(f"{here} imports {name}")
    assert upward == []


def test_gradio_and_plotly_are_imported_only_by_the_page() -> None:
    gradio = {relative(path) for path in FILES if "gradio" in libraries(path)}
    plotly = {relative(path) for path in FILES if "plotly" in libraries(path)}
    assert all(name.startswith("ui.") for name in gradio)
    assert not any(name.startswith("ui.plots") for name in gradio)
    assert all(name.startswith("ui.plots.") or name in PLOTLY_OUTSIDE_PLOTS for name in plotly)


def test_no_code_from_elsewhere_is_executed() -> None:
    libraries_forbidden = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal", "subprocess"}
    calls_forbidden = {"eval", "exec", "compile", "torch.load", "os.system", "os.popen"}
    for path in FILES:
        assert not libraries(path) & libraries_forbidden, relative(path)
        for call in (node for node in ast.walk(TREES[path]) if isinstance(node, ast.Call)):
            assert ast.unparse(call.func) not in calls_forbidden, relative(path)
            true = {word.arg for word in call.keywords if getattr(word.value, "value", None) is True}
            assert not true & {"trust_remote_code", "shell", "allow_pickle"}, relative(path)


def test_packages_and_files_stay_small() -> None:
    for folder in {path.parent for path in FILES}:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith("__") and entry.suffix != ".typed"]
        assert len(entries) <= MAX_ENTRIES, f"{folder.relative_to(PACKAGE.parent)} has {len(entries)} entries"
    for path in FILES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= MAX_LINES, f"{relative(path)} has {lines} lines"


def test_importing_the_package_brings_in_neither_gradio_nor_torch() -> None:
    script = (
        "import sys, mtst; from mtst import MtstError, Task, TrainConfig, read_table, Dataset\n"
        "import mtst.data, mtst.encoders, mtst.model, mtst.training, mtst.training.config\n"
        "print(sorted({'gradio', 'torch', 'sentence_transformers'} & set(sys.modules)))\n"
        "from mtst import fit, load_encoder, MultiTaskSentenceTransformer\n"
        "import mtst.runs.worker.main, mtst.__main__, mtst.ui.scenarios.html_report\n"
        "print(sorted({'gradio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["[]", "[]", ""]


@pytest.mark.parametrize(
    "package", ["mtst", *(f"mtst.{name}" for layer in LAYERS[1:-1] for name in layer)], ids=lambda name: name
)
def test_every_public_name_can_be_imported(package: str) -> None:
    module = __import__(package, fromlist=["__all__"])
    assert module.__all__
    for name in module.__all__:
        value = getattr(module, name)
        assert getattr(value, "__name__", name) == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = mtst.nothing


def test_every_library_is_pinned_exactly() -> None:
    lines = (PACKAGE.parent / "requirements.txt").read_text().split()
    assert lines == sorted(lines, key=str.lower)
    assert all(line.count("==") == 1 for line in lines)
