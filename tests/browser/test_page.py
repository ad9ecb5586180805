from tests.browser.visitor import Visitor

THEMES = ("light", "dark")


def test_the_first_sight_is_a_result_in_the_colours_of_the_theme(visit) -> None:
    colours = set()
    for theme in THEMES:
        visitor = visit(theme=theme)
        assert visitor.plot("#compare-map")["points"] == [8]
        assert visitor.page.locator("#compare-ranking tbody tr").count() > 1
        colours.add(visitor.page.evaluate("getComputedStyle(document.querySelector('#compare-map .xtick text')).fill"))
    assert len(colours) == 2


def test_sentences_are_compared_as_typed(visit) -> None:
    page = visit().page
    evil = "<img src=x onerror=alert(1)> <b>bold</b>"
    page.fill("#compare-text textarea", f"{evil}\nA dog barks.\nA hound is barking.")
    page.click("#compare-go")
    page.wait_for_function("document.querySelector('#compare-pairs').innerText.includes('hound')")
    closest = page.inner_text("#compare-pairs tbody tr:first-child")
    assert "A dog barks." in closest
    assert "A hound is barking." in closest
    assert evil in page.inner_text("#compare-numbers")
    page.wait_for_function(
        "document.querySelector('#compare-map .yaxislayer-above').textContent.includes('1. <img src')"
    )


def test_the_map_shows_the_sample_and_ones_own_sentences(visit) -> None:
    visitor = visit()
    visitor.tab("Map")
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


def test_a_page_that_is_loaded_again_opens_where_it_was(visit) -> None:
    visitor = visit(390)  # whose last tabs are in a menu; the next test does the same at full width
    for name in ("Guide", "Compare"):
        visitor.tab(name)
        visitor.reload()
        visitor.page.wait_for_selector(f"#tab-{name.lower()}", state="visible")


def test_a_second_tab_opens_where_its_visitor_was_last_and_moves_no_other(visit) -> None:
    visitor = visit()
    visitor.tab("Guide")
    second = Visitor(visitor.page.context.new_page())
    second.page.goto(visitor.page.url)
    second.page.wait_for_selector("#tab-guide", state="visible")
    second.tab("Predict")
    visitor.reload()
    visitor.page.wait_for_selector("#tab-guide", state="visible")
    assert second.errors == []


def test_both_heads_answer(visit) -> None:
    visitor = visit()
    visitor.tab("Predict")
    visitor.page.click("#predict-go")
    visitor.page.wait_for_selector(".prediction")
    first = visitor.page.locator(".prediction").first
    assert first.locator("h3").all_inner_texts() == ["topic", "sentiment"]
    assert first.locator("li span").first.inner_text() == "sports"


def test_a_file_comes_back_with_predictions(visit, tmp_path) -> None:
    visitor = visit()
    visitor.tab("Predict")
    (tmp_path / "mine.csv").write_text("review\nI love this place\nThe worst meal ever\n")
    page = visitor.page
    page.set_input_files("#predict-upload input[type=file]", tmp_path / "mine.csv")
    page.wait_for_selector("#predict-column")
    page.click("#predict-file")
    with page.expect_download() as download:
        page.locator("#predict-result a[download]").first.click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "review,predicted topic,probability topic,predicted sentiment,probability sentiment"
    assert [line.split(",")[3] for line in lines[1:]] == ["positive", "negative"]


def test_tabs_are_reached_by_arrow_keys(visit) -> None:
    page = visit().page
    page.focus("[role=tab]:text-is('Compare')")
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Map"
    page.keyboard.press("End")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Guide"
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Compare"
