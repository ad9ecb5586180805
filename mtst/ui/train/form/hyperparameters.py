"""The hyperparameters of a run: every field of `TrainConfig` but what to freeze, with what suits the scenario."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isinf
from typing import Any

import gradio as gr

from mtst.data.tasks import Task
from mtst.errors import SettingsError
from mtst.model.layer_groups import is_head
from mtst.text import inline_text, truncate
from mtst.training.config import BALANCES, TrainConfig
from mtst.training.scenarios import BATCH_SIZE, Scenario, resolve
from mtst.ui.components.events import Update
from mtst.ui.components.html import html
from mtst.ui.train.form.form_values import ConfigForm

MAX_TASKS = 8
WEIGHT = "task_weight_"  # and the index of a task
CUSTOM = "custom"
BALANCE_TITLES = {"none": "No change", "class-weights": "Class weights", "balanced-sampling": "Oversampling"}
DECAY_TITLES = {"cosine": "Cosine", "linear": "Linear", "constant": "Constant"}
SUITS = "auto if left empty"
# Every scenario has its own values for these: the form shows them where nothing is typed.
SUITED = ("epochs", "batch_size", "patience", "head_rate", "encoder_rate", "layer_decay", "warm_up", "weight_decay")
LABELS = {
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "patience": "Patience",
    "head_rate": "Head rate",
    "encoder_rate": "Encoder rate",
    "layer_decay": "Layer decay",
    "warm_up": "Warm-up",
    "weight_decay": "Weight decay",
    "label_smoothing": "Label smoothing",
    "clip": "Gradient clipping",
    "top_blocks": "Blocks to train",
    "epochs_per_group": "Epochs per group",
    "seed": "Seed",
} | {f"{WEIGHT}{k}": f"Weight of task {k + 1}" for k in range(MAX_TASKS)}
OF_SCENARIO = {"top_blocks": "top-k", "epochs_per_group": "gradual"}  # shown with one scenario only
CHOICES = ("decay", "learn_weights", "frozen_head_loss", "balance")  # the others are numbers, typed as text
INTEGERS = ("epochs", "batch_size", "patience", "top_blocks", "epochs_per_group", "seed")
DIGITS = gr.InputHTMLAttributes(autocorrect="off", spellcheck=False)
Field = gr.Textbox | gr.Radio | gr.Checkbox


@dataclass(frozen=True)
class HyperparameterFields:
    """The components by their names in `TrainConfig`, a weight for each task, and where the rate finder goes."""

    fields: dict[str, Field]
    weights: tuple[gr.Textbox, ...]
    weights_title: gr.HTML
    rates: gr.Column

    @property
    def values(self) -> dict[str, Field]:
        """All components, by their names in `ConfigForm.hyperparameters`."""
        return self.fields | {f"{WEIGHT}{k}": weight for k, weight in enumerate(self.weights)}

    @property
    def suited(self) -> tuple[Field, ...]:
        """The components of `SUITED`."""
        return tuple(self.fields[name] for name in SUITED)


def number(
    name: str, value: str | None = "", info: str = SUITS, *, placeholder: str | None = None, visible: bool = True
) -> gr.Textbox:
    """Return the field for a number of `TrainConfig`, which checks its range.

    It is a line of text, because Gradio writes 0 into an empty field for a number.
    """
    return gr.Textbox(
        value, label=LABELS[name], info=info, placeholder=placeholder, visible=visible, min_width=130, max_lines=1,
        elem_id=f"train-{name}", html_attributes=DIGITS,
    )  # fmt: skip


def hyperparameter_fields() -> HyperparameterFields:
    """Build the fields into the accordion that is open."""
    fields: dict[str, Field] = {}
    with gr.Row():
        fields["epochs"] = number("epochs")
        fields["batch_size"] = number("batch_size", info="sentences per step")
        fields["patience"] = number("patience", info="epochs to wait for a better one")
    html("<h3>Learning rates</h3>")
    with gr.Row():
        fields["head_rate"] = number("head_rate")
        fields["encoder_rate"] = number("encoder_rate")
        fields["layer_decay"] = number("layer_decay", info="rate of a layer relative to the one above")
    rates = gr.Column()
    with gr.Row():
        fields["warm_up"] = number("warm_up", info="share of steps in which the rate rises")
        fields["decay"] = gr.Radio(
            [(title, key) for key, title in DECAY_TITLES.items()], value="cosine", label="Schedule",
            min_width=280, elem_id="train-decay",
        )  # fmt: skip
    html("<h3>Regularization</h3>")
    with gr.Row():
        fields["weight_decay"] = number("weight_decay", info="pulls weights toward zero")
        fields["label_smoothing"] = number("label_smoothing", "0", "0 to turn off")
        fields["clip"] = number("clip", "1", "maximum gradient norm; 0 for no limit")
    html("<h3>Tasks and labels</h3>")
    title = html("<p class='quiet'>Weight of each task's loss; 1 if left empty.</p>", visible=False)
    with gr.Row():
        weights = [number(f"{WEIGHT}{k}", info="", placeholder="1", visible=False) for k in range(MAX_TASKS)]
    fields["learn_weights"] = gr.Checkbox(
        value=False, label="Learn task weights", visible=False, elem_id="train-learn_weights",
        info="From the uncertainty of each task: a noisy task counts less.",
    )  # fmt: skip
    fields["frozen_head_loss"] = gr.Checkbox(
        value=True, label="The loss of a frozen head still trains the encoder", visible=False,
        elem_id="train-frozen_head_loss",
        info="On: the encoder stays readable for that head. Off: you see how far it drifts away.",
    )  # fmt: skip
    fields["balance"] = gr.Radio(
        [(BALANCE_TITLES[key], key) for key in BALANCES], value="none", label="Rare labels",
        info="Both find more rows with rare labels, and more false ones.",
        elem_id="train-balance",
    )  # fmt: skip
    with gr.Row():
        fields["seed"] = number("seed", "0", "same seed, same result")
    return HyperparameterFields(fields, tuple(weights), title, rates)


def config_of(tasks: Sequence[Task], form: ConfigForm) -> TrainConfig:
    """Return the config that a form describes; an empty field keeps its default.

    Raises:
        SettingsError: a value makes no sense.
    """
    scenario = form.scenario or ""
    given: dict[str, Any] = {
        name: value if name in CHOICES else _parse(name, value)
        for name, value in form.hyperparameters.items()
        if OF_SCENARIO.get(name, scenario) == scenario
    }
    weights = {task.name: given.get(f"{WEIGHT}{k}") for k, task in enumerate(tasks)} if len(tasks) > 1 else {}
    return TrainConfig(
        scenario=scenario,
        open_groups=tuple(form.open_groups) if scenario == CUSTOM else (),
        task_weights={name: weight for name, weight in weights.items() if weight is not None},
        **{name: value for name, value in given.items() if value is not None and not name.startswith(WEIGHT)},
    )


def _parse(name: str, text: object) -> float | int | None:
    """Return the number that was typed; None if the field is empty.

    Raises:
        SettingsError: it is not a number.
    """
    typed = str("" if text is None else text).strip()
    kind = int if name in INTEGERS else float
    try:
        return kind(typed) if typed else None
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{name} must be {what}, such as 1, not {truncate(typed, 40)!r}.") from None


def suggest_defaults(
    config: TrainConfig, scenario: Scenario, keys: Sequence[str], rows: int
) -> tuple[tuple[Update, ...], Update]:
    """Return the updates that show the values of `SUITED` for so many rows, and that of `frozen_head_loss`.

    Raises:
        SettingsError: the scenario cannot be followed with this config.
    """
    empty: dict[str, Any] = {name: None for name in SUITED if name != "batch_size"}  # epochs follow from it
    resolved = resolve(replace(config, **empty), scenario, keys, rows)
    opening = resolved.opening
    frozen_head = bool(opening) and any(is_head(key) and key not in opening for key in keys)
    placeholders = {name: f"{getattr(resolved, name):{'.0f' if name in INTEGERS else '.2g'}}" for name in SUITED}
    placeholders["batch_size"] = "all" if scenario.full_batch else f"{BATCH_SIZE}"
    if not resolved.epochs:
        placeholders["epochs"] = "–"
    if isinf(resolved.patience):
        placeholders["patience"] = "never"
    return tuple(gr.update(placeholder=text) for text in placeholders.values()), gr.update(visible=frozen_head)


def weight_updates(tasks: Sequence[Task]) -> tuple[Update, ...]:
    """Return the updates of `HyperparameterFields.weights`, which ask for the weight of each of several tasks."""
    count = len(tasks) if len(tasks) > 1 else 0
    shown = tuple(gr.update(label=inline_text(task.name, 30), visible=True) for task in tasks[:count])
    return shown + (gr.update(visible=False),) * (MAX_TASKS - count)


def explain_setting_error(message: str) -> str:
    """Return a message about a setting with the label that the form has for it."""
    name, _, rest = message.partition(" ")
    return f"{LABELS[name]} {rest}" if name in LABELS else message
