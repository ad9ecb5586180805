"""One small Hub and one client process of it for all tests of this folder: a client takes seconds to import."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import checkpoints
from tests.support.hub_client import Client
from tests.support.small_hub import SmallHub


@pytest.fixture(scope="package")
def hub() -> Iterator[SmallHub]:
    """A small Hub on this machine."""
    with SmallHub() as hub:
        yield hub


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which its clients cache what they download."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="package")
def client(hub: SmallHub, home: Path) -> Iterator[Client]:
    """A client of the small Hub."""
    with Client(hub.url, home) as client:
        yield client


@pytest.fixture(scope="package")
def publish(hub: SmallHub, tiny_folder, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Publish a small model in a layout, with entries of its `config.json` files changed, under a name of its own."""
    count = 0

    def add(
        layout: Callable[[Path, Path], Path] = checkpoints.plain,
        kind: str = "bert",
        name: str | None = None,
        configs: dict[str, dict] | None = None,
        **rights: bool,
    ) -> str:
        nonlocal count
        count += 1
        name = name or f"owner/model-{count:03}"
        folder = layout(tiny_folder(kind), tmp_path_factory.mktemp("models") / "model")
        for path, changes in (configs or {}).items():
            file = folder / path / "config.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps((json.loads(file.read_text()) if file.exists() else {}) | changes))
        hub.add(name, folder, **rights)
        return name

    return add


@pytest.fixture(autouse=True)
def no_troubles(hub: SmallHub) -> Iterator[None]:
    yield
    hub.troubles.clear()
