from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import close_pages, open_page
from tests.browser.visitor import Visitor

EVIL = "<img src=x onerror=alert(1)>"
ROWS = [f'"we ate {dish} for {meal} {EVIL}",food' for dish in ("soup", "rice", "bread", "fish") for meal in range(4)]
ROWS += [
    f'"they won the {cup} after {hours} hours",<b>sports' for cup in ("cup", "league", "set") for hours in range(5)
]


def problems(visitor: Visitor, part: str) -> list[tuple]:
    found = Axe().run(visitor.page, context={"include": [[part]]})
    return [(each["id"], [node["target"] for node in each["nodes"]]) for each in found.response["violations"]]


def measure(visitor: Visitor, folder: Path) -> None:
    """Measure the untrained heads on rows of which about half are mistaken."""
    (folder / "mine.csv").write_text("text,kind\n" + "\n".join(ROWS) + "\n")
    visitor.tab("Train")
    visitor.upload(folder / "mine.csv")
    visitor.measure()
    visitor.details("Errors")
    visitor.page.wait_for_selector("#train-mistakes button[data-key]")


@pytest.fixture(scope="module")
def run(profiles, address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what a browser keeps of a finished run."""
    visitor = open_page(profiles(0), address)
    measure(visitor, tmp_path_factory.mktemp("rows"))
    token = visitor.token()
    close_pages(profiles(0))
    return token


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.slow)])
def test_a_label_is_explained_by_words_and_rows(visit, run, width: int, theme: str) -> None:
    visitor = visit(width, theme, stored=run)
    visitor.tab("Predict")
    page = visitor.page
    page.click("#predict-model label:has(input[value=own])")
    page.wait_for_function("!document.querySelector('#predict-text textarea').value.includes('central bank')")
    page.fill("#predict-text textarea", f"The team won the cup on penalties.\n{EVIL} is bad soup")
    page.click("#predict-go")
    page.wait_for_selector(".prediction")
    page.locator(".ask").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#predict-why .rows")
    assert "<b>sports" in page.inner_text("#predict-why h4")
    assert {"team", "won"} <= set(page.locator("#predict-why section:first-of-type mark.for bdi").all_inner_texts())
    assert page.evaluate("document.activeElement.matches('#predict-why .asked')")
    assert page.locator("#predict-why .rows li").count() == 5
    page.locator(".ask").nth(1).click()
    page.wait_for_function("t => document.querySelector('#predict-why .asked')?.innerText.startsWith(t)", arg=EVIL)
    page.wait_for_selector("#predict-why .rows")
    for summary in page.locator("#predict-why summary").all():
        summary.click()
    assert visitor.too_wide() == []
    visitor.settle()
    assert problems(visitor, "#predict-why") == []
    assert problems(visitor, "#predict-answer") == []


@pytest.mark.parametrize(("width", "theme"), [pytest.param(1280, "light", marks=pytest.mark.slow), (390, "dark")])
def test_a_cell_opens_its_sentences_by_click_and_by_key(visit, run, width: int, theme: str) -> None:
    visitor = visit(width, theme, stored=run)
    visitor.tab("Train")
    page = visitor.page
    page.wait_for_selector("#train-result h2")
    assert not page.is_visible("#train-loss")  # nothing was trained
    visitor.details("Errors")
    first = page.locator("#train-mistakes td.right button[aria-label*='food']").last
    count = int(first.inner_text().split()[0])
    first.click()
    page.wait_for_selector("#train-cell li")
    assert page.locator("#train-cell li").count() == count
    assert all(EVIL in text for text in page.locator("#train-cell li p:first-child").all_inner_texts())
    assert "food" in page.inner_text("#train-cell h3")
    assert first.get_attribute("aria-pressed") == "true"
    assert page.locator("#train-mistakes button[aria-pressed=true]").count() == 1
    assert page.locator("#train-mistakes button[tabindex='0']").count() == 1
    first.focus()
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.dataset.key") == page.get_attribute(
        "#train-mistakes button >> nth=0", "data-key"
    )
    page.keyboard.press("ArrowDown")
    assert page.locator("#train-mistakes button[tabindex='0']").count() == 1
    other = page.locator("#train-mistakes button[data-key$='|0']").first
    key = other.get_attribute("data-key")
    other.focus()
    page.keyboard.press("Space")
    page.wait_for_selector(f"#train-cell .asked[data-of='{key}']")
    assert "<b>sports" in page.inner_text("#train-cell h3")
    assert page.evaluate("document.activeElement.matches('#train-cell .asked')")
    for summary in page.locator("#train-errors summary").all()[1:]:
        summary.click()
    assert page.locator("#train-errors details[open] table").count() > 0
    assert visitor.too_wide() == []
    visitor.settle()
    assert problems(visitor, "#train-run-card") == []


def test_the_next_run_begins_with_no_cell_open_and_a_deleted_one_leaves_none(visit, tmp_path) -> None:
    visitor = visit()
    measure(visitor, tmp_path)
    page = visitor.page
    page.locator("#train-mistakes button").first.click()
    page.wait_for_selector("#train-cell li")
    token = page.evaluate("localStorage.getItem('mtst-run')")
    page.click("#train-start:enabled")
    page.wait_for_function("token => localStorage.getItem('mtst-run') !== token", arg=token)
    visitor.wait_until_over()
    page.wait_for_selector("#train-mistakes button[data-key]")
    page.wait_for_function("!document.querySelector('#train-cell li')")
    page.click("#train-delete")
    page.click("#train-delete-sure")
    page.wait_for_selector("#train-mistakes", state="hidden")
    assert page.locator("#train-errors li:visible").count() == 0
