"""What to freeze: the scenarios for the tasks at hand, the chosen one's text, its map of the layers, its schedule."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import gradio as gr

from mtst.data.tasks import DEFAULT_TASKS, Task
from mtst.errors import MtstError, SettingsError
from mtst.text import escape_html, inline_text
from mtst.training.config import TrainConfig
from mtst.training.events import GroupPlan
from mtst.training.scenarios import Scenario, list_scenarios, resolve
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.layer_map import layers
from mtst.ui.services.services import Services
from mtst.ui.train.form.hyperparameters import OWN, SUITED, config_of, explain_setting_error, suggest_defaults
from mtst.ui.train.results.freezing_schedule import timeline

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

FIRST = "freeze-encoder"
SETTINGS_SHOWN = len(SUITED) + 1  # the updates of `suit`


def choices(tasks: Sequence[Task], key: str | None) -> gr.Radio:
    """Return the update that offers the scenarios for these tasks; the chosen one stays if it is still there."""
    known = list_scenarios(tasks)
    titles = [(f"{inline_text(s.title, 50)}\n{inline_text(s.meaning, 200)}", s.key) for s in known.values()]
    return gr.Radio(choices=titles, value=key if key in known else FIRST)


def show(
    services: Services,
    tasks: Sequence[Task] | None,
    *,
    scenario: str | None,
    open_groups: Sequence[str],
    encoder: str = "",
    **values: object,
) -> tuple[object, ...]:
    """Return what the form shows of a scenario and its settings.

    The scenario's text, the schedule, the map, the groups that are open, a message about a setting, the two settings
    that only one scenario has, and the updates of `settings.suit`.
    """
    try:
        model = _model(services, tasks, encoder)
    except MtstError as error:
        return problem(error), *(gr.skip() for _ in range(6 + SETTINGS_SHOWN))
    known = list_scenarios(model.tasks)
    found = known[scenario if scenario in known else FIRST]
    special = gr.update(visible=found.key == "top-k"), gr.update(visible=found.key == "gradual")
    idle = _plan(model, TrainConfig("freeze-all"))
    keys = [group.key for group in idle]
    opened = [group for group in open_groups if group in keys]
    if found.key == OWN and not opened:
        hint = quiet("Nothing is open yet: press a layer below to open it, or to freeze it again.")
        return (
            f"{explain(found, '')}{hint}",
            "",
            layers(idle),
            [],
            show_message(""),
            *special,
            *(gr.skip() for _ in range(SETTINGS_SHOWN)),
        )
    try:
        config = config_of(model.tasks, found.key, opened, **values)
        epochs = resolve(config, found, keys).epochs
        groups = _plan(model, config)
        suited = suggest_defaults(config, found, keys)
    except SettingsError as error:
        message = show_message(problem(explain_setting_error(str(error))))
        skipped = gr.skip(), gr.skip(), gr.skip(), opened
        return *skipped, message, *special, *(gr.skip() for _ in range(SETTINGS_SHOWN))
    text = explain(found, _duration(config, epochs))
    schedule = timeline(groups, epochs)
    return text, schedule, layers(groups), _open(groups), show_message(""), *special, *suited


def toggle(
    services: Services, tasks: Sequence[Task] | None, opened: Sequence[str], pressed: str, encoder: str = ""
) -> tuple[str, list[str]]:
    """Return the scenario and the open groups after a group of the map was pressed."""
    keys = [group.key for group in _plan(_model(services, tasks, encoder), TrainConfig("freeze-all"))]
    wanted = set(opened) ^ {pressed}
    return OWN, [key for key in keys if key in wanted]


def explain(scenario: Scenario, duration: str) -> str:
    """Return what follows from a scenario, when to use it, and how long it takes."""
    rows = [("What follows", scenario.consequence), ("When to use it", scenario.when), ("How long", duration)]
    items = "".join(f"<dt>{escape_html(name)}</dt><dd>{escape_html(text)}</dd>" for name, text in rows if text)
    return f'<dl class="explain">{items}</dl>'


def _duration(config: TrainConfig, epochs: int | None) -> str:
    if not epochs:
        return "One measurement"
    count = f"{epochs} epoch{'s' if epochs > 1 else ''}"
    return count if config.epochs else f"{count}, unless you set another number below"


def _open(groups: Sequence[GroupPlan]) -> list[str]:
    return [group.key for group in groups if group.open]


def _model(services: Services, tasks: Sequence[Task] | None, encoder: str) -> "MultiTaskSentenceTransformer":
    """Return an untrained model for the tasks, or the starter while nothing is chosen."""
    if not tasks and encoder in ("", services.settings.encoder):
        return services.starter
    from mtst.model.multitask import MultiTaskSentenceTransformer

    return MultiTaskSentenceTransformer(services.encoder_named(encoder), tuple(tasks or DEFAULT_TASKS))


def _plan(model: "MultiTaskSentenceTransformer", config: TrainConfig) -> Sequence[GroupPlan]:
    from mtst.training.planning import plan

    return plan(model, config)
