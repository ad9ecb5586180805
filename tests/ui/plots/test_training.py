import json
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from mtst.data.tasks import Task
from mtst.runs.history import History
from mtst.training.events import Opened, RatesFound, RateTried, StepEnded
from mtst.ui.plots import training as training_plots
from mtst.ui.train.results import score_tables
from tests.support.fake_history import (
    BASELINES,
    BEFORE,
    BETTER,
    FIRST,
    LATER,
    STEP,
    ended,
    finished,
    history_of,
    started,
)


def long_run(steps: int, epochs: int = 2) -> History:
    per_epoch = steps // epochs
    history = history_of(started(epochs, steps=steps), BASELINES, BEFORE)
    for step in range(1, steps + 1):
        history.extend([StepEnded(step, {"a": 1 / step}, step / 10)])
        if step % per_epoch == 0:
            history.extend([ended(step // per_epoch, step, BETTER, step / 10)])
    return history


def traces(history: History) -> list[go.Scatter]:
    return list(training_plots.curves(history, "run").data)


def text_of(figure: go.Figure) -> str:
    return json.dumps(figure.to_plotly_json(), default=str)


def test_train_points_are_few() -> None:
    assert len(traces(long_run(4000))[0].x) <= training_plots.TRAIN_POINTS + 1


def test_three_steps_can_be_seen() -> None:
    train, loss, score, *_ = traces(long_run(3, epochs=1))
    assert len([x for x in train.x if x is not None]) == 3
    assert list(loss.x) == list(score.x) == [None, 0, 1]
    assert list(score.y) == [None, 0.5, 0.75]


def test_every_curve_is_there_from_the_start_and_only_grows() -> None:
    """The page is sent what was added to a list: whatever shrank or moved would be drawn wrongly."""
    events = [started(3, LATER), BASELINES, BEFORE, STEP, FIRST, Opened(2, ("block-1",), "nothing", 2.1), finished()]
    history, before = history_of(), None
    for event in events:
        history.extend([event])
        figure = training_plots.curves(history, "run").to_plotly_json()
        if before:
            assert [trace["name"] for trace in before["data"] if "name" in trace] == [
                trace["name"] for trace in figure["data"] if "name" in trace
            ]
            assert len(before["data"]) == len(figure["data"])
            for old, new in zip(before["data"], figure["data"], strict=True):
                assert list(new["x"])[: len(old["x"])] == list(old["x"])
                assert list(new["y"])[: len(old["y"])] == list(old["y"])
        before = figure


def test_each_baseline_has_an_entry_in_the_legend_and_a_line_in_each_view() -> None:
    drawn = traces(history_of(started(), BASELINES, BEFORE))
    for kind, (loss, score) in {"majority": (0.8, 0.25), "before": (0.7, 0.5), "logistic": (0.6, 0.625)}.items():
        *entries, loss_line, score_line = [trace for trace in drawn if trace.legendgroup == kind]
        lines = (loss_line, score_line)
        assert {entry.name for entry in entries} == {training_plots.NAMES[kind].replace("before training", "zero-shot")}
        assert {entry.yaxis for entry in entries} == set(training_plots.VIEWS.values())
        assert [(line.yaxis, list(line.y)) for line in lines] == [
            ("y", [None, loss, loss]),
            ("y2", [None, score, score]),
        ]
        assert not any(line.showlegend for line in lines)
    assert len({trace.line.dash for trace in drawn if trace.legendgroup in training_plots.NAMES}) == 3


def test_heads_that_have_learned_before_are_not_called_zero_shot() -> None:
    history = history_of(replace(started(), zero_shot=False), BASELINES, BEFORE)
    assert "before training" in [trace.name for trace in traces(history)]
    assert "zero-shot" not in score_tables.scores(history)
    assert "zero-shot" in score_tables.scores(history_of(started(), BASELINES, BEFORE))


@pytest.mark.parametrize(("count", "entries"), [(1, (5, 4)), (3, (9, 6)), (4, (7, 7)), (8, (11, 11))])
def test_the_legend_stays_short_however_many_tasks_there_are(count: int, entries: tuple[int, int]) -> None:
    tasks = tuple(Task(f"task {k}", ("x", "y")) for k in range(count))
    drawn = traces(history_of(replace(started(), tasks=tasks)))
    shown = [trace.yaxis or "y" for trace in drawn if trace.showlegend is not False]
    assert (shown.count("y"), shown.count("y2")) == entries


def test_the_kept_epoch_is_marked_when_the_run_is_over() -> None:
    assert "kept" not in text_of(training_plots.curves(history_of(started(), BEFORE, FIRST), "run"))
    assert "kept" in text_of(training_plots.curves(history_of(started(), BEFORE, FIRST, finished()), "run"))


@pytest.mark.parametrize(("kept", "anchor"), [(1, "left"), (3, "right")])
def test_the_mark_of_the_kept_epoch_stays_inside_the_figure(kept: int, anchor: str) -> None:
    events = [ended(epoch, 2 * epoch, BETTER, 2.0) for epoch in (1, 2, 3)]
    history = history_of(started(3), BEFORE, *events, finished(kept))
    mark = training_plots.curves(history, "run").layout.annotations[0]
    assert (mark.text, mark.x, mark.xanchor) == (f"kept: epoch {kept}", kept, anchor)


def test_zoom_survives_because_the_revision_is_the_run() -> None:
    assert training_plots.curves(history_of(started()), "abc").layout.uirevision == "abc"


@pytest.mark.parametrize("heads", [True, False])
def test_the_search_for_rates_is_drawn_over_the_rate_of_what_is_open(heads: bool) -> None:
    groups = LATER if heads else LATER[:2]
    history = history_of(started(1, groups), RateTried(1, 0.001, 1e-5, 2.0, 0.1), RateTried(2, 0.01, 1e-4, 1.0, 0.2))
    figure = training_plots.rate_curve(history, "run")
    assert list(figure.data[0].x) == ([0.001, 0.01] if heads else [1e-5, 1e-4])
    assert list(figure.data[0].y) == [2.0, 1.0]
    assert not figure.layout.shapes
    history.extend([RatesFound(0.001, 1e-5, 0.3)])
    assert training_plots.rate_curve(history, "run").layout.shapes[0].x0 == (0.001 if heads else 1e-5)
