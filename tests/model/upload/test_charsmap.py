"""The table by which SentencePiece normalizes: a sound one passes, and what leads astray does not."""

import struct

import pytest
from tokenizers import normalizers

from mtst.model.upload.charsmap import LONGEST, is_sound

ROOT, STEP, FOUND = 0, 256 ^ ord("a"), 256 ^ ord("a") ^ 1


def table(texts=b"o\0", value=0, root=256, size=512):
    """A table in which `a` leads to a text."""
    units = [255] * size
    units[ROOT] = root << 10
    units[STEP] = 1 << 10 | 256 | ord("a")
    units[FOUND] = 1 << 31 | value
    trie = struct.pack(f"<{size}I", *units)
    return struct.pack("<I", len(trie)) + trie + texts


def test_a_table_that_works_is_sound():
    assert normalizers.Precompiled(table()).normalize_str("banana") == "bonono"
    assert is_sound(table())
    assert is_sound(table(b"e\0o\0", value=2))
    assert is_sound(table(b"o" * LONGEST + b"\0"))


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        bytes(4),
        struct.pack("<I", 8) + bytes(4),
        table()[:-600],
        table(root=512),
        table(size=358),
        table(value=3),
        table(b"open\0", value=2),
        table(b"\xff\0"),
        table(b"o" * (LONGEST + 1) + b"\0"),
    ],
    ids=[
        "nothing", "no trie", "half a trie", "cut off", "a root that leads out", "a step that leads out",
        "a text beyond the end", "a text from its middle", "no UTF-8", "a long text",
    ],
)  # fmt: skip
def test_a_table_that_leads_astray_is_not(wrong):
    assert not is_sound(wrong)
