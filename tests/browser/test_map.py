"""The map: points that are pressed, sentences that are chosen, a file, one's own sentences, a window that grows."""

import pytest

EVIL = "<img src=x onerror=alert(1)>"
FIGURE = "document.querySelector('#map-plot .figure')"


def wait_for_map(visitor, axis: str, count: int) -> None:
    visitor.page.wait_for_function(
        """([axis, count]) => {
            const plot = document.querySelector('#map-plot .figure');
            return plot?.data?.flatMap(t => [...t.x]).length === count && plot.layout.xaxis.title.text.startsWith(axis);
        }""",
        arg=[axis, count],
    )


def press_a_point(visitor, number: int) -> None:
    """Press the point of a number, as a mouse does."""
    x, y = visitor.page.evaluate(
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
    visitor.page.mouse.move(x, y)
    visitor.page.wait_for_function(f"{FIGURE}._hoverdata?.length")  # plotly has seen the mouse
    visitor.page.mouse.click(x, y)


def test_a_pressed_point_lists_its_neighbours_and_a_new_figure_has_no_mark(visit) -> None:
    visitor = visit(tab="Map")
    wait_for_map(visitor, "component 1", 400)
    page = visitor.page
    press_a_point(visitor, 7)
    page.wait_for_selector("#map-near tbody tr")
    assert page.inner_text("#map-near .caption").startswith("8. ")
    wait_for_map(visitor, "component 1", 401)  # the ring around it
    assert page.input_value("#map-menu input").startswith("8. ")
    page.click("#map-method label:has(input[value='t-SNE'])")
    wait_for_map(visitor, "t-SNE 1", 400)
    assert page.inner_text("#map-trust")


def test_a_sentence_is_chosen_by_keyboard_or_written(visit) -> None:
    visitor = visit(width=390, theme="dark")
    visitor.tab("Map")
    wait_for_map(visitor, "component 1", 400)
    page = visitor.page
    page.focus("#map-menu input")
    page.keyboard.type("12. ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#map-near tbody tr")
    page.fill("#map-sentence :is(input, textarea)", EVIL)
    page.press("#map-sentence :is(input, textarea)", "Enter")
    page.wait_for_function("text => document.querySelector('#map-near .caption').innerText.includes(text)", arg=EVIL)
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
    wait_for_map(visitor, "component 1", 30)
    names = page.evaluate(f"[...{FIGURE}.querySelectorAll('.legendtext')].map(each => each.textContent)")
    assert sorted(names) == ["<b>good</b>", "bad"]
    assert visitor.too_wide() == []


def test_the_map_shows_the_sample_and_ones_own_sentences(visit) -> None:
    visitor = visit(tab="Map")
    assert len(visitor.plot("#map-plot")["names"]) == 9
    page = visitor.page
    page.click("#map-source label:has(input[value=own])")
    page.wait_for_selector("#map-text textarea")
    page.wait_for_function("document.querySelector('#map-plot .figure').data.flatMap(t => t.x).length === 8")
    page.click("#map-method label:has(input[value='t-SNE'])")
    page.wait_for_function("document.querySelector('#map-plot .figure').layout.xaxis.title.text === 't-SNE 1'")


def test_a_legend_stays_above_its_figure_when_the_window_grows(visit) -> None:
    visitor = visit(390)
    visitor.tab("Map")
    visitor.plot("#map-plot")
    apart = """width => {
        const plot = document.querySelector('#map-plot .figure'), top = plot.getBoundingClientRect().top;
        const {_size: size, width: drawn} = plot._fullLayout;
        const legend = plot.querySelector('.legend').getBoundingClientRect();
        return drawn === plot.clientWidth && innerWidth === width && legend.bottom - top <= size.t + 1;
    }"""
    for width in (390, 1280, 390, 1280):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        visitor.page.wait_for_function(apart, arg=width)
