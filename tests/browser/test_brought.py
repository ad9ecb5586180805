"""A model that was made here comes back: it predicts, and training can start from it."""

from pathlib import Path

from mtst.model.export.zip import zip_model
from mtst.model.loading import load_model


def test_a_model_is_brought_used_and_gone_on_with(visit, tmp_path: Path, few_rows: Path) -> None:
    zip_model(load_model("starter"), tmp_path / "mine.zip")
    visitor = visit()
    page = visitor.page
    visitor.tab("Predict")
    page.set_input_files("#predict-bring input[type=file]", tmp_path / "mine.zip")
    page.wait_for_selector("#predict-brought:has-text('mine.zip')")
    assert page.is_checked("#predict-model input[value=brought]")
    page.click("#predict-go")
    page.wait_for_selector("#predict-answer .prediction")
    visitor.reload()
    visitor.tab("Train")
    visitor.upload(few_rows)
    page.click("#train-from label:has(input[value=model])")
    page.wait_for_selector("#train-heads:has-text('topic'):has-text('sentiment')")
    visitor.measure()
    visitor.details("Reproduce")
    page.wait_for_selector("#train-command pre")
    assert "--from mine.zip" in page.text_content("#train-command")
    visitor.tab("Predict")
    page.click("#predict-brought-delete")
    page.wait_for_selector("#predict-brought", state="hidden")
    visitor.tab("Train")
    page.wait_for_selector("#train-from", state="hidden")
