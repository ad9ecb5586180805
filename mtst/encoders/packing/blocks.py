"""Run an encoder's blocks from any of them on, with the sentences of a batch laid end to end where that works.

What lies below the lowest open layer gives the same output in every epoch. So a run caches the hidden states that
enter that layer, and a pass begins there: the blocks below are left out, and the input of the first block that runs is
replaced.
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

# A bf16 product of a size not seen lately takes an eighth longer, and its kernel stays in memory. So rows of zeros
# bring the number of tokens of a batch to a multiple of this.
TOKEN_MULTIPLE = 32
MISFITS = (
    RuntimeError,
    TypeError,
    ValueError,
    LookupError,
    AssertionError,
)  # of blocks that cannot be run on their own
TOLERANCE = 1e-3  # of the probe's embeddings, whose length is about 1


class BlockRunner:
    """Runs the blocks of a backbone.

    Both abilities are tried out once, on a probe, rather than inferred from the architecture's name.

    Attributes:
        packs: whether its blocks work without padding.
    """

    def __init__(self, backbone: "SentenceTransformer", probe: Callable[[], dict[str, Tensor]]) -> None:
        """Find the blocks; `probe` returns a batch (ids and mask) of sentences of several lengths."""
        self._backbone = backbone
        listed = find_blocks(backbone)
        self._path, self._blocks = listed or ("", nn.ModuleList())
        self._config: Any = getattr(getattr(backbone[0], "auto_model", None), "config", None)
        self.packs = False
        self.packs = self._can_pack(probe)
        self._can_start_anywhere = self._check_starts(probe)

    def __len__(self) -> int:
        """Return the number of blocks at which a pass can begin.

        It is 0 if a pass cannot begin above the first, as in a model that treats blocks by their index.
        """
        return len(self._blocks) if self._can_start_anywhere else 0

    def embed(self, batch: dict[str, Tensor], start: int = 0, hidden: Tensor | None = None) -> Tensor:
        """Return the embeddings (n, d) of a batch of n sentences.

        Args:
            batch: what the backbone takes; token ids and attention mask (n, length) if it has blocks.
            start: the first block that runs.
            hidden: its input (tokens, d), sentence after sentence, if `start` is above 0.
        """
        with self._patched(batch, start, hidden=hidden):
            embeddings: Tensor = self._backbone(dict(batch))["sentence_embedding"]
            return embeddings

    def hidden(self, batch: dict[str, Tensor], block: int) -> Tensor:
        """Return the input (tokens, d) of a block, sentence after sentence, without gradients."""
        mask = batch["attention_mask"].bool()
        outputs: list[Tensor] = []

        def record(_module: nn.Module, _inputs: object, output: Any) -> None:
            outputs.append(first_tensor(output))

        with evaluation_mode(self._backbone), self._patched(batch, end=block):
            hook = self._blocks[block - 1].register_forward_hook(record, prepend=True)
            try:
                self._backbone(dict(batch))
            finally:
                hook.remove()
        return outputs[0][0, : int(mask.sum())] if self._packs_on(mask.device) else _pack(outputs[0], mask)[0]

    @contextmanager
    def _patched(
        self, batch: dict[str, Tensor], start: int = 0, end: int | None = None, hidden: Tensor | None = None
    ) -> Iterator[None]:
        """Let the backbone run only the blocks from `start` to before `end`, the first of them on `hidden` if given."""
        blocks = self._blocks[start:end]
        if not len(blocks):
            yield
            return
        mask = batch["attention_mask"].bool()
        parent, _, name = self._path.rpartition(".")
        owner = self._backbone.get_submodule(parent)
        packs = self._packs_on(mask.device)

        def enter(
            _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> tuple[tuple[Any, ...], dict[str, Any]]:
            states = args[0] if args else kwargs["hidden_states"]
            if hidden is not None:
                states = hidden.to(states.dtype)[None] if packs else _unpack(hidden[None], mask)
            elif packs:
                states = _pack(states, mask)
            if packs and torch.is_autocast_enabled("cpu"):
                states = pad(states, (0, 0, 0, -states.shape[1] % TOKEN_MULTIPLE))
            return ((states, *args[1:]), kwargs) if args else (args, kwargs | {"hidden_states": states})

        def leave(_module: nn.Module, _inputs: object, output: Any) -> Any:
            states = _unpack(first_tensor(output), mask)
            return states if isinstance(output, Tensor) else (states, *output[1:])

        hooks = [blocks[0].register_forward_pre_hook(enter, with_kwargs=True)]
        if packs:
            hooks.append(blocks[-1].register_forward_hook(leave))
        setattr(owner, name, blocks)
        try:
            if packs:
                with attention.packed(self._config, attention.layout_of(mask.sum(dim=1).tolist())):
                    yield
            else:
                yield
        finally:
            setattr(owner, name, self._blocks)
            for hook in hooks:
                hook.remove()

    def _packs_on(self, device: torch.device) -> bool:
        """Return whether batches on a device, to which an encoder may move at any time, are run without padding."""
        return self.packs and device.type == "cpu"

    def _can_pack(self, probe: Callable[[], dict[str, Tensor]]) -> bool:
        """Return whether the blocks give the same without padding: they do if only their attention mixes tokens."""
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
                embeddings = self.embed(batch)
            except MISFITS:  # shapes do not fit: its blocks need padded sentences
                return False
            finally:
                self.packs = False
        return _is_close(embeddings, expected)

    def _check_starts(self, probe: Callable[[], dict[str, Tensor]]) -> bool:
        """Return whether a pass that begins at any block, on that block's input, gives the same as a whole pass."""
        if not len(self._blocks):
            return False
        batch = probe()
        with evaluation_mode(self._backbone):
            expected = self._backbone(dict(batch))["sentence_embedding"]
            for block in range(1, len(self._blocks)):
                try:
                    embeddings = self.embed(batch, block, self.hidden(batch, block))
                except MISFITS:  # it needs what only the blocks below compute
                    return False
                if not _is_close(embeddings, expected):
                    return False
        return True


def _is_close(embeddings: Tensor, expected: Tensor) -> bool:
    embeddings, expected = embeddings.float(), expected.float()
    return bool((embeddings - expected).abs().max() < TOLERANCE * expected.norm(dim=1).max())


def _token_positions(mask: Tensor) -> Tensor:
    return mask.flatten().nonzero()[:, 0]


def _pack(padded: Tensor, mask: Tensor) -> Tensor:
    """Return the tokens (1, tokens, d) of padded sentences (n, length, d)."""
    return padded.flatten(0, 1).index_select(0, _token_positions(mask))[None]


def _unpack(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return tokens (1, tokens, d) as padded sentences (n, length, d)."""
    padded = tokens.new_zeros(mask.numel(), tokens.shape[-1])
    positions = _token_positions(mask)
    return padded.index_copy(0, positions, tokens[0, : len(positions)]).unflatten(0, mask.shape)
