"""The installed Gradio still has what `gradio_patches` changes."""

from pathlib import Path

import gradio as gr
import pytest
from gradio import processing_utils

from mtst.errors import MtstError
from mtst.ui.server import gradio_patches
from mtst.ui.server.gradio_patches import DOWNLOADS, TRIED_ON, RelativeManifest, check_gradio


def test_the_installed_version_is_the_one_that_the_patches_were_tried_on() -> None:
    assert gr.__version__ == TRIED_ON
    check_gradio()


def test_a_missing_name_is_an_error_that_names_it_and_the_version_to_install(monkeypatch) -> None:
    monkeypatch.delattr(processing_utils, DOWNLOADS[0])
    with pytest.raises(MtstError, match=f"no gradio.processing_utils.{DOWNLOADS[0]}.*gradio=={TRIED_ON}"):
        gradio_patches.refuse_url_downloads()


def test_the_page_links_to_its_manifest_by_the_text_that_is_replaced() -> None:
    page = Path(gr.__file__).parent / "templates" / "frontend" / "index.html"
    assert page.read_bytes().count(RelativeManifest.ABSOLUTE) == 1
    assert len(RelativeManifest.ABSOLUTE) == len(RelativeManifest.RELATIVE)
