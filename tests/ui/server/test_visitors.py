"""Who counts as the same visitor, also where a proxy says who asks."""

import asyncio
import re
from types import SimpleNamespace

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mtst.ui.server.visitors import visitor_id
from tests.browser.conftest import ROOT


def name(host: str) -> str:
    return visitor_id(SimpleNamespace(client=SimpleNamespace(host=host)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0:0:0:5"),
        ("fe80::1%eth0", "fe80::2"),
        ("::1", "::2"),
        ("198.51.100.7", "::ffff:198.51.100.7"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_of_one_connection_are_one_visitor(one: str, other: str) -> None:
    assert name(one) == name(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("198.51.100.7", "198.51.100.8"),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8"),
        ("0.0.0.1", "::1"),
        ("a", "b"),
    ],
)
def test_others_are_others(one: str, other: str) -> None:
    assert name(one) != name(other)


def test_nobody_in_particular_has_no_name() -> None:
    assert [visitor_id(None), visitor_id(SimpleNamespace(client=None)), name("")] == [""] * 3


def seen(trusted: str, proxy: str, forwarded: str) -> str:
    """Return the address that the app sees where a proxy passes on what somebody has asked with such a header."""
    hosts: list[str] = []

    async def app(scope, _receive, _send) -> None:
        hosts.append(scope["client"][0])

    scope = {"type": "http", "client": (proxy, 80), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    asyncio.run(ProxyHeadersMiddleware(app, trusted)(scope, None, None))
    return hosts[0]


@pytest.mark.parametrize("forged", ["", "203.0.113.9, ", "10.1.1.1, ", "127.0.0.1, ", "x, , "])
def test_behind_a_proxy_as_the_readme_says_nobody_writes_their_own_address(forged: str) -> None:
    (network,) = re.findall(
        r"`FORWARDED_ALLOW_IPS`[^`]*`([^`]+)`", (ROOT / ".github" / "HOSTING.md").read_text(encoding="utf-8")
    )
    for trusted, proxy, inner in ((network, "10.16.3.80", ", 10.16.4.1"), ("127.0.0.1", "127.0.0.1", "")):
        assert seen(trusted, proxy, f"{forged}198.51.100.7") == "198.51.100.7"
        assert seen(trusted, proxy, f"{forged}198.51.100.7{inner}") == "198.51.100.7"
        assert seen(trusted, proxy, f"{forged}2001:db8::1") == "2001:db8::1"
        assert seen(trusted, "192.0.2.1", f"{forged}198.51.100.7") == "192.0.2.1"
