"""What visitors send does not come into the log, whatever goes wrong with it."""

import asyncio

import pytest

from mtst.ui.server.private_log import describe
from tests.browser.conftest import Host
from tests.support.page_client import API, PageClient, RefusedError

SENT = "private-4711"


def test_a_real_app_logs_no_input_that_it_cannot_use(host: Host) -> None:
    async def send() -> None:
        page = await PageClient(host.url.rstrip("/")).open()
        for name in ("run", "train", "predict", "embed"):
            for data in ([], [SENT], [[SENT]], [{SENT: SENT}], [[SENT], {"path": SENT}] * 6):
                assert (await page.http.post(f"{API}/run/{name}", json={"data": data})).status_code in (200, 500)
        for number in [each["id"] for each in page.config["dependencies"] if each["backend_fn"]][:40:2]:
            for data in ([], [SENT], [SENT] * 50):
                try:
                    async with asyncio.timeout(1):
                        async for _ in page.call(number, data):
                            break
                except (RefusedError, TimeoutError):
                    pass
        await page.close()

    asyncio.run(send())
    log = host.log.read_text(encoding="utf-8")
    assert "ERROR mtst.ui.server.private_log" in log  # what cannot be used is told by its place
    assert SENT not in log


def test_too_few_inputs_are_told_to_whoever_sent_them(host: Host) -> None:
    async def send() -> None:
        page = await PageClient(host.url.rstrip("/")).open()
        answer = await page.http.post(f"{API}/run/predict", json={"data": [[SENT]]})
        assert (answer.status_code, answer.json()["error"]) == (500, "This takes 2 inputs, not 1.")
        await page.close()

    asyncio.run(send())


def test_an_error_is_described_with_its_causes_and_without_messages() -> None:
    def fail() -> None:
        try:
            int(SENT)
        except ValueError as error:
            raise KeyError(SENT) from error

    with pytest.raises(KeyError) as caught:
        fail()
    told = describe(caught.value)
    assert "builtins.KeyError, raised at" in told
    assert "builtins.ValueError, raised at" in told
    assert "in fail" in told
    assert SENT not in told
