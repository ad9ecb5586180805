"""What can go wrong with a model or a dataset of the Hub: one table from error to a sentence that says what to do.

What `huggingface_hub` and `httpx2` raise has no common base class. Exceptions are named here instead of imported, so
that the table costs nothing at start-up.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from mtst.files import FULL
from mtst.text import truncate


@dataclass(frozen=True)
class Problem:
    """One row of the table: what it is recognised by, any of these, and the sentence about it.

    Attributes:
        sentence: a template; its fields are `name`, `kind` ("model" or "dataset"), `action` (as in "was not fetched"),
            `alternative` and `status`.
        exceptions: names of exception classes; their subclasses count too.
        statuses: HTTP statuses of the Hub's answer.
        errnos: numbers of an `OSError`.
        message: words that the exception's message contains.
        outage: it concerns neither the model's name nor the token, but the disk, the network or the Hub itself.
    """

    sentence: str
    exceptions: frozenset[str] = frozenset()
    statuses: Container[int] = ()
    errnos: Container[int] = ()
    message: str | None = None
    outage: bool = False

    def matches(self, causes: list[BaseException], status: int | None) -> bool:
        """Tell whether an error with these causes, and this status of the Hub's answer, is this problem."""
        return status in self.statuses or any(
            not self.exceptions.isdisjoint(base.__name__ for base in type(cause).__mro__)
            or (isinstance(cause, OSError) and cause.errno in self.errnos)
            or (self.message is not None and self.message in str(cause))
            for cause in causes
        )

    def describe(
        self,
        name: str,
        *,
        kind: str = "model",
        action: str = "fetched",
        alternative: str = "",
        status: int | None = None,
    ) -> str:
        """Return the sentence about a model or dataset."""
        return self.sentence.format(name=repr(name), kind=kind, action=action, alternative=alternative, status=status)


DISK_FULL = Problem(
    "The disk is full, so {name} could not be stored. Free some space and try again.", errnos=FULL, outage=True
)
ALTERED = Problem(
    "What arrived of {name} is not what the Hub lists, so it was thrown away. Try again.",
    message="Consistency check failed",
)
HUB_PROBLEMS = (  # the first that matches: special answers come before statuses, statuses before a broken connection
    DISK_FULL,
    Problem(
        "{name} is gated. Accept its terms on the Hub and log in, or choose another {kind}.",
        exceptions=frozenset({"GatedRepoError"}),
    ),
    Problem(
        "The Hub knows no public {kind} {name}. Check the spelling: ids look like owner/{kind}.",
        exceptions=frozenset({"RepositoryNotFoundError", "HFValidationError"}),
    ),
    Problem(
        "The Hub takes no more requests from here for now (429), so {name} was not {action}. Try again later.",
        statuses=(429,),
        outage=True,
    ),
    Problem(
        "The Hub does not let you read {name} ({status}). Log in with an account that may, or choose another.",
        statuses=(401, 403),
    ),
    Problem(
        "The Hub is out of order ({status}), so {name} was not {action}. Try again later{alternative}.",
        statuses=range(500, 1000),
        outage=True,
    ),
    Problem(
        "The Hub refuses to give {name} ({status}). Check the spelling, or choose another {kind}.",
        statuses=range(100, 500),
    ),
    Problem(
        "The connection to the Hub broke off before {name} was {action}. Try again.",
        exceptions=frozenset({"RemoteProtocolError", "ReadError", "ReadTimeout", "XetDownloadError"}),
        outage=True,
    ),
    Problem(
        "The Hub could not be reached, so {name} was not {action}. Check the network and try again{alternative}.",
        exceptions=frozenset({"LocalEntryNotFoundError", "OfflineModeIsEnabled", "TransportError", "ConnectionError"}),
        outage=True,
    ),
    ALTERED,
)


def explain(name: str, error: Exception, problems: tuple[Problem, ...] = HUB_PROBLEMS, **words: str) -> str | None:
    """Return what is wrong by the first row of a table that an error matches, or None if it matches none.

    Args:
        name: the name of the model or dataset.
        error: what the libraries raised.
        problems: the table.
        words: the words of the sentence: `kind`, `action` and `alternative`.
    """
    problem = _first_match(error, problems)
    return problem.describe(name, status=http_status(error), **words) if problem else None


def explain_outage(name: str, error: Exception, action: str) -> str | None:
    """Return what is wrong if it is the disk, the network or the Hub itself rather than the name or the token.

    Args:
        name: the model's name on the Hub.
        error: what the libraries raised.
        action: what was to be done with it, as in "was not fetched".
    """
    problem = _first_match(error, HUB_PROBLEMS)
    return problem.describe(name, action=action, status=http_status(error)) if problem and problem.outage else None


def _first_match(error: Exception, problems: tuple[Problem, ...]) -> Problem | None:
    causes, status = list(_causes(error)), http_status(error)
    return next((problem for problem in problems if problem.matches(causes, status)), None)


def http_status(error: Exception) -> int | None:
    """Return the status that the Hub answered with, if it answered."""
    from huggingface_hub.errors import HfHubHTTPError

    answers = (cause for cause in _causes(error) if isinstance(cause, HfHubHTTPError))
    return next((cause.response.status_code for cause in answers if cause.response is not None), None)


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message, or its class if there is none."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return truncate(line, 200).rstrip(".")


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
