import pytest

from mtst.ui.plots.score_axis import ScoreAxis


@pytest.mark.parametrize(
    ("lows", "ticks"),
    [
        ([0.86, 0.9], ["100%", "90%", "80%"]),
        ([0.55], ["100%", "80%", "60%"]),
        ([0.02], ["100%", "50%", "0%"]),
        ([], ["100%", "50%", "0%"]),
        ([1.0], ["100%", "90%"]),
    ],
)
def test_the_axis_begins_at_a_round_share_below_the_lowest(lows, ticks):
    axis = ScoreAxis.below(lows)
    assert [text for text, _ in axis.ticks] == ticks
    assert axis.ticks[0][1] == 100
    assert all(0 < axis.position(low) <= 100 for low in lows)


def test_what_lies_beyond_an_end_stands_at_it():
    axis = ScoreAxis(0.5)
    assert [axis.position(share) for share in (0.2, 0.5, 0.75, 1.0, 1.2)] == [0, 0, 50, 100, 100]
