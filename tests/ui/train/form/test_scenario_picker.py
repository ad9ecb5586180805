from collections.abc import Sequence

import pytest

from mtst.comparison.estimate import Workload
from mtst.data.tasks import Task
from mtst.ui.components.events import UNCHANGED
from mtst.ui.services.services import Services
from mtst.ui.train.form import scenario_picker
from mtst.ui.train.form.form_values import ConfigForm
from mtst.ui.train.form.hyperparameters import SUITED
from mtst.ui.train.form.scenario_picker import ScenarioView

TASKS = (Task("topic", ("food", "sports")), Task("sentiment", ("negative", "positive")))
BLOCKS = [f"block-{k}" for k in range(6)]
HEADS = ["head:topic", "head:sentiment"]


def show(services: Services, scenario: str, open_groups: Sequence[str] = (), **values: str) -> ScenarioView:
    return scenario_picker.show_scenario(services, TASKS, ConfigForm(scenario, open_groups, values))


def placeholder(view: ScenarioView, name: str) -> str:
    return view.suited[SUITED.index(name)]["placeholder"]


def open_in(update: dict) -> list[str]:
    """Return the keys of the open groups, bottom up."""
    rows = sorted(update["value"], key=lambda row: row["key"].startswith("head:"))
    layers = [row["key"] for row in rows if row["open"] and not row["key"].startswith("head:")]
    return layers[::-1] + [row["key"] for row in rows if row["open"] and row["key"].startswith("head:")]


def test_the_map_is_that_of_the_scenario_and_its_settings(services: Services) -> None:
    assert open_in(show(services, "freeze-encoder").drawing) == HEADS
    assert open_in(show(services, "top-k", top_blocks="3").drawing) == BLOCKS[3:] + HEADS
    groups = show(services, "discriminative", encoder_rate="1e-3", layer_decay="0.5").drawing["value"]
    rates = {group["key"]: group["rate"] for group in groups}
    assert (rates["block-5"], rates["block-4"], rates["block-3"]) == ("1e\u22123", "5e\u22124", "2.5e\u22124")


def test_gradual_is_drawn_before_it_runs(services: Services) -> None:
    shown = show(services, "gradual", epochs_per_group="2")
    cold = [shape for shape in shown.schedule["value"]["layout"]["shapes"] if shape["fillcolor"] == "var(--ice-0)"]
    assert [shape["x1"] for shape in cold] == [0, 0, 2, 4, 6, 8, 10, 12, 14]
    assert {group["key"]: group["opens_at"] for group in shown.drawing["value"]}["block-5"] == 3
    assert {group["words"] for group in show(services, "train-all").drawing["value"]} == {"open"}


def test_the_length_of_a_run_follows_from_the_rows(services: Services) -> None:
    views = [scenario_picker.show_scenario(services, TASKS, ConfigForm("train-all"), rows) for rows in (100, 1000)]
    epochs = [int(placeholder(view, "epochs")) for view in views]
    assert epochs[0] > 2 * epochs[1]
    assert all(f"{count} epochs" in view.about for count, view in zip(epochs, views, strict=True))
    assert int(placeholder(views[0], "patience")) < epochs[0]
    assert placeholder(show(services, "few-examples"), "patience") == "never"


def test_only_the_settings_that_matter_are_there(services: Services) -> None:
    fields = ("top_blocks", "epochs_per_group", "frozen_head_loss")
    views = {key: show(services, key) for key in ("top-k", "gradual")}
    visible = {key: [name for name in fields if getattr(view, name)["visible"]] for key, view in views.items()}
    assert visible == {"top-k": ["top_blocks"], "gradual": ["epochs_per_group"]}
    assert show(services, "freeze-head:topic").frozen_head_loss["visible"]


def test_what_suits_the_scenario_is_shown_where_nothing_is_typed(services: Services) -> None:
    assert placeholder(show(services, "discriminative"), "layer_decay") == "0.7"
    typed = show(services, "train-all", layer_decay="0.5")
    assert placeholder(typed, "layer_decay") == "1"
    heads_only = show(services, "freeze-encoder", batch_size="8")
    assert [placeholder(heads_only, name) for name in ("epochs", "batch_size", "head_rate")] == ["100", "all", "0.2"]
    assert placeholder(typed, "batch_size") == "32"


@pytest.mark.parametrize(
    ("key", "pressed", "left"),
    [
        ("freeze-encoder", "block-5", ["block-5", *HEADS]),
        ("freeze-encoder", "head:topic", ["head:sentiment"]),
    ],
)
def test_pressing_a_group_opens_or_freezes_it(services: Services, key: str, pressed: str, left: list[str]) -> None:
    scenario, opened = scenario_picker.toggle_group(services, TASKS, show(services, key).open_groups, pressed)
    assert (scenario, opened) == ("custom", left)
    assert open_in(show(services, scenario, opened).drawing) == left


def test_a_group_that_is_not_there_cannot_be_pressed(services: Services) -> None:
    assert scenario_picker.toggle_group(services, TASKS, HEADS, "head:<script>") == ("custom", HEADS)


def test_with_everything_frozen_the_map_says_how_to_open_a_layer(services: Services) -> None:
    shown = show(services, "custom", ["head:of another table"])
    assert "Click a layer" in shown.about
    assert open_in(shown.drawing) == shown.open_groups == []


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
    assert message in shown.wrong["value"]
    assert shown.drawing is UNCHANGED
    assert shown.open_groups == ["block-0"]


def test_each_card_has_a_picture_and_says_how_long_it_takes_about(services: Services) -> None:
    cards = scenario_picker.scenario_cards(services, TASKS, "gradual", Workload(480, 120, 0.003))
    labels = {key: text for text, key in cards.scenario["choices"]}
    assert cards.scenario["value"] == "gradual"
    assert all("for 600 rows; trains" in text for key, text in labels.items() if key != "custom")
    assert "trains nothing" in labels["freeze-all"]
    assert "(100%)" in labels["train-all"]
    assert cards.pictures.count("background-image") == 2 * len(labels)  # in light and dark
    assert cards.more["value"] == f"{len(labels) - scenario_picker.FIRST_CARDS} more scenarios"
    without_rows = scenario_picker.scenario_cards(services, TASKS, None)
    assert not any("rows; trains" in text for text, _ in without_rows.scenario["choices"])
