import dataclasses
import inspect
import math

import pytest

from mtst import errors
from mtst.data.limits import Limits
from mtst.errors import MtstError, SettingsError
from mtst.runs.settings import Settings


def test_every_error_is_one_that_a_face_translates():
    classes = [found for _, found in inspect.getmembers(errors, inspect.isclass)]
    assert len(classes) > 1
    assert all(issubclass(found, MtstError) for found in classes)


def test_an_empty_environment_gives_the_defaults():
    assert Settings.from_environment({}) == Settings()


def test_every_field_is_read_from_its_variable(tmp_path):
    environment = {
        "MTST_ENCODER": " roberta-base ",
        "MTST_RUNS_DIR": str(tmp_path),
        "MTST_MAX_ROWS": "7",
        "MTST_MAX_UPLOAD_MB": "0.5",
        "MTST_MAX_COLUMNS": "3",
        "MTST_MAX_LABELS": "4",
        "MTST_MAX_CHARACTERS": "5",
        "MTST_MAX_MINUTES": "2",
        "MTST_MAX_MEMORY_GB": "6",
        "MTST_MAX_RUNS_WAITING": "8",
        "MTST_MAX_RUNS_AN_HOUR": "9",
        "MTST_MAX_FOLDER_GB": "10",
        "MTST_RUN_TTL_HOURS": "1.5",
        "MTST_CUSTOM_ENCODERS": "Yes",
        "MTST_MAX_ENCODER_MB": "300",
        "MTST_HUB_DATASETS": "no",
        "MTST_MAX_MODEL_MB": "400",
        "MTST_MCP": "on",
    }
    assert len(environment) == len(dataclasses.fields(Settings))
    assert Settings.from_environment(environment) == Settings(
        "roberta-base", tmp_path, 7, 0.5, 400.0, 3, 4, 5, 2.0, 6.0, 8, 9, 10.0, 1.5, True, 300.0, False, True
    )


@pytest.mark.parametrize(("text", "meant"), [("1", True), ("on", True), ("TRUE", True), ("0", False), ("No", False)])
def test_a_switch_is_read_as_people_write_it(text, meant):
    assert Settings.from_environment({"MTST_CUSTOM_ENCODERS": text}).custom_encoders is meant


def test_a_blank_variable_is_as_good_as_none():
    assert Settings.from_environment({"MTST_MAX_ROWS": "  "}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MTST_MAX_ROWS", "many"),
        ("MTST_MAX_ROWS", "1.5"),
        ("MTST_MAX_ROWS", "0"),
        ("MTST_MAX_UPLOAD_MB", "20 MB"),
        ("MTST_MAX_COLUMNS", "0"),
        ("MTST_MAX_LABELS", "2.5"),
        ("MTST_MAX_CHARACTERS", "-3"),
        ("MTST_MAX_MINUTES", "-1"),
        ("MTST_RUN_TTL_HOURS", "nan"),
        ("MTST_RUN_TTL_HOURS", "inf"),
        ("MTST_CUSTOM_ENCODERS", "maybe"),
        ("MTST_CUSTOM_ENCODERS", "2"),
        ("MTST_MCP", "maybe"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(variable, value):
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({variable: value})
    assert variable in str(caught.value)
    assert value in str(caught.value)


def test_the_limits_of_an_upload_are_those_of_the_settings():
    assert Settings(max_rows=7, max_upload_mb=0.5, max_columns=3, max_labels=4, max_characters=5).limits == Limits(
        rows=7, megabytes=0.5, columns=3, labels=4, characters=5
    )


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_limit_that_makes_no_sense_is_refused_by_its_name(name, value):
    with pytest.raises(SettingsError, match=f"limit of {name}.*{value}"):
        Limits(**{name: value})


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().max_rows = 1
