import re
from dataclasses import replace

from mtst.ui.plots.layer_picture import DARK, LIGHT, layer_picture, picture_rules
from tests.support.fake_history import LATER

EVIL = '"><script>alert(1)</script>'


def bars(svg: str, colour: str) -> list[float]:
    """Return where each row of a colour begins."""
    return [float(x) for x in re.findall(f'<rect x="([0-9.]+)"[^>]*fill="{colour}"', svg)]


def test_what_opens_later_is_warm_from_further_right() -> None:
    svg = layer_picture(LATER, 4, LIGHT)
    assert bars(svg, LIGHT.warm)[2:] == [19.0, 38.0]  # blocks 1 and 0 open in epochs 2 and 3 of 4
    assert len(bars(svg, LIGHT.cold)) == 4
    frozen = [replace(group, opens_at=None) for group in LATER]
    assert bars(layer_picture(frozen, 4, LIGHT), LIGHT.warm) == []


def test_a_picture_for_each_choice_and_theme_holds_no_name() -> None:
    named = [replace(group, key=EVIL, title=EVIL, task=EVIL if group.task else None) for group in LATER]
    rules = picture_rules([(named, 4), (named, 4)], "#cards label")
    assert rules.count("background-image") == 4
    assert rules.count(".dark #cards label:nth-of-type(2)::before") == 1
    assert "script" not in rules
    assert LIGHT.warm != DARK.warm
