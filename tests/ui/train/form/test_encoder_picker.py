"""The choice of an encoder: an app whose own is a tiny one, with the bundled one beside it, and no network."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.encoders.catalogue import CATALOGUE, DEFAULT
from mtst.encoders.loading import find_encoder
from mtst.errors import EncoderError
from mtst.runs.settings import Settings
from mtst.ui.predict import tab as predict_tab
from mtst.ui.scenarios import comparison_start
from mtst.ui.scenarios.comparison_start import ComparisonForm
from mtst.ui.services import cache, encoder_pool
from mtst.ui.services.model_data import ENCODER
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls, run_view
from mtst.ui.train.form import chosen_file, dataset, encoder_picker, scenario_picker
from mtst.ui.train.form.encoder_picker import EncoderView
from mtst.ui.train.form.form_values import ConfigForm, DataForm, TrainingForm
from mtst.ui.train.run_view import RunView

CONFIG = {"scenario": "freeze-encoder", "open_groups": [], "epochs": "2", "seed": "0", "balance": "none"}


@pytest.fixture(scope="module")
def tiny(tiny_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    runs = tmp_path_factory.mktemp("runs")
    return Services(Settings(encoder=str(tiny_folder()), runs_dir=runs, custom_encoders=True, max_encoder_mb=50))


@pytest.fixture
def data(tiny: Services, write_csv) -> DataForm:
    """The form of a visitor who has chosen 60 rows of the sample."""
    lines = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:61]
    return DataForm(chosen_file.read_file(tiny, write_csv("\n".join(lines))).draft, "text", ["topic"])


def last(views: Iterable[EncoderView]) -> EncoderView:
    return list(views)[-1]


def test_what_is_here_is_offered_with_its_size_and_speed(tiny: Services) -> None:
    offered, only_local = encoder_picker.list_encoders(tiny, [], tiny.settings.encoder)
    here = [name for name in CATALOGUE if find_encoder(name)]
    assert [name for _, name in offered["choices"]] == [tiny.settings.encoder, *here]
    assert only_local["visible"] == (here != list(CATALOGUE))
    (line,) = (title for title, name in offered["choices"] if name == DEFAULT)
    assert "English; up to 256 tokens; MTEB 56.3; license apache-2.0; 23 million parameters; about" in line
    assert "download" not in line


def test_a_larger_encoder_is_expected_to_be_slower(services: Services) -> None:
    from mtst.encoders.info import encoder_info

    small, large = (encoder_info(name).estimate_speed(services.encoder, 800.0) for name in (DEFAULT, "roberta-base"))
    assert small == pytest.approx(800, rel=0.01)
    assert large == pytest.approx(100, rel=0.01)


def test_one_that_cannot_be_had_is_explained_and_the_one_before_stays(tiny: Services) -> None:
    view = last(encoder_picker.choose_encoder(tiny, "owner/never-fetched", DEFAULT))
    assert "could not be reached" in view.message["value"]
    assert f"{DEFAULT} stays." in view.message["value"]
    assert (view.name, view.encoders["value"], view.encoders["interactive"]) == (DEFAULT, DEFAULT, True)


def test_nothing_else_is_chosen_while_one_is_on_its_way(tiny: Services) -> None:
    *waiting, end = encoder_picker.choose_encoder(tiny, DEFAULT, tiny.settings.encoder)
    assert waiting
    assert not any(view.encoders["interactive"] for view in waiting)
    assert all(f"ntil then {tiny.settings.encoder} is used" in view.message["value"] for view in waiting)
    assert (end.name, end.encoders["value"], end.encoders["interactive"]) == (DEFAULT, DEFAULT, True)


@pytest.mark.parametrize("name", ["assets/starter", "/etc", "../x/y", "a b", "", "a/b/c", "~/x"])
def test_a_folder_of_the_server_is_nobodys_to_choose(tiny: Services, name: str) -> None:
    message, added, _ = encoder_picker.look_up(tiny, name, [], DEFAULT)
    assert "is no id of the Hub" in message["value"]
    assert added == []


def test_a_hub_id_is_refused_where_the_host_does_not_allow_it(services: Services) -> None:
    view = last(encoder_picker.choose_encoder(services, "owner/model", DEFAULT))
    assert "of its list only" in view.message["value"]
    assert view.name == DEFAULT


def test_one_larger_than_the_host_allows_is_refused(tiny: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny.encoder_pool, "_settings", replace(tiny.settings, max_encoder_mb=0.01))
    with pytest.raises(EncoderError, match="takes encoders up to 0 MB"):
        tiny.encoder_pool.info(tiny.settings.encoder)


def test_visitors_share_one_and_it_goes_when_nobody_uses_it(tiny: Services) -> None:
    view = last(encoder_picker.choose_encoder(tiny, DEFAULT, tiny.settings.encoder))
    name = view.name
    assert "embeddings of 384 numbers" in view.message["value"]
    first = tiny.encoder_named(name)
    assert tiny.encoder_named(name) is first
    assert tiny.encoder_named("") is tiny.encoder is not first
    tiny.encoder_pool.drop_idle(time.monotonic())
    assert tiny.encoder_named(name) is first
    tiny.encoder_pool.drop_idle(time.monotonic() + cache.IDLE_SECONDS + 1)
    assert tiny.encoder_named(name) is not first


def test_few_are_kept_at_once(tiny_folder, tmp_path: Path) -> None:
    pool = encoder_pool.EncoderPool(Settings(runs_dir=tmp_path))
    names = [str(tiny_folder(kind)) for kind in ("bert", "roberta", "mpnet")]
    first, *_ = [pool.get(name) for name in names]
    assert pool.get(names[2]) is pool.get(names[2])
    assert pool.get(names[0]) is not first


def test_one_that_went_from_the_disk_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="not on this server any more"):
        encoder_pool.EncoderPool(Settings(runs_dir=tmp_path)).get("owner/never-fetched")


def test_the_form_follows_the_encoder(tiny: Services, data: DataForm) -> None:
    own = dataset.describe_data(tiny, data, None)
    other = dataset.describe_data(tiny, replace(data, encoder=DEFAULT), None)
    assert own.lengths != other.lengths  # a tiny tokenizer makes tokens of letters
    groups = [scenario_picker.toggle_group(tiny, None, [], "block-1", name) for name in ("", DEFAULT)]
    assert [open_groups for _, open_groups in groups] == [["block-1"], ["block-1"]]
    config = ConfigForm("train-all")
    shown = [scenario_picker.show_scenario(tiny, own.tasks, config, encoder=name).open_groups for name in ("", DEFAULT)]
    assert [sum(key.startswith("block-") for key in open_groups) for open_groups in shown] == [2, 6]


def test_a_run_with_a_frozen_encoder_of_the_list_is_trained_and_used(tiny: Services, data: DataForm) -> None:
    form = TrainingForm(replace(data, encoder=DEFAULT), ConfigForm.from_inputs(**CONFIG))
    token = run_controls.start_run(tiny, "", form, ENCODER, None).run

    async def wait() -> RunView:
        return [view async for view in run_view.follow_run(tiny, token)][-1]

    assert "Finished" in asyncio.run(wait()).status
    assert tiny.runs.folder(token).job().encoder == DEFAULT
    model = tiny.run_model(token)
    assert model.encoder is tiny.encoder_named(DEFAULT) is tiny.initial_encoder(token)
    assert 'class="prediction"' in predict_tab.predict(tiny, "what a game", predict_tab.TRAINED, token)


def test_a_comparison_takes_the_same_encoder(tiny: Services, data: DataForm) -> None:
    form = ComparisonForm(replace(data, encoder=DEFAULT), ["freeze-all"], 1, alone=False)
    token = comparison_start.start_comparison(tiny, "", form).token
    assert tiny.runs.folder(token).job().encoder == DEFAULT
    tiny.runs.delete(token)


def test_an_encoder_is_suggested_for_texts_that_are_not_read_and_chosen_by_one_press(
    tiny: Services, write_csv, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"这部电影很好看{'ab'[n % 2]},{'xy'[n % 2]}" for n in range(20)]
    form = DataForm(chosen_file.read_file(tiny, write_csv("text,label\n" + "\n".join(rows))).draft, "text", ["label"])
    view = dataset.describe_data(tiny, form, None)
    assert (view.suggested, view.suggest["visible"]) == (None, False)
    assert "train on your own machine with --encoder" in view.rows
    monkeypatch.setattr(tiny.encoder_pool, "can_load", lambda _: True)
    view = dataset.describe_data(tiny, form, None)
    assert view.suggest["visible"]
    assert view.suggest["value"].startswith(f"Use an encoder that reads Chinese characters: {view.suggested}")
    assert view.suggested in CATALOGUE
    assert "on your own machine" not in view.rows
