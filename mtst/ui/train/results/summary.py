"""What became of a run: what was kept, what every layer group did, how far the embeddings turned, how to repeat it."""

from collections.abc import Sequence

from mtst.assets import load_sts_pairs
from mtst.evaluation.scores import mean_macro_f1
from mtst.evaluation.semantic_similarity import EmbeddingQuality
from mtst.runs.history import History
from mtst.text import escape_html, isolate_bidi, truncate
from mtst.training.events import EpochEnded, GroupProof
from mtst.ui.components.html import table

HEADER = ("layer group", "weights moved by", "open in epochs", "rate", "parameters")
DAMAGED = 0.05  # loss of rank correlation from which it is warned of
COLLAPSED = 0.3  # gain of the mean cosine of unrelated sentences from which it is warned of
SAME = "exactly 0 (SHA-256 is the same)"


def summarize(history: History, command: Sequence[str]) -> str:
    """Return what happened: sentences, the proof of each group, and the command that repeats it."""
    if not history.is_finished:
        return ""
    finished = history.finished
    items = "".join(f"<li>{escape_html(line)}</li>" for line in _lines(history))
    words = " ".join(f"<bdi>{escape_html(word)}</bdi>" for word in command)
    again = f'<p class="quiet">The same on the command line:</p><pre tabindex="0">{words}</pre>'
    return f'<ul class="story">{items}</ul>{proof(finished.proof, finished.best_epoch)}{again}'


def proof(groups: Sequence[GroupProof], kept: int) -> str:
    """Return the table of every group from the heads down: when it was open, at which rate, how far it moved.

    `kept` is the epoch whose weights are kept.
    """
    heads = [group for group in groups if group.key.startswith("head:")]
    layers = [group for group in reversed(groups) if not group.key.startswith("head:")]
    order = (*heads, *layers)
    rows = [(truncate(group.title, 60), *_what_it_did(group, kept), f"{group.parameters:,}") for group in order]
    made = table(
        HEADER, rows, caption="Every layer group, checked against its weights before training", text_columns=(0, 1)
    )
    return f'<div class="proof">{made}</div>'


def rate(value: float) -> str:
    """Return a learning rate as the map of the layers writes it."""
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{float(digits):g}e{int(power)}".replace("-", "\u2212")


def _what_it_did(group: GroupProof, kept: int) -> tuple[str, str, str]:
    if group.open_epochs is None:
        return SAME if group.same else "CHANGED", "never", "–"
    first, last = group.open_epochs
    moved = SAME if group.same else f"{100 * group.change:.2g} %"
    if group.same and first > kept:
        moved = f"0: it opened after epoch {kept}, which is kept" if kept else "0: what it learnt is not kept"
    return moved, f"{first} to {last}" if last > first else str(first), rate(group.rate)


def _lines(history: History) -> list[str]:
    """Return what is worth saying, in order."""
    finished, started, best = history.finished, history.started, history.best
    trained = history.last_epoch > 0
    frozen = [group for group in finished.proof if group.open_epochs is None]
    lines = []
    if finished.early:
        last, top = history.epochs[-1].epoch, history.highest_scoring.epoch
        lines.append(f"It ended by itself after epoch {last}: no later epoch was better than epoch {top}.")
    if finished.stopped and not trained:
        lines.append("It was stopped before an epoch had ended, so the model is as it was before training.")
    if finished.best_epoch == 0 and trained:
        lines.append("No epoch came near the untrained model on validation. More rows, or another scenario, may help.")
    if started.keeps == "settled" and trained and finished.best_epoch:
        lines += _settled(best, history.highest_scoring, started.validation_rows)
    if frozen:
        still = sum(group.same for group in frozen)
        lines.append(
            f"{still} of {len(frozen)} frozen groups are bit for bit what they were (their SHA-256 is the same)."
        )
    if started.cached == "embeddings" and trained and not history.opened:
        lines.append("The encoder was frozen, so each sentence was embedded once and every epoch after that was cheap.")
    if trained and finished.best_epoch:
        lines += _frozen_heads(history, best) or [_drift(best)]
        lines += _space(*finished.space) if finished.space else []
        lines += _weights(best)
    return lines


def _settled(best: EpochEnded, highest: EpochEnded, rows: int) -> list[str]:
    """Say why the epoch that is kept is another than the one that scored highest."""
    if best.epoch <= highest.epoch:
        return []
    scored = [100 * mean_macro_f1(ended.validation) for ended in (highest, best)]
    return [
        f"Epoch {best.epoch} is kept, the latest that {rows} validation rows cannot tell from the best: epoch "
        f"{highest.epoch} had a macro-F1 of {scored[0]:.1f} %, epoch {best.epoch} one of {scored[1]:.1f} %, which may "
        "be chance, and it has learnt longer."
    ]


def _drift(best: EpochEnded) -> str:
    if not best.drift:
        return "The embeddings did not turn at all."
    return f"The embeddings turned by {best.drift:.3f} (0 is not at all, 1 is a right angle)."


def _space(before: EmbeddingQuality, after: EmbeddingQuality) -> list[str]:
    """Say what became of general similarity, and warn where it was damaged or the space has collapsed."""
    lines = [
        f"General similarity, on {len(load_sts_pairs()[0])} pairs of everyday sentences graded by hand: rank correlation "
        f"{before.general:.2f} before and {after.general:.2f} after."
    ]
    if before.general - after.general > DAMAGED:
        lines.append(
            "Warning: training has damaged general similarity. The heads may be fine, but do not use this encoder for "
            "other search or comparison. A lower encoder rate, fewer open layers or fewer epochs keep more of it."
        )
    if after.crowding - before.crowding > COLLAPSED:
        lines.append(
            f"Warning: the space has collapsed. Sentences that have nothing to do with each other had a cosine of "
            f"{before.crowding:.2f} on average, and now have {after.crowding:.2f}. Lower the encoder rate."
        )
    return lines


def _frozen_heads(history: History, best: EpochEnded) -> list[str]:
    """Follow heads that stood still while the encoder moved."""
    first = history.epochs[0]
    lines = []
    for group in history.groups if best.drift else ():
        if group.task is None or group.open or group.task not in best.validation:
            continue
        before, after = (100 * ended.validation[group.task].macro_f1 for ended in (first, best))
        lines.append(
            f"The {isolate_bidi(truncate(group.task, 40))} head was frozen. Its macro-F1 went from {before:.1f} % to "
            f"{after:.1f} % ({after - before:+.1f} points) while the embeddings under it turned by {best.drift:.3f} "
            "(0 is not at all, 1 is a right angle)."
        )
    return lines


def _weights(best: EpochEnded) -> list[str]:
    """Tell the weights of the tasks where they are not all 1."""
    if all(weight == 1 for weight in best.weights.values()):
        return []
    told = ", ".join(f"{isolate_bidi(truncate(task, 40))} {weight:.2f}" for task, weight in best.weights.items())
    return [f"The losses of the tasks counted with these weights: {told}."]
