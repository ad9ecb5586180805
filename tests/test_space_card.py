"""The README's header configures the Space."""

import re
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
KNOWN = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "license", "models",
    "tags", "short_description", "suggested_hardware",
}  # fmt: skip


@pytest.fixture(scope="module")
def card() -> SpaceCard:
    return SpaceCard.load(ROOT / "README.md")


def pinned(name: str) -> str:
    requirements = map(Requirement, (ROOT / "requirements.txt").read_text().split())
    return next(str(line.specifier).removeprefix("==") for line in requirements if line.name == name)


def test_a_space_knows_every_field(card) -> None:
    data = card.data
    assert set(data.to_dict()) == KNOWN
    assert {data["colorFrom"], data["colorTo"]} <= COLOURS
    assert len(data.emoji) == 1
    assert 0 < len(data.short_description) <= 60
    assert data.license == "apache-2.0"
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", model) for model in data.models)


def test_it_starts_this_app_with_the_pinned_gradio(card) -> None:
    assert (card.data.sdk, card.data.sdk_version) == ("gradio", pinned("gradio"))
    assert (ROOT / card.data.app_file).is_file()
    target = re.search(r'target-version = "py(\d)(\d+)"', (ROOT / ".ruff.toml").read_text())
    assert card.data.python_version == ".".join(target.groups())


def test_the_pins_agree_with_what_a_space_installs() -> None:
    """A Space installs Gradio with its extra for MCP, which wants a pydantic of its own."""
    from importlib.metadata import requires

    extras = [Requirement(line) for line in requires("gradio")]
    extras = [line for line in extras if line.marker and line.marker.evaluate({"extra": "mcp"})]
    assert {line.name for line in extras} >= {"mcp", "pydantic"}
    for line in extras:
        if not line.marker.evaluate({"extra": ""}):
            assert line.specifier.contains(pinned(line.name)), line
