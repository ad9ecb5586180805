import pytest
from playwright.sync_api import Page

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def test_a_run_is_followed_live_found_again_and_used(visit) -> None:
    visitor = visit()
    visitor.tab("Train")
    visitor.take_sample()
    visitor.start()
    page = visitor.page
    drawn = visitor.plot("#train-loss")
    assert drawn["names"] == ["topic train", "topic validation", "sentiment train", "sentiment validation"]
    assert visitor.wait_until_over() == "finished"
    page.wait_for_function("document.querySelector('#train-loss .figure').data[1].x.length === 21")
    assert sum("unchanged" in text for text in page.locator("#train-layers .moved").all_inner_texts()) == 7
    page.reload()
    visitor.tab("Train")
    assert visitor.wait_until_over() == "finished"
    assert len(visitor.plot("#train-loss")["names"]) == 4
    page.click("#train-use")
    page.wait_for_selector("#predict-go")
    page.click("#predict-go")
    page.wait_for_selector(".prediction")
    assert page.locator("#predict-model label.selected").inner_text() == "My trained run"


def zoom_in(page: Page) -> None:
    """Drag over the middle of the loss plot."""
    page.locator("#train-loss").scroll_into_view_if_needed()
    box = page.locator("#train-loss .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=4)
    page.mouse.up()


def test_the_plot_is_updated_in_place_and_stop_keeps_the_best_model(visit) -> None:
    visitor = visit()
    visitor.tab("Train")
    visitor.take_sample()
    visitor.choose("Train everything")
    visitor.start()
    page = visitor.page
    first = visitor.plot("#train-loss")
    page.evaluate("document.querySelector('#train-loss .figure').dataset.mark = 'mine'")
    page.locator("#train-loss .legendtoggle").last.click()
    zoom_in(page)
    zoomed = visitor.plot("#train-loss")["range"]
    assert zoomed != first["range"]
    grown = first["points"][0] + 3
    page.wait_for_function(f"document.querySelector('#train-loss .figure').data[0].x.length >= {grown}")
    page.wait_for_timeout(600)  # a double click in the legend would show one curve alone
    later = visitor.plot("#train-loss")
    assert page.get_attribute("#train-loss .figure", "data-mark") == "mine"
    assert later["hidden"][-1]
    assert later["range"] == zoomed
    page.click("#train-stop")
    assert visitor.wait_until_over() == "stopped"
    page.wait_for_selector("#train-story li")
    page.click("#train-pack")
    with page.expect_download(timeout=60_000) as download:
        page.click("#train-download:visible")
    assert download.value.suggested_filename.endswith("mtst-model.zip")


def test_measuring_without_training_draws_no_loss(visit) -> None:
    visitor = visit(width=390)
    visitor.tab("Train")
    visitor.take_sample()
    visitor.choose("Freeze everything")
    visitor.page.click("#train-start:enabled")
    assert visitor.wait_until_over() == "finished"
    assert "measured, nothing was trained" in visitor.page.inner_text("#train-status")
    assert "zero-shot" in visitor.page.inner_text("#train-scores")
    assert not visitor.page.is_visible("#train-loss")
    visitor.page.wait_for_selector("#train-story li")
    assert visitor.too_wide() == []


def test_a_hostile_file_is_shown_as_typed_and_runs_nothing(visit, tmp_path) -> None:
    rows = "".join(f'"{EVIL} sentence {k} of some length","{EVIL}{k % 2}",a{k % 3}\n' for k in range(24))
    (tmp_path / "evil.csv").write_text(f'text,"{EVIL}",b\n{rows},x,y\n')
    visitor = visit()
    visitor.tab("Train")
    page = visitor.page
    page.set_input_files("#train-upload input[type=file]", tmp_path / "evil.csv")
    page.wait_for_selector("#train-report .labels")
    assert EVIL in page.inner_text("#train-report h3 >> nth=0")
    assert "1 skipped" in page.inner_text("#train-report")
    visitor.start()
    assert visitor.wait_until_over() == "finished"
    assert EVIL in page.inner_text("#train-scores")
    assert page.locator("#tab-train img[src=x], #train-report script").count() == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("binary.csv", bytes(range(256)), "not a text file"),
        ("ragged.csv", b"a,b\n1,2,3\n", "no rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(visit, tmp_path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    visitor = visit()
    visitor.tab("Train")
    visitor.page.set_input_files("#train-upload input[type=file]", tmp_path / name)
    assert message in visitor.page.inner_text("#tab-train [role=alert]")
    assert visitor.page.is_disabled("#train-start")


def test_another_visitor_does_not_see_the_run(visit) -> None:
    visitor = visit()
    visitor.tab("Train")
    assert "Ready to train" in visitor.page.inner_text("#train-status")
    assert visitor.page.is_disabled("#train-start")
