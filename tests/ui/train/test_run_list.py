import time

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.data.dataset import make_dataset
from mtst.data.table import read_table
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.services.services import Services
from mtst.ui.train import run_list
from mtst.ui.train.form import dataset, restored_run
from mtst.ui.train.form.form_values import ConfigForm, DataForm
from mtst.ui.train.run_list import RunListView
from mtst.ui.train.saved_runs import SavedRuns

NASTY = "<img src=x onerror=alert(1)>"


def train(services: Services, folder: str, **config: object) -> str:
    data = make_dataset(read_table(SMALL_SAMPLE), "text", ["topic"]).take(range(40))
    token = services.runs.submit(Job(folder, TrainConfig(**config), "few.csv"), data)
    while not services.runs.history(token).is_over:
        time.sleep(0.05)
    return token


@pytest.fixture(scope="module")
def two(services: Services, tiny_folder) -> tuple[str, str]:
    folder = str(tiny_folder())
    return train(services, folder, epochs=2), train(services, folder, scenario="freeze-all")


def listed(services: Services, tokens: tuple[str, ...]) -> RunListView:
    view = RunListView(runs=None)
    for token in tokens:
        view = run_list.show_runs(services, view.runs, token)
    return view


def test_runs_are_listed_named_pinned_and_drawn_without_their_tokens(services: Services, two: tuple[str, str]) -> None:
    view = listed(services, two)
    assert "(2)" in view.runs_card["label"]
    assert view.run_list.index("few.csv, Freeze everything") < view.run_list.index("few.csv, Heads only")
    keys = [run.key for run in SavedRuns.read(view.runs).runs]
    view = run_list.rename(services, view.runs, two[1], keys[1], NASTY)
    view = run_list.press(services, view.runs, two[1], f"pin {keys[1]}")
    view = run_list.press(services, view.runs, two[1], f"draw {keys[1]}")
    assert [trace["name"] for trace in view.overlay["value"]["data"]] == ["&lt;img src=x onerror=alert(1)&gt;"]
    assert NASTY not in view.run_list
    assert "baseline" in view.run_list
    assert not any(token in view.run_list for token in two)
    name, scores = run_list.pinned_scores(services, view.runs, two[1])
    assert (name, list(scores)) == (NASTY, ["topic"])
    assert run_list.pinned_scores(services, view.runs, two[0]) is None  # it is the run itself
    opened = run_list.press(services, view.runs, two[1], f"open {keys[1]}")
    assert opened.run == two[0]
    by_score = run_list.press(services, view.runs, two[1], "sort score")
    assert SavedRuns.read(by_score.runs).order == "score"


def test_a_run_that_is_gone_is_left_out(services: Services, two: tuple[str, str]) -> None:
    view = listed(services, ("x" * 32, two[0]))
    assert [run.token for run in SavedRuns.read(view.runs).runs] == [two[0]]
    assert run_list.press(services, view.runs, two[0], "delete 0123").run_list == view.run_list


def test_without_a_file_the_form_is_that_of_the_run_and_trains_on_its_rows(
    services: Services, two: tuple[str, str], tiny_folder
) -> None:
    settings = restored_run.restored_settings(services, None, two[0])
    assert (settings["scenario"], settings["epochs"], settings["seed"]) == ("freeze-encoder", "2", "0")
    view = dataset.describe_data(services, DataForm(encoder=str(tiny_folder())), "freeze-encoder", two[0])
    assert "few.csv" in view.rows
    assert view.begin["interactive"]
    stored = restored_run.stored_run(services, None, two[0])
    form = ConfigForm.from_inputs(
        scenario="freeze-all", open_groups=[], **{k: v for k, v in settings.items() if k in ("seed", "epochs")}
    )
    token = restored_run.train_again(services, "", stored, form)
    folder = services.runs.folder(token)
    assert folder.job().config.scenario == "freeze-all"
    assert folder.data().texts == stored.data.texts
    services.runs.stop(token)


def test_a_run_is_deleted_once_that_is_confirmed(services: Services, tiny_folder) -> None:
    token = train(services, str(tiny_folder()), scenario="freeze-all")
    view = listed(services, (token,))
    (run,) = SavedRuns.read(view.runs).runs
    asked = run_list.press(services, view.runs, token, f"ask {run.key}")
    assert "Cancel" in asked.run_list
    assert services.runs.folder(token)
    gone = run_list.press(services, asked.runs, token, f"delete {run.key}")
    assert (gone.run, SavedRuns.read(gone.runs).runs) == (None, ())
    with pytest.raises(gr.Error):
        run_list.press(services, view.runs, token, f"delete {run.key}")
