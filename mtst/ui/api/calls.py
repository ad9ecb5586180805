"""What all calls of programs have in common: checked arguments, errors in words, and few at once for each caller."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_type_hints

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from mtst.errors import DataError, MtstError, RunError
from mtst.text import truncate
from mtst.ui.server.visitors import visitor_id

AT_ONCE = 4  # of one address
COMPUTING = 2  # of all together, so that the page stays quick
SESSIONS = 16
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Calls:
    """Counts the calls that are being answered, and forgets what Gradio remembers of those that are over."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._sessions: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self.computing = threading.Semaphore(COMPUTING)

    @contextmanager
    def one(self, request: gr.Request) -> Iterator[None]:
        """Answer one more call.

        Raises:
            RunError: so many calls of this address are being answered already that others would have to wait for it.
        """
        visitor = visitor_id(request)
        with self._lock:
            if visitor and self._running[visitor] >= AT_ONCE:
                raise RunError(f"You have {AT_ONCE} calls under way, as many as allowed. Wait for one to be answered.")
            self._running[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[visitor] -= 1
                self._running += Counter()  # drops those at zero

    def forget(self, demo: gr.Blocks, session: str | None) -> None:
        """Let go of the oldest sessions of programs.

        Gradio keeps what a session was last told, for ten thousand of them, and a plain HTTP call has one of its own.
        """
        if not session:
            return
        with self._lock:
            self._sessions.pop(session, None)
            self._sessions[session] = None
            while len(self._sessions) > SESSIONS:
                oldest, _ = self._sessions.popitem(last=False)
                with demo.state_holder.lock:
                    demo.state_holder.session_data.pop(oldest, None)
                    demo.state_holder.time_last_used.pop(oldest, None)


class Endpoint(Protocol):
    """An object whose methods are called by programs."""

    calls: Calls
    demo: gr.Blocks


def endpoint(
    method: Callable[Concatenate[Any, gr.Request, Given], Answer],
) -> Callable[Concatenate[Any, gr.Request, Given], Answer]:
    """Make a method fit to be called by programs: whatever they send, they are answered or told what is wrong.

    Its first parameter is the request; the others are checked by their type hints.
    """
    hints = get_type_hints(method)
    kinds = {name: TypeAdapter(kind) for name, kind in hints.items() if name not in ("request", "return")}

    @wraps(method)
    def answer(self: Endpoint, request: gr.Request, *values: Any) -> Answer:
        try:
            with self.calls.one(request):
                given = {name: _checked(name, kinds[name], value) for name, value in zip(kinds, values, strict=True)}
                return method(self, request, **given)
        except MtstError as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            self.calls.forget(self.demo, getattr(request, "session_hash", None))

    return answer


def _checked(name: str, kind: TypeAdapter, value: object) -> Any:
    """Return a value as what it should be.

    Raises:
        DataError: it cannot be that.
    """
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        first = error.errors()[-1]
        place = "".join(f"[{step}]" for step in first["loc"] if isinstance(step, int))
        reason = first["msg"][:1].lower() + first["msg"][1:]
        raise DataError(f"{name}{place}: {reason}, not {truncate(repr(first['input']), 60)}.") from None
