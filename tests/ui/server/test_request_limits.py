"""The whole app in this process, asked over HTTP as anybody may ask it; what the network would see is listened to."""

import asyncio
import socket
import sys
from collections.abc import Iterator

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio import processing_utils
from gradio.routes import App

from mtst.ui.app import build_app, server_options
from mtst.ui.server import temporary_files
from mtst.ui.server.gradio_patches import REFUSED, refuse_url_downloads
from mtst.ui.server.request_limits import RequestLimits
from mtst.ui.services.services import Services

OUTWARD: list[str] = []  # what was looked up, and the sockets that were made
ADDRESSES = ("https://example.com/table.csv", "http://example.com:81/", "https://127.0.0.1/x", "http://[::1]/x")


def _listen(event: str, arguments: tuple) -> None:
    if event == "socket.getaddrinfo" or (event == "socket.__new__" and arguments[1] != socket.AF_UNIX):
        OUTWARD.append(event)


sys.addaudithook(_listen)


@pytest.fixture(scope="module")
def app(services: Services) -> Iterator[App]:
    found = {name: getattr(processing_utils, name) for name in vars(processing_utils) if "ssrf_protected" in name}
    refuse_url_downloads()
    demo = build_app(services)
    demo.queue(api_open=False)
    demo.max_file_size = None  # what `launch` would set
    yield App.create_app(demo, app_kwargs=server_options(services, ["train", "embed"]))
    for name, function in found.items():
        setattr(processing_utils, name, function)


@pytest.fixture(scope="module")
def http(app: App) -> Iterator[TestClient]:
    with TestClient(app) as http:
        yield http


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_in_place_of_a_file_is_refused_before_it_is_looked_up(http, address) -> None:
    fields = [{"path": address, "meta": {"_type": "gradio.FileData"}, **more} for more in ({}, {"url": address})]
    for field in (*fields, {"nested": fields}):
        OUTWARD.clear()
        data = [field, "", "", None, "freeze-encoder", 1, 0, None, None]
        answer = http.post("/gradio_api/run/train", json={"data": data})
        assert answer.status_code == 500
        assert answer.json()["error"] == REFUSED
        assert OUTWARD == []


def test_what_fetches_for_a_field_of_the_page_refuses_too(app) -> None:
    place = next(block for block in app.get_blocks().blocks.values() if block.elem_id == "train-upload")
    for address in ADDRESSES:
        with pytest.raises(gr.Error, match=REFUSED):
            place.move_resource_to_block_cache(address)
        with pytest.raises(gr.Error, match=REFUSED):
            processing_utils.save_url_to_cache(address, place.GRADIO_CACHE)


@pytest.mark.parametrize(
    "address", [*ADDRESSES, "HTTPS://example.com/", "http%3A//example.com/", " https://a.example/"]
)
@pytest.mark.parametrize("root", ["", "/mtst"])
def test_no_address_is_passed_on_as_a_file(app, http, address, root, monkeypatch) -> None:
    monkeypatch.setattr(app, "root_path", root)
    for prefix in {"", root}:
        OUTWARD.clear()
        answer = http.get(f"{prefix}/gradio_api/file={address}")
        assert (answer.status_code, answer.json()) == (403, {"error": REFUSED})
        assert OUTWARD == []


def test_a_root_path_that_was_left_on_opens_nothing(app, http, monkeypatch) -> None:
    monkeypatch.setattr(app, "root_path", "/mtst")
    assert http.get("/mtst/health").json()["ok"]
    for prefix in ("", "/mtst"):
        assert http.post(f"{prefix}/gradio_api/run/follow", json={"data": []}).status_code == 404
        assert len(http.post(f"{prefix}/gradio_api/run/embed", json={"data": [["A cat."]]}).json()["data"]) == 1


def test_where_the_disk_is_nearly_full_no_upload_is_taken_and_all_else_goes_on(http, monkeypatch) -> None:
    files = {"files": ("mine.csv", b"text,label\nA cat.,a\n")}
    assert http.post("/gradio_api/upload", files=files).is_success
    monkeypatch.setattr(temporary_files, "RESERVED_BYTES", 1e18)
    answer = http.post("/gradio_api/upload", files=files)
    assert (answer.status_code, answer.text) == (507, temporary_files.NO_ROOM)
    assert http.post("/gradio_api/run/embed", json={"data": [["A cat."]]}).is_success


@pytest.mark.parametrize(("path", "taken"), [("/gradio_api/upload", 3), ("/gradio_api/run/embed", 9)])
def test_an_upload_ends_where_the_disk_fills_up_meanwhile(monkeypatch, path, taken) -> None:
    came: list[str] = []

    async def app(_scope, receive, _send) -> None:
        while (message := await receive())["type"] == "http.request" and len(came) < 9:
            came.append(message["type"])
            if len(came) == 3:
                monkeypatch.setattr(temporary_files, "RESERVED_BYTES", 1e18)

    async def receive() -> dict:
        return {"type": "http.request", "body": b"x" * 10, "more_body": True}

    guard = RequestLimits(app, ["embed"], 1_000, 1_000)
    asyncio.run(guard({"type": "http", "path": path, "headers": []}, receive, None))
    assert len(came) == taken


@pytest.mark.parametrize(("name", "size"), [("run", 70_000), ("stop", 70_000), ("predict", 8_100_000)])
@pytest.mark.parametrize("route", ["call", "call/v2", "run", "api"])
def test_no_body_is_larger_than_what_its_endpoint_takes(name, size, route) -> None:
    reached: list[str] = []

    async def app(scope, _receive, _send) -> None:
        reached.append(scope["path"])

    async def ask(length: int) -> int:
        sent: list[dict] = []

        async def send(message: dict) -> None:
            sent.append(message)

        path = f"/gradio_api/{route}/{name}"
        headers = [(b"content-length", str(length).encode())]
        guard = RequestLimits(app, ["run", "stop", "predict"], 50_000_000, 50_000_000)
        await guard({"type": "http", "path": path, "headers": headers}, None, send)
        return sent[0]["status"] if sent else 200

    assert asyncio.run(ask(size)) == 413
    assert reached == []
    assert asyncio.run(ask(10_000)) == 200
