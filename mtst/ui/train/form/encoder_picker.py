"""The choice of an encoder: the ones on offer, their size and speed, and their download."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import gradio as gr
from gradio.components import Component

from mtst.encoders.catalogue import CATALOGUE, CatalogueEntry
from mtst.encoders.info import EncoderInfo, encoder_info
from mtst.encoders.prompts import MAX_CHARACTERS
from mtst.errors import EncoderError, MtstError
from mtst.hub.repositories import HUB_ID
from mtst.text import inline_text, truncate
from mtst.ui.components.events import SILENT, UNCHANGED, Outputs, Update
from mtst.ui.components.html import html, problem, quiet, show_message
from mtst.ui.components.run_status import state_line
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.services import Services
from mtst.ui.train.form.prompt_field import check_prompt, own_prompt, show_prompt

ONLY_LOCAL = quiet("The Hub does not answer, so only the encoders that are on this server are offered.")


@dataclass(frozen=True)
class EncoderView:
    """The state of a choice: a message, the encoder in use, the list, the title of the step, and the prompt."""

    message: Update
    name: str = UNCHANGED
    encoders: Update = UNCHANGED
    accordion: Update = UNCHANGED
    prompt: Update = UNCHANGED
    prompt_of: str = UNCHANGED
    prompt_note: Update = UNCHANGED


@dataclass(frozen=True)
class EncoderPanel:
    """The components of the step; `added` holds the Hub ids that the visitor has looked up."""

    message: gr.HTML
    name: gr.State
    encoders: gr.Radio
    accordion: gr.Accordion
    prompt: gr.Textbox
    prompt_of: gr.State
    prompt_note: gr.HTML
    added: gr.State


@dataclass(frozen=True)
class EncoderChoice:
    """The components of the step, and the events after which another encoder or prompt is in use."""

    services: Services
    panel: EncoderPanel
    changed: gr.events.Dependency
    prompt_changed: gr.events.Dependency

    def choose_on(
        self, press: Callable[..., gr.events.Dependency], name: gr.State, message: gr.HTML
    ) -> gr.events.Dependency:
        """Choose the encoder that `name` holds when a button is pressed; the progress is shown in `message`."""
        panel = replace(self.panel, message=message)
        return _choose_on(self.services, press, name, panel)


def list_encoders(services: Services, added: Sequence[str], name: str) -> tuple[Update, Update]:
    """Return the update that offers the encoders, and a message if the Hub, which has more, cannot be reached.

    Args:
        services: those of the app.
        added: the Hub ids that the visitor has looked up.
        name: the chosen encoder.
    """
    try:
        known = [encoder_info(each) for each in dict.fromkeys([services.settings.encoder, *CATALOGUE, *added])]
    except MtstError as error:
        return gr.skip(), show_message(problem(error))
    reachable = all(info.is_local for info in known) or services.encoder_pool.hub_is_reachable
    choices = [(_title_and_facts(services, info), info.name) for info in known if info.is_local or reachable]
    return gr.update(choices=choices, value=name), show_message("" if reachable else ONLY_LOCAL)


def _title_and_facts(services: Services, info: EncoderInfo) -> str:
    speed = info.estimate_speed(services.encoder, services.encoding_speed)
    facts = (
        info.purpose,
        *_published_facts(info.entry),
        f"{info.parameters / 1e6:,.0f} million parameters" if info.parameters else "",
        f"about {_two_digits(speed):,} sentences a second here" if speed else "",
        "" if info.is_local else f"download {info.megabytes:,.0f} MB",
    )
    return f"{inline_text(info.name, 60)}\n{'; '.join(filter(None, facts))}"


def _published_facts(entry: CatalogueEntry | None) -> Iterator[str]:
    """Yield what the authors of an encoder of the catalogue say of it; what they do not say is shown as –."""
    if entry:
        yield entry.languages if entry.languages == "English" else f"{entry.languages} languages"
        yield f"up to {entry.max_tokens:,} tokens" if entry.max_tokens else "tokens –"
        yield f"MTEB {entry.score.mteb:.1f}" if entry.score else "MTEB –"
        yield f"license {entry.license or '–'}"
        yield f"each text begins with “{entry.prompt}”" if entry.prompt else ""


def _two_digits(speed: float) -> int:
    """Round an estimated speed to two significant digits."""
    return max(1, int(float(f"{speed:.2g}")))


def choose_encoder(
    services: Services, name: str, current: str, added: Sequence[str] = (), visitor: str = ""
) -> Iterator[EncoderView]:
    """Download and load an encoder; yield the progress, then the new state. If it fails, the current one stays.

    Meanwhile nothing else can be chosen: Gradio would drop that event.
    """
    disabled = gr.update(interactive=False)
    try:
        for done, total in services.encoder_pool.fetch(_allowed(services, name), visitor):
            yield EncoderView(show_message(_progress(name, done, total, current)), encoders=disabled)
        yield EncoderView(show_message(quiet(f"Loading it. Until then {current} is used.")), encoders=disabled)
        encoder = services.encoder_named(name)
    except MtstError as error:
        yield EncoderView(show_message(problem(f"{error} {current} stays.")), current, _enabled(current))
        return
    size = f"{len(encoder.groups)} layer groups, embeddings of {encoder.dimension} numbers, up to "
    message = quiet(f"{name}: {size}{encoder.max_tokens} tokens.")
    encoders, _ = list_encoders(services, added, name)  # it is local now
    yield EncoderView(
        show_message(message),
        name,
        encoders | gr.update(interactive=True),
        gr.update(label=_title(name)),
        *own_prompt(name, encoder.prompt),
    )


def look_up(services: Services, typed: str, added: list[str], name: str) -> tuple[Update, list[str], Update]:
    """Add an encoder of the Hub to the list; return a message, the ids that were looked up, and the list."""
    try:
        hub_id = _allowed(services, typed.strip())
        services.encoder_pool.info(hub_id)
    except MtstError as error:
        return show_message(problem(error)), added, gr.skip()
    added = list(dict.fromkeys([*added, hub_id]))
    encoders, _ = list_encoders(services, added, name)
    return show_message(quiet(f"{hub_id} is in the list now. Choose it there.")), added, encoders


def _allowed(services: Services, name: str) -> str:
    """Return a name that a visitor may choose.

    Raises:
        EncoderError: it is not in the catalogue, and not a Hub id or those are not allowed here.
    """
    if name in CATALOGUE or name == services.settings.encoder:
        return name
    if not services.settings.custom_encoders:
        raise EncoderError(f"This server offers the encoders of its list only, not {truncate(name, 60)!r}.")
    if not HUB_ID.fullmatch(name) or Path(name).exists():  # no visitor may read a folder of the server
        raise EncoderError(f"{truncate(name, 60)!r} is no id of the Hub. They look like owner/model.")
    return name


def _enabled(name: str) -> Update:
    """Return the update that lets another encoder be chosen, with this one in use."""
    return gr.update(value=name, interactive=True)


def _progress(name: str, done: int, total: int, current: str) -> str:
    size = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB" if total else "asking the Hub"
    note = f"{size}; until then {truncate(current, 60)} is used"
    return state_line("running", f"Downloading {truncate(name, 60)}", note, done, total, label="Download")


def _title(name: str) -> str:
    return f"Encoder: {inline_text(name, 60)}"


def encoder_choice(services: Services) -> EncoderChoice:
    """Build the choice."""
    default, custom = services.settings.encoder, services.settings.custom_encoders
    name, added, prompt_of = gr.State(default), gr.State([]), gr.State()
    with gr.Accordion(_title(default), open=False, elem_classes="card settings", elem_id="train-encoder") as accordion:
        encoders = gr.Radio(
            [(default, default)], value=default, label="Encoder", show_label=False, container=False,
            elem_classes="scenarios", elem_id="train-encoder-list",
        )  # fmt: skip
        only_local = html(visible=False)
        hub_id = gr.Textbox(
            label="Another encoder from the Hub", placeholder="owner/model", max_lines=1, visible=custom,
            elem_id="train-encoder-id",
        )  # fmt: skip
        find = gr.Button("Look up", size="sm", visible=custom, elem_id="train-encoder-look")
        message = html(visible=False, elem_id="train-encoder-state")
        prompt = gr.Textbox(
            label="Prompt", info="Added before each text exactly as written. Leave empty for none.",
            max_lines=2, max_length=MAX_CHARACTERS, interactive=False, elem_id="train-encoder-prompt",
        )  # fmt: skip
        prompt_note = html(visible=False, elem_id="train-encoder-prompt-note")
    panel = EncoderPanel(message, name, encoders, accordion, prompt, prompt_of, prompt_note, added)
    accordion.expand(partial(list_encoders, services), [added, name], [encoders, only_local], **SILENT)
    shown = [prompt, prompt_of, prompt_note]
    accordion.expand(partial(show_prompt, services), [name, prompt_of], shown, **SILENT)
    gr.on(
        [find.click, hub_id.submit], partial(look_up, services), [hub_id, added, name], [message, added, encoders],
        concurrency_limit=4, **SILENT,
    )  # fmt: skip
    changed = _choose_on(services, encoders.input, encoders, panel)
    prompt_changed = gr.on(
        [prompt.blur, prompt.submit], partial(check_prompt, services), [name, prompt], prompt_note,
        trigger_mode="always_last", **SILENT,
    )  # fmt: skip
    return EncoderChoice(services, panel, changed, prompt_changed)


def _choose_on(
    services: Services, press: Callable[..., gr.events.Dependency], chosen: Component, panel: EncoderPanel
) -> gr.events.Dependency:
    """Choose the encoder that a component holds on an event; the panel shows the progress and the new state."""
    outputs = Outputs(EncoderView, panel)

    def choose(request: gr.Request, chosen: str, current: str, added: list[str]) -> Iterator[EncoderView]:
        yield from choose_encoder(services, chosen, current, added, visitor_id(request))

    changed = press(
        outputs.by_name(choose), [chosen, panel.name, panel.added], outputs.components, concurrency_limit=8, **SILENT
    )
    changed.failure(_enabled, panel.name, panel.encoders, **SILENT)  # after an unexpected exception
    return changed
