from dataclasses import replace

import pytest

from mtst.training.events import GroupProof
from mtst.ui.components import layer_map
from mtst.ui.plots import numbers
from tests.support.fake_history import BEFORE, BETTER, FIRST, LATER, ended, finished, history_of, started


def words(update: dict) -> dict[str, str]:
    return {row["key"]: row["words"] for row in update["value"]}


def test_a_plan_says_when_each_layer_opens_and_can_be_pressed() -> None:
    planned = layer_map.layers((*LATER[:3], replace(LATER[3], opens_at=None)))
    assert words(planned) == {
        "head:a": "open", "head:b": "frozen", "block-1": "opens in epoch 2", "block-0": "opens in epoch 3",
    }  # fmt: skip
    assert planned["frame"]["pressable"]
    assert [row["open"] for row in planned["value"]] == [True, False, False, False]


def test_a_run_fills_its_rows_as_the_weights_move() -> None:
    start = started(3, LATER)
    assert words(layer_map.run_layers(history_of(start, BEFORE)))["head:a"] == "open"
    moved = replace(FIRST, moved={"head:a": 0.79, "head:b": 0.5})
    update = layer_map.run_layers(history_of(start, BEFORE, moved))
    rows = {row["key"]: row for row in update["value"]}
    assert (rows["head:a"]["words"], rows["head:a"]["fill"]) == ("changed by 79%", 0.79)
    assert (rows["block-1"]["words"], rows["block-1"]["open"]) == ("open", True)  # its epoch has begun
    assert (rows["block-0"]["words"], rows["block-0"]["open"]) == ("opens in epoch 3", False)
    assert "weights changed by 79%" in rows["head:a"]["label"]
    assert update["frame"]["live"]


def test_after_a_run_the_rows_keep_what_was_measured_at_the_kept_epoch() -> None:
    proof = (
        GroupProof("block-0", "Block 0", 100, (3, 3), 1e-3, 0.0, same=True),
        GroupProof("block-1", "Block 1", 100, (2, 3), 2e-3, 0.012, same=False),
        GroupProof("head:a", "a head", 10, (1, 3), 0.1, 1.23, same=False),
        GroupProof("head:b", "b head", 10, None, 0.0, float("inf"), same=False),
    )
    ends = [ended(epoch, 2 * epoch, BETTER, 2.0) for epoch in (1, 2, 3)]
    update = layer_map.run_layers(history_of(started(3, LATER), BEFORE, *ends, finished(2, proof=proof)))
    assert words(update) == {
        "head:a": "changed by 123%", "head:b": layer_map.CHANGED, "block-1": "changed by 1.2%",
        "block-0": "unchanged: opened in epoch 3",
    }  # fmt: skip
    assert update["frame"]["scale"] == "2.0%"
    assert not update["frame"]["live"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (1.23, "123%"), (0.7249, "72%"), (0.0319, "3.2%"), (0.000312, "0.031%"), (float("inf"), "\u2013")],
)
def test_a_change_is_never_written_with_a_power_or_as_nothing(share: float, text: str) -> None:
    assert numbers.change(share) == text


def test_scores_have_one_decimal() -> None:
    assert [numbers.percent(share) for share in (0.7254, 1.0, 0.0)] == ["72.5%", "100.0%", "0.0%"]
    assert [numbers.count(size) for size in (2310, 49_000, 1_774_464, 22_700_000)] == [
        "2,310", "49\u00a0k", "1.77\u00a0M", "22.7\u00a0M",
    ]  # fmt: skip
