"""What a visitor does in the page, by element ids and keys rather than by the words that are shown."""

from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Page, TimeoutError

TABS = ("Start", "Compare", "Map", "Train", "Scenarios", "Predict", "Guide")


class Visitor:
    """A page, the errors in it, and the hosts that it talked to."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str | None] = set()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.hosts.add(urlparse(request.url).hostname))  # none for data: and blob:

    def reload(self) -> None:
        """Load the page anew; what the page that is left says of its unfinished requests is no error."""
        known = len(self.errors)
        self.page.reload(wait_until="commit")
        del self.errors[known:]
        self.page.wait_for_load_state()

    def tab(self, name: str) -> None:
        """Open a tab, through the menu where the width hides it."""
        tab = self.page.locator(f"[role=tab]:visible:text-is('{name}')")
        more = self.page.locator(".overflow-menu > button:visible")
        tab.or_(more).first.wait_for()  # after a reload the tabs take a moment
        if not tab.count():
            more.click()
            tab = self.page.locator(f".overflow-dropdown button:text-is('{name}')")
        tab.click()
        self.page.wait_for_selector(f"#tab-{name.lower()}", state="visible")

    def open_settings(self) -> None:
        """Open them early: Gradio makes the fields when first seen, and may drop what is typed that instant.

        Not as soon as the tab is seen: a page that finds its visitor's last run closes what the next run will do.
        """
        if not self.page.is_visible("#train-seed"):
            self.page.click("#train-settings button")
            self.page.wait_for_selector("#train-seed", state="visible")

    def details(self, name: str) -> None:
        """Open one of the tabs beside the layer map of a run."""
        tab = self.page.locator(f"#train-tabs [role=tab]:visible:text-is('{name}')")
        more = self.page.locator("#train-tabs .overflow-menu > button:visible")
        tab.or_(more).first.wait_for()
        if not tab.count():
            more.click()
            tab = self.page.locator(f"#train-tabs .overflow-dropdown button:text-is('{name}')")
        tab.click()
        self.page.wait_for_selector(f"#train-tab-{name.split('/')[0].lower()}", state="visible")

    def take_sample(self) -> None:
        self.open_settings()
        self.page.click("#train-sample")
        self.page.wait_for_selector("#train-report .labels")

    def upload(self, path: Path) -> None:
        self.open_settings()
        self.page.set_input_files("#train-upload input[type=file]", path)
        self.page.wait_for_selector("#train-report .labels")

    def choose(self, scenario: str) -> None:
        """Choose a scenario by its key."""
        if not self.page.is_visible(f"#train-scenario label:has(input[value='{scenario}'])"):
            self.page.click("#train-more")
        self.page.click(f"#train-scenario label:has(input[value='{scenario}'])")
        self.page.wait_for_selector(f"#train-scenario label.selected:has(input[value='{scenario}'])")

    def rows(self) -> list[str]:
        """Return how many rows of the upload were read, and how many are used."""
        return self.page.locator("#train-report p.report").first.locator("b").all_inner_texts()[:2]

    def set(self, name: str, value: str) -> None:
        """Type a setting."""
        self.page.fill(f"#train-{name} :is(input, textarea)", value)

    def open_layers(self) -> list[str]:
        """Return the names of the layer groups that the map shows as open, from the top down."""
        pressed = self.page.locator("#train-layers button[aria-pressed=true] .title").all_inner_texts()
        return [title.split("\n")[0].strip(", ") for title in pressed]

    def start(self) -> None:
        """Start a run, and wait until its status has replaced that of a run before."""
        page = self.page
        page.evaluate("document.querySelectorAll('#train-status *').forEach(part => (part.dataset.before = 'yes'))")
        page.click("#train-start:enabled")
        try:
            page.wait_for_selector("#train-status :is(.running, .validating, .finished):not([data-before])")
        except TimeoutError as error:
            status = page.inner_text("#train-status")
            raise AssertionError(f"The run has not begun. The page says {status!r}.") from error

    def measure(self) -> None:
        """Run the shortest run there is: nothing is trained."""
        self.choose("freeze-all")
        self.start()
        assert self.wait_until_over() == "finished"

    def wait_until_over(self) -> str:
        """Wait for the end of the run; return its state."""
        over = self.page.wait_for_selector("#train-status :is(.finished, .stopped, .failed, .interrupted)")
        return over.get_attribute("class").split()[-1]

    def settle(self) -> None:
        """Wait until colours have faded in."""
        self.page.wait_for_function("!document.getAnimations().some(a => a instanceof CSSTransition)")

    def token(self) -> dict[str, str]:
        """Return what the browser keeps of the run, to open the page with it elsewhere."""
        return {"mtst-run": self.page.evaluate("localStorage.getItem('mtst-run')")}

    def plot(self, selector: str) -> dict:
        """Return the names, the numbers of points and the range of x of a figure once it is drawn."""
        self.page.wait_for_selector(f"{selector} .main-svg")
        return self.page.evaluate(
            """selector => {
                const plot = document.querySelector(selector + ' .figure');
                return {
                    names: plot.data.map(trace => trace.name), points: plot.data.map(trace => (trace.x ?? []).length),
                    hidden: plot.data.map(trace => trace.visible === 'legendonly'), range: plot.layout.xaxis.range,
                };
            }""",
            selector,
        )

    def too_wide(self) -> list[str]:
        """Return what reaches over the edge of the window, or of its card without a way to scroll there."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('main, .card *')].filter(part => {
                const box = part.getBoundingClientRect();
                const edge = part.closest('.card')?.getBoundingClientRect().right ?? innerWidth;
                const scrolls = part.closest('.scroll, .sr, svg, .figure, pre, .tab-wrapper');
                return box.width && !scrolls && box.right > edge + 1;
            }).map(part => part.className || part.tagName)"""
        )
