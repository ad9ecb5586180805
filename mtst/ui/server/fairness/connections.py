"""Bounds on connections: how many one address may hold, and how slowly a request may arrive.

An app that is open to the network without a proxy needs them: each connection takes one of the files that a process may
open, and a request that never ends keeps it. Behind a proxy that the host names, the proxy does this.
"""

import asyncio
import sys
import time
from collections import Counter
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http import auto

from mtst.ui.server.visitors import visitor_of

if sys.platform != "win32":
    import resource

PER_ADDRESS = 256  # thirty browsers open six each
RESERVED_FILES = 256  # that runs, models and downloads need
MAX_FILES, WINDOWS_FILES = 65_536, 8_192
LOOK_SECONDS = 5.0  # between two looks at a connection
HEADER_SECONDS = 15.0  # for the head of a request
BYTES_PER_SECOND = 1_000  # of a body, on average over a few looks
SLOW_LOOKS = 4  # in a row, after which a connection is ended

_open: Counter[str] = Counter()  # connections by address


def bound_connections() -> None:
    """Make uvicorn bound its connections, in all of this process, and open as many files as the system allows."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        allowed = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
        if soft < allowed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    protocol: Any = auto.AutoHTTPProtocol
    if not issubclass(protocol, _Bounded):
        setattr(auto, "AutoHTTPProtocol", type("BoundedProtocol", (_Bounded, protocol), {}))  # noqa: B010 (a class)


class _Bounded(asyncio.Protocol):
    """What is added to uvicorn's protocol, of which there is an instance for each connection."""

    def connection_made(self: Any, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._visitor = visitor_of({"client": self.client})
        self._head_since: float | None = time.monotonic()
        self._received, self._slow_looks = 0, 0
        _open[self._visitor] += 1
        self._look_task = self.loop.call_later(LOOK_SECONDS, self._look)
        if self._is_one_too_many():
            self.transport.abort()

    def _is_one_too_many(self: Any) -> bool:
        if len(self.connections) > _max_files() - RESERVED_FILES:
            return True
        trusted = ProxyHeadersMiddleware(self.app, self.config.forwarded_allow_ips).trusted_hosts
        is_proxy = self.client is not None and self.client[0] in trusted
        return _open[self._visitor] > PER_ADDRESS and not is_proxy

    def connection_lost(self: Any, error: Exception | None) -> None:
        self._look_task.cancel()
        _open[self._visitor] -= 1
        if not _open[self._visitor]:
            del _open[self._visitor]
        super().connection_lost(error)

    def data_received(self: Any, data: bytes) -> None:
        if self._head_since is None and self._awaits_head():
            self._head_since = time.monotonic()
        self._received += len(data)
        super().data_received(data)
        if not self._awaits_head():
            self._head_since = None

    def _awaits_head(self: Any) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _look(self: Any) -> None:
        """End the connection if the request on it arrives too slowly."""
        self._look_task = self.loop.call_later(LOOK_SECONDS, self._look)
        awaits_body = not self._awaits_head() and self.cycle.more_body and not self.flow.read_paused
        is_slow = awaits_body and self._received < BYTES_PER_SECOND * LOOK_SECONDS
        self._slow_looks = self._slow_looks + 1 if is_slow else 0
        self._received = 0
        is_late = self._head_since is not None and time.monotonic() - self._head_since > HEADER_SECONDS
        if is_late or self._slow_looks >= SLOW_LOOKS:
            self.transport.abort()


def _max_files() -> int:
    """Return how many files this process may open at once."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] if sys.platform != "win32" else WINDOWS_FILES
