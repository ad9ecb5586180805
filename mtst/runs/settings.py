"""The settings of a host: environment variables, read once at the start; an error names the variable."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Self

from mtst.data.limits import Limits
from mtst.errors import SettingsError
from mtst.model.upload.base_encoder import BaseEncoderPolicy

BOOLS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _parse_bool(text: str) -> bool:
    try:
        return BOOLS[text.lower()]
    except KeyError:
        raise ValueError(text) from None


@dataclass(frozen=True)
class _FieldType:
    """How a variable of one type is parsed, and what an error message calls that type."""

    parse: Callable[[str], object]
    description: str


FIELD_TYPES: dict[object, _FieldType] = {
    int: _FieldType(int, "a whole number above 0"),
    float: _FieldType(float, "a number above 0"),
    bool: _FieldType(_parse_bool, "yes or no"),
    str: _FieldType(str, "text"),
    Path: _FieldType(Path, "a path"),
}


@dataclass(frozen=True)
class Settings:
    """The limits and paths of one app; each field is the variable `MTST_` + its name in capitals.

    Raises:
        SettingsError: a limit is not positive.
    """

    encoder: str = "all-MiniLM-L6-v2"
    runs_dir: Path = Path(gettempdir()) / "mtst-runs"
    max_rows: int = 20_000
    max_upload_mb: float = 20.0
    max_model_mb: float = 600.0
    max_columns: int = 1_000
    max_labels: int = 200
    max_characters: int = 100_000
    max_minutes: float = 30.0
    max_memory_gb: float = 12.0
    max_runs_waiting: int = 2
    max_runs_an_hour: int = 20
    max_folder_gb: float = 20.0
    run_ttl_hours: float = 24.0
    custom_encoders: bool = False
    max_encoder_mb: float = 2_000.0
    hub_datasets: bool = True
    mcp: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in (int, float) and not 0 < value < float("inf"):
                raise SettingsError(f"MTST_{field.name.upper()} must be a number above 0, not {value!r}.")

    @property
    def limits(self) -> Limits:
        """The limits of an uploaded table."""
        return Limits(self.max_rows, self.max_upload_mb, self.max_columns, self.max_labels, self.max_characters)

    @property
    def base_encoders(self) -> BaseEncoderPolicy:
        """The encoders that an uploaded model may be built on."""
        return BaseEncoderPolicy(self.encoder, self.custom_encoders, self.max_encoder_mb)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings from environment variables.

        Raises:
            SettingsError: a variable cannot be parsed.
        """
        values: dict[str, Any] = {}
        for field in fields(cls):
            variable = f"MTST_{field.name.upper()}"
            if text := environment.get(variable, "").strip():
                field_type = FIELD_TYPES[field.type]
                try:
                    values[field.name] = field_type.parse(text)
                except ValueError:
                    raise SettingsError(f"{variable} must be {field_type.description}, not {text!r}.") from None
        return cls(**values)
