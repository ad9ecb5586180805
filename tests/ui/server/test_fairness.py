"""A real app on this machine: what one address sends does not keep another from being answered."""

import asyncio

import pytest

from tests.browser.conftest import Host
from tests.support.attacks import ADDRESS, ATTACKS, Attack, Victim, embed_long_sentences
from tests.support.page_client import API, PageClient

LEAD_SECONDS = 1.5  # that an attack is under way before the other visitor comes
PATIENCE_SECONDS = 120  # of the other visitor, for all that they do: a slow machine shall be slow


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=[attack.__name__ for attack in ATTACKS.values()])
def test_another_visitor_is_answered_without_an_error(host: Host, attack: Attack) -> None:
    async def visit() -> None:
        victim = Victim(host.url.rstrip("/"))
        over = asyncio.Event()
        attacking = asyncio.create_task(attack(host.url.rstrip("/"), over))
        try:
            await asyncio.sleep(LEAD_SECONDS)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await victim.page.open()
                for _ in range(2):
                    await victim.predict()
                    await victim.press()
        finally:
            over.set()
            await attacking
            await victim.page.close()

    asyncio.run(visit())


def test_the_work_of_somebody_who_has_left_is_dropped(host: Host) -> None:
    """Their calls would take minutes to the end, and their address could make no other until then."""

    async def visit() -> None:
        url = host.url.rstrip("/")
        over = asyncio.Event()
        attacking = asyncio.create_task(embed_long_sentences(url, over))
        await asyncio.sleep(LEAD_SECONDS)
        over.set()
        await attacking
        victim = Victim(url, ADDRESS)
        async with asyncio.timeout(PATIENCE_SECONDS / 6):
            while (await victim.page.http.post(f"{API}/run/predict", json={"data": [["Short."], ""]})).is_error:
                pass
        await victim.page.close()

    asyncio.run(visit())


def test_a_call_is_answered_whose_answer_is_fetched_a_moment_later(host: Host) -> None:
    async def visit() -> None:
        page = PageClient(host.url.rstrip("/"))
        for _ in range(2):
            event = (await page.http.post(f"{API}/call/predict", json={"data": [["Hello."], ""]})).json()["event_id"]
            await asyncio.sleep(LEAD_SECONDS)
            answer = await page.http.get(f"{API}/call/predict/{event}")
            assert "event: complete" in answer.text
        await page.close()

    asyncio.run(visit())
