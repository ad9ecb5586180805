"""Views, panels and the page between them: names agree, and no output depends on an order."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import gradio as gr
import pytest

from mtst.ui.components.events import UNCHANGED, Outputs, Update, named_inputs


@dataclass(frozen=True)
class View:
    status: str | Update = UNCHANGED
    weights: tuple[object, ...] | Update = UNCHANGED


@pytest.fixture
def panel() -> SimpleNamespace:
    with gr.Blocks():
        return SimpleNamespace(weights=(gr.Textbox(), gr.Textbox()), status=gr.HTML(), other=gr.HTML())


def test_a_view_updates_its_components_by_name(panel: SimpleNamespace) -> None:
    outputs = Outputs(View, panel)
    first, second = panel.weights
    assert outputs.components == [panel.status, first, second]
    assert outputs.updates(View("on", (1, 2))) == {panel.status: "on", first: 1, second: 2}
    assert outputs.updates(View("on")) == {panel.status: "on"}
    assert outputs.updates(View()) == dict.fromkeys(outputs.components, gr.skip())
    with pytest.raises(ValueError, match="argument 2"):
        outputs.updates(View("on", (1,)))


def test_a_name_without_a_component_is_refused_while_the_page_is_built() -> None:
    for check in (Outputs, named_inputs):
        with pytest.raises(TypeError, match="no component for weights of View"):
            check(View, SimpleNamespace(status=gr.HTML(render=False)))


def test_functions_and_generators_of_both_kinds_are_handlers(panel: SimpleNamespace) -> None:
    outputs = Outputs(View, panel)
    closed = []

    def returned(text: str) -> View:
        return View(text)

    def yielded(text: str) -> Iterator[View]:
        try:
            yield View(text)
            yield View("second")
        finally:
            closed.append("sync")

    async def followed(text: str) -> AsyncIterator[View]:
        try:
            yield View(text)
            yield View("second")
        finally:
            closed.append("async")

    async def first() -> dict:
        views = outputs.by_name(followed)("x")
        updates = await anext(views)
        await views.aclose()
        return updates

    steps = outputs.by_name(yielded)("x")
    assert outputs.by_name(returned)("x") == next(steps) == asyncio.run(first())
    steps.close()
    assert closed == ["async", "sync"]


def test_gradio_gives_a_named_handler_what_its_annotations_ask_for(panel: SimpleNamespace) -> None:
    seen = []

    def handle(request: gr.Request, text: str) -> View:
        seen.append((type(request), text))
        return View(text, ("a", "b"))

    with gr.Blocks() as demo:
        text = gr.Textbox("typed")
        here = SimpleNamespace(status=gr.HTML(), weights=(gr.Textbox(), gr.Textbox()))
        outputs = Outputs(View, here)
        demo.load(outputs.by_name(handle), outputs=outputs.components, inputs_kwargs={"text": text})
    result = asyncio.run(demo.process_api(demo.default_config.fns[0], ["typed"], request=gr.Request()))
    assert result["data"] == ["typed", "a", "b"]
    assert seen == [(gr.Request, "typed")]
