"""The list of a visitor's last runs, as their browser keeps it: tokens, names, what is pinned and drawn together."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

MAX_RUNS = 10  # the oldest is forgotten, and stays on the server for as long as any run
MAX_NAME = 60  # characters
Order = Literal["newest", "score"]


@dataclass(frozen=True)
class SavedRun:
    """A run by its token, with the name that its visitor gave it; an empty one stands for what it is on."""

    token: str
    name: str = ""

    @property
    def key(self) -> str:
        """What the page knows the run by: it must not show the token, which gives every right to the run."""
        return hashlib.sha256(f"key {self.token}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class SavedRuns:
    """The last runs, the newest first; `pinned` and `drawn` hold keys."""

    runs: tuple[SavedRun, ...] = ()
    pinned: str = ""
    drawn: frozenset[str] = frozenset()
    order: Order = "newest"

    @classmethod
    def read(cls, stored: object) -> "SavedRuns":
        """Return what a browser has stored; whatever is not of this form is left out, since anyone can write it."""
        if not isinstance(stored, Mapping):
            return cls()
        runs = {}
        for each in _list(stored.get("runs"))[:MAX_RUNS]:
            if isinstance(each, Mapping) and isinstance(token := each.get("token"), str):
                runs[token] = SavedRun(token, _name(each.get("name")))
        pinned = stored.get("pinned")
        drawn = frozenset(key for key in _list(stored.get("drawn"))[:MAX_RUNS] if isinstance(key, str))
        order: Order = "score" if stored.get("order") == "score" else "newest"
        return cls(tuple(runs.values()), pinned if isinstance(pinned, str) else "", drawn, order)

    def stored(self) -> dict[str, Any]:
        """Return what the browser stores."""
        return {
            "runs": [{"token": run.token, "name": run.name} for run in self.runs],
            "pinned": self.pinned,
            "drawn": sorted(self.drawn),
            "order": self.order,
        }

    def find(self, key: str) -> SavedRun | None:
        """Return the run with a key."""
        return next((run for run in self.runs if run.key == key), None)

    def remember(self, token: str | None) -> "SavedRuns":
        """Return the list with a run that is new in it; the oldest is forgotten where there are too many."""
        if not token or any(run.token == token for run in self.runs):
            return self
        return replace(self, runs=(SavedRun(token), *self.runs)[:MAX_RUNS])

    def forget(self, key: str) -> "SavedRuns":
        """Return the list without a run."""
        runs = tuple(run for run in self.runs if run.key != key)
        return replace(self, runs=runs, pinned="" if self.pinned == key else self.pinned, drawn=self.drawn - {key})

    def rename(self, key: str, name: str) -> "SavedRuns":
        """Return the list with another name for a run; an empty one brings back what it is on."""
        return replace(self, runs=tuple(replace(run, name=_name(name)) if run.key == key else run for run in self.runs))

    def pin(self, key: str) -> "SavedRuns":
        """Return the list with a run as the baseline of the others, or with none if it was that."""
        return replace(self, pinned="" if self.pinned == key else key)

    def draw(self, key: str) -> "SavedRuns":
        """Return the list with the curve of a run drawn, or not any more."""
        return replace(self, drawn=self.drawn ^ {key})


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(value: object) -> str:
    return " ".join(value.split())[:MAX_NAME] if isinstance(value, str) else ""
