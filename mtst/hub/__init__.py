"""The Hub: what its repositories and files are called, and what can go wrong with them."""

from mtst.hub.problems import HUB_PROBLEMS, explain
from mtst.hub.repositories import HUB_ID, RemoteFile

__all__ = ["HUB_ID", "HUB_PROBLEMS", "RemoteFile", "explain"]
