"""A comparison of scenarios as a visitor makes it."""

import re
from pathlib import Path

CHOSEN = {"freeze-encoder", "freeze-all"}


def test_scenarios_are_compared_reopened_and_kept(visit, few_rows: Path) -> None:
    visitor = visit()
    page = visitor.page
    visitor.tab("Scenarios")
    page.wait_for_selector("#scenarios-data:has-text('600')")
    visitor.tab("Train")
    visitor.upload(few_rows)
    visitor.tab("Scenarios")
    page.wait_for_selector("#scenarios-data:has-text('few.csv')")
    for tick in page.locator("#scenarios-keys label").all():
        if tick.locator("input").get_attribute("name") not in CHOSEN:
            tick.click()
    page.wait_for_selector("#scenarios-start:has-text('Compare 2 scenarios · about')")
    page.click("#scenarios-start")
    page.wait_for_selector("#scenarios-status .finished")
    assert page.locator("#scenarios-ranking li").count() == len(CHOSEN)
    page.click("#scenarios-numbers > button")
    page.wait_for_selector("#scenarios-table tbody tr")
    assert page.locator("#scenarios-table tbody tr").count() == len(CHOSEN) + 2  # and two baselines
    assert re.search(
        r"few\.csv.*5-fold cross-validation on all \d+ rows", page.inner_text("#scenarios-answer"), re.DOTALL
    )
    assert page.evaluate("document.querySelector('#scenarios-curves .figure').data.length") == 2
    assert page.is_visible("#scenarios-learning")
    downloads: list[str] = []
    page.on("download", lambda download: downloads.append(download.suggested_filename))
    with page.expect_event("download", lambda _: len(downloads) == 2):
        page.click("#scenarios-save")
    assert sorted(downloads) == ["comparison.html", "comparison.json"]
    page.click("#scenarios-share")
    with page.expect_download() as saved:
        page.click("#scenarios-card [data-save=png]")
    assert saved.value.suggested_filename == "mtst-result.png"
    visitor.reload()
    visitor.tab("Scenarios")
    page.wait_for_selector("#scenarios-status .finished")
    page.set_viewport_size({"width": 390, "height": 900})
    assert visitor.too_wide() == []
    page.click("#scenarios-train")
    page.wait_for_selector("#train-status .finished")  # a run of its own, on the rows that were compared
    visitor.tab("Scenarios")
    page.click("#scenarios-delete")
    page.wait_for_selector("#scenarios-status .ready")
    page.wait_for_selector("#scenarios-ranking", state="hidden")
