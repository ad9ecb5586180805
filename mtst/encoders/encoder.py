"""A sentence encoder: sentences -> embeddings, with gradients for training or quickly for inference."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mtst.encoders.embedding_cache import EmbeddingCache, Row
from mtst.encoders.inputs import batches_by_length, inputs_of
from mtst.encoders.layers import LayerGroup, evaluation_mode, layer_groups
from mtst.encoders.packing.blocks import BlockRunner
from mtst.encoders.prompts import set_default_prompt
from mtst.encoders.texts import check_texts
from mtst.encoders.turns import tokens_at_once, turn
from mtst.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MAX_DIMENSION = 100_000
PROBE_TEXTS = ("a short text", "a text that is somewhat longer", "longer than that is this text, which goes on")


def bf16_pays(device: torch.device) -> bool:
    """Return whether this device multiplies bfloat16 matrices faster than float32 ones.

    A CPU needs matrix tiles (AMX), or has to be one of AMD's with AVX-512 BF16: there products took half as long as in
    32 bits, on other CPUs with these instructions twice as long. A GPU older than Ampere only emulates bfloat16.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpu = torch.cpu.get_capabilities()
    is_quick = cpu.get("amx_bf16") or (cpu.get("avx512_bf16") and "AMD" in cpu.get("cpu_name", ""))
    return device.type == "cpu" and bool(is_quick)


class Encoder(nn.Module):
    """A `SentenceTransformer` with a differentiable forward pass, layer groups and a quick `encode`.

    Attributes:
        backbone: the sentence-transformers model.
        name: the name it was loaded by.
        groups: the layer groups, from the bottom up.
        dimension: the number d of values in an embedding; those beyond a `truncate_dim` of the encoder are left out.
        embedding_norm: the mean norm of some embeddings; 1 if the encoder normalizes them.

    Raises:
        EncoderError: the model does not turn text into sentence embeddings, or its prompt leaves no room for texts.
    """

    def __init__(self, backbone: "SentenceTransformer", name: str, *, fp32: bool = False) -> None:
        super().__init__()
        self.backbone = backbone.float().eval()  # weights that are stored in 16 bits would be trained in them
        self.name = name
        self.fp32 = fp32
        self._cache = EmbeddingCache()
        self._changes = 0
        self.dimension: int = backbone.truncate_dim or MAX_DIMENSION
        self._read_prompt()
        self.groups: tuple[LayerGroup, ...] = layer_groups(
            backbone, lambda: self._embed(self.tokenize(["a short text"]))
        )
        # Made here, in 32 bits: its checks change the backbone for a moment, and later other threads may be using it.
        with torch.autocast(self.device.type, enabled=False):
            self._runner = BlockRunner(self.backbone, lambda: self._batch(self.tokenize(PROBE_TEXTS)))
        self._loaded: tuple[int, int] | None = self._revision

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loaded": None if self.weights_changed else self._loaded}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self._loaded is not None:
            self._loaded = self._revision  # a copied tensor counts its writes from 0

    def _read_prompt(self) -> None:
        """Take over the prompt of the backbone, and measure embeddings with it."""
        self._inputs = inputs_of(self.backbone, self.name)
        if self.prompt and (used := len(self.tokenize([""], truncate=False)[0])) > self.max_tokens // 2:
            raise EncoderError(f"The prompt takes {used} of the {self.max_tokens} tokens that {self.name!r} reads.")
        with torch.inference_mode():
            probes = self._embed(self.tokenize(PROBE_TEXTS))
        self.dimension = probes.shape[1]
        self.embedding_norm: float = probes.norm(dim=1).mean().item()

    def use_prompt(self, prompt: str) -> None:
        """Put another prompt in front of every text.

        Args:
            prompt: the name of one of the encoder's prompts, or a text; empty for none.

        Raises:
            EncoderError: the encoder has no such prompt, or it leaves no room for texts.
        """
        set_default_prompt(self.backbone, prompt, self.name)
        self.clear_cache()
        self._read_prompt()

    @property
    def device(self) -> torch.device:
        return next(self.backbone.parameters()).device

    @property
    def precision(self) -> Literal["bf16", "fp32"]:
        """The data type in which matrices are multiplied."""
        return "bf16" if not self.fp32 and bf16_pays(self.device) else "fp32"

    @property
    def prompt(self) -> str:
        """What is put in front of every text; empty unless the encoder's authors or the user have set it."""
        return self._inputs.prompt

    @property
    def max_tokens(self) -> int:
        """The number of tokens that texts are truncated to."""
        return self._inputs.max_tokens

    @property
    def unknown_token(self) -> int | None:
        """The id of the token that stands for what the tokenizer does not know, if there is one."""
        return self._inputs.unknown

    @property
    def padding(self) -> list[int]:
        """The id of the padding token, if there is one."""
        return self._inputs.padding

    @property
    def pooling_inputs(self) -> dict[str, int]:
        """What pooling needs besides tokens: the length of the prompt in tokens, if that is to be left out."""
        return self._inputs.pooling

    @property
    def token_embeddings(self) -> tuple[nn.Embedding, ...]:
        """The modules that look tokens up in the one table of the network; empty if it has none, or scales its rows."""
        transformer = getattr(self.backbone[0], "auto_model", None)
        try:
            table = transformer.get_input_embeddings() if transformer is not None else None
        except NotImplementedError:  # of a network of characters, such as CANINE
            return ()
        modules = [part for part in self.backbone.modules() if isinstance(part, nn.Embedding)]
        shared = tuple(part for part in modules if table is not None and part.weight is table.weight)
        return shared if all(type(part).forward is nn.Embedding.forward for part in shared) else ()

    @property
    def weights_changed(self) -> bool:
        """Whether the weights may have changed since loading."""
        return self._revision != self._loaded

    @property
    def _revision(self) -> tuple[int, int]:
        """A version of the weights that differs once they have, or may have, changed.

        PyTorch counts writes to a tensor, except those of a fused optimizer, after which `invalidate_cache` is called.
        """
        return sum(parameter._version for parameter in self.backbone.parameters()), self._changes

    def tokenize(self, texts: Sequence[str], *, truncate: bool = True) -> list[list[int]]:
        """Return the token ids of each text with the prompt, special tokens included.

        There are at most `max_tokens` of them if `truncate`.
        """
        return self._inputs.tokenize(texts, truncate=truncate)

    def count_tokens(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of tokens (n,) of each of n texts before truncation, special tokens included."""
        return np.array(self._inputs.count(texts), dtype=np.int64)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the embeddings (n, d) of n texts, differentiable with respect to every parameter that is open."""
        return self.embed(self.tokenize(texts))

    @property
    def num_blocks(self) -> int:
        """The number of blocks, if a pass can begin at any of them; else 0."""
        return len(self._runner)

    def embed(self, ids: Sequence[Sequence[int]], start: int = 0, hidden: Tensor | None = None) -> Tensor:
        """Return the embeddings (n, d) of n lists of token ids, differentiable, in float32.

        Args:
            ids: the token ids of each sentence.
            start: the block at which the pass begins.
            hidden: the input (tokens, d) of that block, from `hidden_states`, sentence after sentence.
        """
        if torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.backbone.parameters()):
            self._changes += 1  # an optimizer step is likely to follow
        with self._autocast():
            return self._runner.embed(self._batch(ids), start, hidden)[:, : self.dimension].float()

    def hidden_states(self, ids: Sequence[Sequence[int]], block: int) -> Tensor:
        """Return the input (tokens, d) of a block above the first, sentence after sentence, without gradients."""
        with self._autocast():
            return self._runner.hidden(self._batch(ids), block)

    def _embed(self, ids: Sequence[Sequence[int]]) -> Tensor:
        with self._autocast():
            return self.backbone(self._batch(ids))["sentence_embedding"][:, : self.dimension].float()

    def _batch(self, ids: Sequence[Sequence[int]]) -> dict[str, Any]:
        return self._inputs.batch(ids, self.device)

    def _autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings (n, d) of n texts in float32, without gradients and without dropout.

        Texts are batched by length, so little is padded. Embeddings are cached until the weights change: see
        `invalidate_cache`.

        Raises:
            EncoderError: `texts` is a single text, or holds something that is no text.
        """
        check_texts(texts)
        distinct = list(dict.fromkeys(texts))
        revision = self._revision
        known = self._cache.get(distinct, revision)
        new = [text for text in distinct if text not in known]
        if new:
            computed = self.encode_uncached(new)
            self._cache.put(computed, revision)
            known |= computed
        if not distinct:
            return np.empty((0, self.dimension), dtype=np.float32)
        return np.stack([known[text] for text in texts])

    def invalidate_cache(self) -> None:
        """Record that the weights have changed, so that `encode` computes embeddings anew.

        Call this after each step of a fused optimizer (`torch.optim.AdamW(..., fused=True)`) and after writing to
        `parameter.data`. Other optimizers, `load_state_dict` and in-place operations are noticed without it.
        """
        self._changes += 1

    def clear_cache(self) -> None:
        """Drop the cached embeddings to free their memory."""
        self._cache = EmbeddingCache()

    def encode_uncached(self, texts: Sequence[str]) -> dict[str, Row]:
        """Return the embedding (d,) of each text without using the cache."""
        ids = self.tokenize(texts)
        computed: dict[str, Row] = {}
        with evaluation_mode(self.backbone):
            for batch in batches_by_length([len(tokens) for tokens in ids], tokens_at_once()):
                with turn():
                    rows = self._embed([ids[i] for i in batch]).cpu().numpy()
                computed |= {texts[i]: row for i, row in zip(batch, rows, strict=True)}
        return computed
