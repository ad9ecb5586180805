"""Everything the documentation shows runs, exists or is complete. The API's examples run in `tests/browser`."""

import importlib
import re
from pathlib import Path

import pytest
from typer.main import get_command

import mtst
from mtst.cli import app
from mtst.data.tasks import DEFAULT_TASKS
from mtst.encoders.catalogue import CATALOGUE
from mtst.runs.settings import Settings
from mtst.training.scenarios import list_scenarios
from tests.test_architecture import LAYERS

ROOT = Path(__file__).resolve().parents[1]
PATHS = [
    ROOT / "README.md",
    *sorted((ROOT / ".github").glob("*.md")),
    *sorted((ROOT / "mtst").rglob("README.md")),
    ROOT / "tests" / "bench" / "README.md",
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PATHS}
README = TEXTS["README.md"]
EXAMPLES = [
    (name, code)
    for name, text in TEXTS.items()
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    if name != "mtst/ui/api/README.md"
]
EVERYTHING = "\n".join(TEXTS.values())


def names_in_table(text: str) -> set[str]:
    """Return what the first column of the tables of a document names in code style."""
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_runs(name, code, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    exec(compile(code, name, "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out
    assert printed
    if "What a wonderful goal!" in code:
        assert "sports" in printed


def test_the_readme_is_short_and_its_example_has_five_statements() -> None:
    assert len(README.encode()) <= 9_000
    (code,) = (code for name, code in EXAMPLES if name == "README.md")
    assert len([line for line in code.splitlines() if line]) == 5


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith(("http://", "https://")):
                continue
            path, _, anchor = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
            assert file.exists(), f"{name}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
                assert anchor in slugs, f"{name}: {target}"


def test_every_path_and_module_that_is_named_exists() -> None:
    # A change log names what was there at its time.
    current = "\n".join(text for name, text in TEXTS.items() if name != ".github/CHANGELOG.md")
    for path in set(re.findall(r"(?<![\w./-])(?:assets|tests|mtst|\.github)/[\w./-]*\w", current)):
        assert (ROOT / path).exists(), path
    for dotted in set(re.findall(r"`((?:mtst|tests)(?:\.\w+)+)", current)) - {"mtst.json", "tests.bench.NAME"}:
        assert find(dotted), dotted


def find(dotted: str) -> object:
    """Return the module or attribute of a dotted name."""
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        parent, _, name = dotted.rpartition(".")
        return getattr(importlib.import_module(parent), name)


def test_every_command_takes_the_options_that_are_shown() -> None:
    commands = get_command(app).commands
    shown = re.findall(r"-m mtst ([a-z]+) ([^`\n]*)", EVERYTHING)
    assert {name for name, _ in shown} == set(commands)
    for name, words in shown:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<= )--[\w-]+", f" {words}")) <= options | {"--help"}, f"{name} {words}"


def test_every_setting_of_a_host_is_documented_with_its_default() -> None:
    hosting = TEXTS[".github/HOSTING.md"]
    defaults = {f"MTST_{name.upper()}": field.default for name, field in Settings.__dataclass_fields__.items()}
    rows = dict(re.findall(r"^\| `(MTST_\w+)` \| (.*?) \|", hosting, re.MULTILINE))
    assert set(rows) == set(defaults)
    for name, value in defaults.items():
        if name != "MTST_RUNS_DIR":
            written = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else str(value)
            assert rows[name].strip("`").removesuffix(".0") == written.removesuffix(".0"), name


def test_every_scenario_encoder_and_benchmark_is_documented() -> None:
    keys = {re.sub(r":.*", ":COLUMN", key) for key in list_scenarios(DEFAULT_TASKS)}
    assert keys <= names_in_table(README)
    assert names_in_table(TEXTS["mtst/training/README.md"]) == keys
    assert names_in_table(TEXTS["mtst/encoders/README.md"]) == set(CATALOGUE)
    for key, entry in CATALOGUE.items():
        score = f"[{entry.score.mteb}]({entry.score.source})" if entry.score else "–"
        facts = [f"{entry.parameters / 1e6:.0f} M", str(entry.max_tokens or "–"), entry.license or "–", score]
        (row,) = (line for line in TEXTS["mtst/encoders/README.md"].splitlines() if line.startswith(f"| `{key}` |"))
        assert {entry.purpose, entry.languages, *facts} <= set(row.strip("| ").split(" | "))
        assert f"`{entry.prompt}`" in row if entry.prompt else row.count("`") == 2
    bench = ROOT / "tests" / "bench"
    documented = TEXTS["tests/bench/README.md"]
    for path in bench.glob("*.py"):
        assert path.stem == "__init__" or path.stem in documented, path.name
        if path.stem != "setfit_run":  # which runs where SetFit is installed, not here
            importlib.import_module(f"tests.bench.{path.stem}")
    for name, options in re.findall(
        r"python -m tests\.bench\.(\w+)([^\n`]*)", EVERYTHING.replace("tests.bench.NAME", "")
    ):
        source = (bench / f"{name}.py").read_text(encoding="utf-8")
        for option in re.findall(r"--[\w-]+", options):
            assert option in source, f"{name} {option}"


def test_the_map_of_packages_and_the_version_are_current() -> None:
    (drawing,) = re.findall(
        r"^errors, files.*?^ui, cli.*?$", TEXTS[".github/CONTRIBUTING.md"], re.MULTILINE | re.DOTALL
    )
    drawn = [tuple(re.split(r", ", re.split(r"\s{2,}", line)[0])) for line in drawing.splitlines()]
    assert drawn == list(LAYERS)
    latest = re.search(r"^## \[([\d.]+)\]", TEXTS[".github/CHANGELOG.md"], re.MULTILINE)
    assert latest.group(1) == mtst.__version__
