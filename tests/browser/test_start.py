"""The Start tab, where a new visitor begins: it leads to the other tabs, and all of them are in reach."""

import pytest

from tests.browser.conftest import Host
from tests.browser.visitor import TABS


def test_a_new_visitor_begins_at_the_start_and_is_led_to_their_own_file(visit) -> None:
    visitor = visit(tab="Start")
    page = visitor.page
    assert page.is_visible("#start-demo")
    assert not page.is_visible("#start-panel")
    page.click("#start-own")
    page.wait_for_selector("#train-upload", state="visible")
    for tab in ("compare", "train", "scenarios"):
        visitor.tab("Start")
        page.click(f".picture[data-key={tab}]")
        page.wait_for_selector(f"#tab-{tab}", state="visible")


@pytest.mark.parametrize("width", [390, 820, 1280, 1920])
def test_every_tab_is_in_reach_at_every_width(visit, width: int) -> None:
    visitor = visit(width, tab="Start")
    shown = visitor.page.locator("#tabs [role=tab]:visible")
    assert set(shown.all_inner_texts()) == set(TABS)
    assert not visitor.page.is_visible("#tabs .overflow-menu > button")
    assert visitor.too_wide() == []


@pytest.mark.slow  # two runs of the default encoder; tests/ui/start/test_demo.py runs the demo on a tiny one each time
def test_the_demo_runs_and_its_run_is_shown_with_every_layer(visit, host: Host) -> None:
    visitor = visit(tab="Start")
    page = visitor.page
    page.click("#start-demo")
    page.wait_for_selector(".demo-steps .running")
    page.wait_for_selector(".demo-result")
    visitor.reload()
    page.wait_for_selector(".demo-result")
    page.click("#start-see")
    page.wait_for_selector("#train-status .finished")
