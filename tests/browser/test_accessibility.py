import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.visitor import TABS

# What gradio itself draws and we cannot mend: the words in its upload area, its toasts, its tick for all of a list.
GRADIOS_OWN = [[".upload"], [".toast-wrap"], ["footer"], [".select-all-checkbox"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_of_ours(visit, theme: str) -> None:
    visitor = visit(theme=theme)
    for name in TABS:
        visitor.tab(name)
        if name == "Predict":
            visitor.page.click("#predict-go")
            visitor.page.wait_for_selector(".prediction")
        if name == "Train":
            visitor.take_sample()
            visitor.page.click("#train-check:enabled")
            visitor.page.wait_for_selector("#train-doubt-3 label")
            visitor.choose("Unfreeze from the top")
            visitor.page.wait_for_selector("#train-schedule .timeline")
        visitor.page.wait_for_timeout(700)  # colours fade in
        found = Axe().run(visitor.page, context={"exclude": GRADIOS_OWN})
        problems = [
            (violation["id"], node["target"], node["failureSummary"])
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]
        assert problems == [], name
