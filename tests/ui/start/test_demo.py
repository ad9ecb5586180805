"""The demo of the Start tab: two real runs, on a tiny encoder, and what they are said to show."""

import asyncio
from collections.abc import Iterator

import gradio as gr
import pytest

from mtst.comparison.difference import Difference
from mtst.runs.job import Job
from mtst.runs.settings import Settings
from mtst.training.config import TrainConfig
from mtst.ui.services.services import Services
from mtst.ui.start import demo
from mtst.ui.start.demo import DemoView
from mtst.ui.start.demo_result import verdict
from mtst.ui.start.tab import take_run


@pytest.fixture(scope="module")
def tiny_services(tiny_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Services with a small encoder, and room for one demo of a visitor at a time."""
    services = Services(Settings(encoder=str(tiny_folder()), runs_dir=tmp_path_factory.mktemp("runs")))
    yield services
    services.close()


def views(services: Services, tokens: list[str] | None) -> list[DemoView]:
    async def follow() -> list[DemoView]:
        return [view async for view in demo.follow_demo(services, tokens)]

    return asyncio.run(asyncio.wait_for(follow(), 240))


@pytest.fixture(scope="module")
def shown(tiny_services: Services) -> tuple[DemoView, list[DemoView]]:
    """What is shown when the demo begins, and then until it is over."""
    begun = demo.start_demo(tiny_services, "visitor")
    with pytest.raises(gr.Error):  # two runs wait or train already
        demo.start_demo(tiny_services, "visitor")
    return begun, views(tiny_services, begun.demo)


def test_both_runs_train_one_after_the_other_and_are_drawn_together(shown) -> None:
    begun, seen = shown
    assert begun.begin["interactive"] is False
    assert begun.progress.count("waits") == 2
    last = seen[-1]
    assert last.progress.count('class="finished"') == 2
    assert [trace["name"] for trace in last.plot["value"]["data"][::2]] == ["Heads only", "Top 2 blocks"]
    assert len(last.plot["value"]["data"][2]["x"]) == 1 + 1 + demo.EPOCHS  # a blank and epoch 0
    assert last.begin["interactive"] is True


def test_the_result_says_what_opening_the_blocks_gave_and_that_the_rest_is_unchanged(shown) -> None:
    result = str(shown[1][-1].result)
    assert "Opening two blocks" in result
    assert "on 90 sentences that were held out" in result
    assert "exactly as they were" in result


def test_a_run_of_the_visitors_own_stays_in_the_train_tab(tiny_services: Services, shown) -> None:
    data = tiny_services.runs.folder(shown[0].demo[0]).data()
    own = tiny_services.runs.submit(Job(tiny_services.settings.encoder, TrainConfig("freeze-all")), data)
    assert demo.is_own_run(tiny_services, own)
    assert not demo.is_own_run(tiny_services, shown[0].demo[1])
    assert not demo.is_own_run(tiny_services, None)
    assert take_run(tiny_services, shown[0].demo, None)[0] == shown[0].demo[1]


def test_a_demo_is_found_again_and_one_that_is_gone_leaves_the_page_as_it_is(tiny_services: Services, shown) -> None:
    tokens = shown[0].demo
    assert views(tiny_services, tokens)[-1].result == shown[1][-1].result
    for token in tokens:
        tiny_services.delete(token)
    assert views(tiny_services, tokens)[-1].demo is None
    assert views(tiny_services, None) == [DemoView(None)]


@pytest.mark.parametrize(
    ("gain", "low", "high", "words"),
    [
        (0.06, 0.03, 0.09, "gave 6.0 points more than heads only."),
        (0.03, -0.01, 0.08, "gave 3.0 points more. On so few"),
        (-0.01, -0.05, 0.02, "gave nothing here: 1.0 points less, which may be chance"),
        (-0.05, -0.08, -0.01, "cost 5.0 points"),
    ],
)
def test_a_difference_that_may_be_chance_is_called_so(gain, low, high, words) -> None:
    assert words in verdict(Difference("top-k", "freeze-encoder", gain, low, high, low))
