"""What can go wrong with an encoder: the problems of the Hub, and those of the files themselves."""

from mtst.encoders.catalogue import DEFAULT
from mtst.hub.problems import DISK_FULL, HUB_PROBLEMS, Problem, explain, first_line

NEEDS_CODE = Problem(
    "{name} needs Python code of its own, which never runs here. Choose an encoder without.",
    message="trust_remote_code",
)
UNSAFE_PICKLE = Problem(
    "The pytorch_model.bin of {name} holds more than weights, so it is not read. Choose another encoder.",
    exceptions=frozenset({"UnpicklingError"}),
)
DAMAGED = Problem(
    "The weights of {name} are damaged, or only a pointer to them is there (Git LFS). Fetch them again.",
    message="deserializing header",
)
UNFIT = tuple(
    Problem(
        "The weights of {name} are incomplete or do not fit its config.json. Fetch them again, or choose another "
        "encoder.",
        message=message,
    )
    for message in ("Error(s) in loading state_dict", "ignore_mismatched_sizes")
)
LOCAL_PROBLEMS = (DISK_FULL, NEEDS_CODE, UNSAFE_PICKLE, DAMAGED, *UNFIT)


def explain_error(name: str, error: Exception, *, hub: bool) -> str:
    """Return why loading an encoder failed and what to do.

    Args:
        name: what it was to be loaded by.
        error: what the libraries raised.
        hub: whether the encoder comes from the Hub rather than from a folder.
    """
    problems = (*HUB_PROBLEMS, *LOCAL_PROBLEMS) if hub else LOCAL_PROBLEMS
    alternative = f", or use the bundled {DEFAULT!r}"
    sentence = explain(name, error, problems, alternative=alternative)
    return sentence or f"{name!r} is not a text encoder that can be loaded: {first_line(error)}."
