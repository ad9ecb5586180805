from pathlib import Path

import pytest

from tests.support.hub_client import Client


@pytest.mark.hub
def test_the_published_encoder_gives_the_published_numbers():
    """Run with `-m hub`; it downloads 439 MB unless they are here."""
    expected = {
        "Machine learning is amazing!": [-0.46188468, 0.04595638, 1.1395051, 0.20642886, -0.2947008],
        "Transformers are powerful for NLP tasks.": [0.2185293, -0.3930077, 1.0106223, 0.23320135, -0.76732814],
        "Sentence embeddings help capture semantic meaning.": [
            -0.3018907, 0.24977122, 0.8252767, 0.5386457, 0.0526836,
        ],
    }  # fmt: skip
    with Client("https://huggingface.co", Path("~/.cache/huggingface").expanduser()) as client:
        rows = client.call("embed", name="bert-base-nli-mean-tokens", texts=list(expected))
    for row, first in zip(rows, expected.values(), strict=True):
        assert row[:5] == pytest.approx(first, abs=1e-4)
