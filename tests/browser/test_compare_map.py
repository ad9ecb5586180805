"""Compare and Map in a browser: tables that are sorted, a file that is searched, points that are pressed."""

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
        timeout=120_000,
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


def test_pairs_are_sorted_by_keyboard(visit) -> None:
    page = visit().page
    page.click("#compare-pairs summary")
    heading = page.locator("#compare-pairs details th button").first
    heading.focus()
    cosines = []
    for _ in range(2):
        page.keyboard.press("Enter")
        cosines.append(
            [float(cell) for cell in page.locator("#compare-pairs details td:first-child").all_inner_texts()]
        )
    assert len(cosines[0]) == 28
    assert cosines[0] == sorted(cosines[0], reverse=True)
    assert cosines[1] == sorted(cosines[1])
    assert page.locator("#compare-pairs details th").first.get_attribute("aria-sort") == "ascending"


def test_groups_follow_the_slider(visit) -> None:
    page = visit().page
    page.wait_for_selector("#compare-groups :text-matches('^3 .* 2 ')")
    number = page.locator("#compare-least input[type=number]")
    number.fill("0.9")
    number.press("Tab")
    page.locator("#compare-least input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#compare-groups :text-matches(' 8 ')")


def test_without_a_run_the_second_encoder_says_what_to_do(visit) -> None:
    page = visit().page
    page.click("#compare-second label:has(input[value=own])")
    page.wait_for_selector("#compare-changed:visible")


def test_a_file_is_embedded_once_and_searched(visit, tmp_path) -> None:
    lines = ["text", "The plane was two hours late", "The soup was cold", EVIL, *(f"row {k}" for k in range(40))]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    visitor = visit()
    page = visitor.page
    page.set_input_files("#search-upload input[type=file]", tmp_path / "mine.csv")
    hint = page.inner_text("#search-result .quiet")
    page.click("#search-embed:enabled")
    page.wait_for_function("hint => document.querySelector('#search-result .quiet').innerText !== hint", arg=hint)
    assert "43 " in page.inner_text("#search-note")
    for query, first in (("delayed flight", "The plane was two hours late"), (EVIL, EVIL)):
        page.fill("#search-query :is(input, textarea)", query)
        page.press("#search-query :is(input, textarea)", "Enter")
        page.wait_for_function(
            "text => document.querySelector('#search-result tbody tr')?.innerText.includes(text)", arg=first
        )
    assert page.locator("#search-result tbody tr").count() == 20
    assert visitor.too_wide() == []


def test_a_pressed_point_lists_its_neighbours_and_a_new_figure_has_no_mark(visit) -> None:
    visitor = visit()
    visitor.tab("Map")
    wait_for_map(visitor, "component 1", 400)
    page = visitor.page
    press_a_point(visitor, 7)
    page.wait_for_selector("#map-near tbody tr")
    assert page.inner_text("#map-near .caption").startswith("8. ")
    wait_for_map(visitor, "component 1", 401)  # the ring around it
    assert page.input_value("#map-menu input").startswith("8. ")
    page.click("#map-method label:has(input[value=UMAP])")
    wait_for_map(visitor, "UMAP 1", 400)
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
