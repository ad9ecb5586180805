import asyncio
import csv
import re
import zipfile

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.data.tasks import DEFAULT_TASKS, Task
from mtst.errors import RunError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.scenarios import list_scenarios
from mtst.ui.guide import guide_text
from mtst.ui.predict import tab as predict_tab
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls, run_view
from mtst.ui.train import tab as train_tab
from mtst.ui.train.form import dataset, hyperparameters, lr_finder, scenario_picker
from mtst.ui.train.form.upload_draft import UploadDraft

FORM = {"scenario": "freeze-encoder", "open_groups": [], "epochs": "", "seed": "0", "balance": "none"}
TASKS = (Task("topic", ("food", "sports")), Task("sentiment", ("negative", "positive")))
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def shown(update: object) -> bool:
    """Whether an update leaves its component visible."""
    return bool(update["visible"] if isinstance(update, dict) else update.visible)


def sample(services: Services) -> UploadDraft:
    return dataset.choose(services, str(SMALL_SAMPLE))[0]


def value(update: object) -> object:
    return update["value"] if isinstance(update, dict) else update.value


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
    view = predict_tab.read_file(services, path)
    assert value(view.column) == "review"
    assert "3 rows read" in value(view.note)
    *_, (file, done) = predict_tab.predict_file(services, view.table, "review", predict_tab.STARTER, None)
    with open(file.value["path"] if isinstance(file.value, dict) else file.value, newline="") as made:
        rows = list(csv.DictReader(made))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["predicted sentiment"] == "positive"
    assert rows[1]["predicted topic"] == ""
    assert rows[2]["review"] == "'=HYPERLINK(1)"
    assert "3 rows predicted" in value(done)


def test_choosing_a_file_guesses_its_columns(services: Services) -> None:
    draft, text, labels, header, message = dataset.choose(services, str(SMALL_SAMPLE))
    assert (value(text), value(labels)) == ("text", ["topic", "sentiment"])
    assert len(draft.table.rows) == 600
    assert (shown(header), value(header), shown(message)) == (True, True, False)


@pytest.mark.parametrize(
    ("content", "why"), [("", "is empty"), ("a,b\n", "no rows"), ("text,l\n" + "x,y\n" * 701, "more than 700 rows")]
)
def test_a_file_that_cannot_be_read_is_explained(services: Services, write_csv, content: str, why: str) -> None:
    draft, *_, message = dataset.choose(services, write_csv(content))
    assert draft is None
    assert why in value(message)


def test_the_description_follows_the_columns(services: Services) -> None:
    report, lengths, merge, tasks, scenario, save, check, start, title, *weights, learned = dataset.describe(
        services, sample(services), "text", ["sentiment"], False, "train-all"
    )
    assert "<b>600</b> rows read, <b>593</b> used" in report
    assert "(7 no label)" in report
    assert "is right for 4" in report
    assert sum(value(lengths)["data"][0]["y"]) == 593
    assert (shown(merge), shown(save), check.interactive, start.interactive) == (False, True, True, True)
    assert [task.name for task in tasks] == ["sentiment"]
    assert [key for _, key in scenario.choices] == list(list_scenarios(tasks))
    assert scenario.value == "train-all"
    assert not any(shown(update) for update in (title, *weights, learned))  # one task needs no weight


def test_a_scenario_that_went_with_its_column_falls_back(services: Services) -> None:
    described = dataset.describe(services, sample(services), "text", ["sentiment"], False, "freeze-head:topic")
    assert described[4].value == scenario_picker.FIRST


@pytest.mark.parametrize("labels", [[], ["text"], ["no such column"]])
def test_columns_that_do_not_fit_are_explained_and_start_is_closed(services: Services, labels: list[str]) -> None:
    report, _, _, _, _, _, _, start, *_ = dataset.describe(services, sample(services), "text", labels, False, None)
    assert 'class="problem"' in report
    assert not start.interactive


def test_script_in_labels_and_column_names_is_shown_as_text(services: Services, write_csv) -> None:
    path = write_csv(f'text,"{EVIL}"\nhello there friend,"{EVIL}1"\ngood bye my friend,"{EVIL}2"\nabc,"{EVIL}2"\n')
    draft, *_ = dataset.choose(services, path)
    report, _, _, tasks, *_ = dataset.describe(services, draft, "text", [EVIL], False, None)
    about, schedule, layers, *_ = scenario_picker.show(services, tasks, scenario="gradual", open_groups=[])
    for made in (report, about, schedule, str(value(layers))):
        assert "<script" not in made
        assert "<img" not in made
    assert "&lt;script" in report


def test_starting_without_data_is_an_error_the_visitor_sees(services: Services) -> None:
    with pytest.raises(gr.Error, match="Choose a file"):
        run_controls.start_run(services, "", None, None, [], False, None, **FORM)


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
        run_controls.start_run(
            services, "", sample(services), "text", ["topic", "sentiment"], False, TASKS, **(FORM | wrong)
        )


def test_following_no_run_changes_nothing(services: Services) -> None:
    async def collect() -> list[tuple]:
        return [outputs async for outputs in run_view.follow(services, "not a token")]

    (outputs,) = asyncio.run(collect())
    assert all(output == gr.skip() for output in outputs)


def test_a_run_from_start_to_download(services: Services) -> None:
    form = FORM | {"epochs": "3", "seed": "7", "balance": "class-weights", "task_weight_0": "0.5", "task_weight_1": ""}
    token, *_ = run_controls.start_run(
        services,
        "", sample(services), "text", ["topic", "sentiment"], False, TASKS, ["9", "4"], **form
    )  # fmt: skip

    async def collect() -> list[tuple]:
        return [outputs async for outputs in run_view.follow(services, token)]

    outputs = asyncio.run(collect())
    (
        plot,
        _,
        status,
        scores,
        layers,
        begin,
        halt,
        again,
        away,
        story,
        after,
        planned,
        opening,
        wrong,
        missed,
        rescued,
    ) = outputs[-1]
    assert not shown(again)
    assert shown(away)
    assert rescued == ""
    assert all(len(each) == run_view.OUTPUTS for each in outputs)
    assert shown(plot)
    assert "Finished" in status
    assert "Calibration error on validation rows" in scores
    assert "logistic regression" in scores
    assert {group["change"] == 0 for group in value(layers) if not group["open"]} == {True}
    assert (begin.visible, halt.visible, after.visible) == (True, False, True)
    assert (planned, opening.visible, missed.visible) == ("", False, True)
    assert wrong.count("<details") == 2
    assert "7 of 7 frozen groups" in story
    assert story.count("exactly 0 (SHA-256 is the same)") == 7
    words = re.sub("<[^>]+>", "", story)
    assert "--scenario freeze-encoder --epochs 3 --task-weights topic=0.5 --balance class-weights --seed 7" in words
    assert "--leave-out 4,9 --out" in words
    assert len(services.runs.folder(token).data()) == 598
    assert 'class="prediction"' in predict_tab.predict(services, "what a game", predict_tab.TRAINED, token)
    download, _ = train_tab.prepare(services, token)
    with zipfile.ZipFile(download.value["path"] if isinstance(download.value, dict) else download.value) as archive:
        names = archive.namelist()
    assert {"mtst-model/heads.safetensors", "mtst-model/mtst.json", "mtst-model/modules.json"} <= set(names)


def test_a_search_for_rates_suggests_those_of_the_open_parts_and_they_can_be_taken(services: Services) -> None:
    chosen = sample(services), "text", ["topic", "sentiment"], False, TASKS
    token, waiting = lr_finder.begin(services, "", *chosen, **FORM)
    assert "Waiting" in value(waiting)

    async def collect() -> list[tuple]:
        return [outputs async for outputs in lr_finder.follow(services, token)]

    plot, message, find, halt, take = asyncio.run(collect())[-1]
    assert shown(plot)
    assert "for the heads" in value(message)
    assert "for the encoder" not in value(message)
    assert (shown(find), shown(halt), shown(take)) == (True, False, True)
    head, encoder = lr_finder.use(services, token)
    assert f"<b>{head}</b> for the heads" in value(message)
    assert encoder == gr.skip()


def test_a_search_that_cannot_begin_says_why(services: Services) -> None:
    chosen = sample(services), "text", ["topic", "sentiment"], False, TASKS
    assert "Choose a file" in value(lr_finder.begin(services, "", None, None, [], False, None, **FORM)[1])
    assert "Epochs must" in value(lr_finder.begin(services, "", *chosen, **(FORM | {"epochs": "0"}))[1])
    assert lr_finder.use(services, "no such run") == (gr.skip(), gr.skip())


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
