"""Sessions that keep what a visitor has brought, and no copy of the page.

Gradio describes every component of the page again for each session, which are as many as calls, to answer with deep
links; these are closed here. It took 35 ms of the thread that answers everybody, and 0.65 MB until the session ends.
Gradio documents nothing of it; tried on the version in `gradio_patches.TRIED_ON`.
"""

from copy import copy
from typing import Any

import gradio as gr
from gradio import route_utils, state_holder
from gradio.state_holder import SessionState

from mtst.ui.server.fairness.held_bytes import held_bytes

KEPT_SECONDS = 3600  # that a closed page's values are kept, for a visitor who comes back


class _Ignored(dict[int, Any]):
    """Takes the description of any component, and keeps none."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: int) -> dict[str, Any]:
        return {}

    def __setitem__(self, key: int, value: Any) -> None:
        pass


class PlainSession(SessionState):
    """The values of one visitor's page that the server keeps."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = _Ignored()
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = KEPT_SECONDS
        self._held: dict[int, int] = {}  # bytes of each value

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        if key in self.state_data:
            self._held[key] = held_bytes(value)

    @property
    def held_bytes(self) -> int:
        """About how much memory the values take."""
        return sum(self._held.values())


def use_plain_sessions() -> None:
    """Make Gradio use such sessions, in all of this process."""
    for module in (state_holder, route_utils):
        setattr(module, SessionState.__name__, PlainSession)
