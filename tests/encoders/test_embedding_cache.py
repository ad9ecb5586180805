import tracemalloc

import numpy as np

from mtst.encoders.embedding_cache import EmbeddingCache

CHARACTERS = 100_000


def long_text(number: int) -> str:
    return f"{number} {'x' * CHARACTERS}"


def test_long_texts_take_no_memory_beyond_their_embeddings():
    cache = EmbeddingCache()
    cache.get([], 0)
    tracemalloc.start()
    try:
        for number in range(200):
            cache.put({long_text(number): np.full(4, number, dtype=np.float32)}, 0)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < CHARACTERS  # of 20 million characters
    assert [row[0] for row in cache.get(map(long_text, range(200)), 0).values()] == list(range(200))
    assert cache.get([long_text(0)[:-1]], 0) == {}


def test_half_a_surrogate_pair_is_a_text_too():
    cache = EmbeddingCache()
    cache.get([], 0)
    cache.put({"\ud800": np.ones(2), "?": np.zeros(2)}, 0)
    assert {text: row[0] for text, row in cache.get(["\ud800", "?", "\udc00"], 0).items()} == {"\ud800": 1, "?": 0}
