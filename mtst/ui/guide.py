"""The Guide tab: what freezing is and when it pays."""

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
    return text.replace("{scenarios}", table).replace(
        "{encoders}", f"| encoder | what it knows | languages | MTEB |\n|---|---|---|---|\n{encoders}"
    )


def guide_tab() -> None:
    """Build the tab."""
    with gr.Column(elem_classes="card guide"):
        gr.Markdown(guide_text())
