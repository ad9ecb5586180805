"""The blocks of an encoder, entered at any of them, with the sentences of a batch laid end to end where that works.

What lies below the lowest open layer is the same in every epoch. So a run keeps the hidden states that enter that
layer, and a pass begins there: the lower blocks are left out and what enters the first of the rest is replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from mtst.encoders.layers import evaluation_mode, find_blocks, first_tensor
from mtst.encoders.packing import attention

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# In bf16 a product of a size that has not been seen lately takes an eighth longer, and its program stays in memory. So
# rows of zeros bring the tokens of a batch to a multiple of this.
MULTIPLE = 32
TOLERANCE = 1e-3  # of the embedding of the probe, of length about 1


class BlockRunner:
    """The blocks of a backbone.

    Its length is the number of blocks at which a pass can begin; 0 if it cannot, as where a model tells its blocks
    apart by their places. That, and whether blocks work without padding, is tried out once.

    Attributes:
        packs: whether its blocks can work without padding.
    """

    def __init__(self, backbone: "SentenceTransformer", probe: Callable[[], dict[str, Tensor]]) -> None:
        """Find the blocks; `probe` returns a batch (ids and mask) of sentences of several lengths."""
        self._backbone = backbone
        found = find_blocks(backbone)
        self._path, self._blocks = found if found else ("", nn.ModuleList())
        self._config: Any = getattr(getattr(backbone[0], "auto_model", None), "config", None)
        self.packs = False
        self.packs = self._can_pack(probe)
        self._enters = self._can_enter(probe)

    def __len__(self) -> int:
        return len(self._blocks) if self._enters else 0

    def embed(self, batch: dict[str, Tensor], start: int = 0, hidden: Tensor | None = None) -> Tensor:
        """Return the embeddings (n, d) of a batch of n sentences.

        Args:
            batch: token ids and attention mask (n, length).
            start: the first block that works.
            hidden: what enters it, (tokens, d), sentence after sentence; if `start` is above 0.
        """
        with self._entered(start, batch["attention_mask"].bool(), hidden):
            return self._backbone(dict(batch))["sentence_embedding"]

    def hidden(self, batch: dict[str, Tensor], block: int) -> Tensor:
        """Return what enters a block (tokens, d), sentence after sentence, without gradients."""
        mask, seen = batch["attention_mask"].bool(), []

        def see(_module: nn.Module, _inputs: object, output: object) -> None:
            seen.append(first_tensor(output))

        with evaluation_mode(self._backbone), self._entered(0, mask, None, end=block):
            hook = self._blocks[block - 1].register_forward_hook(see, prepend=True)
            try:
                self._backbone(dict(batch))
            finally:
                hook.remove()
        return seen[0][0, : int(mask.sum())] if self.packs else _pack(seen[0], mask)[0]

    @contextmanager
    def _entered(self, start: int, mask: Tensor, hidden: Tensor | None, end: int | None = None) -> Iterator[None]:
        """Let a pass go through the blocks from `start` to before `end` only, `hidden` entering the first."""
        blocks = self._blocks[start:end]
        if not len(blocks):
            yield
            return
        parent, _, name = self._path.rpartition(".")
        owner = self._backbone.get_submodule(parent)

        def enter(_module: nn.Module, inputs: tuple, named: dict) -> tuple[tuple, dict]:
            states = inputs[0] if inputs else named["hidden_states"]
            if hidden is not None:
                states = hidden.to(states.dtype)[None] if self.packs else _unpack(hidden[None], mask)
            elif self.packs:
                states = _pack(states, mask)
            if self.packs and torch.is_autocast_enabled("cpu"):
                states = pad(states, (0, 0, 0, -states.shape[1] % MULTIPLE))
            return ((states, *inputs[1:]), named) if inputs else (inputs, named | {"hidden_states": states})

        def leave(_module: nn.Module, _inputs: object, output: Any) -> Any:
            states = _unpack(first_tensor(output), mask)
            return states if isinstance(output, Tensor) else (states, *output[1:])

        hooks = [blocks[0].register_forward_pre_hook(enter, with_kwargs=True)]
        if self.packs:
            hooks.append(blocks[-1].register_forward_hook(leave))
        setattr(owner, name, blocks)
        try:
            if self.packs:
                with attention.packed(self._config, attention.layout_of(mask.sum(dim=1).tolist())):
                    yield
            else:
                yield
        finally:
            setattr(owner, name, self._blocks)
            for hook in hooks:
                hook.remove()

    def _can_pack(self, probe: Callable[[], dict[str, Tensor]]) -> bool:
        """Try whether the blocks give the same without padding, as they do if only their attention mixes tokens."""
        transformer = getattr(self._backbone[0], "auto_model", None)
        if not len(self._blocks) or not getattr(transformer, "_supports_attention_backend", False):
            return False
        batch = probe()
        if batch["input_ids"].device.type != "cpu":
            return False
        attention.register()
        with evaluation_mode(self._backbone):
            expected = self._backbone(dict(batch))["sentence_embedding"]
            self.packs = True
            try:
                found = self.embed(batch)
            except (RuntimeError, TypeError):  # shapes that do not fit: its blocks need to know of sentences
                return False
            finally:
                self.packs = False
        return _alike(found, expected)

    def _can_enter(self, probe: Callable[[], dict[str, Tensor]]) -> bool:
        """Try whether a pass that begins at any block, with what entered it, gives what the whole pass gives."""
        if not len(self._blocks):
            return False
        batch = probe()
        with evaluation_mode(self._backbone):
            expected = self._backbone(dict(batch))["sentence_embedding"]
            for block in range(1, len(self._blocks)):
                try:
                    found = self.embed(batch, block, self.hidden(batch, block))
                except (RuntimeError, TypeError, LookupError):  # it asks for what only the other blocks know
                    return False
                if not _alike(found, expected):
                    return False
        return True


def _alike(found: Tensor, expected: Tensor) -> bool:
    found, expected = found.float(), expected.float()
    return bool((found - expected).abs().max() < TOLERANCE * expected.norm(dim=1).max())


def _places(mask: Tensor) -> Tensor:
    return mask.flatten().nonzero()[:, 0]


def _pack(padded: Tensor, mask: Tensor) -> Tensor:
    """Return the tokens (1, tokens, d) of padded sentences (n, length, d)."""
    return padded.flatten(0, 1).index_select(0, _places(mask))[None]


def _unpack(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return tokens (1, tokens, d) as padded sentences (n, length, d)."""
    padded = tokens.new_zeros(mask.numel(), tokens.shape[-1])
    places = _places(mask)
    return padded.index_copy(0, places, tokens[0, : len(places)]).unflatten(0, mask.shape)
