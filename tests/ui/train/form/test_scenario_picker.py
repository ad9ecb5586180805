import pytest

from mtst.data.tasks import Task
from mtst.ui.services.services import Services
from mtst.ui.train.form import scenario_picker

TASKS = (Task("topic", ("food", "sports")), Task("sentiment", ("negative", "positive")))
BLOCKS = [f"block-{k}" for k in range(6)]
HEADS = ["head:topic", "head:sentiment"]


def show(services: Services, scenario: str, open_groups: list[str] | None = None, **values: object) -> dict:
    made = scenario_picker.show(services, TASKS, scenario=scenario, open_groups=open_groups or [], **values)
    names = (
        "about",
        "schedule",
        "map",
        "opened",
        "wrong",
        "blocks",
        "pace",
        *scenario_picker.SUITED,
        "frozen_head_loss",
    )
    return dict(zip(names, made, strict=True))


def open_in(update: dict) -> list[str]:
    return [group["key"] for group in update["value"] if group["open"]]


def test_the_map_is_that_of_the_scenario_and_its_settings(services: Services) -> None:
    assert open_in(show(services, "freeze-encoder")["map"]) == HEADS
    assert open_in(show(services, "top-k", top_blocks="3")["map"]) == BLOCKS[3:] + HEADS
    groups = show(services, "discriminative", encoder_rate="1e-3", layer_decay="0.5")["map"]["value"]
    rates = {group["key"]: group["rate"] for group in groups}
    assert (rates["block-5"], rates["block-4"], rates["block-3"]) == (1e-3, 5e-4, 2.5e-4)


def test_gradual_is_drawn_before_it_runs(services: Services) -> None:
    shown = show(services, "gradual", epochs_per_group="2")
    assert "from epoch 3" in shown["schedule"]
    assert {group["key"]: group["opens_at"] for group in shown["map"]["value"]}["block-5"] == 3
    assert "16 epochs" in shown["about"]
    assert shown["epochs"]["placeholder"] == "16"
    assert show(services, "train-all")["schedule"] == ""


def test_only_the_settings_that_matter_are_there(services: Services) -> None:
    asked = ("blocks", "pace", "frozen_head_loss")
    seen = {key: [name for name in asked if show(services, key)[name]["visible"]] for key in ("top-k", "gradual")}
    assert seen == {"top-k": ["blocks"], "gradual": ["pace"]}
    assert show(services, "freeze-head:topic")["frozen_head_loss"]["visible"]


def test_what_suits_the_scenario_is_shown_where_nothing_is_typed(services: Services) -> None:
    assert show(services, "discriminative")["layer_decay"]["placeholder"] == "0.7"
    typed = show(services, "train-all", layer_decay="0.5")
    assert typed["layer_decay"]["placeholder"] == "1"


@pytest.mark.parametrize(
    ("key", "pressed", "left"),
    [
        ("freeze-encoder", "block-5", ["block-5", *HEADS]),
        ("freeze-encoder", "head:topic", ["head:sentiment"]),
    ],
)
def test_pressing_a_group_opens_or_freezes_it(services: Services, key: str, pressed: str, left: list[str]) -> None:
    scenario, opened = scenario_picker.toggle(services, TASKS, show(services, key)["opened"], pressed)
    assert (scenario, opened) == ("custom", left)
    assert open_in(show(services, scenario, opened)["map"]) == left


def test_a_group_that_is_not_there_cannot_be_pressed(services: Services) -> None:
    assert scenario_picker.toggle(services, TASKS, HEADS, "head:<script>") == ("custom", HEADS)


def test_with_everything_frozen_the_map_says_how_to_open_a_layer(services: Services) -> None:
    shown = show(services, "custom", ["head:of another table"])
    assert "press a layer below" in shown["about"]
    assert open_in(shown["map"]) == shown["opened"] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encoder_rate": "fast"}, "Encoder rate must be a number"),
        ({"warm_up": "3"}, "Warm-up must lie between 0 and 1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_explained_and_the_map_stays(
    services: Services, values: dict, message: str
) -> None:
    shown = show(services, "train-all", ["block-0"], **values)
    assert message in shown["wrong"]["value"]
    assert "value" not in shown["map"]
    assert shown["opened"] == ["block-0"]
