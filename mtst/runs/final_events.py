"""The last word of a run whose process has said none: written for it, or remembered where the disk does not take it."""

import logging
from collections.abc import Iterable

from mtst.errors import RunError
from mtst.runs.folder import ORPHAN_SECONDS, RunFolder
from mtst.runs.store import log_state
from mtst.training.events import Failed

LOG = logging.getLogger(__name__)


class FinalEvents:
    """Last words by the tokens of their runs."""

    def __init__(self) -> None:
        self._remembered: dict[str, Failed] = {}

    def of(self, token: str) -> list[Failed]:
        """Return the last word of a run that its log does not have; at most one."""
        return [self._remembered[token]] if token in self._remembered else []

    def forget(self, token: str) -> None:
        """Drop the last word of a run that goes on, or is gone."""
        self._remembered.pop(token, None)

    def close(self, folder: RunFolder, word: Failed) -> None:
        """Give a run this last word unless it has one.

        Raises:
            RunError: its process, or another app, does not let go of it.
        """
        history = folder.history()
        try:
            if not history.is_over:
                with folder.event_log(ORPHAN_SECONDS) as log:
                    history = folder.history()  # its process may have had the last word meanwhile
                    if not history.is_over:
                        history.extend([word])
                        log.write(word)
        except OSError:
            self._remembered[folder.path.name] = word
            LOG.exception("a run could not be closed")
        log_state(folder.path.name, history.outcome)

    def close_all(self, folders: Iterable[RunFolder], word: Failed) -> None:
        """Close the runs of an app that is gone, each as soon as its process, which sees that too, has ended."""
        for folder in folders:
            try:
                self.close(folder, word)
            except RunError:
                LOG.exception("a run could not be closed")
