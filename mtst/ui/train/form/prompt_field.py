"""The field of the prompt: it begins with the encoder's own, and a visitor may write another."""

import gradio as gr

from mtst.encoders.prompts import describe_prompt
from mtst.errors import MtstError
from mtst.text import inline_text
from mtst.ui.components.events import Update
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.services.services import Services

PROMPT_CHARACTERS = 200  # that are shown


def show_prompt(services: Services, name: str, prompt_of: str | None) -> tuple[Update, str, Update]:
    """Put the prompt of the chosen encoder into the field, unless it is there, and maybe changed by the visitor.

    Return the updates of the field, of the encoder whose prompt it holds, and of the note below it.
    """
    if prompt_of == name:
        return gr.skip(), gr.skip(), gr.skip()
    try:
        return own_prompt(name, services.encoder_named(name).prompt)
    except MtstError as error:
        return gr.skip(), gr.skip(), show_message(problem(error))


def own_prompt(name: str, prompt: str) -> tuple[Update, str, Update]:
    """Return the updates that put the prompt of an encoder into the field, in the same order."""
    return gr.update(value=prompt, interactive=True), name, _prompt_note(prompt, prompt)


def check_prompt(services: Services, name: str, prompt: str) -> Update:
    """Return the update of the note that tells what will stand in front of texts, or why it cannot."""
    try:
        own = services.encoder_named(name).prompt
        return _prompt_note(services.encoder_named(name, prompt).prompt, own)
    except MtstError as error:
        return show_message(problem(error))


def _prompt_note(prompt: str, own: str) -> Update:
    """Describe a prompt, and the encoder's own if that is another one."""
    used = describe_prompt(inline_text(prompt, PROMPT_CHARACTERS)) or "Nothing is put in front of a text."
    other = f" The encoder's own prompt is “{inline_text(own, PROMPT_CHARACTERS)}”." if own and own != prompt else ""
    return show_message(quiet(f"{used}{other}") if prompt or other else "")
