"""The names of labels in a Parquet file of the `datasets` library, whose cells hold their numbers."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

KEY = b"huggingface"
MAX_BYTES = 1_000_000  # of the description of all columns


def label_names(schema: "pa.Schema") -> dict[str, tuple[str, ...]]:
    """Return the label names of the columns that hold the numbers of labels, or lists of them; empty if none do."""
    raw = (schema.metadata or {}).get(KEY, b"")
    if not raw or len(raw) > MAX_BYTES:
        return {}
    try:
        described = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    features = _entry(_entry(described, "info"), "features")
    found = {str(column): _names(feature) for column, feature in features.items()}
    return {column: names for column, names in found.items() if names}


def name_labels(value: Any, names: tuple[str, ...]) -> Any:
    """Return the name of a label by its number; a number without a name, such as -1 of unlabelled rows, is blank."""
    if isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return value


def _names(feature: Any) -> tuple[str, ...]:
    """Return the names of a feature: `ClassLabel`, or a list or sequence of it."""
    if isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    inner = _entry(feature, "feature") or feature
    names = inner.get("names") if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" else None
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def _entry(value: Any, key: str) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}
