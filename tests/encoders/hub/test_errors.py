import builtins
import errno
import pickle

import httpx2
import pytest
from huggingface_hub import errors as hub_errors

from mtst.encoders.hub.errors import LOCAL_PROBLEMS, explain_error
from mtst.files import FULL
from mtst.hub.problems import HUB_PROBLEMS, explain_outage

LIBRARIES = (hub_errors, httpx2, builtins, pickle)


def test_every_exception_of_the_table_exists():
    for name in {name for problem in (*HUB_PROBLEMS, *LOCAL_PROBLEMS) for name in problem.exceptions}:
        assert any(isinstance(getattr(library, name, None), type) for library in LIBRARIES), name


@pytest.mark.parametrize(
    ("error", "words", "is_outage"),
    [
        (OSError(FULL[0], "No space left on device"), "The disk is full", True),
        (hub_errors.HFValidationError("a b c"), "The Hub knows no public model", False),
        (httpx2.ReadTimeout("timed out"), "broke off", True),
        (httpx2.ConnectError("refused"), "could not be reached", True),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "could not be reached", True),
        (ValueError("nothing\nmore"), "not a text encoder that can be loaded: nothing.", False),
    ],
)
def test_an_error_of_the_hub_is_explained_by_the_table(error, words, is_outage):
    assert words in explain_error("owner/model", error, hub=True)
    assert (explain_outage("owner/model", error, "fetched") is not None) == is_outage


def test_the_cause_of_an_error_counts():
    error = RuntimeError("loading failed")
    error.__cause__ = httpx2.ConnectError("refused")
    assert "could not be reached" in explain_error("owner/model", error, hub=True)
    assert explain_error("folder", error, hub=False).endswith("loading failed.")


def test_a_full_disk_is_named_for_a_folder_too():
    assert "The disk is full" in explain_error("folder", OSError(errno.ENOSPC, "No space left"), hub=False)
    assert "more than weights" in explain_error("folder", pickle.UnpicklingError("refused"), hub=False)
