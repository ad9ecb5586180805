"""Texts that an encoder does not read whole: those that it cuts, and those in words that it does not know."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtst.data.dataset import Dataset
from mtst.data.readers.notes import Oddity, shorten

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

SAMPLE_TEXTS = 2_000  # evenly spaced, whose tokens are counted
SAMPLE_CHARACTERS = 20_000  # of a text; any encoder cuts it earlier
MANY_UNKNOWN = 0.02  # share of all tokens
TEXT_UNKNOWN = 0.25  # share of the tokens of one text


def find_token_oddities(data: Dataset, encoder: "Encoder") -> tuple[Oddity, ...]:
    """Return how many texts are cut, and how many tokens are unknown, from up to 2,000 of the texts."""
    rows, ids = _tokenize_sample(data, encoder)
    return (*_cut_texts(data, rows, ids, encoder), *_unknown_tokens(data, rows, ids, encoder))


def find_unknown_tokens(data: Dataset, encoder: "Encoder") -> tuple[Oddity, ...]:
    """Return how many tokens are unknown, from up to 2,000 of the texts."""
    return tuple(_unknown_tokens(data, *_tokenize_sample(data, encoder), encoder))


def _tokenize_sample(data: Dataset, encoder: "Encoder") -> tuple[range, list[list[int]]]:
    """Return evenly spaced rows, and the token ids of the beginning of each of their texts."""
    rows = range(0, len(data), max(1, -(-len(data) // SAMPLE_TEXTS)))
    texts = [data.texts[row][:SAMPLE_CHARACTERS] for row in rows]
    return rows, encoder.tokenize(texts, truncate=False)


def _share(rows: Sequence[int], data: Dataset, count: int) -> str:
    """Return a count of texts in words; of a sample as a share."""
    if len(rows) == len(data):
        return f"{count:,} {'text' if count == 1 else 'texts'}"
    return f"About {100 * count / len(rows):.1f}% of the texts"


def _cut_texts(data: Dataset, rows: Sequence[int], ids: Sequence[Sequence[int]], encoder: "Encoder") -> list[Oddity]:
    cut = [row for row, tokens in zip(rows, ids, strict=True) if len(tokens) > encoder.max_tokens]
    if not cut:
        return []
    verb = "is" if len(cut) == 1 and len(rows) == len(data) else "are"
    return [
        Oddity(
            "cut texts",
            len(cut),
            f"{_share(rows, data, len(cut))} {verb} longer than the {encoder.max_tokens:,} tokens that the encoder "
            "reads: the rest does not count.",
            data.lines[cut[0]],
            shorten(data.texts[cut[0]]),
        )
    ]


def _unknown_tokens(
    data: Dataset, rows: Sequence[int], ids: Sequence[Sequence[int]], encoder: "Encoder"
) -> list[Oddity]:
    unknown = encoder.backbone.tokenizer.unk_token_id
    if unknown is None:
        return []
    counts = [(sum(token == unknown for token in tokens), len(tokens)) for tokens in ids]
    total = sum(length for _, length in counts)
    share = sum(count for count, _ in counts) / max(1, total)
    affected = [row for row, (count, length) in zip(rows, counts, strict=True) if count >= TEXT_UNKNOWN * length]
    if share < MANY_UNKNOWN or not affected:
        return []
    return [
        Oddity(
            "unknown tokens",
            len(affected),
            f"{100 * share:.0f}% of the tokens are unknown to the encoder: it cannot tell such texts apart. Choose an "
            "encoder for the language of the texts, such as the multilingual intfloat/multilingual-e5-small. At least "
            f"a quarter of their tokens is unknown: {_share(rows, data, len(affected)).lower()}.",
            data.lines[affected[0]],
            shorten(data.texts[affected[0]]),
        )
    ]
