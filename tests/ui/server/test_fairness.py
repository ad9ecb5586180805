"""A real app on this machine: what one address sends does not keep another from being answered."""

import asyncio

import pytest

from tests.browser.conftest import Host
from tests.support.attacks import ATTACKS, Attack, Victim

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
