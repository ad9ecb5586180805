"""What is there when the page has been loaded, and loaded again."""

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


def test_a_page_that_is_loaded_again_opens_where_it_was(visit) -> None:
    visitor = visit(390)  # whose last tabs are in a menu; the next test does the same at full width
    visitor.tab("Guide")
    visitor.reload()
    visitor.page.wait_for_selector("#tab-guide", state="visible")


def test_a_second_tab_opens_where_its_visitor_was_last_and_moves_no_other(visit) -> None:
    visitor = visit(tab="Guide")
    second = Visitor(visitor.page.context.new_page())
    second.page.goto(visitor.page.url)
    second.page.wait_for_selector("#tab-guide", state="visible")
    second.tab("Predict")
    visitor.reload()
    visitor.page.wait_for_selector("#tab-guide", state="visible")
    assert second.errors == []


def test_what_draws_figures_is_fetched_when_a_visitor_does_something(visit) -> None:
    visitor = visit(tab="Start")
    page = visitor.page
    visitor.reload()
    page.wait_for_selector("#start-demo", state="visible")
    page.wait_for_timeout(500)
    assert not page.evaluate("Boolean(window.Plotly)")
    page.keyboard.press("Tab")
    page.wait_for_function("window.Plotly")
