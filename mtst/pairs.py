"""Learning from pairs: sentences with the same label move together, others apart."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from mtst.data import UNLABELLED


def pair_loss(embeddings: Tensor, target: Tensor) -> Tensor:
    """Return how far the cosines of all pairs of labelled rows are from 1 (same label) or 0 (another), squared.

    Pairs of the same label count half in all, and so do the others. SetFit (Tunstall et al. 2022, "Efficient few-shot
    learning without prompts") passes each drawn pair through the encoder by itself; here n sentences that are passed
    through it once are n (n - 1) / 2 pairs.

    Args:
        embeddings: one for each row, (n, d).
        target: the number of each row's label, or UNLABELLED, (n,).

    Returns:
        A single value, 0 where there is no pair.
    """
    known = target != UNLABELLED
    rows, labels = normalize(embeddings[known], dim=1), target[known]
    first, second = torch.triu_indices(len(rows), len(rows), offset=1, device=rows.device)
    same = labels[first] == labels[second]
    errors = ((rows @ rows.T)[first, second] - same.to(rows)) ** 2
    kinds = [errors[kind].mean() for kind in (same, ~same) if kind.any()]
    return torch.stack(kinds).mean() if kinds else rows.sum() * 0
