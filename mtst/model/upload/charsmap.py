"""The table of characters by which SentencePiece normalizes: whether it leads nowhere but into itself, to short texts.

It is a trie, in units of 32 bits, and behind that the texts that stand for what is found, each ended by a zero. The
library that walks through it trusts it: a step that leads out of the trie ends the thread that takes it.
"""

import numpy as np

LONGEST = 40  # bytes that may stand for what was found; of the tables that SentencePiece makes it is 33
LABELS = 255  # a step goes to any place that differs in these bits


def is_sound(table: bytes) -> bool:
    """Tell whether every walk through a table ends well, and whatever stands for a text is short."""
    size = int.from_bytes(table[:4], "little")
    trie, texts = table[4 : 4 + size], table[4 + size :]
    if not size or len(trie) != size or size % 4 or not _is_utf8(texts):
        return False
    if max(map(len, texts.split(b"\0"))) > LONGEST:
        return False
    units = np.frombuffer(trie, dtype="<u4").astype(np.int64)
    walked = units >> 31 == 0  # the others are what is found
    nexts = np.arange(len(units)) ^ ((units >> 10) << ((units & 512) >> 6))
    if (nexts[walked] | LABELS).max(initial=0) >= len(units):
        return False
    found = units[nexts[walked & (units >> 8 & 1 == 1)]] & 0x7FFFFFFF
    begins = [0, *(place + 1 for place, byte in enumerate(texts) if not byte)]
    return bool(np.isin(found, begins).all())


def _is_utf8(texts: bytes) -> bool:
    try:
        texts.decode()
    except UnicodeDecodeError:
        return False
    return True
