"""The endpoints as programs reach them: over the client's library, plain HTTP and MCP, and nothing else beside them."""

import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from mtst.assets import SMALL_SAMPLE
from mtst.ui.server.gradio_patches import REFUSED

ENDPOINTS = {"embed", "similarity", "predict", "train", "compare", "run", "stop", "model"}
TEXTS = ["A cat sleeps.", "A dog barks.", "A hound is barking."]


@pytest.fixture(scope="module")
def client(address: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(address, verbose=False, download_files=tmp_path_factory.mktemp("downloads"), analytics_enabled=False)


@pytest.fixture(scope="module")
def http(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{address}gradio_api", timeout=240) as http:
        yield http


def test_exactly_the_endpoints_are_listed_typed_and_explained(http) -> None:
    for question in ("/info", "/info?all_endpoints=true"):
        info = http.get(question).json()
        assert set(info["named_endpoints"]) == {f"/{name}" for name in ENDPOINTS}
        assert info["unnamed_endpoints"] == {}
        for endpoint in info["named_endpoints"].values():
            assert len(endpoint["description"]) > 40
            assert all(each["type"] for each in (*endpoint["parameters"], *endpoint["returns"]))
            assert "request" not in {each["parameter_name"] for each in endpoint["parameters"]}
    paths = http.get("/openapi.json").json()["paths"]
    assert {path.split("/")[4] for path in paths if "/call/v2/" in path} == ENDPOINTS


def test_nothing_else_can_be_called_by_name(http, client) -> None:
    names = {each["api_name"] for each in client.config["dependencies"] if each["api_name"]} - ENDPOINTS
    assert len(names) > 20
    for name in names:
        for route in ("call", "call/v2", "run", "api"):
            assert http.post(f"/{route}/{name}", json={"data": []}).status_code == 404
        assert http.get(f"/call/{name}/{'a' * 32}").status_code == 404


@pytest.mark.slow
def test_the_clients_library_trains_and_takes_the_model_home(client) -> None:
    rows = client.predict(TEXTS, api_name="/embed")
    assert [len(row) for row in rows] == [384] * 3
    cosines = client.predict(sentences=TEXTS, api_name="/similarity")
    assert cosines[1][2] > cosines[0][2]
    token = client.predict(
        file=handle_file(str(SMALL_SAMPLE)), labels=["topic"], epochs=2, api_name="/train"
    )  # fmt: skip
    assert len(token) == 32
    state = client.predict(token, api_name="/run")
    while state["state"] in ("waiting", "running"):
        state = client.predict(token, api_name="/run")
    assert (state["state"], state["report"]["data"]["source"]) == ("finished", "sample-small.csv")
    assert client.predict(["What a wonderful goal!"], token, api_name="/predict")[0]["topic"]["label"] == "sports"
    with zipfile.ZipFile(client.predict(token, api_name="/model")) as archive:
        assert "mtst-model/heads.safetensors" in archive.namelist()
    with pytest.raises(AppError, match="not here any more"):
        client.predict(token[::-1], api_name="/run")


def test_an_uploaded_file_leaves_gradios_cache_as_it_is_read(host, http) -> None:
    content = "text,label\n" + "\n".join(f"a {'good' if n % 2 else 'bad'} line {n},{n % 2}" for n in range(30))
    (path,) = http.post("/upload", files={"files": ("mine.csv", content.encode())}).json()
    field = {"path": path, "meta": {"_type": "gradio.FileData"}}
    answer = http.post("/run/train", json={"data": [field, "", "", None, "freeze-encoder", 1, 0, None, None]}).json()
    assert len(answer["data"][0]) == 32
    assert not Path(path).exists()
    assert http.get(f"/file={path}").is_error
    http.post("/run/stop", json={"data": answer["data"]})


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "https://127.0.0.1/x.csv", "../runs/x/data.json"])
def test_no_file_is_read_that_was_not_uploaded(http, path) -> None:
    field = {"path": path, "meta": {"_type": "gradio.FileData"}}
    answer = http.post("/run/train", json={"data": [field, "", "", None, "freeze-encoder", 1, 0, None, None]})
    assert answer.is_error
    assert "root:" not in answer.text


def test_an_address_is_neither_fetched_nor_passed_on(http) -> None:
    field = {"path": "https://example.com/x.csv", "meta": {"_type": "gradio.FileData"}}
    answer = http.post("/run/train", json={"data": [field, "", "", None, "freeze-encoder", 1, 0, None, None]})
    assert answer.json()["error"] == REFUSED
    assert http.get("/file=https://example.com/x.csv").json() == {"error": REFUSED}


def events(http, name: str, arguments: dict) -> list[tuple[str, object]]:
    """Ask by POST, fetch by GET; return the kinds of the events with their data."""
    event = http.post(f"/call/v2/{name}", json=arguments).json()["event_id"]
    lines = http.get(f"/call/{name}/{event}").text.strip().split("\n\n")
    return [(one.split("\n")[0][7:], json.loads(one.split("\n")[1][6:])) for one in lines]


def test_plain_http_is_answered_and_errors_are_explained(http) -> None:
    ((kind, data),) = events(http, "predict", {"sentences": ["What a wonderful goal!"]})
    assert (kind, data[0][0]["topic"]["label"]) == ("complete", "sports")
    ((kind, data),) = events(http, "embed", {"sentences": []})
    assert kind == "error"
    assert "between 1 and 1,000" in str(data)
    direct = http.post("/run/embed", json={"data": [TEXTS]})
    assert len(direct.json()["data"][0]) == 3
    wrong = http.post("/run/run", json={"data": ["no such token"]})
    assert wrong.status_code == 500
    assert "not here any more" in wrong.json()["error"]


def test_what_is_larger_than_an_upload_may_be_is_not_taken(http) -> None:
    large = b'{"data": [["' + b"x" * 42_000_000 + b'"]]}'
    head = {"content-type": "application/json"}
    assert http.post("/run/embed", content=large, headers=head).status_code == 413
    pieces = (large[first : first + 1_000_000] for first in range(0, len(large), 1_000_000))
    with suppress(httpx2.TransportError):  # it may hang up
        assert http.post("/run/embed", content=pieces, headers=head).is_error
    assert http.post("/run/embed", json={"data": [["still there"]]}).is_success


def test_many_calls_at_once_of_one_address_do_not_keep_the_page_waiting(http, visit) -> None:
    answers: list[tuple[int, str]] = []

    def ask(number: int) -> None:
        texts = [f"This is sentence {n} of program {number}." for n in range(300)]
        answer = http.post("/run/embed", json={"data": [texts]})
        answers.append((answer.status_code, answer.json().get("detail", "")))

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    visitor = visit()
    assert visitor.plot("#compare-map")["points"] == [8]
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert answers.count((200, "")) >= 4
    refused = "Your network address has 4 calls under way, as many as allowed. Try again in 5 seconds."
    assert set(answers) <= {(200, ""), (429, refused)}


def test_there_are_no_mcp_tools_unless_the_host_says_so(http) -> None:
    assert http.get("/mcp/schema").status_code == 404
