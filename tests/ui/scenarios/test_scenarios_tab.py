"""The Scenarios tab's handlers: what a comparison looks like from start to end."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.comparison.events import Compared, Dropped, LearningCurve
from mtst.comparison.race import behind_in_rounds
from mtst.comparison.recommendation import recommend
from mtst.data.readers.options import ReadOptions
from mtst.data.tasks import DEFAULT_TASKS
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.training.scenarios import find_scenario
from mtst.ui.plots import comparison as comparison_plots
from mtst.ui.scenarios import comparison_start, comparison_view, html_report, recommendation
from mtst.ui.scenarios.comparison_start import ComparisonForm
from mtst.ui.scenarios.comparison_view import ComparisonView
from mtst.ui.scenarios.ranking import ranking
from mtst.ui.train.form import chosen_file, dataset
from mtst.ui.train.form.form_values import DataForm
from tests.support.fake_comparison import TASK, comparison_of, folds_of

CHEAP, DEAR = "freeze-encoder", "train-all"


def form(services, path=None, labels=(), scenarios=(CHEAP, "freeze-all"), seeds=1, encoder=""):
    draft = chosen_file.read_file(services, path, ReadOptions(header=True)).draft if path else None
    return ComparisonForm(DataForm(draft, "text", labels, encoder=encoder), scenarios, seeds, alone=False)


def last(services, token):
    async def wait():
        return [view async for view in comparison_view.follow_comparison(services, token)][-1]

    return asyncio.run(asyncio.wait_for(wait(), 120))


def test_a_comparison_from_start_to_the_saved_page(services, write_csv, tiny_folder):
    rows = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:61]
    path = write_csv("\n".join(rows), "mine.csv")
    chosen = form(services, path, ["topic", "sentiment"], seeds=2, encoder=str(tiny_folder()))
    started = comparison_start.start_comparison(services, "", chosen)
    token = started.token
    assert started.begin["visible"] is False
    view = last(services, token)
    assert "Finished, 20 of 20 runs completed" in view.status
    assert "mine.csv, judged by 5-fold cross-validation on all 60 rows" in view.answer
    assert "Heads only" in view.table
    assert "seed spread" in view.table
    assert view.after["visible"]
    page, report = comparison_view.save_comparison(services, token)
    made = json.loads(Path(report).read_text(encoding="utf-8"))
    assert [row["scenario"] for row in made["scenarios"]] == ["freeze-all", CHEAP]
    assert made["complete"]
    saved = Path(page).read_text(encoding="utf-8")
    assert saved.startswith("<!doctype html>")
    assert "var(--" not in saved.split("</style>", 1)[1].split("<script", 1)[0]
    assert not re.search(r'(src|href)="http', re.sub(r"<script.*?</script>", "", saved, flags=re.DOTALL))


def test_without_a_file_the_sample_is_compared(services):
    data = comparison_start.sample_form(services)
    assert data.draft.table.name.endswith(SMALL_SAMPLE.name)
    assert (data.text, data.labels) == ("text", ["topic", "sentiment"])


@pytest.mark.parametrize("scenarios", [[], ["freeze-head:nobody"]])
def test_nothing_to_compare_is_refused(services, scenarios):
    with pytest.raises(gr.Error, match="at least one"):
        comparison_start.start_comparison(services, "", form(services, scenarios=scenarios))


def test_one_tick_stands_for_the_heads_of_all_tasks():
    expand = comparison_start.expand_scenarios
    assert expand(["freeze-head:"], DEFAULT_TASKS) == ("freeze-head:topic", "freeze-head:sentiment")
    assert expand([CHEAP], DEFAULT_TASKS) == (CHEAP,)


def test_an_unknown_token_changes_nothing(services):
    assert last(services, "x" * 32) == ComparisonView()


def test_the_table_leaves_out_what_says_nothing():
    one, three = (comparison_of({CHEAP: ([0.8] * n, 2.0), DEAR: ([0.9] * n, 20.0)}) for n in (1, 3))
    assert "seed spread" not in recommendation.scores_table(one)
    assert "seed spread" in recommendation.scores_table(three)
    assert "frozen head" not in recommendation.scores_table(three)


def test_what_was_stopped_is_marked_in_the_table_the_words_and_the_figures():
    costs = {CHEAP: 1.0, "top-k": 30.0, "gradual": 60.0, DEAR: 100.0}
    comparison = folds_of({CHEAP: 0.6, "top-k": 0.9, "gradual": 0.5}, costs, rounds=1, rows=400, planned=tuple(costs))
    comparison.extend([Dropped(DEAR, 0, 0.4, "top-k", 0.9, "budget", epoch=2)])
    comparison.extend(behind_in_rounds(comparison))
    table = recommendation.scores_table(comparison)
    assert "Gradual unfreezing (stopped after 1 fold)" in table
    assert "Train everything (stopped after 2 epochs)" in table
    told = recommendation.recommendation(comparison)
    assert "judged by 5-fold cross-validation on all 400 rows" in told.lower()
    assert "“Train everything” was stopped after 2 epochs, 50.0 points behind “Train the top blocks”." in told
    assert recommend(comparison).chosen.scenario not in comparison.dropped
    symbols = {trace.name: trace.marker.symbol for trace in comparison_plots.costs(comparison).data}
    assert [name for name, symbol in symbols.items() if symbol.endswith("-open")] == ["Gradual unfreezing"]
    assert len(comparison_plots.curves(comparison).data) == len(costs)  # the first fold of each


def test_figures_hold_every_attempt_and_only_grow():
    comparison = comparison_of({CHEAP: ([0.8, 0.7], 2.0), DEAR: ([0.9, 0.9], 20.0)})
    assert [trace.name for trace in comparison_plots.curves(comparison).data if trace.showlegend] == [
        "Heads only",
        "Train everything",
    ]
    costs = comparison_plots.costs(comparison)
    assert [trace.x[0] for trace in costs.data] == [2.0, 20.0]
    assert costs.data[0].error_y.visible


@pytest.mark.parametrize(
    ("now", "later", "words"),
    [
        (0.5, (0.6, 0.65, 0.7), "More rows would help"),
        (0.5, (0.45, 0.52, 0.6), "More rows may help"),
        (0.5, (0.48, 0.5, 0.503), "would hardly help"),
    ],
)
def test_more_rows_are_judged_by_where_the_curve_leads(now, later, words):
    assert words in recommendation.more_data(LearningCurve((10, 20), ((0.4,), (now,)), {40: later}, 1.0))


def test_too_few_rows_are_said_to_be_too_few():
    assert "Too few rows" in recommendation.more_data(LearningCurve((10,), ((0.4,),), {}, 1.0))


def test_hostile_names_are_shown_as_typed(services, write_csv, tiny_folder):
    nasty = "<img src=x onerror=alert(1)>"
    rows = [f"{'nice' if n % 2 else 'bad'} words {n},{nasty if n % 2 else 'b'}" for n in range(30)]
    path = write_csv(f"text,{nasty}\n" + "\n".join(rows), "nasty.csv")
    chosen = form(services, path, [nasty], encoder=str(tiny_folder()))
    token = comparison_start.start_comparison(services, "", chosen).token
    view = last(services, token)
    page, _ = comparison_view.save_comparison(services, token)
    for text in (view.status, view.answer, view.table, Path(page).read_text(encoding="utf-8")):
        assert "<img" not in text


def test_a_stopped_comparison_says_how_far_it_came():
    history = History()
    history.comparison = comparison_of({CHEAP: ([0.8], 2.0), DEAR: ([0.9], 20.0)})
    history.extend([Compared(True, 3.0)])
    assert "Stopped, 2 of 2 runs completed" in comparison_view.show_comparison(history).status
    assert history.is_resumable
    assert history.outcome == "stopped"


def test_the_page_to_keep_needs_nothing_else(services):
    comparison = comparison_of({CHEAP: ([0.8], 2.0), DEAR: ([0.9], 20.0)})
    data = comparison_start.sample_form(services).dataset()
    made = html_report.html_report(Job("all-MiniLM-L6-v2", TrainConfig(), "x.csv"), data, comparison)
    assert "Plotly.newPlot" in made
    assert TASK.name in made


def test_before_the_start_it_says_what_is_compared_what_to_expect_and_how_long_that_takes(services):
    draft = chosen_file.read_file(services, str(SMALL_SAMPLE)).draft
    rows = DataForm(draft, "text", ("topic",), encoder="all-MiniLM-L6-v2")

    def plan(form, scenarios=(CHEAP, DEAR)):
        return comparison_start.describe_plan(services, ComparisonForm(form, scenarios, 1, alone=False))

    assert "on public data with about 61 rows per label" in plan(rows).source
    assert re.fullmatch(r"Compare 2 scenarios · about \d+ (s|min)", plan(rows).begin["value"])
    assert "public data" not in plan(replace(rows, labels=())).source
    assert plan(replace(rows, labels=())).begin["value"] == comparison_start.START
    assert "sample of 600" in plan(replace(rows, draft=None)).source
    assert plan(rows, ()).begin["value"] == comparison_start.START


def test_the_winner_is_trained_on_the_rows_that_were_compared(services, write_csv, tiny_folder):
    rows = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:61]
    chosen = form(services, write_csv("\n".join(rows), "mine.csv"), ["topic"], encoder=str(tiny_folder()))
    token = comparison_start.start_comparison(services, "", chosen).token
    view = last(services, token)
    assert view.train["visible"]
    folder = services.runs.folder(comparison_start.train_winner(services, "", token))
    assert (folder.job().kind, folder.job().scenarios) == ("train", ())
    assert folder.data().texts == services.runs.folder(token).data().texts
    assert find_scenario(folder.job().config.scenario, DEFAULT_TASKS).title in view.train["value"]
    with pytest.raises(gr.Error, match="not here any more"):
        comparison_start.train_winner(services, "", "x" * 32)


def test_the_list_marks_what_is_recommended_and_what_it_is_tied_with():
    comparison = comparison_of({CHEAP: ([0.80], 2.0), DEAR: ([0.805], 20.0), "freeze-all": ([0.2], 1.0)}, 4000)
    assert "Recommended" not in ranking(comparison, {})
    comparison.extend([Compared(stopped=False, seconds=22.0)])
    lines = re.findall(r"<li class=\"rank ([a-z]*)\">.*?</li>", ranking(comparison, {CHEAP: "--light: x"}), re.DOTALL)
    shown = ranking(comparison, {CHEAP: "--light: x"})
    assert lines == ["", "chosen", ""]
    assert "tied with it" in shown
    assert "below the scale" in shown
    assert shown.count("--light: x") == 1


def test_the_table_is_sorted_and_says_the_gain_over_heads_only_and_what_is_recommended():
    comparison = comparison_of({CHEAP: ([0.5], 2.0), DEAR: ([0.9], 20.0)})
    comparison.extend([Compared(stopped=False, seconds=22.0)])
    table = str(recommendation.scores_table(comparison))
    assert recommendation.OVER_HEADS in table
    assert table.index("Train everything ← recommended") < table.index("Heads only")
    assert table.count("+") >= 1


def test_after_a_reload_the_rows_of_the_run_are_compared(services, write_csv, tiny_folder):
    rows = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:61]
    chosen = form(services, write_csv("\n".join(rows), "mine.csv"), ["topic"], encoder=str(tiny_folder()))
    data = chosen.data.dataset()
    job = dataset.build_job(services, chosen.data, data.tasks, TrainConfig("freeze-all"))
    run = services.runs.submit(job, data, "")
    reloaded = form(services, scenarios=(CHEAP,))  # no file
    plan = comparison_start.describe_plan(services, reloaded, run)
    assert "mine.csv, the 55 rows of the run in the Train tab" in plan.source
    token = comparison_start.start_comparison(services, "", reloaded, run).token
    folder = services.runs.folder(token)
    assert folder.job().kind == "compare"
    assert folder.job().config == TrainConfig()
    assert (folder.job().source, folder.job().encoder) == ("mine.csv", job.encoder)
    assert folder.data().texts == data.texts
    services.runs.stop(token)
    assert "No file is chosen" in comparison_start.describe_plan(services, reloaded, "x" * 32).source
