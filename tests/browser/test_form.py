"""The form: files that are hostile, odd or unusable; columns mapped anew, rows left out, layers, settings."""

import csv
import gzip
import json
from pathlib import Path

import openpyxl
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.data.table import read_table

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
HOSTILE = (
    EVIL,
    "$\\frac{a}{b}$ %{x} <b>bold</b>",
    "\u202eturned\u200f",
    "nul\0inside",
    "👩‍👩‍👧 {{7*7}}",
    "=1+1",
    "x" * 99_000,
)


def test_a_hostile_file_is_shown_as_typed_and_runs_nothing(visit_train, tmp_path) -> None:
    names = ("text", EVIL, "**b** [l](javascript:alert(3))", "\u202ethgir")
    rows = [
        (
            f"{HOSTILE[k % 7]} sentence {k} of some length",
            f"{EVIL}{k % 2}",
            "$x^2$" if k % 3 else "<i>a</i>",
            HOSTILE[k % 7],
        )
        for k in range(28)
    ]
    write(tmp_path / "<b>evil.csv", [names, *rows, (" ", "x", "y", "z")])
    visitor = visit_train(tmp_path / "<b>evil.csv")
    page = visitor.page
    assert EVIL in page.inner_text("#train-report h3 >> nth=0")
    assert "evil.csv" in page.inner_text("#train-report p >> nth=0")
    assert page.inner_text("#train-report .warn b") == "1"
    assert "nul␀inside" in page.inner_text("#train-report")
    page.click("#train-check")
    page.wait_for_selector("#train-findings:has-text('28')")
    visitor.set("epochs", "2")
    visitor.start()
    assert visitor.wait_until_over() == "finished"
    assert "<img src=x onerror=" in page.locator("#train-loss .legendtext").first.text_content()
    visitor.details("Scores")
    assert "<img src=x onerror" in page.inner_text("#train-scores")
    assert page.locator("#tab-train :is(img[src=x], .card script, a[href^=javascript])").count() == 0
    assert visitor.too_wide() == []


def test_columns_are_mapped_anew_rows_left_out_and_the_rest_trained(visit_train, tmp_path) -> None:
    sample = read_table(SMALL_SAMPLE).rows[:60]
    rows = [(text, "Positive" if k % 2 else "positive", topic or "none") for k, (text, topic, _) in enumerate(sample)]
    write(tmp_path / "mine.csv", [("text", "mood", "topic"), *rows, rows[0]])
    visitor = visit_train(tmp_path / "mine.csv")
    page = visitor.page
    page.click("#train-lengths-part button")
    page.wait_for_selector("#train-lengths .main-svg")
    assert visitor.rows() == ["61", "61"]
    page.locator("#train-merge input").check()
    page.wait_for_selector("#train-report [role=alert]")
    assert page.is_disabled("#train-start")
    page.locator("#train-labels .token-remove").first.click()
    page.wait_for_selector("#train-start:enabled")
    assert page.locator("#train-report h3").count() == 1
    page.click("#train-check")
    page.wait_for_selector("#train-doubt-1 label")
    page.locator("#train-doubt-1 label input").last.check()
    page.wait_for_selector("#train-report .warn b:text-is('1')")
    assert visitor.rows() == ["61", "60"]
    with page.expect_download() as download:
        page.click("#train-rows")
    assert "62,no,left out by choice" in download.value.path().read_text()
    visitor.set("epochs", "2")
    visitor.start()
    assert visitor.wait_until_over() == "finished"
    visitor.details("Reproduce")
    page.wait_for_selector("#train-command pre")
    assert "--leave-out 62" in page.inner_text("#train-command pre")
    visitor.details("Scores")
    page.click("#train-scores summary >> nth=0")
    page.wait_for_selector("#train-scores details[open] table")


def test_layers_are_chosen_by_pressing_them_and_only_those_move(visit_train, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    page = visitor.page
    page.wait_for_selector("#train-layers [data-key='head:topic'][aria-pressed=true]")
    page.click("#train-layers [data-key=block-5]")
    page.wait_for_selector("#train-scenario label.selected:has(input[value=custom])")
    page.wait_for_selector("#train-layers [data-key=block-5][aria-pressed=true]")
    page.focus("#train-layers [data-key='head:topic']")
    page.keyboard.press("Space")
    page.wait_for_selector("#train-layers [data-key='head:topic'][aria-pressed=false]")
    assert page.evaluate("document.activeElement.dataset.key") == "head:topic"
    assert visitor.open_layers() == ["sentiment head", "Block 5"]
    visitor.set("epochs", "1")
    visitor.start()
    assert visitor.wait_until_over() == "finished"
    visitor.details("Layers")
    page.wait_for_selector("#train-story li")
    assert page.locator("#train-story td:has-text('SHA-256')").count() == 7
    visitor.details("Reproduce")
    page.wait_for_selector("#train-command pre")
    assert "--open-groups block-5 --open-groups head:sentiment" in page.inner_text("#train-command pre")


def test_settings_follow_the_scenario_and_nonsense_is_explained(visit_train, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    page = visitor.page
    page.wait_for_selector("#train-layer_decay [placeholder='1']")
    visitor.choose("discriminative")
    page.wait_for_selector("#train-layer_decay [placeholder='0.7']")
    visitor.set("encoder_rate", "1e-4")
    page.wait_for_selector("#train-layers [data-key=block-5] .rate:has-text('1e−4')")
    visitor.set("layer_decay", "0.5")
    page.wait_for_selector("#train-layers [data-key=block-4] .rate:has-text('5e−5')")
    visitor.set("layer_decay", "7")
    page.wait_for_selector("#train-wrong:visible")
    page.click("#train-start")
    page.wait_for_selector(".toast-body")
    visitor.set("layer_decay", "")
    page.wait_for_selector("#train-wrong", state="hidden")


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("rows.xlsx", ["XLSX"]),
        pytest.param("rows.jsonl.gz", ["JSON Lines", "UTF-8"], marks=pytest.mark.slow),
        pytest.param("rows.tsv", ["CSV", "UTF-16"], marks=pytest.mark.slow),
    ],
)
def test_other_formats_are_read_and_named(visit_train, tmp_path, name: str, formats: list[str]) -> None:
    rows = [(f"sentence number {k} is here", "ab"[k % 2]) for k in range(12)]
    write(tmp_path / name, [("text", "label"), *rows])
    visitor = visit_train(tmp_path / name)
    assert visitor.rows() == ["12", "12"]
    assert all(word in visitor.page.inner_text("#train-report p >> nth=0") for word in (name, *formats))
    assert visitor.page.is_enabled("#train-start")


def write(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Write rows, the first of them names, in the format of a file's name."""
    if path.name.endswith(".jsonl.gz"):
        lines = [json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]]
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        tabs = path.suffix == ".tsv"
        with path.open("w", newline="", encoding="utf-16" if tabs else "utf-8") as file:
            csv.writer(file, delimiter="\t" if tabs else ",").writerows(rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        pytest.param("binary.csv", bytes(range(256)), marks=pytest.mark.slow),
        pytest.param("ragged.csv", b"text,label\n1,2,3,4\n,,,5\n", marks=pytest.mark.slow),
        pytest.param("old.csv", b"\xd0\xcf\x11\xe0 sheet", marks=pytest.mark.slow),
        pytest.param("bomb.gz", gzip.compress(bytes(30_000_000)), marks=pytest.mark.slow),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_used_is_explained_and_the_sample_taken_instead(
    visit, tmp_path, name: str, content: bytes
) -> None:
    """The words are those of the readers, whose tests are in `tests/data`."""
    (tmp_path / name).write_bytes(content)
    visitor = visit(tab="Train")
    visitor.page.set_input_files("#train-upload input[type=file]", tmp_path / name)
    assert visitor.page.inner_text("#tab-train [role=alert]")
    assert visitor.page.is_disabled("#train-start")
    visitor.take_sample()
    assert visitor.page.is_enabled("#train-start")
