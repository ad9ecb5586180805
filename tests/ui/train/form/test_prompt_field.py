"""The prompt that a visitor writes: from the field to the run, its model and the command that repeats it."""

import asyncio
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from mtst.assets import SMALL_SAMPLE
from mtst.encoders.catalogue import DEFAULT
from mtst.errors import EncoderError
from mtst.model.storage import read_metadata
from mtst.runs.settings import Settings
from mtst.ui.services.model_data import ENCODER
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls, run_view
from mtst.ui.train.form import chosen_file, dataset, encoder_picker
from mtst.ui.train.form.form_values import ConfigForm, DataForm, TrainingForm
from mtst.ui.train.form.prompt_field import check_prompt, show_prompt
from mtst.ui.train.run_view import RunView

CONFIG = {"scenario": "freeze-encoder", "open_groups": [], "epochs": "2", "seed": "0", "balance": "none"}


@pytest.fixture(scope="module")
def prompted(tiny_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """An app whose encoder has prompts."""
    folder = tmp_path_factory.mktemp("prompted")
    backbone = SentenceTransformer(str(tiny_folder()))
    backbone.prompts, backbone.default_prompt_name = {"query": "query: <b>", "passage": "passage: "}, "query"
    backbone.save_pretrained(str(folder), create_model_card=False)
    services = Services(Settings(encoder=str(folder), runs_dir=tmp_path_factory.mktemp("runs")))
    yield services
    services.close()


@pytest.fixture
def data(prompted: Services, write_csv) -> DataForm:
    lines = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:61]
    draft = chosen_file.read_file(prompted, write_csv("\n".join(lines))).draft
    return DataForm(draft, "text", ["topic"], encoder=prompted.settings.encoder)


def test_the_field_begins_with_the_prompt_of_the_encoder_and_keeps_what_is_typed(prompted: Services) -> None:
    name = prompted.settings.encoder
    field, prompt_of, note = show_prompt(prompted, name, None)
    assert (field["value"], field["interactive"], prompt_of) == ("query: <b>", True, name)
    assert "Each text begins with “query: &lt;b&gt;”." in note["value"]
    assert all("value" not in update for update in show_prompt(prompted, name, name))
    *_, view = encoder_picker.choose_encoder(prompted, DEFAULT, name)
    assert (view.prompt["value"], view.prompt_of, view.prompt_note["visible"]) == ("", DEFAULT, False)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("By topic: ", "Each text begins with “By topic: ”. The encoder&#39;s own prompt is “query: &lt;b&gt;”."),
        ("passage", "Each text begins with “passage: ”."),
        ("", "Nothing is put in front of a text. The encoder&#39;s own prompt is"),
        ("nothing", "has no prompt named"),
        ("long " * 150, "The prompt takes"),
    ],
)
def test_what_will_stand_in_front_of_texts_is_described(prompted: Services, typed: str, words: str) -> None:
    assert words in check_prompt(prompted, prompted.settings.encoder, typed)["value"]


def test_the_prompt_is_that_of_the_field_once_it_was_filled_for_the_encoder(data: DataForm) -> None:
    assert data.chosen_prompt is None
    assert replace(data, prompt="x: ", prompt_of=DEFAULT).chosen_prompt is None
    assert replace(data, prompt="x: ", prompt_of=data.encoder).chosen_prompt == "x: "
    assert replace(data, prompt="", prompt_of=data.encoder).chosen_prompt == ""


def test_lengths_follow_the_prompt_and_weights_are_shared(prompted: Services, data: DataForm) -> None:
    own = dataset.describe_data(prompted, data, None)
    typed = replace(data, prompt="By the topic of the text: ", prompt_of=data.encoder)
    assert dataset.describe_data(prompted, typed, None).lengths != own.lengths
    encoder, other = prompted.encoder, prompted.encoder_named(data.encoder, typed.chosen_prompt)
    assert other is prompted.encoder_named("", typed.chosen_prompt) is not encoder
    assert other.backbone[0] is encoder.backbone[0]
    assert (encoder.prompt, prompted.encoder_named("", encoder.prompt)) == ("query: <b>", encoder)
    wrong = dataset.describe_data(prompted, replace(typed, prompt="nothing"), None)
    assert "has no prompt named" in wrong.rows
    assert not wrong.begin["interactive"]


def test_a_prompt_that_is_the_encoders_own_is_not_repeated_in_the_job(prompted: Services, data: DataForm) -> None:
    def job(prompt: str) -> str | None:
        form = replace(data, prompt=prompt, prompt_of=data.encoder)
        tasks, config = form.dataset().tasks, dataset.config_of(form.dataset().tasks, ConfigForm.from_inputs(**CONFIG))
        return dataset.build_job(prompted, form, tasks, config).prompt

    assert [job("query: <b>"), job("passage"), job("")] == [None, "passage", ""]
    with pytest.raises(EncoderError, match="no prompt named"):
        job("nothing")


def test_a_run_uses_the_prompt_keeps_it_and_names_it(prompted: Services, data: DataForm) -> None:
    typed = replace(data, prompt="By topic: ", prompt_of=data.encoder)
    form = TrainingForm(typed, ConfigForm.from_inputs(**CONFIG))
    token = run_controls.start_run(prompted, "", form, ENCODER, None).run

    async def wait() -> RunView:
        return [view async for view in run_view.follow_run(prompted, token)][-1]

    view = asyncio.run(wait())
    assert "Finished" in view.status
    assert "Each text begins with “By topic: ”. The model keeps this prompt" in view.summary
    assert f"<bdi>--prompt</bdi> <bdi>{shlex.quote('By topic: ').replace(chr(39), '&#39;')}</bdi>" in view.command
    assert read_metadata(Path(prompted.runs.folder(token).model_path)).prompt == "By topic: "
    model, initial = prompted.run_model(token), prompted.initial_encoder(token)
    assert model.encoder.prompt == initial.prompt == "By topic: "
    assert model.encoder is initial
    assert prompted.encoder.prompt == "query: <b>"
