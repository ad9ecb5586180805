"""What goes along with a model, so that it can be used, judged and repeated without mtst; and a folder as a ZIP."""

import shutil
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from mtst.assets import ASSETS
from mtst.data.tasks import Task
from mtst.errors import ModelError
from mtst.model.card import RunReport, render_card

NAME = "mtst-model"
README, REPORT, REQUIREMENTS, SCRIPT = "README.md", "report.json", "requirements.txt", "predict.py"
LIBRARIES = ("safetensors", "sentence-transformers", "torch", "transformers")
MOMENT = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same model is the same ZIP
PLAIN_FILE = 0o100644 << 16


def bundle_files(name: str, tasks: Sequence[Task], base: str, report: bytes | None = None) -> dict[str, bytes]:
    """Return the files that go along with a model, by name: all that it takes to use, judge and repeat it.

    Args:
        name: what its card calls it.
        tasks: its tasks.
        base: the name of the encoder that it began with.
        report: the report of its run as JSON, if there is one.

    Raises:
        ModelError: the report is none.
    """
    told = RunReport.parse(report) if report else None
    made = {
        README: render_card(name, tasks, base, told).encode("utf-8", "replace"),
        REQUIREMENTS: pinned_requirements(LIBRARIES).encode(),
        SCRIPT: (ASSETS / SCRIPT).read_bytes(),
    }
    return made | ({REPORT: report} if report else {})


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


def zip_folder(folder: Path, target: Path) -> None:
    """Write a folder as a ZIP with that folder in it; an older ZIP of that name stays until the new one is whole.

    Raises:
        ModelError: it cannot be written.
    """
    place = target.resolve()  # a link stays one
    if place.exists() and not place.is_file():
        raise ModelError(f"The ZIP {target} cannot be written: it is no file that may be replaced. Name another one.")
    try:
        with TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-", ignore_cleanup_errors=True) as scratch:
            made = Path(scratch) / place.name
            _pack(folder, made)
            if place.exists():
                shutil.copymode(place, made)
            made.replace(place)
    except OSError as error:
        raise ModelError(f"The ZIP {target.name} cannot be written: {error.strerror or error}.") from error


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), MOMENT)
            entry.external_attr = PLAIN_FILE
            entry.file_size = path.stat().st_size
            # Stored as it is: weights hardly get smaller.
            with path.open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed, 1 << 20)


def pinned_requirements(libraries: tuple[str, ...]) -> str:
    """Return the lines that install these libraries as they are here; a build such as `+cpu` is of no index."""
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in libraries)
