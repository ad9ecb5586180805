"""Threads for work that cannot be sliced: visitors take turns, whoever of them has asked for more."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from mtst.ui.server.visitors import current_visitor

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class FairExecutor(Executor):
    """An executor in whose queue the visitor who has had no turn for the longest time is next."""

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = {}  # in the order of turns

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Have a function called when it is the turn of the visitor who asks for it."""
        future: Future[Result] = Future()
        with self._lock:
            self._waiting.setdefault(current_visitor(), deque()).append((future, lambda: fn(*args, **kwargs)))
            self._pool.submit(self._run_next)
        return future

    def _run_next(self) -> None:
        with self._lock:
            visitor = next(iter(self._waiting))
            own = self._waiting.pop(visitor)
            future, call = own.popleft()
            if own:
                self._waiting[visitor] = own  # behind all others
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(call())
        except BaseException as error:  # whoever waits for the result gets it
            future.set_exception(error)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (as its base)
        """Take no more work; `cancel_futures` drops what has not begun."""
        with self._lock:
            self._pool.shutdown(wait=False, cancel_futures=cancel_futures)
            dropped = [future for own in self._waiting.values() for future, _ in own] if cancel_futures else []
            self._waiting = {} if cancel_futures else self._waiting
        for future in dropped:
            future.cancel()
        if wait:
            self._pool.shutdown(wait=True)
