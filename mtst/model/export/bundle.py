"""The files that are stored beside a model: they show how good it is, and let it be used and repeated without mtst."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from mtst.assets import ASSETS
from mtst.data.tasks import Task
from mtst.errors import ModelError
from mtst.model.card import RunReport, render_card

README, REPORT, REQUIREMENTS, SCRIPT = "README.md", "report.json", "requirements.txt", "predict.py"
LIBRARIES = ("safetensors", "sentence-transformers", "torch", "transformers")


def bundle_files(
    name: str, tasks: Sequence[Task], base: str, report: bytes | None = None, *, prompt: str = ""
) -> dict[str, bytes]:
    """Return the content of the files by their names.

    Args:
        name: what the card calls the model.
        tasks: of the model.
        base: the name of the encoder that training began with.
        report: the report of the run as JSON, if there is one.
        prompt: what the encoder puts in front of every text.

    Raises:
        ModelError: the report is none.
    """
    run = RunReport.parse(report) if report else None
    files = {
        README: render_card(name, tasks, base, run, prompt=prompt).encode("utf-8", "replace"),
        REQUIREMENTS: pinned_requirements(LIBRARIES).encode(),
        SCRIPT: (ASSETS / SCRIPT).read_bytes(),
    }
    return files | ({REPORT: report} if report else {})


def read_report(folder: Path) -> bytes | None:
    """Return the report of the run that a model in a folder comes from, if it is there.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return (folder / REPORT).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"{folder / REPORT} cannot be read: {error.strerror}.") from error


def pinned_requirements(libraries: Sequence[str]) -> str:
    """Return a requirements file with the installed versions; no index has a local build such as `+cpu`."""
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in libraries)
