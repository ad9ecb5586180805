"""The ZIP of a model, from anywhere -> a model: tensors and labels from the ZIP, everything else from this machine.

Network, pooling and tokenizer are built from this machine's own copy of the encoder that `mtst.json` names. The
configuration files in the ZIP are never read, so they can neither name code nor describe a network or a tokenizer.
"""

import copy
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.model.card import RunReport
from mtst.model.export.bundle import REPORT
from mtst.model.storage import HEADS_FILE, METADATA_FILE, WEIGHTS, ModelMetadata, invalid_model, parse_metadata
from mtst.model.upload.archive import ModelArchive, open_archive
from mtst.model.upload.base_encoder import BaseEncoderPolicy

if TYPE_CHECKING:
    from torch import Tensor

    from mtst.encoders.encoder import Encoder
    from mtst.model.multitask import MultiTaskSentenceTransformer

MAX_METADATA_BYTES, MAX_REPORT_BYTES = 2_000_000, 50_000_000
MAX_TASKS, MAX_LABELS, MAX_CHARACTERS = 64, 1_000, 1_000
MAX_MB = 4_000.0
OWN_MACHINE = BaseEncoderPolicy()


def load_archive(
    path: Path,
    policy: BaseEncoderPolicy = OWN_MACHINE,
    *,
    max_megabytes: float = MAX_MB,
    encoder: "Encoder | None" = None,
    fp32: bool = False,
) -> "MultiTaskSentenceTransformer":
    """Load the model of a ZIP.

    Args:
        path: the ZIP.
        policy: which encoders the model may be built on.
        max_megabytes: the largest size of the ZIP, and of what is unpacked from it.
        encoder: one that is already loaded, to be copied if the model names it; so it may be a local folder.
        fp32: compute in 32 bits even where the machine has bf16 in hardware.

    Raises:
        ModelError: the ZIP holds no such model, or its encoder is not allowed here or cannot be fetched.
        EncoderError: this machine's copy of the encoder cannot be loaded.
    """
    from mtst.model.multitask import MultiTaskSentenceTransformer

    with open_archive(path, max_megabytes) as archive:
        metadata = _metadata(archive)
        stated = metadata.encoder or metadata.base
        if encoder is not None and encoder.name == stated:
            base = copy.deepcopy(encoder)
            if metadata.prompt not in (None, base.prompt):
                base.use_prompt(metadata.prompt)
        else:
            name = policy.check(stated)
            policy.fetch(name)
            base = load_encoder(name, prompt=metadata.prompt, fp32=fp32)
        model = MultiTaskSentenceTransformer(base, metadata.tasks, zero_shot=False)
        _read_weights(archive, model, needs_encoder=metadata.encoder is None)
    _check_predictions(model)
    return model


def base_encoder(path: Path, policy: BaseEncoderPolicy, *, max_megabytes: float = MAX_MB) -> str:
    """Return the name of the encoder that the model of a ZIP is to be built on, as `load_archive` does.

    Raises:
        ModelError: the ZIP holds no model, or its encoder is not allowed here.
    """
    with open_archive(path, max_megabytes) as archive:
        metadata = _metadata(archive)
    return policy.check(metadata.encoder or metadata.base)


def archived_report(path: Path) -> bytes | None:
    """Return the report of the run that the model of a ZIP comes from, if it is there.

    Raises:
        ModelError: the ZIP holds no model, or the report is none.
    """
    with open_archive(path, MAX_MB) as archive:
        if REPORT not in archive.names:
            return None
        report = archive.read(REPORT, MAX_REPORT_BYTES)
    RunReport.parse(report)
    return report


def _metadata(archive: ModelArchive) -> ModelMetadata:
    content = archive.read(METADATA_FILE, MAX_METADATA_BYTES)
    try:
        metadata = parse_metadata(content, METADATA_FILE)
    except ModelError as error:  # whose message may quote any length of the file
        raise invalid_model(f"{METADATA_FILE} does not describe its tasks in a way that this version reads") from error
    if len(metadata.tasks) > MAX_TASKS or any(
        len(task.labels) > MAX_LABELS or _longest(task) > MAX_CHARACTERS for task in metadata.tasks
    ):
        raise invalid_model(f"{METADATA_FILE} has more tasks or labels than a model may have, or longer ones")
    return metadata


def _longest(task: Task) -> int:
    return max(map(len, (task.name, *task.labels)))


def _read_weights(archive: ModelArchive, model: "MultiTaskSentenceTransformer", *, needs_encoder: bool) -> None:
    """Read the tensors of the heads and, unless the ZIP has the heads alone, those of the encoder."""
    from mtst.model.upload.tensors import assign_tensors, check_tensors, max_file_bytes

    encoder_files = _encoder_files(model.encoder)
    given = {name for name in archive.names if PurePosixPath(name).suffix == ".safetensors"} - {HEADS_FILE}
    if unknown := given - encoder_files.keys():
        raise invalid_model(f"{min(unknown)[:80]!r} is no part of the encoder {model.encoder.name!r}")
    owners = dict.fromkeys(encoder_files, f"the encoder {model.encoder.name!r}") if given or needs_encoder else {}
    expected = encoder_files | {HEADS_FILE: model.heads.state_dict()}
    with TemporaryDirectory() as scratch:
        for name, owner in (owners | {HEADS_FILE: "the labels"}).items():
            tensors = expected[name]
            file = Path(scratch) / name
            file.parent.mkdir(exist_ok=True)
            archive.extract(name, file, max_file_bytes(tensors))
            check_tensors(file, tensors, owner)
            assign_tensors(file, tensors)
            file.unlink()


def _encoder_files(encoder: "Encoder") -> dict[str, Mapping[str, "Tensor"]]:
    """Return the state dicts of an encoder's modules by the files that they are saved in."""
    first, *others = encoder.backbone
    files = {WEIGHTS: getattr(first, "auto_model", first).state_dict()}
    for number, module in enumerate(others, 1):
        if tensors := module.state_dict():
            files[f"{number}_{type(module).__name__}/{WEIGHTS}"] = tensors
    return files


def _check_predictions(model: "MultiTaskSentenceTransformer") -> None:
    """Make sure that a model predicts something: finite weights may still overflow."""
    predictions = model.predict(["a short text", "a long text, " * 2 * model.encoder.max_tokens])
    if not all(np.isfinite(prediction.probabilities).all() for prediction in predictions.values()):
        raise invalid_model("its weights are no numbers")
