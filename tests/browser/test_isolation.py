"""A client that is not a browser gets nothing of another visitor's run, whatever it asks for."""

import asyncio
import io
import json
import threading
import zipfile
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.page_client import PageClient, RefusedError

MARK, OWN = "belongs-to-another", "column-of-ones-own"
ROUTES = (
    "config", "gradio_api/info", "gradio_api/queue/status", "monitoring", "monitoring/summary", "openapi.json", "docs",
    "gradio_api/openapi.json", "health", "gradio_api/startup-events", "gradio_api/app_id", "manifest.json", "",
)  # fmt: skip


@dataclass
class Owner:
    client: PageClient
    loop: asyncio.AbstractEventLoop

    @property
    def token(self) -> str:
        (run,) = (value for value in self.client.values.values() if isinstance(value, str) and len(value) == 32)
        return run

    def waits(self, what: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(120)


@pytest.fixture(scope="module")
def owner(host) -> Iterator[Owner]:
    """Somebody who has uploaded a file, trained on it and packed the model."""
    rows = [f"{MARK} text {n} {'good' if n % 2 else 'bad'},{MARK} {'a' if n % 2 else 'b'}" for n in range(40)]
    loop = asyncio.new_event_loop()  # in a thread of its own: Playwright has one in this thread
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    owner = Owner(PageClient(host.url), loop)
    client = owner.client
    owner.waits(client.open())
    client["train-upload"] = owner.waits(client.upload(f"{MARK}.csv", "\n".join(["text,label", *rows]).encode()))
    owner.waits(client.do("train-upload", "upload"))
    client["train-epochs"] = "2"
    owner.waits(client.do("train-start", "click"))
    assert "finished" in client["train-status"]
    assert MARK in client["train-scores"]
    owner.waits(client.do("train-pack", "click"))
    yield owner
    for run in host.runs.iterdir():  # asking all functions of the page starts a comparison too, which takes long
        owner.waits(client.http.post("/gradio_api/run/stop", json={"data": [run.name]}))
    owner.waits(client.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def answers(owner: Owner, url: str, values: dict[int, object], every: bool = True) -> list[str]:
    """Return the outputs of all functions of the page, or of those that take one of these values, to a new client."""

    async def ask() -> list[str]:
        client = await PageClient(url).open()
        outputs = []
        for dependency in client.config["dependencies"]:
            if not dependency["backend_fn"] or not (every or set(values) & set(dependency["inputs"])):
                continue
            data = [values.get(number, client.values.get(number)) for number in dependency["inputs"]]
            with suppress(RefusedError):
                outputs += [json.dumps(output) async for output in client.call(dependency["id"], data)]
        await client.close()
        return outputs

    return owner.waits(ask())


def test_the_log_tells_nothing_and_the_owner_has_the_model(owner, host) -> None:
    assert MARK not in host.log.read_text()
    assert owner.token not in host.log.read_text()
    model = owner.waits(owner.client.download(owner.client["train-download"]))
    assert any(name.endswith("mtst.json") for name in zipfile.ZipFile(io.BytesIO(model)).namelist())


def test_without_a_token_no_function_of_the_page_tells_anything(owner, host) -> None:
    outputs = answers(owner, host.url, {holder(owner): None})
    assert len(outputs) > 20
    assert not [output for output in outputs if MARK in output or owner.token in output]


def holder(owner: Owner) -> int:
    """Return the field of the page that holds the token, by its number."""
    return next(number for number, value in owner.client.values.items() if value == owner.token)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token[:31],
        lambda token: f"../runs/{token}",
        lambda token: f"{token}/",
        lambda token: f"{token}\n",
        lambda token: [token],
        lambda token: {"value": token},
        lambda token: "*" * 32,
        lambda token: True,
    ],
)
def test_a_wrong_token_tells_nothing(owner, host, change) -> None:
    outputs = answers(owner, host.url, {holder(owner): change(owner.token)}, every=False)
    assert len(outputs) > 4
    assert not [output for output in outputs if MARK in output or owner.token in output]


def fields(owner: Owner, *types: str) -> dict[int, str]:
    """Return the fields of the page that are of these types, by number."""
    components = owner.client.config["components"]
    found = {each["id"]: each["props"].get("elem_id") for each in components if each["type"] in types}
    assert len(found) > 4
    return found


def test_a_file_that_was_uploaded_is_read(owner, host) -> None:
    read = set()
    for number, elem_id in fields(owner, "file").items():
        field = owner.waits(owner.client.upload("own.csv", f"{OWN},label\n".encode() + b"a cat,a\na dog,b\n" * 9))
        outputs = answers(owner, host.url, {number: field}, every=False)
        read |= {elem_id for output in outputs if OWN in output}
    assert read == {"train-upload", "predict-upload", "map-upload", "search-upload"}


def test_no_function_reads_a_file_that_was_not_uploaded_to_it(owner, host) -> None:
    run = host.runs / owner.token
    files = [run / "data.json", run / "events.jsonl", host.log]
    assert all(file.exists() for file in files)
    for file in (*files, "/etc/passwd", "app.py"):
        field = {"path": str(file), "orig_name": "a.csv", "meta": {"_type": "gradio.FileData"}}
        outputs = answers(owner, host.url, dict.fromkeys(fields(owner, "file", "downloadbutton"), field), every=False)
        assert not [output for output in outputs if MARK in output or "root:" in output or owner.token in output]


def test_an_endpoint_cannot_stand_in_for_a_function_of_the_page(owner, host) -> None:
    """Gradio calls the function of the number in the body, whatever name stands in the address."""
    fields = {each["id"]: each["props"].get("elem_id") for each in owner.client.config["components"]}
    private = [each for each in owner.client.config["dependencies"] if each["api_visibility"] != "public"]
    answered, closed = set(), 0
    for each in private:
        if each["backend_fn"]:
            body = {"data": [None] * len(each["inputs"]), "fn_index": each["id"]}
            answer = owner.waits(owner.client.http.post("/gradio_api/run/embed", json=body))
            closed += answer.status_code == 404
            answered |= {fields[target] for target, _ in each["targets"] if answer.status_code != 404}
            assert MARK not in answer.text
    assert closed > 50
    assert answered == {"train-stop", "scenarios-stop", "train-rates-stop"}  # which ask for the token, as /stop does


def test_no_address_tells_anything(owner, host) -> None:
    for route in ROUTES:
        answer = owner.waits(owner.client.http.get(f"/{route}"))
        assert MARK not in answer.text
        assert owner.token not in answer.text


def test_nobody_has_touched_it_meanwhile(owner, host) -> None:
    assert (host.runs / owner.token / "best" / "mtst.json").is_file()
    model = owner.waits(owner.client.download(owner.client["train-download"]))
    assert zipfile.is_zipfile(io.BytesIO(model))


def test_what_its_owner_deletes_is_gone_with_its_download(owner, host) -> None:
    download, token = owner.client["train-download"], owner.token
    assert token not in download["path"]
    assert (host.runs / token).exists()
    owner.waits(owner.client.do("train-delete-sure", "click"))
    assert owner.waits(owner.client.http.get(f"/gradio_api/file={download['path']}")).status_code == 403
    assert not (host.runs / token).exists()
    assert not Path(download["path"]).exists()
