"""A visitor without a browser: holds what the page's fields hold, and does over HTTP what their events do.

It speaks the protocol that the page itself speaks, private events included, as anybody on the network can.
"""

import json
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import httpx2
from gradio_client.utils import apply_diff

API = "/gradio_api"
PATIENCE = httpx2.Timeout(120.0)


class RefusedError(Exception):
    """The app has answered an event with an error."""


class PageClient:
    """One session of the page. `values` holds the value of each field by its number in the page."""

    def __init__(self, url: str, address: str = "127.0.0.1") -> None:
        transport = httpx2.AsyncHTTPTransport(local_address=address)
        self.http = httpx2.AsyncClient(base_url=url, transport=transport, timeout=PATIENCE)
        self.session = secrets.token_hex(8)

    async def open(self) -> Self:
        """Fetch the page and let it load, as a browser does."""
        (await self.http.get("/")).raise_for_status()
        self.config = (await self.http.get("/config")).raise_for_status().json()
        self.values = {each["id"]: each["props"].get("value") for each in self.config["components"]}
        self._ids = {each["props"].get("elem_id"): each["id"] for each in self.config["components"]}
        return self

    def __getitem__(self, elem_id: str) -> Any:
        return self.values[self._ids[elem_id]]

    def __setitem__(self, elem_id: str, value: object) -> None:
        self.values[self._ids[elem_id]] = value

    async def do(self, elem_id: str, event: str, seen: Callable[[], object] | None = None) -> None:
        """Do what an event of a field does, and what the page lets follow it.

        Args:
            elem_id: of the field.
            event: its name, such as "click".
            seen: is called whenever the fields have changed.

        Raises:
            RefusedError: the app has answered with an error.
        """
        target = [self._ids[elem_id], event]
        for dependency in self.config["dependencies"]:
            if target in [list(each) for each in dependency["targets"]]:
                await self._run(dependency, seen)

    async def _run(self, dependency: dict[str, Any], seen: Callable[[], object] | None) -> None:
        if dependency["backend_fn"]:
            data = [self.values.get(number) for number in dependency["inputs"]]
            async for output in self.call(dependency["id"], data):
                for number, value in zip(dependency["outputs"], output, strict=True):
                    self._take(number, value)
                if seen:
                    seen()
        for following in self.config["dependencies"]:
            if following["trigger_after"] == dependency["id"]:
                await self._run(following, seen)

    def _take(self, number: int, value: Any) -> None:
        if isinstance(value, dict) and value.get("__type__") == "update":
            if "value" in value:
                self.values[number] = value["value"]
        else:
            self.values[number] = value

    async def call(self, function: int, data: list[Any]) -> AsyncIterator[list[Any]]:
        """Call any function of the page by its number; yield its outputs, once or as often as it yields.

        Raises:
            RefusedError: the app has answered with an error.
        """
        body = {
            "fn_index": function,
            "data": data,
            "session_hash": self.session,
            "event_data": None,
            "trigger_id": None,
        }
        joined = await self.http.post(f"{API}/queue/join", json=body)
        if joined.is_error:
            raise RefusedError(f"{joined.status_code}: {joined.text[:300]}")
        event = joined.json()["event_id"]
        shown: list[Any] | None = None
        async for message in self._messages():
            if message.get("event_id") != event:
                continue
            output = message.get("output", {})
            if message["msg"] == "process_generating":
                fresh = output["data"]
                shown = fresh if shown is None else [apply_diff(*pair) for pair in zip(shown, fresh, strict=True)]
                yield shown
            elif message["msg"] == "process_completed":
                if not message["success"]:
                    raise RefusedError(str(output.get("error")))
                if shown is None:
                    yield output["data"]
                return

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        async with self.http.stream("GET", f"{API}/queue/data", params={"session_hash": self.session}) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    async def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file; return what a field holds of it then."""
        answer = await self.http.post(f"{API}/upload", files={"files": (name, content)})
        (path,) = answer.raise_for_status().json()
        return {
            "path": path, "orig_name": Path(name).name, "size": len(content), "meta": {"_type": "gradio.FileData"}
        }  # fmt: skip

    async def download(self, field: dict[str, Any]) -> bytes:
        """Fetch the file that a field holds."""
        return (await self.http.get(f"{API}/file={field['path']}")).raise_for_status().content

    async def close(self) -> None:
        await self.http.aclose()
