"""Texts that an encoder does not read whole: those that it cuts, and those in words that it does not know."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtst.data.readers.notes import Oddity, Treatment, shorten
from mtst.encoders.scripts import describe_script, encoder_for, main_script

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

ENCODER = "--encoder"  # the option that takes another encoder
SAMPLE_TEXTS = 2_000  # evenly spaced, whose tokens are counted
SAMPLE_CHARACTERS = 20_000  # of a text; any encoder cuts it earlier
MANY_UNKNOWN = 0.02  # share of all tokens
TEXT_UNKNOWN = 0.25  # share of the tokens of one text


@dataclass(frozen=True)
class _Sample:
    """Evenly spaced texts, with their lines if they are from a file and the token ids of the beginning of each."""

    texts: Sequence[str]
    lines: Sequence[int | None]
    ids: Sequence[Sequence[int]]
    is_all: bool

    @classmethod
    def of(cls, texts: Sequence[str], encoder: "Encoder", lines: Sequence[int] | None) -> "_Sample":
        step = max(1, -(-len(texts) // SAMPLE_TEXTS))
        sampled = [text[:SAMPLE_CHARACTERS] for text in texts[::step]]
        ids = encoder.tokenize(sampled, truncate=False)
        return cls(sampled, lines[::step] if lines else [None] * len(sampled), ids, is_all=step == 1)

    def share(self, count: int) -> str:
        """Return a count of texts in words; of a sample as a share."""
        if self.is_all:
            return f"{count:,} {'text' if count == 1 else 'texts'}"
        return f"About {100 * count / len(self.texts):.1f}% of the texts"

    def oddity(self, kind: str, rows: Sequence[int], sentence: str, treatment: Treatment | None = None) -> Oddity:
        """Return a finding about some of the texts, the first of which is the example."""
        first = rows[0]
        return Oddity(kind, len(rows), sentence, self.lines[first], shorten(self.texts[first]), treatment)


def find_token_oddities(
    texts: Sequence[str], encoder: "Encoder", lines: Sequence[int] | None = None
) -> tuple[Oddity, ...]:
    """Return how many texts are cut, and how many tokens are unknown, from up to 2,000 of the texts.

    Args:
        texts: the texts.
        encoder: what is to read them.
        lines: the line of the file on which each text stands, if they are from a file.
    """
    sample = _Sample.of(texts, encoder, lines)
    return (*_cut_texts(sample, encoder), *_unknown_tokens(sample, encoder))


def find_unknown_tokens(
    texts: Sequence[str], encoder: "Encoder", lines: Sequence[int] | None = None
) -> tuple[Oddity, ...]:
    """Return how many tokens are unknown, from up to 2,000 of the texts; the arguments as above."""
    return tuple(_unknown_tokens(_Sample.of(texts, encoder, lines), encoder))


def advise_training(oddities: Iterable[Oddity], how: str = "train with --encoder {}") -> tuple[Oddity, ...]:
    """Return the findings for a model whose encoder cannot be exchanged: another one is named as advice.

    Args:
        oddities: the findings.
        how: what to do, with a place for the name of the encoder.
    """
    return tuple(
        replace(oddity, sentence=f"{oddity.sentence} For such texts, {how.format(treatment.value)}.", treatment=None)
        if (treatment := oddity.treatment) and treatment.option == ENCODER
        else oddity
        for oddity in oddities
    )


def _cut_texts(sample: _Sample, encoder: "Encoder") -> list[Oddity]:
    cut = [row for row, tokens in enumerate(sample.ids) if len(tokens) > encoder.max_tokens]
    if not cut:
        return []
    verb = "is" if len(cut) == 1 and sample.is_all else "are"
    sentence = (
        f"{sample.share(len(cut))} {verb} longer than the {encoder.max_tokens:,} tokens that the encoder reads: the "
        "rest does not count."
    )
    return [sample.oddity("cut texts", cut, sentence)]


def _unknown_tokens(sample: _Sample, encoder: "Encoder") -> list[Oddity]:
    unknown = encoder.unknown_token
    if unknown is None:
        return []
    counts = [(sum(token == unknown for token in tokens), len(tokens)) for tokens in sample.ids]
    total = sum(length for _, length in counts)
    share = sum(count for count, _ in counts) / max(1, total)
    affected = [row for row, (count, length) in enumerate(counts) if count >= TEXT_UNKNOWN * length > 0]
    if share < MANY_UNKNOWN or not affected:
        return []
    sentence = (
        f"{100 * share:.0f}% of the tokens are unknown to the encoder: it cannot tell such texts apart. In "
        f"{sample.share(len(affected)).lower()}, a quarter or more of the tokens are unknown."
    )
    script = main_script(sample.texts[row] for row in affected)
    if key := encoder_for(script, encoder.name):
        label = f"Use an encoder that reads {describe_script(script)}"
        return [sample.oddity("unknown tokens", affected, sentence, Treatment(ENCODER, key, label))]
    advice = f" No other encoder of the catalogue reads {describe_script(script)}; the Hub may have one."
    return [sample.oddity("unknown tokens", affected, sentence + advice)]
