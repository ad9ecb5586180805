"""What can go wrong between the Hub and a loaded encoder, in one sentence that says what to do."""

from collections.abc import Iterator

from mtst.catalogue import DEFAULT
from mtst.errors import FULL


def explain(name: str, error: Exception, *, hub: bool) -> str:
    """Say why loading an encoder failed and what to do.

    What can go wrong inside the libraries has no common base class, so the kinds are told apart here.

    Args:
        name: what it was to be loaded by.
        error: what the libraries raised.
        hub: whether it comes from the Hub rather than from a folder.
    """
    causes = list(_causes(error))
    if any(isinstance(cause, OSError) and cause.errno in FULL for cause in causes):
        return f"The disk is full, so {name!r} could not be stored. Free some space and try again."
    if hub and (said := _of_the_hub(name, causes)):
        return said
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if "trust_remote_code" in str(error):
        return own_code(name)
    if any(type(cause).__name__ == "UnpicklingError" for cause in causes):
        return f"The pytorch_model.bin of {name!r} holds more than weights, so it is not read. Choose another encoder."
    return f"{name!r} is not a text encoder that can be loaded: {reason[:200].rstrip('.')}."


def own_code(name: str) -> str:
    """Say that a model is refused because it brings Python code."""
    return f"{name!r} needs Python code of its own, which never runs here. Choose an encoder without."


def _of_the_hub(name: str, causes: list[BaseException]) -> str | None:
    """Say what the Hub answered, or that it did not."""
    import httpx2
    from huggingface_hub import errors

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if among(errors.GatedRepoError):
        return f"{name!r} is gated. Accept its terms on the Hub and log in, or choose another encoder."
    if among(errors.RepositoryNotFoundError, errors.HFValidationError):
        return f"The Hub knows no public model {name!r}. Check the spelling: ids look like owner/model."
    answers = (cause.response.status_code for cause in causes if isinstance(cause, errors.HfHubHTTPError))
    if status := next(answers, None):
        return _answered(name, status)
    if among(httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.ReadTimeout, errors.XetDownloadError):
        return f"The connection to the Hub broke off while {name!r} was fetched. Try again."
    if among(errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, httpx2.TransportError, ConnectionError):
        return f"The Hub could not be reached to fetch {name!r}. Check the network, or use the bundled {DEFAULT!r}."
    if any("Consistency check failed" in str(cause) for cause in causes):
        return changed(name)
    return None


def _answered(name: str, status: int) -> str:
    """Say what a status of the Hub means."""
    if status in (401, 403):
        return f"The Hub does not let you read {name!r} ({status}). Log in with an account that may, or choose another."
    if status == 429:
        return f"The Hub takes no more requests from here for now (429), so {name!r} was not fetched. Try again later."
    if status >= 500:
        return f"The Hub is out of order ({status}), so {name!r} was not fetched. Try again later, or use {DEFAULT!r}."
    return f"The Hub refuses to give {name!r} ({status}). Check the spelling, or choose another encoder."


def changed(name: str) -> str:
    """Say that what arrived is not what the Hub lists."""
    return f"What arrived of {name!r} is not what the Hub lists, so it was thrown away. Try again."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        cause = pending.pop()
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            pending += [cause.__cause__, cause.__context__]
