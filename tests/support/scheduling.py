"""Which process runs which tests."""

from xdist.scheduler import LoadFileScheduling

BROWSER = "tests/browser/"


class BrowserInOneProcess(LoadFileScheduling):
    """Gives a process all tests in a browser, so that there is one app and one browser, and others file by file."""

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)
