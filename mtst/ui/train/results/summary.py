"""What happened in a run: what was kept, what each layer group did, how far the embeddings turned, how to repeat it."""

from collections.abc import Sequence

from markupsafe import Markup

from mtst.assets import load_sts_pairs
from mtst.encoders.prompts import describe_prompt
from mtst.evaluation.scores import mean_macro_f1, small_sample_caution
from mtst.evaluation.semantic_similarity import EmbeddingQuality
from mtst.model.trained_parts import Trains
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.text import isolate_bidi, quantity, truncate
from mtst.training.events import EpochEnded, GroupProof, Started
from mtst.training.scenarios import find_scenario
from mtst.ui.components.html import table
from mtst.ui.components.templates import render
from mtst.ui.plots import numbers

HEADER = ("layer group", "weight change", "open in epochs", "rate", "parameters")
PROMPT_CHARACTERS = 200
DAMAGED = 0.05  # loss of rank correlation that is warned of
COLLAPSED = 0.3  # gain of the mean cosine of unrelated sentences that is warned of
SAME = "unchanged ✓ (same SHA-256)"


def summarize(history: History) -> Markup:
    """Return what happened in a finished run in sentences, and the proof of each layer group."""
    if not history.is_finished:
        return Markup()
    finished = history.finished
    return render("train/summary", lines=_lines(history), proof=proof_table(finished.proof, finished.best_epoch))


def reproduce(history: History, job: Job, command: Sequence[str]) -> Markup:
    """Return the command that repeats a run that is over, and what it was run on."""
    started = history.started
    rows = [
        ("Rows", f"{started.train_rows:,} to train, {started.validation_rows:,} held out for validation"),
        ("File", job.source),
        ("Encoder", job.start or job.encoder),
        ("Seed", str(job.config.seed)),
        ("Precision", started.precision),
    ]
    note = ""
    if history.outcome != "finished":
        note = (
            f"This run was {history.outcome} after {quantity(history.last_epoch, 'epoch')} of {history.total_epochs}. "
            "The command trains all of them, so its model will differ. Resume continues this run instead."
        )
    return render("train/reproduce", rows=rows, command=command, note=note)


def proof_table(groups: Sequence[GroupProof], kept_epoch: int) -> Markup:
    """Return a table of every group from the heads down: when it was open, at which rate, and how far it moved."""
    heads = [group for group in groups if group.key.startswith("head:")]
    layers = [group for group in reversed(groups) if not group.key.startswith("head:")]
    partial = any(group.part is not None for group in groups)
    rows = [
        (
            truncate(group.title, 60),
            *_changes(group, kept_epoch),
            f"{group.parameters:,}",
            *([f"{group.trained:,}"] if partial else []),
        )
        for group in (*heads, *layers)
    ]
    caption = "Every layer group, checked against its weights before training"
    header = (*HEADER, "trained") if partial else HEADER
    return table(header, rows, caption=caption, text_columns=(0, 1))


def _changes(group: GroupProof, kept_epoch: int) -> tuple[str, str, str]:
    """Return how far a group moved, in which epochs it was open, and at which rate."""
    if group.open_epochs is None:
        return SAME if group.same else "CHANGED", "never", "–"
    first, last = group.open_epochs
    moved = SAME if group.same else numbers.change(group.change)
    if group.rest_same is False:
        moved = "CHANGED where it should not"
    if group.same and first > kept_epoch:
        opened_late = f"0: it opened after epoch {kept_epoch}, which is kept"
        moved = opened_late if kept_epoch else "0: what it learned is not kept"
    return moved, f"{first} to {last}" if last > first else str(first), numbers.rate(group.rate)


def _lines(history: History) -> list[str]:
    """Return the sentences, in order."""
    started, finished, trained = history.started, history.finished, history.last_epoch > 0
    caution = small_sample_caution(started.validation_rows)
    lines = [caution] if caution else []
    if started.prompt:
        prompt = isolate_bidi(truncate(started.prompt, PROMPT_CHARACTERS))
        lines.append(f"{describe_prompt(prompt)} The model keeps this prompt and adds it by itself.")
    if finished.early:
        lines.append(
            f"It ended by itself after epoch {history.last_epoch}: none after epoch {finished.best_epoch} was good "
            "enough to be kept."
        )
    if finished.stopped and not trained:
        lines.append("It was stopped before an epoch had ended, so the model is unchanged before training.")
    if finished.best_epoch == 0 and trained:
        lines.append("No epoch came near the untrained model on validation. More rows, or another scenario, may help.")
    kept = history.best if trained and finished.best_epoch else None
    if kept and started.keeps == "settled":
        lines += _why_not_highest(kept, history.highest_scoring, started.validation_rows)
    frozen = [group for group in finished.proof if group.open_epochs is None]
    if frozen:
        same = sum(group.same for group in frozen)
        lines.append(
            f"{same} of {len(frozen)} frozen groups are bit for bit what they were (their SHA-256 is the same)."
        )
    lines += _rests(finished.proof, find_scenario(started.scenario, started.tasks).trains)
    if started.cached == "embeddings" and trained and not history.opened:
        lines.append("The encoder was frozen, so each sentence was embedded once and every epoch after that was cheap.")
    if kept:
        lines += _frozen_heads(started, history.epochs[0], kept) or [_drift(kept)]
        lines += _general_similarity(*finished.space) if finished.space else []
        lines += _task_weights(kept)
    lines += [
        f"In “{isolate_bidi(truncate(task, 40))}” a label is predicted from a probability of {100 * threshold:.3g}% "
        "on. That gave the highest macro-F1 on the validation rows, and is saved with the model."
        for task, threshold in finished.thresholds.items()
    ]
    return lines


def _rests(proof: Sequence[GroupProof], trains: Trains) -> list[str]:
    """Say that what was not to train in open groups did not move, if there was such a part."""
    rests = [group.rest_same for group in proof if group.rest_same is not None]
    groups = f"In {sum(rests)} of {len(rests)} open groups of the encoder"
    return {
        "all": [],
        "biases": [f"{groups} everything but the biases is bit for bit what it was (its SHA-256 is the same)."],
        "adapters": [
            f"{groups} the weights were bit for bit what they had been (their SHA-256 was the same) until, at the end, "
            "the adapters were merged into them."
        ],
    }[trains]


def _why_not_highest(kept: EpochEnded, highest: EpochEnded, rows: int) -> list[str]:
    """Say why the epoch that is kept is not the one with the highest score."""
    if kept.epoch <= highest.epoch:
        return []
    scores = [100 * mean_macro_f1(epoch.validation) for epoch in (highest, kept)]
    return [
        f"Epoch {kept.epoch} is kept, the latest within two standard errors of the best: epoch {highest.epoch} had a "
        f"macro-F1 of {scores[0]:.1f}% on {rows} validation rows, epoch {kept.epoch} one of {scores[1]:.1f}%. The "
        "difference may be chance, and it has trained longer."
    ]


def _drift(kept: EpochEnded) -> str:
    if not kept.drift:
        return "The embeddings did not turn at all."
    return f"The embeddings turned by {kept.drift:.3f} (0 is not at all, 1 is a right angle)."


def _general_similarity(before: EmbeddingQuality, after: EmbeddingQuality) -> list[str]:
    """Say how general similarity has changed, with a warning where it was damaged or the space has collapsed."""
    pairs = len(load_sts_pairs()[0])
    lines = [
        f"General similarity, on {pairs} pairs of everyday sentences graded by hand: rank correlation "
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


def _frozen_heads(started: Started, before: EpochEnded, kept: EpochEnded) -> list[str]:
    """Say how the heads that were frozen while the encoder moved have changed."""
    lines = []
    for group in started.groups if kept.drift else ():
        if group.task is None or group.open or group.task not in kept.validation:
            continue
        then, now = (100 * epoch.validation[group.task].macro_f1 for epoch in (before, kept))
        lines.append(
            f"The {isolate_bidi(truncate(group.task, 40))} head was frozen. Its macro-F1 went from {then:.1f}% to "
            f"{now:.1f}% ({now - then:+.1f} points) while the embeddings under it turned by {kept.drift:.3f} "
            "(0 is not at all, 1 is a right angle)."
        )
    return lines


def _task_weights(kept: EpochEnded) -> list[str]:
    """Name the weights of the tasks where they are not all 1."""
    if all(weight == 1 for weight in kept.weights.values()):
        return []
    weights = ", ".join(f"{isolate_bidi(truncate(task, 40))} {weight:.2f}" for task, weight in kept.weights.items())
    return [f"Task weights in the loss: {weights}."]
