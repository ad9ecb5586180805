"""What a link to the page shows elsewhere."""

from html.parser import HTMLParser
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from mtst.assets import ASSETS
from mtst.ui.server.link_preview import DESCRIPTION, TITLE


class Tags(HTMLParser):
    """The elements `meta` of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs) -> None:
        named = dict(attrs)
        if tag == "meta" and (key := named.get("property") or named.get("name")):
            self.found.append((key, named.get("content") or ""))


def tags_of(address: str, **headers: str) -> list[tuple[str, str]]:
    with urlopen(Request(address, headers={"Accept": "text/html"} | headers)) as answer:
        page = answer.read().decode()
    tags = Tags()
    tags.feed(page)
    return tags.found


def test_a_link_shows_our_title_words_and_picture_once(address: str) -> None:
    found = tags_of(address)
    keys = [key for key, _ in found]
    assert len(keys) == len(set(keys))
    tags = dict(found)
    assert (tags["og:title"], tags["og:description"], tags["description"]) == (TITLE, DESCRIPTION, DESCRIPTION)
    with urlopen(tags["og:image"]) as answer:
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.read() == (ASSETS / "preview.png").read_bytes()


def test_behind_a_proxy_the_picture_is_at_its_address(address: str) -> None:
    forwarded = {"X-Forwarded-Host": "example.org", "X-Forwarded-Proto": "https"}
    tags = dict(tags_of(address, **forwarded))
    assert urlparse(tags["og:image"])[:3] == ("https", "example.org", "/preview.png")
    hostile = dict(tags_of(address, **{"X-Forwarded-Host": 'a"><script>', "X-Forwarded-Proto": "https"}))
    assert hostile["og:title"] == TITLE
