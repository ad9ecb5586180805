"""The settings of a run: every choice of `TrainConfig` but what to freeze, in groups, with what suits the scenario."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gradio as gr

from mtst.data.tasks import Task
from mtst.errors import SettingsError
from mtst.model.layer_groups import is_head
from mtst.text import inline_text, truncate
from mtst.training.config import BALANCES, TrainConfig
from mtst.training.scenarios import Scenario, resolve
from mtst.ui.components.html import html

MAX_TASKS = 8
WEIGHT = "task_weight_"  # and the number of a task
OWN = "custom"
BALANCE_TITLES = {"none": "As they are", "class-weights": "Weigh more", "balanced-sampling": "Draw more often"}
DECAY_TITLES = {"cosine": "Along a cosine", "linear": "Evenly", "constant": "Not at all"}
SUITS = "empty: what suits the scenario"
# The settings that a scenario has a value of its own for: shown where nothing is typed.
SUITED = ("epochs", "head_rate", "encoder_rate", "layer_decay", "warm_up", "weight_decay")
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
    "epochs_per_group": "Epochs for each group",
    "seed": "Seed",
} | {f"{WEIGHT}{k}": f"Weight of task {k + 1}" for k in range(MAX_TASKS)}
OF_SCENARIO = {"top_blocks": "top-k", "epochs_per_group": "gradual"}  # settings that are seen with one scenario only
CHOICES = ("decay", "learn_weights", "frozen_head_loss", "balance")
WHOLE = ("epochs", "batch_size", "patience", "top_blocks", "epochs_per_group", "seed")
DIGITS = gr.InputHTMLAttributes(autocorrect="off", spellcheck=False)


@dataclass(frozen=True)
class HyperparameterFields:
    """The components by their names in `TrainConfig`, a weight for each task, and where the rate finder goes."""

    fields: dict[str, gr.components.Component]
    weights: list[gr.Textbox]
    weights_title: gr.HTML
    rates: gr.Column

    @property
    def values(self) -> dict[str, gr.components.Component]:
        """All components, by the names that `config_of` knows them by."""
        return self.fields | {f"{WEIGHT}{k}": weight for k, weight in enumerate(self.weights)}

    @property
    def suited(self) -> list[gr.components.Component]:
        """The components that `suit` updates, in its order."""
        return [*(self.fields[name] for name in SUITED), self.fields["frozen_head_loss"]]

    @property
    def of_tasks(self) -> list[gr.components.Component]:
        """The components that `for_tasks` updates, in its order."""
        return [self.weights_title, *self.weights, self.fields["learn_weights"]]


def number(name: str, value: str = "", info: str = SUITS, **kwargs: object) -> gr.Textbox:
    """Return the place for a number of `TrainConfig`; what it may be is said there, not here.

    A line of text, because gradio writes 0 into an empty place for a number.
    """
    look = {"min_width": 130, "max_lines": 1, "elem_id": f"train-{name}", "html_attributes": DIGITS} | kwargs
    return gr.Textbox(value, label=LABELS[name], info=info, **look)


def hyperparameter_fields() -> HyperparameterFields:
    """Build the settings into the accordion that is open."""
    made: dict[str, gr.components.Component] = {}
    with gr.Row():
        made["epochs"] = number("epochs")
        made["batch_size"] = number("batch_size", "32", "sentences in a step")
        made["patience"] = number(
            "patience",
            None,
            "epochs without progress, then it stops",
            placeholder="never",
        )
    html("<h3>Learning rates</h3>")
    with gr.Row():
        made["head_rate"] = number("head_rate")
        made["encoder_rate"] = number("encoder_rate")
        made["layer_decay"] = number("layer_decay", info="a layer's rate, relative to the one above")
    rates = gr.Column()
    with gr.Row():
        made["warm_up"] = number("warm_up", info="share of the steps in which rates rise")
        made["decay"] = gr.Radio(
            [(title, key) for key, title in DECAY_TITLES.items()], value="cosine", label="Then rates fall",
            min_width=280, elem_id="train-decay",
        )  # fmt: skip
    html("<h3>Against learning by heart</h3>")
    with gr.Row():
        made["weight_decay"] = number("weight_decay", info="shrinks weights a little in every step")
        made["label_smoothing"] = number("label_smoothing", "0", "share of doubt in every label; 0: none")
        made["clip"] = number("clip", "1", "longest step of the gradient; 0: any")
    html("<h3>Tasks and labels</h3>")
    title = html("<p class='quiet'>How much each task's loss counts; empty: 1.</p>", visible=False)
    with gr.Row():
        weights = [number(f"{WEIGHT}{k}", info="", placeholder="1", visible=False) for k in range(MAX_TASKS)]
    made["learn_weights"] = gr.Checkbox(
        False, label="Learn the weights of the tasks", visible=False, elem_id="train-learn_weights",
        info="From how unsure each task is: a noisy one comes to count less.",
    )  # fmt: skip
    made["frozen_head_loss"] = gr.Checkbox(
        True, label="A frozen head's mistakes still guide the encoder", visible=False,
        elem_id="train-frozen_head_loss",
        info="With it the encoder stays readable for that head; without it you see how far the encoder drifts away.",
    )  # fmt: skip
    made["balance"] = gr.Radio(
        [(BALANCE_TITLES[key], key) for key in BALANCES], value="none", label="Rare labels",
        info="More weight finds more rows of rare labels, and mistakes more rows of frequent ones for them.",
        elem_id="train-balance",
    )  # fmt: skip
    with gr.Row():
        made["seed"] = number("seed", "0", "same seed, same run")
    return HyperparameterFields(made, weights, title, rates)


def config_of(tasks: Sequence[Task], scenario: str, open_groups: Sequence[str], **values: object) -> TrainConfig:
    """Return the config that a form stands for, by the names in `Settings.values`; what is empty keeps its default.

    Raises:
        SettingsError: a value makes no sense.
    """
    values = {name: value for name, value in values.items() if OF_SCENARIO.get(name, scenario) == scenario}
    given = {name: value if name in CHOICES else _read(name, value) for name, value in values.items()}
    weights = {task.name: given.get(f"{WEIGHT}{k}") for k, task in enumerate(tasks)} if len(tasks) > 1 else {}
    return TrainConfig(
        scenario=scenario,
        open_groups=tuple(open_groups) if scenario == OWN else (),
        task_weights={name: weight for name, weight in weights.items() if weight is not None},
        **{name: value for name, value in given.items() if value is not None and not name.startswith(WEIGHT)},
    )


def _read(name: str, text: object) -> float | int | None:
    """Return the number that was typed; nothing if the place is empty.

    Raises:
        SettingsError: it is not a number.
    """
    typed = str("" if text is None else text).strip()
    kind = int if name in WHOLE else float
    try:
        return kind(typed) if typed else None
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{name} must be {what}, such as 1, not {truncate(typed, 40)!r}.") from None


def suggest_defaults(config: TrainConfig, scenario: Scenario, keys: Sequence[str]) -> list[dict]:
    """Return the updates that show what suits a scenario where nothing is typed; see `Settings.suited`.

    Raises:
        SettingsError: the scenario cannot be followed with this config.
    """
    blank = replace(config, **dict.fromkeys(SUITED))
    resolved = resolve(blank, scenario, keys)
    opening = resolved.opening
    frozen_head = bool(opening) and any(is_head(key) and key not in opening for key in keys)
    suited = {name: f"{getattr(resolved, name):g}" for name in SUITED}
    if not resolved.epochs:
        suited["epochs"] = "–"
    hints = [gr.update(placeholder=value) for value in suited.values()]
    return [*hints, gr.update(visible=frozen_head)]


def for_tasks(tasks: Sequence[Task]) -> list[dict]:
    """Return the updates that ask for a weight of each of several tasks; see `Settings.of_tasks`."""
    count = len(tasks) if len(tasks) > 1 else 0
    names = [inline_text(task.name, 30) for task in tasks]
    numbers = [
        gr.update(label=names[k], visible=True) if k < count else gr.update(visible=False) for k in range(MAX_TASKS)
    ]
    return [gr.update(visible=bool(count)), *numbers, gr.update(visible=bool(count))]


def explain_setting_error(message: str) -> str:
    """Return a message about a setting with the name that the page has for it."""
    name, _, rest = message.partition(" ")
    return f"{LABELS[name]} {rest}" if name in LABELS else message
