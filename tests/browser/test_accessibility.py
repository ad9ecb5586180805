"""Every tab, wide and light or narrow and dark: axe finds no problem, and nothing reaches over the edge."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.visitor import TABS

# What Gradio itself draws: the text in its upload area, its toasts, the tick for all of a list.
GRADIOS_OWN = [[".upload"], [".toast-wrap"], ["footer"], [".select-all-checkbox"]]


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_tab_is_accessible_and_fits(visit, few_rows, width: int, theme: str) -> None:
    visitor = visit(width, theme)
    for name in TABS:
        visitor.tab(name)
        if name == "Predict":
            visitor.page.click("#predict-go")
            visitor.page.wait_for_selector(".prediction")
        if name == "Train":
            visitor.upload(few_rows)
            visitor.page.click("#train-check:enabled")
            visitor.page.wait_for_selector("#train-doubt-3 label")
            visitor.choose("gradual")
            visitor.page.wait_for_selector("#train-schedule .main-svg")
        visitor.settle()
        assert visitor.too_wide() == [], name
        violations = Axe().run(visitor.page, context={"exclude": GRADIOS_OWN}).response["violations"]
        problems = [
            (violation["id"], node["target"], node["failureSummary"])
            for violation in violations
            for node in violation["nodes"]
        ]
        assert problems == [], name
