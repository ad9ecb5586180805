"""Events of the page: options that they share, and inputs and outputs that go by name.

A handler returns a *view*: a frozen dataclass with a field for each output. The tab keeps its components in a *panel*:
a dataclass with the same field names. `Outputs` checks while the page is built that the names agree, and turns a view
into the `{component: value}` that Gradio takes. No handler depends on the order of its outputs.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import fields
from functools import wraps
from typing import Any, Literal, TypedDict

import gradio as gr
from gradio.blocks import Block

Update = dict[str, Any]  # what `gr.update` returns
Handler = Callable[..., Any]
Event = dict[str, Any]  # the arguments of a listener that several events share: `button.click(**event)`


class Silent(TypedDict):
    """Options of an event that no program calls and that shows no progress of its own."""

    api_visibility: Literal["public", "private", "undocumented"]
    show_progress: Literal["full", "minimal", "hidden"]


SILENT: Silent = {"api_visibility": "private", "show_progress": "hidden"}


class _Unchanged:
    """The type of `UNCHANGED`."""

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Any = _Unchanged()  # the value of a field whose component stays as it is


class Outputs:
    """The components of a panel that a view updates.

    A field of the panel may hold a tuple of components; the view then has a tuple of as many values.
    """

    def __init__(self, view: type, panel: object) -> None:
        """Find the component of each field of a view.

        Raises:
            TypeError: the panel has none for a field.
        """
        self._targets = _by_name(view, panel)

    @property
    def components(self) -> list[Any]:
        """All components that the view updates, for the `outputs` of an event."""
        several = (target if isinstance(target, tuple) else (target,) for target in self._targets.values())
        return [component for targets in several for component in targets]

    def updates(self, view: object) -> dict[Block, Any]:
        """Return the values of the components that change."""
        updates: dict[Block, Any] = {}
        for name, target in self._targets.items():
            value = getattr(view, name)
            if value is UNCHANGED:
                continue
            updates |= zip(target, value, strict=True) if isinstance(target, tuple) else {target: value}
        return updates or dict.fromkeys(self.components, gr.skip())  # Gradio takes an empty dict for a value

    def following(self, handler: Handler, token: gr.BrowserState) -> Event:
        """Return the arguments of a listener that shows how a run gets on for as long as it goes on.

        Args:
            handler: yields the views of the run.
            token: holds what the handler knows the run by.
        """
        return {
            "fn": self.by_name(handler),
            "inputs": token,
            "outputs": self.components,
            "concurrency_limit": None,  # it waits for nearly all of its time
            **SILENT,
        }

    def by_name(self, handler: Handler) -> Handler:
        """Return the handler for Gradio of a function that returns views, or of a generator that yields them."""
        if inspect.isasyncgenfunction(handler):

            @wraps(handler)
            async def follow(*values: Any, **named: Any) -> AsyncIterator[dict[Block, Any]]:
                async with aclosing(handler(*values, **named)) as views:
                    async for view in views:
                        yield self.updates(view)

            return follow
        if inspect.isgeneratorfunction(handler):

            @wraps(handler)
            def step(*values: Any, **named: Any) -> Iterator[dict[Block, Any]]:
                with closing(handler(*values, **named)) as views:
                    yield from map(self.updates, views)

            return step

        @wraps(handler)
        def call(*values: Any, **named: Any) -> dict[Block, Any]:
            return self.updates(handler(*values, **named))

        return call


def named_inputs(values: type, panel: object) -> dict[str, Any]:
    """Return the component of each field of a dataclass of values, for the `inputs_kwargs` of an event.

    Raises:
        TypeError: the panel has no component for a field.
    """
    return _by_name(values, panel)


def show_with_run(component: Block, tab: gr.Tab, run: gr.BrowserState | gr.State) -> None:
    """Show a component of a tab while a visitor has a run, whose token `run` holds."""
    gr.on([tab.select, run.change], lambda token: gr.update(visible=bool(token)), run, component, **SILENT)


def _by_name(names: type, panel: object) -> dict[str, Any]:
    missing = [each.name for each in fields(names) if not hasattr(panel, each.name)]
    if missing:
        raise TypeError(f"{type(panel).__name__} has no component for {', '.join(missing)} of {names.__name__}.")
    return {each.name: getattr(panel, each.name) for each in fields(names)}
