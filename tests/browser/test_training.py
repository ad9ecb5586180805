"""What is seen of a run: openings, rates and curves."""

from pathlib import Path

import pytest
from playwright.sync_api import Page


def test_gradual_unfreezing_is_drawn_before_and_while_it_runs(visit_train, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    visitor.choose("gradual")
    page = visitor.page
    visitor.set("epochs", "3")
    page.wait_for_selector("#train-schedule .xtick >> nth=2")
    wait_until_aligned(page, "#train-layers", "#train-schedule")
    visitor.start()
    page.wait_for_selector("#train-map .layer:has-text('opens in epoch 3')")
    page.wait_for_selector("#train-loss .main-svg")
    wait_until_aligned(page, "#train-map", "#train-loss")
    page.wait_for_selector("#train-map .lit:has-text('Block 4')")
    assert visitor.wait_until_over() == "finished"
    visitor.details("Layers")
    page.wait_for_selector("#train-story td:has-text('SHA-256')")
    assert page.locator("#train-story td:has-text('SHA-256')").count() == 5  # two heads and two blocks have opened


def edges(page: Page, layer_map: str, figure: str) -> list[list[list[int]]]:
    """Return the tops and bottoms of the rows of a layer map, and of the lanes of a figure, at one moment."""
    return page.evaluate(
        """parts => parts.map(part => {
            const boxes = [...document.querySelectorAll(part)].map(each => each.getBoundingClientRect());
            const found = boxes.filter(box => box.height > 10 && box.height < 60 && box.width > 4);
            const sides = found.map(box => [Math.round(box.top), Math.round(box.bottom)]);
            return [...new Map(sides.map(each => [each[0], each])).values()].sort((a, b) => a[0] - b[0]);
        })""",
        [f"{layer_map} .layer", f"{figure} .shapelayer path"],
    )


def wait_until_aligned(page: Page, layer_map: str, figure: str) -> None:
    """Wait until every row of the map has its lane, at the same height."""
    page.wait_for_selector(f"{figure} .shapelayer path", state="attached")
    for _ in range(20):
        rows, lanes = edges(page, layer_map, figure)
        if len(rows) == 9 and rows == lanes:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"The rows are at {rows}, the lanes at {lanes}.")


@pytest.mark.parametrize("width", [1280, 1920])
def test_the_lanes_go_on_beside_the_rows_of_the_map(visit_train, few_rows: Path, width: int) -> None:
    visitor = visit_train(few_rows, width=width)
    visitor.choose("gradual")
    page = visitor.page
    page.wait_for_selector("#train-schedule .main-svg")
    page.wait_for_selector("#train-layers .layer:has-text('opens in epoch 2')")
    wait_until_aligned(page, "#train-layers", "#train-schedule")
    left = page.locator("#train-layers .layer").first.bounding_box()
    right = page.locator("#train-schedule .figure").bounding_box()
    assert left["x"] + left["width"] < right["x"]


def test_learning_rates_are_suggested_and_used(visit_train, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    page = visitor.page
    page.click("#train-rates")
    page.wait_for_selector("#train-rates-curve .main-svg")
    page.click("#train-rates-use")
    suggested = page.inner_text("#train-rates-found b")
    page.wait_for_function(
        "rate => document.querySelector('#train-head_rate :is(input, textarea)').value === rate", arg=suggested
    )
    assert page.input_value("#train-encoder_rate :is(input, textarea)") == ""
    assert visitor.too_wide() == []


def zoom_in(page: Page) -> None:
    """Drag over the middle of the loss plot."""
    page.locator("#train-loss").scroll_into_view_if_needed()
    box = page.locator("#train-loss .xy > .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=4)
    page.mouse.up()


def test_the_plot_is_updated_in_place_and_stop_keeps_the_best_model(visit_train, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    visitor.choose("train-all")
    visitor.set("epochs", "10")
    visitor.set("batch_size", "8")  # short steps, each of them a point
    visitor.start()
    page = visitor.page
    first = visitor.plot("#train-loss")
    page.evaluate("document.querySelector('#train-loss .figure').dataset.mark = 'mine'")
    page.locator("#train-loss .legendtoggle").last.click()
    zoom_in(page)
    zoomed = visitor.plot("#train-loss")["range"]
    assert zoomed != first["range"]
    grown = first["points"][0] + 3
    page.wait_for_function(f"document.querySelector('#train-loss .figure').data[0].x.length >= {grown}")
    page.wait_for_function(  # plotly waits whether a click in the legend becomes a double click
        "document.querySelector('#train-loss .figure').data.some(trace => trace.visible === 'legendonly')"
    )
    later = visitor.plot("#train-loss")
    assert page.get_attribute("#train-loss .figure", "data-mark") == "mine"
    assert any(later["hidden"])
    assert later["range"] == zoomed
    page.click("#train-stop")
    assert visitor.wait_until_over() == "stopped"
    page.wait_for_selector("#train-result h2")
    page.click("#train-pack")
    with page.expect_download() as download:
        page.click("#train-download:visible")
    assert download.value.suggested_filename.endswith("mtst-model.zip")
