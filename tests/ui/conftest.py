"""The services of one app, on a folder of runs of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mtst.runs.settings import Settings
from mtst.ui.services.services import Services


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = Services(Settings(runs_dir=tmp_path_factory.mktemp("runs"), max_rows=700))
    yield services
    services.close()


@pytest.fixture
def write_csv(tmp_path: Path):
    def write(text: str, name: str = "table.csv") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write
