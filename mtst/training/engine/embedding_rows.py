"""Training only the rows of a token embedding that occur in the data, instead of the whole table.

Exact: the gradient of every other row is zero, and AdamW does not shrink embeddings, so it would leave them alone.
An optimizer over the whole table spends most of its time on rows that never change.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding


class TrainedRows:
    """Lets a table of token embeddings learn through a small parameter.

    Args:
        modules: those that look tokens up in the table: T5 has one that only holds it, and one that it calls.
        ids: the token ids of some texts.

    Attributes:
        weight: the table.
        token_ids: those that occur in the data, and that of padding, (used,).
        rows: the parameter: the rows of these tokens, (used, d). `write_back` copies them to the table.
    """

    def __init__(self, modules: Sequence[nn.Embedding], ids: Iterable[Sequence[int]]) -> None:
        table = modules[0]
        used = sorted({token for tokens in ids for token in tokens} | _padding(table))
        self.token_ids = torch.tensor(used, device=table.weight.device)
        self.rows = nn.Parameter(table.weight.detach()[self.token_ids].clone())
        self.weight = table.weight
        self._row_of = torch.full((len(table.weight),), -1, device=table.weight.device)
        self._row_of[self.token_ids] = torch.arange(len(used), device=table.weight.device)
        self._padding = None if table.padding_idx is None else int(self._row_of[table.padding_idx])
        self._hooks = [module.register_forward_hook(self._look_up) for module in modules]

    def _look_up(self, table: nn.Embedding, inputs: tuple[Tensor], *_: Any) -> Tensor | None:
        if not torch.is_grad_enabled() or not table.weight.requires_grad:
            return None  # the table is up to date
        rows = self._row_of[inputs[0]]
        return None if (rows < 0).any() else embedding(rows, self.rows, self._padding)

    @torch.no_grad()
    def write_back(self) -> None:
        """Write the rows to the table, which everything but training reads."""
        self.weight.index_copy_(0, self.token_ids, self.rows)

    def close(self) -> None:
        """Remove the hooks: the modules read the table again."""
        for hook in self._hooks:
            hook.remove()


def _padding(table: nn.Embedding) -> set[int]:
    return set() if table.padding_idx is None else {table.padding_idx}
