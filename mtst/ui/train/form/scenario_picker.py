"""What to freeze: the scenarios for the tasks at hand; of the chosen one its text, its layers and its schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf
from typing import TYPE_CHECKING

import gradio as gr
from markupsafe import Markup

from mtst.comparison.estimate import Workload, expected_run_seconds
from mtst.data.tasks import DEFAULT_TASKS, Task
from mtst.errors import MtstError, SettingsError
from mtst.text import inline_text, quantity
from mtst.training.budget import REFERENCE_ROWS
from mtst.training.config import ResolvedConfig, TrainConfig
from mtst.training.events import GroupPlan
from mtst.training.scenarios import Scenario, find_scenario, list_scenarios, resolve
from mtst.ui.components import run_status
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.layer_map import layers
from mtst.ui.components.live_plot import show_figure
from mtst.ui.components.templates import render
from mtst.ui.plots import numbers
from mtst.ui.plots.lanes import Schedule, plan_figure
from mtst.ui.plots.layer_picture import picture_rules
from mtst.ui.services.services import Services
from mtst.ui.train.form.form_values import ConfigForm
from mtst.ui.train.form.hyperparameters import CUSTOM, config_of, explain_setting_error, suggest_defaults

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

DEFAULT_SCENARIO = "freeze-encoder"
FIRST_CARDS = 3  # scenarios that are shown before a visitor asks for more
CARD = "#train-scenario label"
NOTHING_OPEN = quiet("Nothing is open yet. Click a layer to open it, or to freeze it again.")


@dataclass(frozen=True)
class ScenarioView:
    """The chosen scenario, what suits it in the hyperparameters, what is ahead, and why it makes no sense."""

    about: Markup
    schedule: Update = UNCHANGED
    drawing: Update = UNCHANGED
    open_groups: list[str] = UNCHANGED
    wrong: Update = UNCHANGED
    top_blocks: Update = UNCHANGED
    epochs_per_group: Update = UNCHANGED
    suited: tuple[Update, ...] = UNCHANGED
    frozen_head_loss: Update = UNCHANGED
    ahead: str = UNCHANGED


@dataclass(frozen=True)
class ScenarioCards:
    """The choice of a scenario, the pictures of its cards as a style sheet, and the button that shows all cards."""

    scenario: Update
    pictures: str
    more: Update


def scenario_cards(
    services: Services, tasks: Sequence[Task], chosen: str | None, work: Workload | None = None, encoder: str = ""
) -> ScenarioCards:
    """Return a card for each scenario for these tasks; the chosen one stays if it is among them.

    With the `work` that it is, each says how long it takes about on this server, and how much of the model it trains.
    """
    scenarios = list_scenarios(tasks)
    plans, facts = _card_facts(services, tasks, work, encoder)
    choices = [
        (f"{inline_text(s.title, 50)}\n{inline_text(s.meaning, 200)}{facts.get(s.key, '')}", s.key)
        for s in scenarios.values()
    ]
    return ScenarioCards(
        gr.update(choices=choices, value=chosen if chosen in scenarios else DEFAULT_SCENARIO),
        f"<style>{picture_rules(plans, CARD)}</style>" if plans else "",
        gr.update(value=f"{len(scenarios) - FIRST_CARDS} more scenarios"),
    )


def _card_facts(
    services: Services, tasks: Sequence[Task], work: Workload | None, encoder: str
) -> tuple[list[tuple[Sequence[GroupPlan], int]], dict[str, str]]:
    """Return the plan and the epochs of each scenario in order, and what its card says of time and size."""
    try:
        model = untrained_model(services, tasks, encoder)
    except MtstError:  # said where the encoder is chosen
        return [], {}
    plans, facts = [], {}
    rows = work.train_rows if work else REFERENCE_ROWS
    for key in list_scenarios(model.tasks):
        if key == CUSTOM:
            plans.append((_plan(model, TrainConfig("freeze-all")), 1))
            continue
        groups, epochs = plan_of(model, TrainConfig(key), rows)
        plans.append((groups, epochs))
        if work:
            took = run_status.rough_duration(expected_run_seconds(model, TrainConfig(key), work))
            facts[key] = f"\nAbout {took} for {work.rows:,} rows; trains {_trained(groups)}"
    return plans, facts


def plan_of(model: "MultiTaskSentenceTransformer", config: TrainConfig, rows: int) -> tuple[Sequence[GroupPlan], int]:
    """Return the plan of a run on so many training rows, and its epochs.

    Raises:
        SettingsError: the scenario cannot be followed with this config.
    """
    groups = _plan(model, config, rows)
    scenario = find_scenario(config.scenario, model.tasks)
    return groups, resolve(config, scenario, [group.key for group in groups], rows).epochs


def _trained(groups: Sequence[GroupPlan]) -> str:
    trained, whole = sum(group.trained for group in groups), sum(group.parameters for group in groups)
    return f"{numbers.count(trained)} parameters ({numbers.change(trained / whole)})" if trained else "nothing"


def show_scenario(
    services: Services,
    tasks: Sequence[Task] | None,
    form: ConfigForm,
    train_rows: int | None = None,
    encoder: str = "",
) -> ScenarioView:
    """Return what the page shows of a scenario with its hyperparameters, on an encoder with these tasks.

    Budgets follow from `train_rows`; before there are any, from those of an example.
    """
    rows = train_rows or REFERENCE_ROWS
    try:
        model = untrained_model(services, tasks, encoder)
    except MtstError as error:
        return ScenarioView(problem(error))
    scenarios = list_scenarios(model.tasks)
    scenario = scenarios.get(form.scenario or "") or scenarios[DEFAULT_SCENARIO]
    top_blocks = gr.update(visible=scenario.key == "top-k")
    epochs_per_group = gr.update(visible=scenario.key == "gradual")
    all_frozen = _plan(model, TrainConfig("freeze-all"))
    keys = [group.key for group in all_frozen]
    open_groups = [key for key in form.open_groups if key in keys]
    if scenario.key == CUSTOM and not open_groups:
        return ScenarioView(
            explain_scenario(scenario, "") + NOTHING_OPEN,
            schedule=show_figure(plan_figure(Schedule(all_frozen, 1))),
            drawing=layers(all_frozen),
            open_groups=[],
            wrong=show_message(""),
            top_blocks=top_blocks,
            epochs_per_group=epochs_per_group,
        )
    try:
        config = config_of(model.tasks, ConfigForm(scenario.key, open_groups, form.hyperparameters))
        resolved = resolve(config, scenario, keys, rows)
        groups = _plan(model, config, rows)
        suited, frozen_head_loss = suggest_defaults(config, scenario, keys, rows)
    except SettingsError as error:
        return ScenarioView(
            UNCHANGED,
            open_groups=open_groups,
            wrong=show_message(problem(explain_setting_error(str(error)))),
            top_blocks=top_blocks,
            epochs_per_group=epochs_per_group,
        )
    open_groups = [group.key for group in groups if group.open]
    return ScenarioView(
        explain_scenario(scenario, _duration(config, resolved, rows)),
        schedule=show_figure(plan_figure(Schedule(groups, resolved.epochs))),
        drawing=layers(groups),
        open_groups=open_groups,
        wrong=show_message(""),
        top_blocks=top_blocks,
        epochs_per_group=epochs_per_group,
        suited=suited,
        frozen_head_loss=frozen_head_loss,
    )


def toggle_group(
    services: Services, tasks: Sequence[Task] | None, open_groups: Sequence[str], key: str, encoder: str = ""
) -> tuple[str, list[str]]:
    """Return the scenario and the open groups after a group of the layer map was pressed."""
    groups = _plan(untrained_model(services, tasks, encoder), TrainConfig("freeze-all"))
    toggled = set(open_groups) ^ {key}
    return CUSTOM, [group.key for group in groups if group.key in toggled]


def explain_scenario(scenario: Scenario, duration: str) -> Markup:
    """Return what a scenario does, when to use it, and how long it takes."""
    rows = [("Effect", scenario.consequence), ("When to use", scenario.when), ("How long", duration)]
    return render("train/scenario", rows=[row for row in rows if row[1]])


def _duration(config: TrainConfig, resolved: ResolvedConfig, rows: int) -> str:
    """Return how long a run takes at most, and when it ends earlier."""
    if not resolved.epochs:
        return "One measurement"
    steps = resolved.epochs * resolved.steps_per_epoch(rows)
    count = f"{quantity(resolved.epochs, 'epoch')} of {rows:,} rows ({steps:,} steps)"
    if not isinf(resolved.patience):
        count = f"At most {count}; it ends {resolved.patience:.0f} epochs after the one that is kept"
    return count if config.epochs else f"{count}. You can set another number below."


def untrained_model(services: Services, tasks: Sequence[Task] | None, encoder: str) -> "MultiTaskSentenceTransformer":
    """Return a new model for the tasks, or the starter while nothing is chosen."""
    if not tasks and encoder in ("", services.settings.encoder):
        return services.starter
    from mtst.model.multitask import MultiTaskSentenceTransformer

    return MultiTaskSentenceTransformer(services.encoder_named(encoder), tuple(tasks or DEFAULT_TASKS))


def _plan(
    model: "MultiTaskSentenceTransformer", config: TrainConfig, rows: int = REFERENCE_ROWS
) -> Sequence[GroupPlan]:
    from mtst.training.planning import plan

    return plan(model, config, rows)
