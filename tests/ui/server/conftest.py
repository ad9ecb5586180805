"""A real app in a process of its own, for what cannot be tried inside this one."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Host


@pytest.fixture(scope="package")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app that the tests of this package share."""
    host = Host(tmp_path_factory.mktemp("host"))
    host.start()
    yield host
    host.end()
