"""What can go wrong between the Hub and what is made of it, in one sentence that says what to do."""

from collections.abc import Iterator

from mtst.encoders.catalogue import DEFAULT
from mtst.files import FULL


def explain_error(name: str, error: Exception, *, hub: bool) -> str:
    """Say why loading an encoder failed and what to do.

    What can go wrong inside the libraries has no common base class, so the kinds are told apart here.

    Args:
        name: what it was to be loaded by.
        error: what the libraries raised.
        hub: whether it comes from the Hub rather than from a folder.
    """
    causes = list(_causes(error))
    if said := _full(name, causes) or (hub and _of_the_hub(name, error)):
        return said
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if "trust_remote_code" in str(error):
        return own_code(name)
    if any(type(cause).__name__ == "UnpicklingError" for cause in causes):
        return f"The pytorch_model.bin of {name!r} holds more than weights, so it is not read. Choose another encoder."
    return f"{name!r} is not a text encoder that can be loaded: {reason[:200].rstrip('.')}."


def explain_outage(name: str, error: Exception, done: str, instead: str = "") -> str | None:
    """Say what is wrong if it is neither the name nor the token, but the disk, the network or the Hub itself.

    Args:
        name: of what on the Hub.
        error: what the libraries raised.
        done: what was to be done with it, as in "was not fetched".
        instead: what to do other than to try again, as in ", or go without".
    """
    import httpx2
    from huggingface_hub import errors

    causes = list(_causes(error))
    if said := _full(name, causes):
        return said
    if (answered := status(error)) == 429:
        return f"The Hub takes no more requests from here for now (429), so {name!r} was not {done}. Try again later."
    if answered:
        out = f"The Hub is out of order ({answered}), so {name!r} was not {done}. Try again later{instead}."
        return out if answered >= 500 else None
    broken = httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.ReadTimeout | errors.XetDownloadError
    if any(isinstance(cause, broken) for cause in causes):
        return f"The connection to the Hub broke off before {name!r} was {done}. Try again."
    gone = errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled | httpx2.TransportError | ConnectionError
    if any(isinstance(cause, gone) for cause in causes):
        return f"The Hub could not be reached, so {name!r} was not {done}. Check the network and try again{instead}."
    return None


def status(error: Exception) -> int | None:
    """Return the status that the Hub answered with, if it answered."""
    from huggingface_hub import errors

    answers = (cause for cause in _causes(error) if isinstance(cause, errors.HfHubHTTPError))
    return next((cause.response.status_code for cause in answers if cause.response is not None), None)


def own_code(name: str) -> str:
    """Say that a model is refused because it brings Python code."""
    return f"{name!r} needs Python code of its own, which never runs here. Choose an encoder without."


def _full(name: str, causes: list[BaseException]) -> str | None:
    if any(isinstance(cause, OSError) and cause.errno in FULL for cause in causes):
        return f"The disk is full, so {name!r} could not be stored. Free some space and try again."
    return None


def _of_the_hub(name: str, error: Exception) -> str | None:
    """Say what the Hub answered about an encoder, or that it did not."""
    from huggingface_hub import errors

    causes = list(_causes(error))

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if among(errors.GatedRepoError):
        return f"{name!r} is gated. Accept its terms on the Hub and log in, or choose another encoder."
    if among(errors.RepositoryNotFoundError, errors.HFValidationError):
        return f"The Hub knows no public model {name!r}. Check the spelling: ids look like owner/model."
    if said := explain_outage(name, error, "fetched", f", or use the bundled {DEFAULT!r}"):
        return said
    if answered := status(error):
        return _refused(name, answered)
    if any("Consistency check failed" in str(cause) for cause in causes):
        return changed(name)
    return None


def _refused(name: str, code: int) -> str:
    """Say what it means that the Hub refuses an encoder."""
    if code in (401, 403):
        return f"The Hub does not let you read {name!r} ({code}). Log in with an account that may, or choose another."
    return f"The Hub refuses to give {name!r} ({code}). Check the spelling, or choose another encoder."


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
