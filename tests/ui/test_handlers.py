import asyncio
import csv
import re
import zipfile
from dataclasses import replace

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.data.tasks import DEFAULT_TASKS
from mtst.errors import RunError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.scenarios import list_scenarios
from mtst.ui.components.events import UNCHANGED
from mtst.ui.guide import guide_text
from mtst.ui.predict import file_predictions
from mtst.ui.predict import tab as predict_tab
from mtst.ui.services.model_data import ENCODER
from mtst.ui.services.services import Services
from mtst.ui.train import model_download, run_controls, run_view
from mtst.ui.train.form import chosen_file, dataset, hyperparameters, lr_finder, scenario_picker
from mtst.ui.train.form.form_values import ConfigForm, DataForm, TrainingForm
from mtst.ui.train.run_view import RunView

CONFIG = {"scenario": "freeze-encoder", "open_groups": [], "epochs": "", "seed": "0", "balance": "none"}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def sample(services: Services, *labels: str, **ticked: list[str]) -> DataForm:
    """Return a form with the sample and some of its label columns."""
    file = chosen_file.read_file(services, str(SMALL_SAMPLE))
    return DataForm(file.draft, "text", labels or ("topic", "sentiment"), **ticked)


@pytest.fixture
def few_rows(services: Services, write_csv) -> DataForm:
    """A form with the first 120 rows of the sample."""
    lines = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:121]
    draft = chosen_file.read_file(services, write_csv("\n".join(lines))).draft
    return DataForm(draft, "text", ("topic", "sentiment"))


def training(data: DataForm, **config: object) -> TrainingForm:
    return TrainingForm(data, ConfigForm.from_inputs(**(CONFIG | config)))


def shown(update: object) -> bool:
    """Whether an update leaves its component visible."""
    return bool(update["visible"] if isinstance(update, dict) else update.visible)


def value(update: object) -> object:
    return update["value"] if isinstance(update, dict) else update.value


def follow(services: Services, token: str | None) -> list[RunView]:
    async def collect() -> list[RunView]:
        return [view async for view in run_view.follow_run(services, token)]

    return asyncio.run(collect())


def test_script_in_a_sentence_is_shown_as_text_everywhere(services: Services) -> None:
    answer = predict_tab.predict(services, EVIL, predict_tab.STARTER, None)
    assert "<script" not in answer
    assert "<img" not in answer
    assert "&lt;script&gt;" in answer


def test_predicting_without_a_run_says_what_to_do(services: Services) -> None:
    assert "Train one first" in predict_tab.predict(services, "hello", predict_tab.TRAINED, None)
    assert "Train again" in predict_tab.predict(services, "hello", predict_tab.TRAINED, "../../etc/passwd")


def test_a_file_gets_a_prediction_a_row_for_every_head(services: Services, write_csv) -> None:
    path = write_csv("id,review\n1,I love it\n2,\n3,=HYPERLINK(1)\n")
    view = file_predictions.read_file(services, path)
    assert value(view.column) == "review"
    assert "3 rows read" in value(view.note)
    *_, (file, done) = file_predictions.predict_file(services, view.table, "review", predict_tab.STARTER, None)
    with open(file.value["path"] if isinstance(file.value, dict) else file.value, newline="") as made:
        rows = list(csv.DictReader(made))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["predicted sentiment"] == "positive"
    assert rows[1]["predicted topic"] == ""
    assert rows[2]["review"] == "'=HYPERLINK(1)"
    assert "3 rows predicted" in value(done)


def test_choosing_a_file_guesses_its_columns(services: Services) -> None:
    file = chosen_file.read_file(services, str(SMALL_SAMPLE))
    assert (file.text["value"], file.labels["value"]) == ("text", ["topic", "sentiment"])
    assert len(file.draft.table.rows) == 600
    assert (file.header_line["visible"], file.header_line["value"], file.unread["visible"]) == (True, 1, False)


@pytest.mark.parametrize(
    ("content", "why"), [("", "is empty"), ("a,b\n", "no rows"), ("text,l\n" + "x,y\n" * 701, "more than 700 rows")]
)
def test_a_file_that_cannot_be_read_is_explained(services: Services, write_csv, content: str, why: str) -> None:
    file = chosen_file.read_file(services, write_csv(content))
    assert file.draft is None
    assert why in file.unread["value"]


def test_the_description_follows_the_columns(services: Services) -> None:
    view = dataset.describe_data(services, sample(services, "sentiment"), "train-all")
    assert "<b>600</b> rows read, <b>593</b> used" in view.rows
    assert "(7 no label)" in view.rows
    assert "is right for 4" in view.rows
    assert sum(view.lengths["value"]["data"][0]["y"]) == 593
    assert (view.merge["visible"], view.save["visible"]) == (False, True)
    assert view.check["interactive"]
    assert view.begin["interactive"]
    assert [task.name for task in view.tasks] == ["sentiment"]
    assert [key for _, key in view.scenario["choices"]] == list(list_scenarios(view.tasks))
    assert view.scenario["value"] == "train-all"
    # one task needs no weight
    assert not any(update["visible"] for update in (view.weights_title, *view.weights, view.learn_weights))


def test_a_scenario_that_went_with_its_column_falls_back(services: Services) -> None:
    view = dataset.describe_data(services, sample(services, "sentiment"), "freeze-head:topic")
    assert view.scenario["value"] == scenario_picker.DEFAULT_SCENARIO


@pytest.mark.parametrize("labels", [["text"], ["no such column"]])
def test_columns_that_do_not_fit_are_explained_and_start_is_closed(services: Services, labels: list[str]) -> None:
    view = dataset.describe_data(services, sample(services, *labels), None)
    assert 'class="problem"' in view.rows
    assert not view.begin["interactive"]


def test_script_in_labels_and_column_names_is_shown_as_text(services: Services, write_csv) -> None:
    path = write_csv(f'text,"{EVIL}"\nhello there friend,"{EVIL}1"\ngood bye my friend,"{EVIL}2"\nabc,"{EVIL}2"\n')
    data = DataForm(chosen_file.read_file(services, path).draft, "text", [EVIL])
    described = dataset.describe_data(services, data, None)
    scenario = scenario_picker.show_scenario(services, described.tasks, ConfigForm("gradual"))
    for html in (described.rows, scenario.about, str(scenario.schedule["value"])):
        assert "<script" not in html
        assert "<img" not in html
    assert "&lt;script" in described.rows


def test_starting_without_data_is_an_error_the_visitor_sees(services: Services) -> None:
    with pytest.raises(gr.Error, match="Choose a file"):
        run_controls.start_run(services, "", training(DataForm()), ENCODER, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": "0"}, "Epochs must lie between 1 and 1000"),
        ({"epochs": "two"}, "Epochs must be a whole number"),
        ({"head_rate": "-1"}, "Head rate must be above 0"),
        ({"clip": "nan"}, "Gradient clipping must be 0 or more"),
        ({"weight_decay": "2"}, "Weight decay must lie between 0 and 1"),
        ({"task_weight_1": "-1"}, "The weight of task 'sentiment' must be 0"),
        ({"scenario": "custom"}, "Choose at least one layer group"),
    ],
)
def test_nonsense_is_refused_in_the_words_of_the_page(services: Services, wrong: dict, message: str) -> None:
    with pytest.raises(gr.Error, match=message):
        run_controls.start_run(services, "", training(sample(services), **wrong), ENCODER, None)


def test_following_no_run_changes_nothing(services: Services) -> None:
    assert follow(services, "not a token") == [RunView()]


def test_a_run_from_start_to_download(services: Services, few_rows: DataForm) -> None:
    data = replace(few_rows, copies=["9"], doubtful=["4"])
    choices = {"epochs": "3", "seed": "7", "balance": "class-weights", "task_weight_0": "0.5", "task_weight_1": ""}
    form = training(data, **choices)
    token = run_controls.start_run(services, "", form, ENCODER, None).run
    first, *_, view = follow(services, token)
    assert (first.delete["visible"], first.setup["open"]) == (True, False)
    assert view.setup is UNCHANGED  # its visitor may have opened it
    assert not view.resume["visible"]
    assert view.rescued == ""
    assert view.plot["visible"]
    assert "Finished" in view.status
    assert "Calibration error on validation rows" in view.scores
    assert "logistic regression" in view.scores
    assert {group["words"] for group in view.drawing["value"] if not group["open"]} == {"unchanged"}
    assert all("changed by" in group["words"] for group in view.drawing["value"] if group["open"])
    cards = (view.begin, view.stop, view.result_card, view.run_card)
    assert [update["visible"] for update in cards] == [True, False, True, True]
    assert "the best baseline" in view.result
    assert "held-out rows" in view.score
    assert view.matrices.count("<details") == 2
    assert "7 of 7 frozen groups" in view.summary
    assert view.summary.count("unchanged ✓ (same SHA-256)") == 7
    words = re.sub("<[^>]+>", "", view.command)
    assert "--scenario freeze-encoder --epochs 3 --task-weights topic=0.5 --balance class-weights --seed 7" in words
    assert "--leave-out 4,9 --out" in words
    assert len(services.runs.folder(token).data()) == 118
    assert 'class="prediction"' in predict_tab.predict(services, "what a game", predict_tab.TRAINED, token)
    with zipfile.ZipFile(model_download.make_download(services, token).download["value"]) as archive:
        names = archive.namelist()
    assert {"mtst-model/heads.safetensors", "mtst-model/mtst.json", "mtst-model/modules.json"} <= set(names)


def test_a_search_for_rates_suggests_those_of_the_open_parts_and_they_can_be_taken(
    services: Services, few_rows: DataForm
) -> None:
    token, waiting = lr_finder.start_search(services, "", training(few_rows))
    assert "Waiting" in waiting["value"]

    async def last() -> lr_finder.SearchView:
        return [view async for view in lr_finder.follow_search(services, token)][-1]

    view = asyncio.run(last())
    message = view.message["value"]
    assert view.plot["visible"]
    assert "for the heads" in message
    assert "for the encoder" not in message
    assert [update["visible"] for update in (view.find, view.stop, view.use)] == [True, False, True]
    head, encoder = lr_finder.use_rates(services, token)
    assert f"<b>{head}</b> for the heads" in message
    assert encoder == gr.skip()


def test_a_search_that_cannot_begin_says_why(services: Services) -> None:
    assert "Choose a file" in lr_finder.start_search(services, "", training(DataForm()))[1]["value"]
    wrong = training(sample(services), epochs="0")
    assert "Epochs must" in lr_finder.start_search(services, "", wrong)[1]["value"]
    assert lr_finder.use_rates(services, "no such run") == (gr.skip(), gr.skip())


def test_the_starter_model_is_read_once(services: Services) -> None:
    assert services.starter is services.starter
    assert isinstance(services.starter, MultiTaskSentenceTransformer)
    assert services.starter.encoder is services.encoder


def test_a_run_without_a_model_cannot_predict(services: Services) -> None:
    with pytest.raises(RunError):
        services.run_model("x" * 32)


def test_the_page_asks_for_every_choice_of_a_config() -> None:
    asked = {name for name in hyperparameters.LABELS if not name.startswith(hyperparameters.WEIGHT)} | set(
        hyperparameters.CHOICES
    )
    elsewhere = {"scenario", "open_groups", "task_weights", "validation_share"}
    assert asked | elsewhere == set(TrainConfig.__dataclass_fields__)


def test_the_guide_explains_every_scenario() -> None:
    text = guide_text()
    assert "{" not in text
    for key in list_scenarios(DEFAULT_TASKS):
        assert f"`{key}`" in text
