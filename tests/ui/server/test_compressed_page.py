"""The page of a real app, compressed for whoever takes it so."""

import gzip

import httpx2
import pytest

from tests.browser.conftest import Host


@pytest.mark.parametrize("path", ["", "config"])
def test_the_page_comes_in_a_tenth_of_its_bytes_and_is_the_same(host: Host, path: str) -> None:
    sizes, contents = [], []
    for accepted in ("identity", "gzip, deflate"):
        with httpx2.stream("GET", f"{host.url}{path}", headers={"Accept-Encoding": accepted}, timeout=60) as answer:
            raw = b"".join(answer.iter_raw())
            contents.append(raw if accepted == "identity" else gzip.decompress(raw))
            assert len(raw) == int(answer.headers["content-length"])
            assert ("Accept-Encoding" in answer.headers.get("vary", "")) == (accepted != "identity")
        sizes.append(len(raw))
    assert sizes[1] < sizes[0] / 5
    assert len(contents[0]) == len(contents[1])


def test_what_is_small_or_no_page_is_sent_as_it_is(host: Host) -> None:
    for path in ("health", "manifest.json"):
        assert "content-encoding" not in httpx2.get(f"{host.url}{path}", timeout=60).headers
