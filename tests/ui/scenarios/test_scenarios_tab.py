"""The Scenarios tab's handlers: what a comparison looks like from start to end."""

import asyncio
import json
import re
from pathlib import Path

import gradio as gr
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.comparison.events import Compared, LearningCurve
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.plots import comparison as comparison_plots
from mtst.ui.scenarios import comparison_view, html_report, recommendation
from mtst.ui.train.form import dataset
from tests.support.fake_comparison import TASK, compared

CHEAP, DEAR = "freeze-encoder", "train-all"


def last(services, token):
    async def wait():
        return [shown async for shown in comparison_view.follow(services, token)][-1]

    return asyncio.run(asyncio.wait_for(wait(), 120))


def test_a_comparison_from_start_to_the_page_to_keep(services, write_csv):
    rows = SMALL_SAMPLE.read_text(encoding="utf-8").splitlines()[:61]
    draft, *_ = dataset.choose(services, write_csv("\n".join(rows), "mine.csv"))
    chosen = (draft, "text", ["topic", "sentiment"], False)
    token, _, begin = comparison_view.start(services, "", [CHEAP, "freeze-all"], 2, False, *chosen)
    assert begin.visible is False
    shown = last(services, token)
    assert "Finished, 4 of 4 attempts made" in shown[0]
    assert "mine.csv, judged by 12 test rows" in shown[1]
    assert "Heads only" in shown[2]
    assert "seeds apart" in shown[2]
    assert shown[-1].visible
    page, report = comparison_view.pack(services, token)
    made = json.loads(Path(report).read_text(encoding="utf-8"))
    assert [row["scenario"] for row in made["scenarios"]] == [CHEAP, "freeze-all"]
    assert made["complete"]
    kept = Path(page).read_text(encoding="utf-8")
    assert "var(--" not in kept.split("</style>", 1)[1].split("<script", 1)[0]
    assert not re.search(r'(src|href)="http', re.sub(r"<script.*?</script>", "", kept, flags=re.DOTALL))
    gone = comparison_view.delete(services, token)
    assert gone[0] is None
    assert "are deleted" in gone[1]


def test_without_a_file_the_sample_is_compared(services):
    draft, wanted = comparison_view.sample(services)
    assert draft.table.name.endswith(SMALL_SAMPLE.name)
    assert (wanted.text, wanted.labels) == ("text", ("topic", "sentiment"))


@pytest.mark.parametrize(("keys", "words"), [([], "at least one"), (["freeze-head:nobody"], "at least one")])
def test_nothing_to_compare_is_refused(services, keys, words):
    with pytest.raises(gr.Error, match=words):
        comparison_view.start(services, "", keys, 1, False, None, None, [], False)


def test_one_tick_stands_for_the_heads_of_all_tasks(services):
    draft, wanted = comparison_view.sample(services)
    tasks = draft.dataset(wanted).tasks
    assert comparison_view.expanded(["freeze-head:"], tasks) == ("freeze-head:topic", "freeze-head:sentiment")
    assert comparison_view.expanded([CHEAP], tasks) == (CHEAP,)


def test_an_unknown_token_changes_nothing(services):
    shown = last(services, "x" * 32)
    assert len(shown) == comparison_view.OUTPUTS
    assert len(comparison_view.none("gone")) == comparison_view.OUTPUTS


def test_the_table_leaves_out_what_says_nothing():
    one, three = (compared({CHEAP: ([0.8] * n, 2.0), DEAR: ([0.9] * n, 20.0)}) for n in (1, 3))
    assert "seeds apart" not in recommendation.scores(one)
    assert "seeds apart" in recommendation.scores(three)
    assert "frozen head" not in recommendation.scores(three)


def test_figures_hold_every_attempt_and_only_grow():
    comparison = compared({CHEAP: ([0.8, 0.7], 2.0), DEAR: ([0.9, 0.9], 20.0)})
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
    assert "too few rows" in recommendation.more_data(LearningCurve((10,), ((0.4,),), {}, 1.0))


def test_hostile_names_are_shown_as_typed(services, write_csv):
    nasty = "<img src=x onerror=alert(1)>"
    rows = [f"{'nice' if n % 2 else 'bad'} words {n},{nasty if n % 2 else 'b'}" for n in range(30)]
    draft, *_ = dataset.choose(services, write_csv(f"text,{nasty}\n" + "\n".join(rows), "nasty.csv"), True)
    token, *_ = comparison_view.start(services, "", ["freeze-all", CHEAP], 1, False, draft, "text", [nasty], False)
    shown = last(services, token)
    page, _ = comparison_view.pack(services, token)
    for text in (*shown[:3], Path(page).read_text(encoding="utf-8")):
        assert "<img" not in text


def test_a_stopped_comparison_says_how_far_it_came():
    history = History()
    history.comparison = compared({CHEAP: ([0.8], 2.0), DEAR: ([0.9], 20.0)})
    history.extend([Compared(True, 3.0)])
    assert "Stopped, 2 of 2 attempts made" in comparison_view.show(history)[0]
    assert history.is_resumable
    assert history.outcome == "stopped"


def test_the_page_to_keep_needs_nothing_else(services):
    comparison = compared({CHEAP: ([0.8], 2.0), DEAR: ([0.9], 20.0)})
    draft, wanted = comparison_view.sample(services)
    data = draft.dataset(wanted)
    made = html_report.html_report(Job("all-MiniLM-L6-v2", TrainConfig(), "x.csv"), data, comparison)
    assert "Plotly.newPlot" in made
    assert TASK.name in made
