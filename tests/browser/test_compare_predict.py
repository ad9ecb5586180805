"""Compare and Predict, all in one page: sorted tables, a file that is searched, labels, a file that comes back."""

EVIL = "<img src=x onerror=alert(1)>"


def test_pairs_are_sorted_by_keyboard(visitor) -> None:
    visitor.tab("Compare")
    page = visitor.page
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


def test_groups_follow_the_slider(visitor) -> None:
    visitor.tab("Compare")
    page = visitor.page
    page.wait_for_selector("#compare-groups :text-matches('^3 .* 2 ')")
    number = page.locator("#compare-least input[type=number]")
    number.fill("0.9")
    number.press("Tab")
    page.locator("#compare-least input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#compare-groups :text-matches(' 8 ')")


def test_sentences_are_compared_as_typed(visitor) -> None:
    visitor.tab("Compare")
    page = visitor.page
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


def test_without_a_run_only_the_starter_is_offered(visitor) -> None:
    choices = {"Compare": "#compare-second", "Map": "#map-model", "Predict": "#predict-model input[value=own]"}
    for tab, choice in choices.items():
        visitor.tab(tab)
        visitor.page.wait_for_selector(choice, state="hidden")


def test_a_file_is_embedded_once_and_searched(visitor, tmp_path) -> None:
    lines = ["text", "The plane was two hours late", "The soup was cold", EVIL, *(f"row {k}" for k in range(40))]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    visitor.tab("Compare")
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


def test_both_heads_answer(visitor) -> None:
    visitor.tab("Predict")
    visitor.page.click("#predict-go")
    visitor.page.wait_for_selector(".prediction")
    first = visitor.page.locator(".prediction").first
    assert first.locator("h3").all_inner_texts() == ["topic", "sentiment"]
    assert first.locator("li span").first.inner_text() == "sports"


def test_a_file_comes_back_with_predictions(visitor, tmp_path) -> None:
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


def test_tabs_are_reached_by_arrow_keys(visitor) -> None:
    visitor.tab("Compare")
    page = visitor.page
    page.focus("[role=tab]:text-is('Compare')")
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Map"
    page.keyboard.press("End")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Guide"
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Start"


def test_predictions_are_there_at_once_and_follow_what_is_typed(visitor) -> None:
    visitor.tab("Compare")
    visitor.tab("Predict")
    page = visitor.page
    page.wait_for_selector(".prediction")
    page.fill("#predict-text textarea", "The goalkeeper saved the match")
    page.wait_for_selector(".prediction .sentence:text-is('The goalkeeper saved the match')")
    assert page.locator(".prediction").count() == 1
