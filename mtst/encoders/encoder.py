"""One sentence encoder: sentences -> embeddings, with gradients when they are wanted and quickly when they are not."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mtst.encoders.embedding_cache import EmbeddingCache
from mtst.encoders.layers import LayerGroup, evaluation_mode, layer_groups
from mtst.encoders.packing.blocks import BlockRunner
from mtst.encoders.packing.dropout import use_cheap_dropout
from mtst.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TOKENS_PER_BATCH = 4096
SENTENCES_PER_BATCH = 128
PROBE = ("a short text", "a text that is somewhat longer", "longer than that is this text, which goes on")
ROWS_AT_ONCE = 1_024  # of texts that are only counted, so that their tokens do not fill the memory
_TOKENIZING = threading.Lock()  # a fast tokenizer refuses two threads at once


def bf16_pays(device: torch.device) -> bool:
    """Tell whether this device multiplies bfloat16 matrices faster than those of 32 bits.

    A CPU needs tiles for that (AMX), or to be one of AMD's with the AVX-512 instructions: there products took half as
    long as in 32 bits, with those instructions elsewhere twice as long. A GPU older than Ampere only emulates it.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    tiles, wide = able.get("amx_bf16"), able.get("avx512_bf16") and "AMD" in able.get("cpu_name", "")
    return device.type == "cpu" and bool(tiles or wide)


class Encoder(nn.Module):
    """A `SentenceTransformer` whose forward pass is on the graph, with its layer groups and a quick `encode`.

    Attributes:
        backbone: the sentence-transformers model.
        name: what it was loaded by.
        groups: the layer groups, from the bottom up.
        dimension: the length d of an embedding.
        max_tokens: sentences longer than this many tokens are cut.

    Raises:
        EncoderError: the model does not turn text into sentence embeddings.
    """

    def __init__(self, backbone: "SentenceTransformer", name: str, *, fp32: bool = False) -> None:
        super().__init__()
        self.backbone = backbone.eval()
        self.name = name
        self.fp32 = fp32
        self._cache = EmbeddingCache()
        self._changes = 0
        if not callable(getattr(backbone, "tokenizer", None)):
            raise EncoderError(f"{name!r} has no tokenizer, so it is not a text encoder.")
        self.max_tokens: int = min(backbone.max_seq_length or 512, 100_000)
        use_cheap_dropout(backbone)
        with torch.inference_mode():
            self.dimension: int = self._embed(self.tokenize(["probe"])).shape[1]
        self.groups: tuple[LayerGroup, ...] = layer_groups(
            backbone, lambda: self._embed(self.tokenize(["a short text"]))
        )
        self._loaded: tuple[int, int] | None = self._revision

    def __deepcopy__(self, memo: dict) -> "Encoder":
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update({name: deepcopy(value, memo) for name, value in self.__dict__.items()})
        twin._loaded = None if self.weights_changed else twin._revision  # a copied tensor counts its writes from zero
        return twin

    @property
    def device(self) -> torch.device:
        return next(self.backbone.parameters()).device

    @property
    def precision(self) -> Literal["bf16", "fp32"]:
        """In what matrices are multiplied."""
        return "bf16" if not self.fp32 and bf16_pays(self.device) else "fp32"

    @property
    def token_embedding(self) -> nn.Embedding | None:
        """The table of token embeddings, if it can be found."""
        transformer = getattr(self.backbone[0], "auto_model", None)
        table = transformer.get_input_embeddings() if transformer is not None else None
        return table if isinstance(table, nn.Embedding) else None

    @property
    def padding(self) -> list[int]:
        """The token that short sentences are filled up with, if there is one."""
        token = self.backbone.tokenizer.pad_token_id
        return [] if token is None else [token]

    @property
    def weights_changed(self) -> bool:
        """Whether the weights may have changed since loading."""
        return self._revision != self._loaded

    @property
    def _revision(self) -> tuple[int, int]:
        """A number of the weights as they are: another one when they have been written, or may have been.

        PyTorch counts the writes to a tensor, except those of a fused optimizer: these are announced by
        `invalidate_cache`.
        """
        return sum(parameter._version for parameter in self.backbone.parameters()), self._changes

    def tokenize(self, texts: Sequence[str], *, truncate: bool = True) -> list[list[int]]:
        """Return the token ids of each text, special tokens included, at most `max_tokens` of them if `truncate`."""
        if not texts:
            return []
        with _TOKENIZING:
            limits = {"truncation": True, "max_length": self.max_tokens} if truncate else {}
            return self.backbone.tokenizer(list(texts), verbose=False, **limits)["input_ids"]

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return how many tokens (n,) each of n texts has before it is cut, special tokens included."""
        parts = (texts[first : first + ROWS_AT_ONCE] for first in range(0, len(texts), ROWS_AT_ONCE))
        return np.array([len(ids) for part in parts for ids in self.tokenize(part, truncate=False)], dtype=np.int64)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the embeddings (n, d) of n texts, on the graph: gradients reach every parameter that wants one."""
        return self.embed(self.tokenize(texts))

    @cached_property
    def _stack(self) -> BlockRunner:
        """Tried out, in 32 bits, when somebody trains: whoever only embeds does not wait for it."""
        with torch.autocast(self.device.type, enabled=False):
            return BlockRunner(self.backbone, lambda: self._batch(self.tokenize(PROBE)))

    @property
    def num_blocks(self) -> int:
        """The number of blocks that a pass can begin at; 0 where they cannot be told apart."""
        return len(self._stack)

    def embed(self, ids: Sequence[Sequence[int]], start: int = 0, hidden: Tensor | None = None) -> Tensor:
        """Return the embeddings (n, d) of n token lists, on the graph, in float32.

        A pass can begin at block `start` with what `hidden_states` gave for these sentences, (tokens, d) in their
        order.
        """
        if torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.backbone.parameters()):
            self._changes += 1  # an optimizer is likely to follow
        with self._autocast():
            return self._stack.embed(self._batch(ids), start, hidden).float()

    def hidden_states(self, ids: Sequence[Sequence[int]], block: int) -> Tensor:
        """Return what enters a block above the first, (tokens, d), sentence after sentence, without gradients."""
        with self._autocast():
            return self._stack.hidden(self._batch(ids), block)

    def _embed(self, ids: Sequence[Sequence[int]]) -> Tensor:
        with self._autocast():
            return self.backbone(self._batch(ids))["sentence_embedding"].float()

    def _batch(self, ids: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        with _TOKENIZING:
            return dict(self.backbone.tokenizer.pad({"input_ids": list(ids)}, return_tensors="pt").to(self.device))

    def _autocast(self) -> AbstractContextManager:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the embeddings (n, d) of n texts as float32, without gradients and without dropout.

        Texts are batched by length, so little is padded, and cached, so a text is embedded once. Whoever writes
        weights in a way that PyTorch does not count calls `invalidate_cache` afterwards.
        """
        distinct = list(dict.fromkeys(texts))
        revision = self._revision
        known = self._cache.get(distinct, revision)
        new = [text for text in distinct if text not in known]
        if new:
            embedded = self.encode_uncached(new)
            self._cache.put(embedded, revision)
            known |= embedded
        if not distinct:
            return np.empty((0, self.dimension), dtype=np.float32)
        return np.stack([known[text] for text in texts])

    def invalidate_cache(self) -> None:
        """Declare that the weights have changed: cached embeddings are not returned any more.

        Call this after each step of a fused optimizer (`torch.optim.AdamW(..., fused=True)`) and after writing to
        `parameter.data`. Other optimizers, `load_state_dict` and writes in place are noticed without it.
        """
        self._changes += 1

    def clear_cache(self) -> None:
        """Drop the cached embeddings to free their memory."""
        self._cache = EmbeddingCache()

    def encode_uncached(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the embedding (d,) of each text from a pass of its own: none is looked up, none is remembered."""
        ids = self.tokenize(texts)
        embedded: dict[str, np.ndarray] = {}
        with evaluation_mode(self.backbone):
            for batch in batches_by_length([len(tokens) for tokens in ids]):
                rows = self._embed([ids[i] for i in batch]).cpu().numpy()
                embedded |= {texts[i]: row for i, row in zip(batch, rows, strict=True)}
        return embedded


def batches_by_length(lengths: Sequence[int]) -> list[list[int]]:
    """Return the places of all lengths in batches of neighbours in length, each within a budget of padded tokens."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = not batches or len(batches[-1]) == SENTENCES_PER_BATCH
        if full or (len(batches[-1]) + 1) * lengths[place] > TOKENS_PER_BATCH:
            batches.append([])
        batches[-1].append(place)
    return batches
