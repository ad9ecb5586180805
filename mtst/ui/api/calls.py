"""What all endpoints share: checked arguments, readable errors, and sessions that are let go."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, get_type_hints

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from mtst.errors import DataError, MtstError
from mtst.text import truncate
from mtst.ui.server.gradio_patches import forget_session

MAX_SESSIONS = 16
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Calls:
    """Frees the sessions of calls that have ended."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

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
    """Turn a method into an endpoint: check its arguments, raise errors as `gr.Error`.

    The first parameter is the request; the others are checked against their type hints.
    """
    hints = get_type_hints(method)
    adapters = {name: TypeAdapter(hint) for name, hint in hints.items() if name not in ("request", "return")}

    @wraps(method)
    def call(self: EndpointOwner, request: gr.Request, *values: Any) -> Result:
        try:
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
