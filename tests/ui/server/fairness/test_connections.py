"""A small server on this machine, and connections to it that send too little or are too many."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.protocols.http import auto

from mtst.ui.server.fairness import connections
from mtst.ui.server.fairness.connections import bound_connections

ATTACKER, VISITOR = "127.0.0.2", "127.0.0.3"
HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n"


async def app(scope, receive, send) -> None:
    """Answer once the body is there."""
    if scope["type"] != "http":
        return
    while (message := await receive())["type"] == "http.request" and message["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "AutoHTTPProtocol", auto.AutoHTTPProtocol)  # it is as before afterwards
    for name, value in {"LOOK_SECONDS": 0.05, "HEADER_SECONDS": 0.3, "SLOW_LOOKS": 4, "PER_ADDRESS": 5}.items():
        monkeypatch.setattr(connections, name, value)
    bound_connections()


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        running = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        task = asyncio.create_task(running.serve([listener]))
        while not running.started:
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        running.should_exit = True
        await task
    assert not connections._open


async def ends(port: int, sent: bytes, more: bytes = b"", address: str = ATTACKER) -> bool:
    """Return whether the server ends a connection without an answer, on which something is sent now and then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(sent)
    try:
        for _ in range(100):
            try:
                return not await asyncio.wait_for(reader.read(1), 0.05)
            except TimeoutError:
                writer.write(more)
        return False
    except ConnectionError:
        return True
    finally:
        writer.close()


@pytest.mark.parametrize(("sent", "more"), [(b"", b""), (b"GET / HT", b"x"), (HEAD[:-2], b"a: b\r\n"), (HEAD, b"x")])
def test_a_request_that_arrives_too_slowly_ends_with_its_connection(sent: bytes, more: bytes) -> None:
    async def run() -> None:
        async with server() as port:
            assert await ends(port, sent, more)
            assert not await ends(port, HEAD + b"x" * 100)

    asyncio.run(run())


def test_one_address_has_so_many_connections_and_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 60.0)

    async def run() -> None:
        async with server() as port:
            held = [await asyncio.open_connection("127.0.0.1", port, local_addr=(ATTACKER, 0)) for _ in range(5)]
            assert await ends(port, HEAD + b"x" * 100)
            assert not await ends(port, HEAD + b"x" * 100, address=VISITOR)
            for _, writer in held:
                writer.close()
            await asyncio.sleep(0.1)
            assert not await ends(port, HEAD + b"x" * 100)

    asyncio.run(run())


def test_a_proxy_that_the_host_names_has_the_connections_of_all() -> None:
    async def run() -> None:
        async with server() as port:
            held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
            assert not await ends(port, HEAD + b"x" * 100, address="127.0.0.1")
            for _, writer in held:
                writer.close()

    asyncio.run(run())
