"""What all endpoints share: checked arguments, readable errors, and a limit on concurrent calls."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, get_type_hints

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from mtst.errors import DataError, MtstError, RunError
from mtst.text import truncate
from mtst.ui.server.gradio_patches import forget_session
from mtst.ui.server.visitors import visitor_id

MAX_CALLS = 4  # at once from one address
MAX_COMPUTING = 2  # calls that compute at once, so that the page stays quick
MAX_SESSIONS = 16
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Calls:
    """Limits how many calls of programs run at once, and frees the sessions of those that have ended."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()  # calls by visitor
        self._sessions: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self.computing = threading.Semaphore(MAX_COMPUTING)

    @contextmanager
    def limit(self, request: gr.Request | None) -> Iterator[None]:
        """Count one more call while the block runs.

        Raises:
            RunError: the address has `MAX_CALLS` calls running already.
        """
        visitor = visitor_id(request)
        with self._lock:
            if visitor and self._running[visitor] >= MAX_CALLS:
                raise RunError(
                    f"You have {MAX_CALLS} calls under way, as many as allowed. Wait for one to be answered."
                )
            self._running[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[visitor] -= 1
                self._running += Counter()  # drops the entries at zero

    def end_session(self, demo: gr.Blocks, session: str | None) -> None:
        """Note that a session was used, and free the oldest ones: each plain HTTP call has a session of its own."""
        if not session:
            return
        with self._lock:
            self._sessions.pop(session, None)
            self._sessions[session] = None
            while len(self._sessions) > MAX_SESSIONS:
                oldest, _ = self._sessions.popitem(last=False)
                forget_session(demo, oldest)


class EndpointOwner(Protocol):
    """An object whose methods are endpoints."""

    calls: Calls
    demo: gr.Blocks


def endpoint(
    method: Callable[Concatenate[Any, gr.Request, Parameters], Result],
) -> Callable[Concatenate[Any, gr.Request, Parameters], Result]:
    """Turn a method into an endpoint: check its arguments, limit concurrent calls, raise errors as `gr.Error`.

    The first parameter is the request; the others are checked against their type hints.
    """
    hints = get_type_hints(method)
    adapters = {name: TypeAdapter(hint) for name, hint in hints.items() if name not in ("request", "return")}

    @wraps(method)
    def call(self: EndpointOwner, request: gr.Request, *values: Any) -> Result:
        try:
            with self.calls.limit(request):
                arguments: dict[str, Any] = {
                    name: _validated(name, adapters[name], value) for name, value in zip(adapters, values, strict=True)
                }
                return cast(Callable[..., Result], method)(self, request, **arguments)
        except MtstError as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            self.calls.end_session(self.demo, getattr(request, "session_hash", None))

    # Gradio passes arguments by position only, so the narrower signature is what callers see.
    return cast(Callable[Concatenate[Any, gr.Request, Parameters], Result], call)


def _validated(name: str, adapter: TypeAdapter[Any], value: object) -> Any:
    """Return a value converted to the type of its parameter.

    Raises:
        DataError: it cannot be converted.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        detail = error.errors()[-1]
        position = "".join(f"[{step}]" for step in detail["loc"] if isinstance(step, int))
        reason = detail["msg"][:1].lower() + detail["msg"][1:]
        raise DataError(f"{name}{position}: {reason}, not {truncate(repr(detail['input']), 60)}.") from None
