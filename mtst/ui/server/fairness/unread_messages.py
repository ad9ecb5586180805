"""The messages that Gradio keeps of each session until somebody reads them."""

import asyncio

from gradio.server_messages import EventMessage
from gradio.utils import LRUCache


class UnreadMessages(LRUCache[str, asyncio.Queue[EventMessage]]):
    """Messages by session; Gradio drops those twice for which two requests wait."""

    def __delitem__(self, session: str) -> None:
        if session in self:
            super().__delitem__(session)
