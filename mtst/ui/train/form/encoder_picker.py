"""The choice of an encoder: what there is, how large and how quick it is, and its way here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr

from mtst.encoders.catalogue import CATALOGUE, HUB_ID
from mtst.encoders.info import EncoderInfo, encoder_info
from mtst.errors import EncoderError, MtstError
from mtst.text import inline_text, truncate
from mtst.ui.components.html import html, problem, quiet, show_message
from mtst.ui.components.run_status import state_line
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.services import Services

ONLY_HERE = quiet("The Hub does not answer, so only the encoders that are on this server are offered.")
SILENT = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class EncoderChoice:
    """The encoder that is chosen, as its name, and what happens when it has changed."""

    name: gr.State
    changed: gr.events.Dependency


def offers(services: Services, added: Sequence[str], name: str, **more: bool) -> tuple[gr.Radio, dict]:
    """Return the update that offers the encoders, and a message if there would be more with a network.

    Args:
        services: those of the app.
        added: the Hub ids that the visitor has looked up.
        name: the encoder that is chosen.
        more: what else changes in the list.
    """
    try:
        known = [encoder_info(each) for each in dict.fromkeys([services.settings.encoder, *CATALOGUE, *added])]
    except MtstError as error:
        return gr.Radio(**more), show_message(problem(error))
    reached = all(each.is_local for each in known) or services.encoder_pool.hub_is_reachable
    rows = [(_line(services, each), each.name) for each in known if each.is_local or reached]
    return gr.Radio(choices=rows, value=name, **more), show_message("" if reached else ONLY_HERE)


def _line(services: Services, found: EncoderInfo) -> str:
    """Return what an encoder is called, and under that what it is."""
    speed = found.estimate_speed(services.encoder, services.encoding_speed)
    facts = (
        found.purpose,
        f"{found.parameters / 1e6:,.0f} million parameters" if found.parameters else "",
        f"about {_round(speed):,} sentences a second here" if speed else "",
        "" if found.is_local else f"download {found.megabytes:,.0f} MB",
    )
    return f"{inline_text(found.name, 60)}\n{'; '.join(filter(None, facts))}"


def _round(speed: float) -> int:
    """Return a speed to two figures: it is an estimate."""
    return max(1, int(float(f"{speed:.2g}")))


def take(
    services: Services, name: str, before: str, added: Sequence[str] = (), visitor: str = ""
) -> Iterator[tuple[object, ...]]:
    """Fetch and load an encoder; yield a message, the name that is chosen now, and updates of the list and the title.

    If it cannot be had, the one before stays. Meanwhile nothing else can be chosen: Gradio would not tell of it.
    """
    waiting = gr.skip(), gr.Radio(interactive=False), gr.skip()
    try:
        for done, total in services.encoder_pool.fetch(_allowed(services, name), visitor):
            yield show_message(_progress(name, done, total, before)), *waiting
        yield show_message(quiet(f"Loading it. Until then {before} is used.")), *waiting
        encoder = services.encoder_named(name)
    except MtstError as error:
        yield show_message(problem(f"{error} {before} stays.")), before, _choosable(before), gr.skip()
        return
    size = f"{len(encoder.groups)} layer groups, embeddings of {encoder.dimension} numbers, up to "
    told = quiet(f"{name}: {size}{encoder.max_tokens} tokens.")
    listed, _ = offers(services, added, name, interactive=True)  # it is here now, and says so
    yield show_message(told), name, listed, gr.Accordion(label=_title(name))


def look_up(services: Services, typed: str, added: list[str], name: str) -> tuple[object, ...]:
    """Add an encoder of the Hub to the list; return a message, the ids that were looked up, and the list."""
    try:
        wanted = _allowed(services, typed.strip())
        services.encoder_pool.info(wanted)
    except MtstError as error:
        return show_message(problem(error)), added, gr.skip()
    added = list(dict.fromkeys([*added, wanted]))
    listed, _ = offers(services, added, name)
    return show_message(quiet(f"{wanted} is in the list now. Choose it there.")), added, listed


def _allowed(services: Services, name: str) -> str:
    """Return a name that a visitor may choose.

    Raises:
        EncoderError: it is none of the catalogue, and no Hub id or those are not allowed here.
    """
    if name in CATALOGUE or name == services.settings.encoder:
        return name
    if not services.settings.custom_encoders:
        raise EncoderError(f"This server offers the encoders of its list only, not {truncate(name, 60)!r}.")
    if not HUB_ID.fullmatch(name) or Path(name).exists():  # a folder of the server is nobody's to read
        raise EncoderError(f"{truncate(name, 60)!r} is no id of the Hub. They look like owner/model.")
    return name


def _choosable(name: str) -> gr.Radio:
    """Return the update that lets an encoder be chosen again, when this is the one that is used."""
    return gr.Radio(value=name, interactive=True)


def _progress(name: str, done: int, total: int, before: str) -> str:
    size = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB" if total else "asking the Hub"
    told = f"{size}; until then {truncate(before, 60)} is used"
    return state_line("running", f"Downloading {truncate(name, 60)}", told, done, total, label="Download")


def _title(name: str) -> str:
    return f"Encoder: {inline_text(name, 60)}"


def encoder_choice(services: Services) -> EncoderChoice:
    """Build the choice."""
    default = services.settings.encoder
    name, added = gr.State(default), gr.State([])
    with gr.Accordion(_title(default), open=False, elem_classes="card settings", elem_id="train-encoder") as opened:
        listed = gr.Radio(
            [(default, default)], value=default, label="Encoder", show_label=False, container=False,
            elem_classes="scenarios", elem_id="train-encoder-list",
        )  # fmt: skip
        alone = html(visible=False)
        typed = gr.Textbox(
            label="Another encoder of the Hub", placeholder="owner/model", max_lines=1,
            visible=services.settings.custom_encoders, elem_id="train-encoder-id",
        )  # fmt: skip
        look = gr.Button(
            "Look it up", size="sm", visible=services.settings.custom_encoders, elem_id="train-encoder-look"
        )
        message = html(visible=False, elem_id="train-encoder-state")
    opened.expand(partial(offers, services), [added, name], [listed, alone], **SILENT)
    gr.on(
        [look.click, typed.submit], partial(look_up, services), [typed, added, name], [message, added, listed],
        concurrency_limit=4, **SILENT,
    )  # fmt: skip

    def choose(request: gr.Request, *values: object) -> Iterator[tuple[object, ...]]:
        yield from take(services, *values, visitor=visitor_id(request))

    changed = listed.input(
        choose, [listed, name, added], [message, name, listed, opened], concurrency_limit=8, **SILENT
    )
    changed.failure(_choosable, name, listed, **SILENT)  # of what nobody thought of
    return EncoderChoice(name, changed)
