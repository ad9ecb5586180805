"""Gradio's queue, shared fairly: a share of its places for each address, and events by turns of addresses.

Gradio's own is one line for all: whoever fills it first shuts out everybody else, and the first in it come first. It
also works for those who have left. Here an event begins once somebody waits for its answer, and is dropped when nobody
does any more. Gradio documents none of this; tried on the version in `gradio_patches.TRIED_ON`.
"""

import asyncio
import random
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, cast

import gradio as gr
from gradio.queueing import Event, EventQueue, Queue
from gradio.server_messages import EstimationMessage, EventMessage
from starlette.exceptions import HTTPException

from mtst.ui.server.fairness.fair_shares import BUSY_SECONDS, LOOK_SECONDS, PATIENCE_SECONDS, come_back
from mtst.ui.server.fairness.listeners import LEFT, has_open_page, is_awaited
from mtst.ui.server.fairness.plain_sessions import KEPT_SECONDS, PlainSession
from mtst.ui.server.fairness.unread_messages import UnreadMessages
from mtst.ui.server.gradio_patches import forget_session
from mtst.ui.server.request_limits import RECEIVED
from mtst.ui.server.visitors import visitor_of

MAX_WAITING = 1_024  # events of all addresses
MAX_RUNNING = 600  # at once; most of them follow a run and only wait
ADDRESS_WAITING = 300  # thirty pages that load at once
ADDRESS_BYTES = 32_000_000  # that wait or are worked on
ADDRESS_FOLLOWING = 120  # events without a limit of their own: those that follow runs, and calls
ADDRESS_CALLS = 4  # that run at once, of each endpoint
ADDRESS_SESSIONS = 150  # with what they have brought
ADDRESS_HELD_BYTES = 500_000_000  # by them: twenty of the largest tables, and hundreds of usual ones
ADDRESS_UNREAD = 32  # sessions with answers that nobody has fetched
SESSION_UNREAD = 64  # messages; then its event ends, since nobody listens
ANSWER_SECONDS = 600.0  # after which an answer that nobody has fetched is dropped
SWEEP_SECONDS = 60.0
LISTEN_SECONDS = 60.0  # after which an event is dropped for whose answer nobody has begun to wait
LEAVE_SECONDS = 3.0  # after which one that has begun is, where nobody waits any more
WATCH_SECONDS = 1.0  # between two looks who waits


class FairQueue(Queue):
    """A queue in which no address takes the place of another."""

    def __init__(self, queue: Queue) -> None:
        """Take the place of a queue that has not been started."""
        super().__init__(
            live_updates=queue.live_updates,
            concurrency_count=MAX_RUNNING,
            update_intervals=queue.update_intervals,
            max_size=MAX_WAITING,
            blocks=queue.blocks,
            default_concurrency_limit=queue.default_concurrency_limit,
        )
        self.ANALYTICS_MAX_EVENTS = 1
        self.pending_messages_per_session = UnreadMessages(ADDRESS_SESSIONS * 100)
        self._sessions: defaultdict[str, OrderedDict[str, float]] = defaultdict(OrderedDict)  # by address: last uses
        self._turn = 0
        self._last_turns: dict[str, int] = {}  # of each address that has events
        self._unawaited: dict[Event, float] = {}  # events for whose answers nobody waits: since when

    def start(self) -> None:
        """Start to process events, and to drop what nobody fetches."""
        # `launch` has set the number of threads here; an event that only waits needs none.
        self.max_thread_count = MAX_RUNNING
        super().start()
        for seconds, do in ((SWEEP_SECONDS, self.sweep), (WATCH_SECONDS, self.drop_unawaited)):
            task = asyncio.ensure_future(self._repeat(seconds, do))
            self._asyncio_tasks.add(task)
            task.add_done_callback(self._asyncio_tasks.discard)

    def compute_analytics_summary(self, records: Any) -> Any:  # noqa: ARG002
        """Return nothing: Gradio would count ten thousand events again after each, for a page that is closed here."""
        return self.cached_event_analytics_summary

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Add an event.

        Raises:
            HTTPException: the address has as many events here as one may have.
        """
        visitor = visitor_of(request.scope)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while refusal := self._refusal(visitor, body.fn_index):
            if time.monotonic() > deadline:
                raise refusal
            await asyncio.sleep(LOOK_SECONDS)
        success, event, state = await super().push(body, request, username)
        if success:
            await self._note_session(visitor, body.session_hash)
        return success, event, state

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Return the event whose turn it is, that of the address which has had none for the longest time."""
        queues = [queue for queue in self.event_queue_per_concurrency_id.values() if queue.queue]
        random.shuffle(queues)
        running = Counter((_visitor(event), event.concurrency_id) for event in self._running())
        for queue in queues:
            if event := self._next(queue, running):
                queue.queue.remove(event)
                return [event], False, queue.concurrency_id
        return None

    def _next(self, queue: EventQueue, running: Counter[tuple[str, str]]) -> Event | None:
        limit = queue.concurrency_limit
        if limit is not None and queue.current_concurrency >= limit:
            return None
        share = (limit + 1) // 2 if limit else ADDRESS_CALLS if self._is_call(queue.queue[0]) else MAX_RUNNING
        firsts: dict[str, Event] = {}
        for event in filter(_is_awaited, queue.queue):
            firsts.setdefault(_visitor(event), event)
        allowed = [visitor for visitor in firsts if running[visitor, queue.concurrency_id] < share]
        if not allowed:
            return None
        chosen = min(allowed, key=lambda visitor: self._last_turns.get(visitor, 0))
        self._turn += 1
        self._last_turns[chosen] = self._turn
        return firsts[chosen]

    def _running(self) -> list[Event]:
        return [event for events in self.active_jobs if events for event in events]

    def _waiting(self) -> list[Event]:
        return [event for queue in self.event_queue_per_concurrency_id.values() for event in queue.queue]

    def _counts(self, visitor: str) -> tuple[int, int, int]:
        """Return how many events of an address wait, how many without a limit wait or run, and the bytes of all."""
        waiting = [event for event in self._waiting() if _visitor(event) == visitor]
        events = [*waiting, *(event for event in self._running() if _visitor(event) == visitor)]
        following = sum(event.fn.concurrency_limit is None for event in events)
        return len(waiting), following, sum(event.request.scope.get(RECEIVED, 0) for event in events)

    def _refusal(self, visitor: str, index: int | None) -> HTTPException | None:
        """Return why an address may not add an event for a function, or None."""
        waiting, following, size = self._counts(visitor)
        if waiting >= ADDRESS_WAITING or size >= ADDRESS_BYTES:
            return _too_many(f"Your network address has {waiting} events waiting, as many as allowed.")
        if following >= ADDRESS_FOLLOWING and self._is_unlimited(index):
            return _too_many(f"Your network address follows {following} runs or calls, as many as allowed.")
        return None

    @staticmethod
    def _is_call(event: Event) -> bool:
        return event.fn.api_visibility == "public"  # each function without a common limit has a queue of its own

    def _is_unlimited(self, index: int | None) -> bool:
        function = self.blocks.fns.get(index) if index is not None else None
        return function is not None and function.concurrency_limit is None

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """Send a message, unless nobody listens."""
        unread = self._unread(event.session_hash)
        if unread >= SESSION_UNREAD:
            event.alive = False  # a part of what it shows would be missing
        elif unread < SESSION_UNREAD // 2 or not isinstance(event_message, EstimationMessage):
            super().send_message(event, event_message)

    def _unread(self, session: str) -> int:
        messages = self.pending_messages_per_session.get(session)
        return messages.qsize() if messages else 0

    async def _note_session(self, visitor: str, session: str) -> None:
        """Note that a session was used; drop the oldest without an event of the same address if these are too many."""
        own = self._sessions[visitor]
        own[session] = time.monotonic()
        own.move_to_end(session)
        busy = self._busy_sessions()
        idle = [name for name in own if name not in busy]
        unread = [name for name in idle if self._unread(name)]
        for name in unread[: max(0, len(unread) - ADDRESS_UNREAD)]:
            await self._drop_answers(name)
        closed = [name for name in idle if not has_open_page(name)]
        for name in closed[: max(0, len(own) - ADDRESS_SESSIONS)]:
            await self._drop(visitor, name)
        sessions = self.blocks.state_holder.session_data
        held = {name: cast(PlainSession, sessions[name]).held_bytes for name in own if name in sessions}
        total = sum(held.values())
        for name in idle:
            if total > ADDRESS_HELD_BYTES and held.get(name):
                await self._drop(visitor, name)
                total -= held[name]

    def _busy_sessions(self) -> set[str]:
        return {event.session_hash for event in (*self._waiting(), *self._running())}

    async def _drop(self, visitor: str, session: str) -> None:
        """Drop a session with all that it keeps."""
        del self._sessions[visitor][session]
        await self._drop_answers(session)
        forget_session(self.blocks, session)

    async def _drop_answers(self, session: str) -> None:
        await self.clean_events(session_hash=session)
        self.pending_messages_per_session.pop(session, None)
        for event in self.pending_event_ids_session.pop(session, ()):
            self.event_ids_to_events.pop(event, None)

    async def clean_events(self, *, session_hash: str | None = None, event_id: str | None = None) -> None:
        """Drop the events of a session, or one event; what has begun ends before its next slice."""
        for event in self._running():
            if session_hash == event.session_hash or event_id == event._id:
                event.request.scope[LEFT] = True
        await super().clean_events(session_hash=session_hash, event_id=event_id)

    async def drop_unawaited(self, now: float) -> None:
        """Drop the events for whose answers nobody has waited for a while; `now` is of `time.monotonic`."""
        kinds = (self._waiting(), LISTEN_SECONDS), (self._running(), LEAVE_SECONDS)
        left = [(event, seconds) for events, seconds in kinds for event in events if not _is_awaited(event)]
        self._unawaited = {event: self._unawaited.get(event, now) for event, _ in left}
        for event, seconds in left:
            if now - self._unawaited[event] > seconds:
                await self._drop_answers(event.session_hash)

    async def _repeat(self, seconds: float, do: Callable[[float], Awaitable[None]]) -> None:
        while not self.stopped:
            await asyncio.sleep(seconds)
            await do(time.monotonic())

    async def sweep(self, now: float) -> None:
        """Drop what was not used for a while, of sessions without an event; `now` is of `time.monotonic`."""
        busy = self._busy_sessions()
        for visitor, own in list(self._sessions.items()):
            for session, used in list(own.items()):
                if session in busy:
                    continue
                if now - used > KEPT_SECONDS and not has_open_page(session):
                    await self._drop(visitor, session)
                elif now - used > ANSWER_SECONDS:
                    await self._drop_answers(session)
            if not own:
                del self._sessions[visitor]
        present = {_visitor(event) for event in (*self._waiting(), *self._running())}
        self._last_turns = {visitor: turn for visitor, turn in self._last_turns.items() if visitor in present}


def share_queue(demo: gr.Blocks) -> None:
    """Put a fair queue in place of that of an app that has not been launched."""
    demo._queue = FairQueue(demo._queue)


def _is_awaited(event: Event) -> bool:
    return is_awaited(event.session_hash, event._id)


def _visitor(event: Event) -> str:
    visitor: str | None = vars(event).get("visitor")
    if visitor is None:
        visitor = vars(event)["visitor"] = visitor_of(event.request.scope)  # asked for again and again while it waits
    return visitor


def _too_many(message: str) -> HTTPException:
    return HTTPException(429, f"{message} {come_back(BUSY_SECONDS)}", {"Retry-After": str(BUSY_SECONDS)})
