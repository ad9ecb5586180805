"""What is known of an encoder before it is chosen."""

import threading

import numpy as np

from mtst.encoders.info import measure_speed
from mtst.encoders.layers import find_blocks


def test_an_encoder_can_be_used_while_its_speed_is_measured(tiny_encoder):
    """Another visitor comes in the midst of each pass, and gets what they would have got alone."""
    texts = ["the film", "a long text, and longer than the other", "and"]
    alone = tiny_encoder.encode(texts)
    _, blocks = find_blocks(tiny_encoder.backbone)
    measuring, found = threading.get_ident(), []

    def visit() -> None:
        tiny_encoder.clear_cache()
        found.append(tiny_encoder.encode(texts))

    def come(*_: object) -> None:
        if threading.get_ident() == measuring:
            visitor = threading.Thread(target=visit)
            visitor.start()
            visitor.join()

    with blocks[0].register_forward_hook(come):
        assert measure_speed(tiny_encoder) > 0
    assert len(found) >= 3
    for each in found:
        np.testing.assert_allclose(each, alone, atol=1e-6)
