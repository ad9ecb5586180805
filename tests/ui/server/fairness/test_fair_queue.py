"""The queue of a page that is not served: whose event is next, and what is let go."""

import asyncio
import time
from collections.abc import Iterator
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio import state_holder
from gradio.queueing import Event
from gradio.server_messages import EstimationMessage, ProcessGeneratingMessage
from starlette.exceptions import HTTPException

from mtst.ui.server.fairness import fair_queue
from mtst.ui.server.fairness.fair_queue import (
    ADDRESS_CALLS,
    ADDRESS_FOLLOWING,
    ADDRESS_SESSIONS,
    ADDRESS_UNREAD,
    ADDRESS_WAITING,
    ANSWER_SECONDS,
    LEAVE_SECONDS,
    LISTEN_SECONDS,
    SESSION_UNREAD,
    FairQueue,
    share_queue,
)
from mtst.ui.server.fairness.listeners import LEFT
from mtst.ui.server.fairness.plain_sessions import KEPT_SECONDS, PlainSession

ONE, OTHER = "198.51.100.1", "198.51.100.2"
UNHEARD: set[str] = set()  # sessions for whose answers nobody waits


@pytest.fixture(autouse=True)
def everybody_listens() -> None:
    UNHEARD.clear()


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[gr.Blocks]:
    monkeypatch.setattr(fair_queue, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(state_holder, "SessionState", PlainSession)
    monkeypatch.setattr(fair_queue, "is_awaited", lambda session, _event: session not in UNHEARD)
    with gr.Blocks() as demo:
        button = gr.Button()
        button.click(lambda: None, api_visibility="private", concurrency_limit=4)
        button.click(lambda: None, api_visibility="private", concurrency_limit=None)
        button.click(lambda: None, concurrency_limit=None)
    demo.queue()
    share_queue(demo)
    return demo


LIMITED, FOLLOWS, CALLS = range(3)


async def push(queue: FairQueue, host: str, function: int = LIMITED, session: str = "page") -> str:
    body = SimpleNamespace(fn_index=function, session_hash=f"{host} {session}", event_id=None, request=None, data=[])
    request = SimpleNamespace(scope={"client": (host, 1)})
    _, event, _ = await queue.push(body, request, None)
    return event


def take(queue: FairQueue) -> Event | None:
    """Take the next event as the queue's own loop does."""
    found = queue.get_events()
    if not found:
        return None
    events, _, concurrency_id = found
    queue.active_jobs[queue.active_jobs.index(None)] = events
    queue.event_queue_per_concurrency_id[concurrency_id].current_concurrency += 1
    return events[0]


def opened(demo: gr.Blocks) -> FairQueue:
    queue = demo._queue
    queue.active_jobs = [None] * fair_queue.MAX_RUNNING
    return queue


def test_one_address_leaves_places_to_others_which_go_first(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        for _ in range(10):
            await push(queue, ONE)
        other = await push(queue, OTHER)
        taken = [take(queue) for _ in range(3)]
        assert other in [event._id for event in taken[:2]]
        assert take(queue) is None  # the other two places are not for the same address

    asyncio.run(run())


def test_what_an_address_may_not_add_is_refused_with_when_to_come_back(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        for _ in range(ADDRESS_FOLLOWING):
            await push(queue, ONE, FOLLOWS)
            take(queue)
        with pytest.raises(HTTPException, match=r"follows 120 runs or calls.*Try again in 5 seconds") as refused:
            await push(queue, ONE, FOLLOWS)
        assert (refused.value.status_code, refused.value.headers) == (429, {"Retry-After": "5"})
        await push(queue, OTHER, FOLLOWS)
        for _ in range(ADDRESS_WAITING):
            await push(queue, ONE)
        with pytest.raises(HTTPException, match="events waiting, as many as allowed"):
            await push(queue, ONE)
        await push(queue, OTHER)

    asyncio.run(run())


def test_few_calls_of_one_address_run_at_once(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        for number in range(ADDRESS_CALLS + 3):
            await push(queue, ONE, CALLS, f"{number}")
        assert all(take(queue) for _ in range(ADDRESS_CALLS))
        assert take(queue) is None
        await push(queue, OTHER, CALLS)
        assert take(queue)

    asyncio.run(run())


def finish(queue: FairQueue, event: Event) -> None:
    """End an event whose answer nobody has fetched."""
    queue.send_message(event, ProcessGeneratingMessage(output={}, success=True))
    queue.active_jobs[queue.active_jobs.index([event])] = None
    queue.event_queue_per_concurrency_id[event.concurrency_id].current_concurrency -= 1


def test_answers_that_nobody_fetches_are_let_go_and_those_of_others_stay(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        await push(queue, OTHER, CALLS, "theirs")
        finish(queue, take(queue))
        await push(queue, ONE, FOLLOWS, "live view")
        take(queue)
        for number in range(ADDRESS_UNREAD + 10):
            await push(queue, ONE, CALLS, f"{number}")
            finish(queue, take(queue))
        await push(queue, ONE, CALLS, "last")
        kept = [*queue.pending_messages_per_session]
        assert {f"{OTHER} theirs", f"{ONE} live view", f"{ONE} last"} <= {*kept}
        assert f"{ONE} 0" not in kept
        assert len(kept) == ADDRESS_UNREAD + 3
        take(queue)
        await queue.sweep(time.monotonic() + ANSWER_SECONDS + 1)
        assert [*queue.pending_messages_per_session] == [f"{ONE} live view", f"{ONE} last"]
        assert {*queue.pending_event_ids_session} == {f"{ONE} live view", f"{ONE} last"}

    asyncio.run(run())


def test_what_sessions_have_brought_is_let_go_once_their_page_is_closed(demo, monkeypatch) -> None:
    async def run() -> None:
        queue = opened(demo)
        monkeypatch.setattr(fair_queue, "has_open_page", lambda session: session.endswith("open"))
        for name in ("open", *map(str, range(ADDRESS_SESSIONS + 9))):
            await push(queue, ONE, LIMITED, name)
            _ = demo.state_holder[f"{ONE} {name}"]
            finish(queue, take(queue))
        kept = demo.state_holder.session_data
        assert len(kept) == ADDRESS_SESSIONS
        assert f"{ONE} open" in kept
        assert f"{ONE} 0" not in kept
        await queue.sweep(time.monotonic() + KEPT_SECONDS + 1)
        assert [*kept] == [f"{ONE} open"]

    asyncio.run(run())


def test_sessions_of_one_address_hold_so_much_together(demo, monkeypatch) -> None:
    monkeypatch.setattr(fair_queue, "has_open_page", lambda _session: True)
    monkeypatch.setattr(fair_queue, "ADDRESS_HELD_BYTES", 250_000)
    with demo:
        state = gr.State()

    async def run() -> None:
        queue = opened(demo)
        for host in (OTHER, ONE, ONE, ONE):
            name = f"{len(demo.state_holder.session_data)}"
            await push(queue, host, LIMITED, name)
            demo.state_holder[f"{host} {name}"][state._id] = "x" * 100_000
            finish(queue, take(queue))
        await push(queue, ONE, LIMITED, "3")
        assert [*demo.state_holder.session_data] == [f"{OTHER} 0", f"{ONE} 2", f"{ONE} 3"]  # the oldest has gone

    asyncio.run(run())


def test_an_event_ends_whose_messages_nobody_reads(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        await push(queue, ONE, FOLLOWS)
        event = take(queue)
        for _ in range(SESSION_UNREAD):
            queue.send_message(event, EstimationMessage(queue_size=1))
        assert queue.pending_messages_per_session[event.session_hash].qsize() == SESSION_UNREAD // 2
        for _ in range(SESSION_UNREAD):
            queue.send_message(event, ProcessGeneratingMessage(output={}, success=True))
        assert not event.alive
        assert queue.pending_messages_per_session[event.session_hash].qsize() == SESSION_UNREAD

    asyncio.run(run())


def test_an_event_begins_once_somebody_waits_for_its_answer(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        UNHEARD.add(f"{ONE} page")
        event = await push(queue, ONE)
        await queue.drop_unawaited(0.0)
        await queue.drop_unawaited(LISTEN_SECONDS)
        assert take(queue) is None
        UNHEARD.clear()
        await queue.drop_unawaited(LISTEN_SECONDS + 1)
        assert take(queue)._id == event

    asyncio.run(run())


def test_an_event_for_which_nobody_comes_leaves_its_place(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        UNHEARD.add(f"{ONE} page")
        await push(queue, ONE)
        await push(queue, OTHER)
        await queue.drop_unawaited(0.0)
        await queue.drop_unawaited(LISTEN_SECONDS + 1)
        assert [event.session_hash for event in queue._waiting()] == [f"{OTHER} page"]
        assert [*queue.pending_messages_per_session] == [f"{OTHER} page"]  # who asks is told that there is nothing

    asyncio.run(run())


def test_an_event_ends_before_its_next_slice_when_nobody_waits_any_more(demo) -> None:
    async def run() -> None:
        queue = opened(demo)
        for host in (ONE, OTHER):
            await push(queue, host)
        events = {event.session_hash: event for event in (take(queue), take(queue))}
        UNHEARD.add(f"{ONE} page")
        await queue.drop_unawaited(0.0)
        assert all(event.alive for event in events.values())
        await queue.drop_unawaited(LEAVE_SECONDS + 1)
        left, stays = events[f"{ONE} page"], events[f"{OTHER} page"]
        assert (left.alive, left.request.scope[LEFT]) == (False, True)
        assert (stays.alive, LEFT in stays.request.scope) == (True, False)

    asyncio.run(run())
