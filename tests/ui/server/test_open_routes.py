"""Which routes of Gradio can be reached, and what a link may bring along."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gradio.routes import App

from mtst.ui.app import build_app, server_options
from mtst.ui.services.services import Services

LINK = "a" * 43  # as Gradio names them
NEEDED = ("/config", "/gradio_api/info", "/gradio_api/openapi.json", "/health", "/manifest.json")
CLOSED = (
    "GET /gradio_api/deep_link?session_hash=a",
    "POST /gradio_api/component_server",
    "POST /gradio_api/component_server/",
    "POST /gradio_api/process_recording",
    "POST /gradio_api/vibe-edit",
    "GET /gradio_api/vibe-code",
    "GET /monitoring",
    "GET /monitoring/summary",
    "GET /gradio_api/proxy=http://127.0.0.1/",
    "POST /gradio_api/stream/abc",
    "GET /gradio_api/runs",
    "GET /gradio_api/app_id",
    "POST /login",
    "PUT /config",
    "GET /something/new",
)


@pytest.fixture(scope="module")
def app(services: Services) -> App:
    demo = build_app(services)
    demo.queue(api_open=False)
    demo.max_file_size = None  # what `launch` would set
    return App.create_app(demo, app_kwargs=server_options(services, ["embed"]))


@pytest.fixture(scope="module")
def http(app: App) -> Iterator[TestClient]:
    with TestClient(app) as http:
        yield http


@pytest.mark.parametrize("path", NEEDED)
def test_what_the_page_needs_is_open(http, path) -> None:
    assert http.get(path).status_code == 200


@pytest.mark.parametrize("request_line", CLOSED)
@pytest.mark.parametrize("root", ["", "/mtst"])
def test_everything_else_is_closed(app, http, request_line, root, monkeypatch) -> None:
    monkeypatch.setattr(app, "root_path", root)
    method, path = request_line.split()
    answer = http.request(method, f"{root}{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "There is nothing at this address."})


@pytest.mark.parametrize("name", ["deep_link", "deep%5Flink", "%64eep_link"])
def test_a_link_fills_in_nothing(app, http, name) -> None:
    config = http.get("/config").json()
    store = next(each for each in config["components"] if each["props"].get("storage_key") == "mtst-run")
    store["props"]["value"] = "somebody else's"
    folder = Path(app.uploaded_file_dir) / "deep_links" / LINK
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.json").write_text(json.dumps(config["components"]))
    answer = http.get(f"/config?a=1&{name}={LINK}&view=x")
    assert answer.status_code == 200
    assert "somebody else" not in answer.text
