"""Final events of runs whose process ended without one: written to their logs, or kept where the disk is full."""

import logging
from collections.abc import Iterable

from mtst.errors import RunError
from mtst.runs.folder import ORPHAN_SECONDS, RunFolder
from mtst.runs.store import log_state
from mtst.training.events import Failed

LOG = logging.getLogger(__name__)


class FinalEvents:
    """The final events that could not be written, by the tokens of their runs."""

    def __init__(self) -> None:
        self._unwritten: dict[str, Failed] = {}

    def get(self, token: str) -> list[Failed]:
        """Return the final event of a run that is missing from its log; at most one."""
        return [self._unwritten[token]] if token in self._unwritten else []

    def discard(self, token: str) -> None:
        """Drop the final event of a run that is resumed or deleted."""
        self._unwritten.pop(token, None)

    def ensure(self, folder: RunFolder, event: Failed) -> None:
        """Make this the final event of a run unless it has one.

        Raises:
            RunError: another process does not release its log.
        """
        history = folder.history()
        try:
            if not history.is_over:
                with folder.event_log(ORPHAN_SECONDS) as log:
                    history = folder.history()  # its process may have ended it meanwhile
                    if not history.is_over:
                        history.extend([event])
                        log.write(event)
        except OSError:
            self._unwritten[folder.path.name] = event
            LOG.exception("the final event of a run could not be written")
        log_state(folder.path.name, history.outcome)

    def ensure_all(self, folders: Iterable[RunFolder], event: Failed) -> None:
        """End the runs of an app that is gone, each once its process has ended, which notices that the app is gone."""
        for folder in folders:
            try:
                self.ensure(folder, event)
            except RunError:
                LOG.exception("a run could not be ended")
