"""A page that follows one run at a time: to show another ends the view of the one before."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import gradio as gr

from mtst.ui.services.services import Services
from mtst.ui.train import run_view
from mtst.ui.train.run_view import RunView

DELETED = "Your run, its data and its model are deleted."
Follow = Callable[[gr.Request, str | None, object], AsyncGenerator[RunView, None]]
FollowTurn = Callable[[gr.Request, str | None, object, str], AsyncGenerator[RunView, None]]


def follow_last(services: Services) -> Follow:
    """Return the handler that follows the run of a page, by its token and the list of runs, until it shows another."""

    async def follow(request: gr.Request, token: str | None, runs: object) -> AsyncGenerator[RunView, None]:
        page = request.session_hash or ""
        turn = services.followers.begin(page)
        async with aclosing(run_view.follow_run(services, token, runs)) as views:
            async for each in views:
                if services.followers.has_ended(page, turn):
                    return
                yield each

    return follow


def follow_other(services: Services) -> FollowTurn:
    """Return the handler that shows another run, or none if it was deleted; a page begins with an empty turn."""

    async def follow(request: gr.Request, token: str | None, runs: object, turn: str) -> AsyncGenerator[RunView, None]:
        if not turn:
            yield RunView()
            return
        if not token:
            services.followers.begin(request.session_hash or "")
            yield run_view.no_run(DELETED)
            return
        async with aclosing(follow_last(services)(request, token, runs)) as views:
            async for each in views:
                yield each

    return follow
