"""A model that a visitor brings: used, trained further, deleted, and nobody else's."""

import html
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.errors import RunError
from mtst.model.export.zip import zip_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.manager import RunManager
from mtst.runs.settings import Settings
from mtst.ui.components.events import UNCHANGED
from mtst.ui.predict import answers, explanation
from mtst.ui.services import uploaded_model
from mtst.ui.services.model_data import ENCODER, MODEL, STARTER, UPLOADED
from mtst.ui.services.services import Services
from mtst.ui.services.uploaded_model import UploadedModelView
from mtst.ui.train import run_controls
from mtst.ui.train.form import chosen_file
from mtst.ui.train.form.form_values import DataForm
from tests.support.fake_run import EVIL
from tests.ui.test_handlers import follow, shown, training, value

LABELS = ("positive", "negative", "neutral")  # in another order than the sample has them


@pytest.fixture
def archive(services: Services, tmp_path: Path) -> str:
    """The ZIP of a model whose sentiment head always says that it is negative, and whose topics are its own."""
    tasks = (Task("sentiment", LABELS), Task("topic", ("one", EVIL)))
    model = MultiTaskSentenceTransformer(services.encoder, tasks)
    model.heads[0].bias.data[1] = 100.0
    zip_model(model, tmp_path / "mine.zip")
    return str(tmp_path / "mine.zip")


@pytest.fixture
def token(services: Services, archive: str) -> str:
    view = last(uploaded_model.upload_model(services, "", archive, None))
    assert "sentiment (3 labels)" in value(view.message)
    assert "<script" not in value(view.message)
    assert (shown(view.delete), view.model, view.archive) == (True, UPLOADED, None)
    return view.token


def last(views: Iterator[UploadedModelView]) -> UploadedModelView:
    return [*views][-1]


def test_it_predicts_and_explains(services: Services, token: str, archive: str) -> None:
    answer = answers.predict(services, "what a wonderful day", UPLOADED, None, token)
    assert "100%" in answer
    assert answer.index("negative") < answer.index("positive")
    *_, last = explanation.explain_prediction(
        services, explanation.sentence_key(UPLOADED, "what a wonderful day"), None, token
    )
    assert "did not come with it" in last
    assert Path(archive).exists()  # it did not come through the page, so it is not the page's to remove


def test_nothing_of_it_is_anybody_elses(services: Services, token: str) -> None:
    assert "Upload a model first" in answers.predict(services, "what a day", UPLOADED, None, None)
    assert "not here any more" in answers.predict(services, "what a day", UPLOADED, None, "x" * 32)
    assert services.runs.folder(token).path.stat().st_mode & 0o077 == 0


def test_another_takes_its_place(services: Services, token: str, tmp_path: Path) -> None:
    zip_model(MultiTaskSentenceTransformer(services.encoder), tmp_path / "other.zip")
    view = last(uploaded_model.upload_model(services, "", str(tmp_path / "other.zip"), token))
    assert view.token != token
    with pytest.raises(RunError):
        services.runs.folder(token)


def test_what_is_no_model_is_a_sentence_and_leaves_nothing(services: Services, token: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as made:
        made.writestr(f"{EVIL}.py", "raise SystemExit")
    before = sorted(services.settings.runs_dir.iterdir())
    view = last(uploaded_model.upload_model(services, "", str(tmp_path / "evil.zip"), token))
    assert (view.token, view.archive) == (UNCHANGED, None)
    assert "is no part of a model" in value(view.message)
    assert "<script" not in value(view.message)
    assert str(services.settings.runs_dir) not in value(view.message)
    assert sorted(services.settings.runs_dir.iterdir()) == before


@pytest.mark.parametrize(
    ("base", "words"),
    [
        (
            "tiny/bert",
            "from the encoder 'tiny/bert'; this server takes models trained from the encoders of its list",
        ),
        ("/etc", "from the encoder '/etc', which is neither in the catalogue nor on the Hub. Unpack the ZIP"),
        ("legal-bert", "from the encoder 'legal-bert', which is not on this server. The Hub could not be reached"),
    ],
)
def test_an_encoder_that_the_server_does_not_use_is_refused_by_name(
    services: Services, cached_encoder: Callable, tmp_path: Path, base: str, words: str
) -> None:
    model = MultiTaskSentenceTransformer(load_encoder(cached_encoder()))
    model.base = base
    zip_model(model, tmp_path / "other.zip")
    before = sorted(services.settings.runs_dir.iterdir())
    view = last(uploaded_model.upload_model(services, "", str(tmp_path / "other.zip"), None))
    assert words in html.unescape(value(view.message))
    assert sorted(services.settings.runs_dir.iterdir()) == before


def test_an_uploaded_model_is_deleted_on_request(services: Services, token: str) -> None:
    view = uploaded_model.delete(services, token)
    assert (view.token, shown(view.message), shown(view.delete), view.model) == (None, False, False, STARTER)
    with pytest.raises(RunError):
        services.runs.folder(token)
    assert "not here any more" in value(uploaded_model.describe(services, token).message)


def test_a_restarted_app_keeps_it_and_takes_it_for_no_run(archive: str, tmp_path: Path) -> None:
    settings = Settings(runs_dir=tmp_path / "runs")
    kept = RunManager(settings).store_model(Path(archive))
    again = RunManager(settings)
    assert (again.waiting, again.running) == (0, False)
    assert again.folder(kept).model_path.is_dir()
    again.expire(time.time() + 3600 * 25)
    with pytest.raises(RunError):
        again.folder(kept)


def test_training_offers_it_and_says_which_heads_go_on(services: Services, token: str) -> None:
    assert shown(uploaded_model.offer(token))
    assert (shown(uploaded_model.offer(None)), value(uploaded_model.offer(None))) == (False, ENCODER)
    tasks = (Task("sentiment", tuple(sorted(LABELS))), Task("topic", ("food", "sports")))
    told = value(uploaded_model.describe_heads(services, token, MODEL, tasks))
    assert "sentiment goes on; topic is new" in told
    assert not shown(uploaded_model.describe_heads(services, token, ENCODER, tasks))


def test_a_run_goes_on_with_its_weights(services: Services, token: str, write_csv: Callable) -> None:
    """Nothing is trained: so the model of the run is the one that was brought, with a new head for the topics."""
    lines = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:61]
    draft = chosen_file.read_file(services, write_csv("\n".join(lines))).draft
    form = training(DataForm(draft, "text", ("topic", "sentiment")), scenario="freeze-all")
    made, other = (run_controls.start_run(services, "", form, start, token).run for start in (MODEL, ENCODER))
    summary = follow(services, made)[-1].command
    assert "--from mine.zip" in re.sub("<[^>]+>", "", summary)
    follow(services, other)
    model = services.run_model(made)
    assert set(model.predict(["what a wonderful day", "soup"])["sentiment"].labels) == {"negative"}
    assert set(services.run_model(other).predict(["what a wonderful day"])["sentiment"].labels) == {"positive"}
    assert model.base == services.settings.encoder
    uploaded_model.delete(services, token)
    assert services.run_model(made).tasks == model.tasks
