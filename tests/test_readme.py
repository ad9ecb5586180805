import re
from pathlib import Path

import pytest
from typer.main import get_command

from mtst.cli import app
from mtst.data.tasks import DEFAULT_TASKS
from mtst.runs.settings import Settings
from mtst.training.scenarios import list_scenarios

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m mtst (\w+) (.*)$", README, re.MULTILINE)


def test_the_example_runs(monkeypatch, capsys) -> None:
    monkeypatch.chdir(ROOT)
    (example,) = re.findall(r"## In five lines\n+```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in example.splitlines() if line]) == 5
    exec(compile(example, "README.md", "exec"), {})
    assert "sports" in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:assets|tests)/[\w./-]*\w", README))))
def test_a_file_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("name", "words"), COMMANDS)
def test_a_command_takes_the_options_that_are_shown(name: str, words: str) -> None:
    command = get_command(app).commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[\w-]+", words)) <= options


def test_every_setting_and_scenario_is_named_and_no_other() -> None:
    fields = {f"MTST_{name.upper()}" for name in Settings.__dataclass_fields__}
    assert set(re.findall(r"`(MTST_\w+)`", README)) == fields
    keys = {re.sub(r":.*", ":COLUMN", key) for key in list_scenarios(DEFAULT_TASKS)}
    assert keys <= set(re.findall(r"`([\w:-]+)`", README))
