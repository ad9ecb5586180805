"""The Guide tab: what freezing is and when it pays."""

import re

import gradio as gr

from mtst.assets import ASSETS
from mtst.data.tasks import DEFAULT_TASKS
from mtst.encoders.catalogue import CATALOGUE
from mtst.training.scenarios import list_scenarios

GUIDE = ASSETS / "guide.md"


def guide_text() -> str:
    """Return the guide with the tables of scenarios and encoders filled in."""
    table = "\n\n".join(
        f"**{scenario.title}** (`{scenario.key}`). {scenario.meaning} {scenario.consequence} *{scenario.when}*"
        for scenario in list_scenarios(DEFAULT_TASKS).values()
    )
    encoders = "\n".join(
        f"| `{entry.hub_id}` | {entry.purpose} | {entry.languages} | {entry.score.mteb if entry.score else '–'} |"
        for entry in CATALOGUE.values()
    )
    text = GUIDE.read_text(encoding="utf-8")
    contents = "\n".join(f"- [{title}](#{_anchor(title)})" for title in re.findall("^## (.+)$", text, re.M))
    return (
        text.replace("{contents}", contents)
        .replace("{scenarios}", table)
        .replace("{encoders}", f"| encoder | what it knows | languages | MTEB |\n|---|---|---|---|\n{encoders}")
    )


def _anchor(title: str) -> str:
    """Return the id that Gradio gives to a heading."""
    return "h-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def guide_tab() -> None:
    """Build the tab."""
    with gr.Column(elem_classes="card guide"):
        gr.Markdown(guide_text(), header_links=True)
