"""The rows of a token embedding that occur in the data, trained in place of the whole table.

Exact: the gradient of every other row is zero, and AdamW does not shrink embeddings, so it would leave them alone.
An optimizer over the whole table spends most of its time on rows that never change.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding as look_up


class TrainedRows:
    """Lets a token embedding learn through a small parameter `rows` (used, d); `write_back` brings the table along."""

    def __init__(self, table: nn.Embedding, ids: Iterable[Sequence[int]]) -> None:
        used = sorted({token for tokens in ids for token in tokens} | _padding(table))
        self.places = torch.tensor(used, device=table.weight.device)
        self.rows = nn.Parameter(table.weight.detach()[self.places].clone())
        self._table = table
        self._row = torch.full((len(table.weight),), -1, device=table.weight.device)
        self._row[self.places] = torch.arange(len(used), device=table.weight.device)
        self._padding = None if table.padding_idx is None else int(self._row[table.padding_idx])
        self._hook = table.register_forward_hook(self._look_up)

    def _look_up(self, table: nn.Embedding, inputs: tuple[Tensor], output: Tensor) -> Tensor | None:
        if not torch.is_grad_enabled() or not table.weight.requires_grad:
            return None  # the table is up to date
        places = self._row[inputs[0]]
        return None if (places < 0).any() else look_up(places, self.rows, self._padding)

    @torch.no_grad()
    def write_back(self) -> None:
        self._table.weight.index_copy_(0, self.places, self.rows)

    def close(self) -> None:
        """Let the embedding be what it was."""
        self._hook.remove()


def _padding(table: nn.Embedding) -> set[int]:
    return set() if table.padding_idx is None else {table.padding_idx}
