"""What an encoder reads: texts -> token ids -> the tensors of a batch, for transformers and for static models."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mtst.encoders.prompts import default_prompt
from mtst.encoders.turns import CHARACTERS_PER_TURN, TOKENS_PER_BATCH, turn
from mtst.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SENTENCES_PER_BATCH = 128
CHARACTERS_PER_TOKEN = 32  # that are read before a text is cut: far more than a token has
UNSTATED_TOKENS = 512  # that a transformer reads which does not state a limit
LEAST_TOKENS, MOST_TOKENS = 3, 100_000  # a stated limit outside of this is none: two tokens are no part of a text
_TOKENIZER_LOCK = threading.Lock()  # a fast tokenizer refuses two threads at once


class Inputs(ABC):
    """Turns texts into what a backbone reads, with its prompt in front.

    Attributes:
        prompt: what is put in front of every text.
        max_tokens: texts are truncated to this many tokens, those of the prompt included.
        padding: the id of the padding token, if there is one.
    """

    def __init__(self, backbone: "SentenceTransformer", max_tokens: int, padding: Sequence[int] = ()) -> None:
        self.backbone = backbone
        self.prompt = default_prompt(backbone)
        self.max_tokens = max_tokens
        self.padding = list(padding)

    def tokenize(self, texts: Sequence[str], *, truncate: bool) -> list[list[int]]:
        """Return the token ids of each text with the prompt; at most `max_tokens` if `truncate`."""
        return [ids for part in self._in_parts(texts, truncate=truncate) for ids in part]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text with the prompt."""
        return [len(ids) for part in self._in_parts(texts, truncate=False) for ids in part]

    def _in_parts(self, texts: Sequence[str], *, truncate: bool) -> Iterator[list[list[int]]]:
        """Yield the token ids of some texts after those of others, so that nothing holds the tokenizer for long."""
        beginnings = [self._beginning(self.prompt + text) if truncate else self.prompt + text for text in texts]
        done = 0
        for part in _parts(beginnings):
            with turn(), _TOKENIZER_LOCK:
                ids = self._tokenize(part, truncate=truncate)
                for number, (text, row) in enumerate(zip(part, ids, strict=True)):
                    whole = self.prompt + texts[done + number]
                    if len(text) < len(whole) and len(row) < self.max_tokens:  # of blanks, or of words that are unknown
                        ids[number] = self._tokenize([whole], truncate=True)[0]
            done += len(part)
            yield ids

    def _beginning(self, text: str) -> str:
        """Return as many whole words of a text as its first `max_tokens` tokens are sure to come from, or nearly so."""
        cut = text[: CHARACTERS_PER_TOKEN * self.max_tokens]
        return cut.rsplit(maxsplit=1)[0] if len(cut) < len(text) and not text[: len(cut)].isspace() else text

    @abstractmethod
    def _tokenize(self, texts: list[str], *, truncate: bool) -> list[list[int]]: ...

    @property
    @abstractmethod
    def unknown(self) -> int | None:
        """The id of the token that stands for what the tokenizer does not know, if there is one."""

    @abstractmethod
    def batch(self, ids: Sequence[Sequence[int]], device: torch.device) -> dict[str, Any]:
        """Return the tensors that the backbone takes for n lists of token ids."""

    @property
    def pooling(self) -> dict[str, int]:
        """What pooling needs besides tokens."""
        return {}


class TransformerInputs(Inputs):
    """Padded token ids and their mask, each (n, length), special tokens included."""

    def __init__(self, backbone: "SentenceTransformer", name: str) -> None:
        if not callable(backbone.tokenizer):
            raise EncoderError(f"{name!r} has no tokenizer, so it is not a text encoder.")
        network: Any = backbone[0].auto_model
        if network.config.is_encoder_decoder and getattr(network, "decoder", None) is not None:
            raise EncoderError(
                f"{name!r} is an encoder with a decoder ({network.config.model_type}), which makes no embeddings of "
                "sentences. Choose an encoder."
            )
        stated, positions = backbone.max_seq_length, _count_positions(network)
        limit = stated if stated and LEAST_TOKENS <= stated <= MOST_TOKENS else UNSTATED_TOKENS
        if limit != stated or limit > positions:  # kept in the backbone, so that a saved model has it
            backbone.max_seq_length = limit = min(limit, positions)
        token = backbone.tokenizer.pad_token_id
        super().__init__(backbone, limit, [] if token is None else [token])

    def _tokenize(self, texts: list[str], *, truncate: bool) -> list[list[int]]:
        limits = {"truncation": True, "max_length": self.max_tokens} if truncate else {}
        ids: list[list[int]] = self.backbone.tokenizer(texts, verbose=False, **limits)["input_ids"]
        return ids

    @property
    def unknown(self) -> int | None:
        return self.backbone.tokenizer.unk_token_id

    def batch(self, ids: Sequence[Sequence[int]], device: torch.device) -> dict[str, Any]:
        pooling = self.pooling  # before the lock, which this takes too
        with _TOKENIZER_LOCK:
            padded = self.backbone.tokenizer.pad({"input_ids": list(ids)}, return_tensors="pt").to(device)
        return {**padded, **pooling}

    @cached_property
    def pooling(self) -> dict[str, int]:
        """The length of the prompt in tokens, if that is to be left out."""
        if not self.prompt or all(getattr(module, "include_prompt", True) for module in self.backbone):
            return {}
        with _TOKENIZER_LOCK:  # and no turn: it is asked for inside one
            (ids,) = self._tokenize([self.prompt], truncate=True)
        return {"prompt_length": len(ids) - (ids[-1] in self.backbone.tokenizer.all_special_ids)}


class StaticInputs(Inputs):
    """Token ids end to end, (tokens,), and where each text begins, (n,); no special tokens, and texts of any length."""

    def __init__(self, backbone: "SentenceTransformer", _name: str) -> None:
        super().__init__(backbone, MOST_TOKENS)

    def _tokenize(self, texts: list[str], *, truncate: bool) -> list[list[int]]:
        encodings = self.backbone.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [each.ids[: self.max_tokens] if truncate else each.ids for each in encodings]

    @property
    def unknown(self) -> int | None:
        tokenizer: Any = self.backbone.tokenizer
        token: str | None = getattr(tokenizer.model, "unk_token", None)
        number: int | None = tokenizer.token_to_id(token) if token else None
        return number

    def batch(self, ids: Sequence[Sequence[int]], device: torch.device) -> dict[str, Any]:
        starts = [0, *accumulate(len(tokens) for tokens in ids)][: len(ids)]
        tokens = torch.tensor([token for row in ids for token in row], dtype=torch.long, device=device)
        return {"input_ids": tokens, "offsets": torch.tensor(starts, device=device)}


KINDS: dict[str, type[TransformerInputs | StaticInputs]] = {  # by the class of the first module
    "Transformer": TransformerInputs,
    "StaticEmbedding": StaticInputs,
}


def inputs_of(backbone: "SentenceTransformer", name: str) -> Inputs:
    """Return what turns texts into the tensors that a backbone reads.

    Raises:
        EncoderError: it reads no texts, or is of a kind that is not supported; the message names it.
    """
    kind = type(backbone[0]).__name__
    if kind not in KINDS:
        raise EncoderError(
            f"{name!r} begins with a module {kind}, which is not read here. Choose a transformer, or a model of static "
            "embeddings."
        )
    return KINDS[kind](backbone, name)


def _count_positions(network: nn.Module) -> int:
    """Return how many tokens a network has learned positions for; RoBERTa and its kin count after the padding token."""
    tables = [
        module
        for path, module in network.named_modules()
        if isinstance(module, nn.Embedding) and path.rpartition(".")[2] == "position_embeddings"
    ]
    sizes = [table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1) for table in tables]
    return min(sizes, default=MOST_TOKENS)


def _parts(texts: list[str]) -> Iterator[list[str]]:
    """Yield the texts in parts of about as many characters as one turn is for, and at least a text."""
    part: list[str] = []
    characters = 0
    for text in texts:
        if part and characters + len(text) > CHARACTERS_PER_TURN:
            yield part
            part, characters = [], 0
        part.append(text)
        characters += len(text)
    if part:
        yield part


def batches_by_length(lengths: Sequence[int], tokens: int = TOKENS_PER_BATCH) -> list[list[int]]:
    """Return the indices of all lengths in batches of similar lengths, each within a budget of padded tokens."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = not batches or len(batches[-1]) == SENTENCES_PER_BATCH
        if full or (len(batches[-1]) + 1) * lengths[index] > tokens:
            batches.append([])
        batches[-1].append(index)
    return batches
