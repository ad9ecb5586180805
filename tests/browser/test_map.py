"""The map: points that are pressed, a search, a lasso, a file, one's own sentences, a window that grows."""

import csv
from pathlib import Path

import pytest

EVIL = "<img src=x onerror=alert(1)>"
FIGURE = "document.querySelector('#map-plot .figure')"


def wait_for_map(visitor, axis: str, count: int) -> None:
    visitor.page.wait_for_function(
        """([axis, count]) => {
            const plot = document.querySelector('#map-plot .figure'), points = plot?.data?.filter(t => t.customdata);
            return points?.flatMap(t => [...t.x]).length === count && plot.layout.meta.axis === axis;
        }""",
        arg=[axis, count],
    )


def wait_for_rings(visitor, count: int) -> None:
    """Wait until so many points are ringed; a chosen one counts."""
    visitor.page.wait_for_function(
        f"count => new Set({FIGURE}.data.find(t => t.name === 'selected')?.x.filter(x => x !== null)).size === count",
        arg=count,
    )


def place_of(visitor, number: int) -> tuple[float, float]:
    """Return where the point of a number is on the screen."""
    return visitor.page.evaluate(
        """number => {
            const plot = document.querySelector('#map-plot .figure'), {xaxis, yaxis} = plot._fullLayout;
            const trace = plot.data.find(trace => trace.customdata?.includes(number));
            const k = trace.customdata.indexOf(number);
            plot.scrollIntoView({block: 'center'});
            const box = plot.getBoundingClientRect();
            return [box.x + xaxis._offset + xaxis.l2p(trace.x[k]), box.y + yaxis._offset + yaxis.l2p(trace.y[k])];
        }""",
        number,
    )


def test_points_are_pressed_searched_surrounded_and_kept(visit) -> None:
    visitor = visit(tab="Map")
    wait_for_map(visitor, "t-SNE 1", 400)
    page = visitor.page
    x, y = place_of(visitor, 7)
    page.mouse.move(x, y)
    page.wait_for_function(f"{FIGURE}._hoverdata?.length")  # plotly has seen the mouse
    page.mouse.click(x, y)
    page.wait_for_selector("#map-selected li")
    wait_for_rings(visitor, 11)  # itself and ten neighbours
    neighbour = page.inner_text("#map-selected li span")
    page.click("#map-selected button")
    page.wait_for_function("text => document.querySelector('#map-selected h3')?.innerText === text", arg=neighbour)
    page.fill("#map-search :is(input, textarea)", "goal")
    page.wait_for_selector("#map-save:visible")
    found = page.locator("#map-selected li").count()
    wait_for_rings(visitor, found)
    with page.expect_download() as download:
        page.click("#map-save")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        assert len([row for row in csv.DictReader(file) if "goal" in row["sentence"].lower()]) == found
    page.click(".plot-tools :text('Lasso')")
    x, y = place_of(visitor, 7)
    page.mouse.move(x - 9, y - 9)
    page.mouse.down()
    for to_x, to_y in ((9, -9), (9, 9), (-9, 9), (-9, -9)):
        page.mouse.move(x + to_x, y + to_y, steps=3)
    page.mouse.up()
    page.wait_for_selector("#map-selected h3:has-text('in this area')")
    with page.expect_download() as download:
        page.click("#map-plot [aria-label='Save the picture as PNG']")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.click("#map-method label:has(input[value='PCA'])")
    wait_for_map(visitor, "component 1 (4% of the variance)", 400)
    wait_for_rings(visitor, 0)
    assert page.inner_text("#map-trust")


def test_a_sentence_is_written_and_chosen_by_keyboard(visit) -> None:
    visitor = visit(width=390, theme="dark")
    visitor.tab("Map")
    wait_for_map(visitor, "t-SNE 1", 400)
    page = visitor.page
    page.fill("#map-search :is(input, textarea)", EVIL)
    page.press("#map-search :is(input, textarea)", "Enter")
    page.wait_for_function("text => document.querySelector('#map-selected h3')?.innerText.includes(text)", arg=EVIL)
    chosen = page.inner_text("#map-selected li span")
    page.focus("#map-selected li button")
    page.keyboard.press("Enter")
    page.wait_for_function("text => document.querySelector('#map-selected h3')?.innerText === text", arg=chosen)
    assert page.locator("#tab-map img[src=x]").count() == 0
    assert visitor.too_wide() == []


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.slow), 390])
def test_a_file_is_drawn_in_the_colours_of_its_columns(visit, tmp_path, width: int) -> None:
    rows = [f"{EVIL} sentence {k},{'<b>good</b>' if k % 2 else 'bad'}" for k in range(30)]
    (tmp_path / "mine.csv").write_text("\n".join(["text,mood", *rows]))
    visitor = visit(width)
    visitor.tab("Map")
    page = visitor.page
    page.click("#map-source label:has(input[value=file])")
    page.wait_for_selector("#tab-map .empty")
    page.set_input_files("#map-upload input[type=file]", tmp_path / "mine.csv")
    page.wait_for_selector("#tab-map :text-matches('30 ')")
    page.click("#map-go")
    wait_for_map(visitor, "t-SNE 1", 30)
    names = page.evaluate(f"[...{FIGURE}.querySelectorAll('.textpoint')].map(each => each.textContent)")
    assert sorted(names) == ["<b>good</b>", "bad"]
    assert visitor.too_wide() == []


def test_the_map_shows_the_sample_and_ones_own_sentences(visit) -> None:
    visitor = visit(tab="Map")
    assert len(visitor.plot("#map-plot")["names"]) == 10  # nine topics, and the trace of their names
    page = visitor.page
    page.click("#map-source label:has(input[value=own])")
    page.wait_for_selector("#map-text textarea")
    wait_for_map(visitor, "t-SNE 1", 8)
    page.click("#map-method label:has(input[value='PCA'])")
    page.wait_for_function(f"{FIGURE}.layout.meta.axis.startsWith('component 1')")


def test_a_legend_stays_above_its_figure_when_the_window_grows(visit) -> None:
    visitor = visit(820)
    visitor.tab("Map")
    visitor.plot("#map-plot")
    apart = """width => {
        const plot = document.querySelector('#map-plot .figure'), top = plot.getBoundingClientRect().top;
        const {_size: size, width: drawn} = plot._fullLayout;
        const legend = plot.querySelector('.legend')?.getBoundingClientRect();
        return legend && drawn === plot.clientWidth && innerWidth === width && legend.bottom - top <= size.t + 1;
    }"""
    for width in (820, 1280, 820, 1280):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        visitor.page.wait_for_function(apart, arg=width)
