import pytest
from gradio.utils import get_upload_folder

from mtst.assets import SMALL_SAMPLE
from mtst.errors import DataError
from mtst.ui.components.upload import claim_upload
from mtst.ui.services.services import Services
from mtst.ui.train.form import chosen_file


@pytest.fixture
def uploaded(tmp_path, monkeypatch):
    """A file where gradio keeps one that a visitor has sent."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    folder = tmp_path / "gradio" / ("0" * 64)
    folder.mkdir(parents=True)
    path = folder / "mine.csv"
    path.write_text("text,topic\n" + "\n".join(f"sentence {k},{'ab'[k % 2]}" for k in range(20)))
    assert path.is_relative_to(get_upload_folder())
    return path


def test_a_file_leaves_gradios_cache_as_it_is_read(services: Services, uploaded) -> None:
    draft = chosen_file.read_file(services, str(uploaded)).draft
    assert len(draft.table.rows) == 20
    assert draft.table.name == "mine.csv"
    assert not uploaded.parent.exists()
    again = chosen_file.reread_file(services, draft, header_line=0).draft
    assert len(again.table.rows) == 21


def test_another_file_of_the_same_contents_stays(uploaded) -> None:
    other = uploaded.with_name("other.csv")
    other.write_text("")
    claim_upload(str(uploaded))
    assert not uploaded.exists()
    assert other.exists()


def test_a_file_that_is_gone_is_asked_for_again(services: Services, uploaded) -> None:
    uploaded.unlink()
    with pytest.raises(DataError, match="once more"):
        claim_upload(str(uploaded))
    assert "once more" in chosen_file.read_file(services, str(uploaded)).unread["value"]


def test_the_sample_stays_where_it_is(services: Services) -> None:
    assert claim_upload(str(SMALL_SAMPLE)) == SMALL_SAMPLE
