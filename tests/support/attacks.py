"""What one address with modest means sends to take a host from all others. Only for an app on this machine.

Each attack goes on until it is told to stop, and counts the answers that it got by their status.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import httpx2

from tests.support.page_client import API, PageClient

ADDRESS = "127.0.0.2"
CONNECTIONS = 60
LISTEN_AGAIN_SECONDS = 1.0
LONG = "A sentence of many words that all have to be read before anything can be said of it. " * 12  # 1,020 characters
ROWS = "text,label\n" + "".join(f"sentence number {number},{'ab'[number % 2]}\n" for number in range(400))
Attack = Callable[[str, asyncio.Event], Awaitable[Counter[int]]]


def _client(url: str, connections: int = CONNECTIONS) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    transport = httpx2.AsyncHTTPTransport(local_address=ADDRESS, limits=limits)
    return httpx2.AsyncClient(base_url=url, transport=transport, timeout=30.0)


@asynccontextmanager
async def _listening(url: str, sessions: Iterable[str]) -> AsyncIterator[None]:
    """Wait for the answers of sessions, without which the app would begin nothing."""

    async def listen(http: httpx2.AsyncClient, session: str) -> None:
        while True:
            with suppress(httpx2.HTTPError):
                async with http.stream("GET", f"{API}/queue/data", params={"session_hash": session}) as stream:
                    async for _ in stream.aiter_raw():
                        pass
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    names = [*sessions]
    async with _client(url, len(names)) as http:
        tasks = [asyncio.create_task(listen(http, name)) for name in names]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(sends: Iterable[Callable[[], Awaitable[int]]], over: asyncio.Event) -> Counter[int]:
    """Send again and again, each on its own, until it is over."""
    answers: Counter[int] = Counter()

    async def again(send: Callable[[], Awaitable[int]]) -> None:
        while not over.is_set():
            with suppress(httpx2.HTTPError):
                answers[await send()] += 1

    tasks = [asyncio.create_task(again(send)) for send in sends]
    await over.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return answers


async def follow_one_run(url: str, over: asyncio.Event) -> Counter[int]:
    """Open 210 events that follow a run of one's own, which waits while another trains."""
    page = await PageClient(url, ADDRESS).open()
    store = next(each["id"] for each in page.config["components"] if each["props"].get("storage_key") == "mtst-run")
    on_load = (each for each in page.config["dependencies"] if "load" in [event for _, event in each["targets"]])
    readers = [each for each in on_load if store in each["inputs"]]
    follow = max(readers, key=lambda each: len(each["outputs"]))["id"]  # the one that shows the run
    tokens = []
    for _ in range(2):
        data = [None, ROWS, "text", ["label"], "train-all", 50, 0, None, None]
        answer = await page.http.post(f"{API}/run/train", json={"data": data})
        tokens += answer.json()["data"] if answer.is_success else []
    answers: Counter[int] = Counter()
    sessions = [f"follower{number}" for number in range(210)]
    async with _client(url) as http, _listening(url, sessions):
        for session in sessions:
            body = {"fn_index": follow, "data": tokens[-1:] or [None], "session_hash": session}
            answers[(await http.post(f"{API}/queue/join", json=body)).status_code] += 1
            if over.is_set():
                break
        await over.wait()
        for token in tokens:
            await http.post(f"{API}/run/stop", json={"data": [token]})
    await page.close()
    return answers


async def compare_long_sentences(url: str, over: asyncio.Event) -> Counter[int]:
    """Press Compare with 200 long sentences, in a loop on sixty connections."""
    page = await PageClient(url, ADDRESS).open()
    ids = {each["props"].get("elem_id"): each["id"] for each in page.config["components"]}
    compare = next(
        each
        for each in page.config["dependencies"]
        if [ids["compare-go"], "click"] in [list(target) for target in each["targets"]] and each["backend_fn"]
    )
    counted = iter(range(10**9))
    sessions = [f"comparer{number}" for number in range(50)]
    async with _client(url) as http, _listening(url, sessions):

        async def send() -> int:
            number = next(counted)
            text = "\n".join(f"{number} {line} {LONG[:400]}" for line in range(200))
            data = [text if each == ids["compare-text"] else "" for each in compare["inputs"]]
            body = {"fn_index": compare["id"], "data": data, "session_hash": sessions[number % 50]}
            return (await http.post(f"{API}/queue/join", json=body)).status_code

        answers = await _repeat([send] * CONNECTIONS, over)
    await page.close()
    return answers


async def embed_long_sentences(url: str, over: asyncio.Event) -> Counter[int]:
    """Make eight calls at once with a thousand sentences of a thousand characters."""
    counted = iter(range(10**9))
    async with _client(url) as http:

        async def send() -> int:
            number = next(counted)
            body = {"data": [[f"{number} {line} {LONG}"[:1_000] for line in range(1_000)], ""]}
            return (await http.post(f"{API}/run/predict", json=body)).status_code

        return await _repeat([send] * 8, over)


async def call_and_not_fetch(url: str, over: asyncio.Event) -> Counter[int]:
    """Start calls as quickly as possible, and fetch no answer."""
    async with _client(url) as http:

        async def send() -> int:
            return (await http.post(f"{API}/call/run", json={"data": ["nobody's"]})).status_code

        return await _repeat([send] * 20, over)


async def draw_large_maps(url: str, over: asyncio.Event) -> Counter[int]:
    """Draw eight maps at once, of 20,000 long sentences each, again and again; counts those that were drawn."""
    answers: Counter[int] = Counter()

    async def draw(which: int) -> None:
        rows = "".join(f"{which} {number} {LONG[:600]}\n" for number in range(20_000))
        own = await PageClient(url, ADDRESS).open()
        try:
            own["map-upload"] = await own.upload("long.csv", f"text\n{rows}".encode())
            await own.do("map-upload", "change")
            own["map-source"], own["map-method"] = "file", "PCA"
            while True:
                await own.do("map-go", "click")
                answers[200] += 1
        finally:
            await own.close()

    tasks = [asyncio.create_task(draw(which)) for which in range(8)]
    await over.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return answers


ATTACKS: dict[str, Attack] = {
    "210 events that follow one run": follow_one_run,
    "Compare with 200 long sentences, in a loop": compare_long_sentences,
    "calls whose answers nobody fetches": call_and_not_fetch,
    "calls of 1,000 sentences of 1,000 characters": embed_long_sentences,
    "eight maps at once of 20,000 long sentences": draw_large_maps,
}


class Victim:
    """An honest visitor who predicts over the API and looks at a page, from another address than the attacks."""

    def __init__(self, url: str, address: str = "127.0.0.1") -> None:
        self.page = PageClient(url, address)
        self._count = 0

    async def predict(self) -> None:
        """Have one sentence predicted that was not predicted before."""
        self._count += 1
        answer = await self.page.http.post(
            f"{API}/run/predict", json={"data": [[f"This is sentence {self._count} of an honest visitor."], ""]}
        )
        answer.raise_for_status()
        json.dumps(answer.json()["data"][0][0]["topic"])

    async def press(self) -> None:
        """Press the button that predicts on the page, and wait for the answer."""
        self._count += 1
        self.page["predict-text"] = f"This is sentence {self._count} of somebody at the page."
        await self.page.do("predict-go", "click")
