"""A proxy that serves an app under a path of its own, as nginx and Caddy do: it takes the path away and passes on."""

import asyncio
import threading
from contextlib import closing, suppress

ICON = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Serves `http://127.0.0.1:PORT` under `prefix`, in a thread of its own; one request a connection."""

    def __init__(self, port: int, prefix: str) -> None:
        self._target, self._prefix = port, prefix
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._open: set[asyncio.StreamWriter] = set()
        self.strays: list[str] = []  # what was asked for outside of the prefix

    def __enter__(self) -> "Proxy":
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        port = self._server.sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}{self._prefix}/"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            first, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, version = first.split(" ")
            if not path.startswith(f"{self._prefix}/"):
                icon = path == "/favicon.ico"  # a browser asks any host for it; the host's own, not the app's
                self.strays += [] if icon else [path]
                writer.write(ICON if icon else NOTHING)
                return
            kept = [line for line in headers if line and not line.lower().startswith("connection:")]
            kept += ["Connection: close", "X-Forwarded-Proto: http", "X-Forwarded-For: 10.9.8.7", "", ""]
            inner_reader, inner = await asyncio.open_connection("127.0.0.1", self._target)
            self._open.add(inner)
            with closing(inner):
                inner.write("\r\n".join([f"{method} {path[len(self._prefix) :]} {version}", *kept]).encode("latin-1"))
                sending = asyncio.create_task(_pass_on(reader, inner))
                await _pass_on(inner_reader, writer)
            writer.close()
            await sending


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
