"""The model: one shared sentence encoder and a linear head for each task, saved as a folder of open formats.

The folder is a sentence-transformers model (`SentenceTransformer(folder)` loads its encoder) with two more files:
`heads.safetensors`, which holds the weights of head i as `i.weight` (labels, d) and `i.bias` (labels), and `mtst.json`,
which holds the tasks and their labels in order; and with the files of `mtst.model.export.bundle`. A folder saved with
`heads_only` has these two files alone, and `mtst.json` names its encoder.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mtst.data.tasks import DEFAULT_TASKS, Task, check_tasks, reusable_tasks
from mtst.encoders.encoder import Encoder
from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.files import checked_write
from mtst.model import hub
from mtst.model.export.bundle import bundle_files
from mtst.model.outputs import probabilities
from mtst.model.predictions import Prediction
from mtst.model.storage import (
    HEADS_FILE,
    METADATA_FILE,
    MODULES_FILE,
    ModelMetadata,
    check_target,
    read_metadata,
    replace_folder,
    save_backbone,
    write_error,
    write_metadata,
)

ZERO_SHOT_SCALE = 20.0  # turns a difference of cosines into logits, as the losses of sentence-transformers do


class MultiTaskSentenceTransformer(nn.Module):
    """One encoder shared by the linear heads of several tasks.

    New heads are zero-shot: the weight of a label is the embedding of its words. So an untrained model already predicts
    something, and a frozen head means something. With `zero_shot=False` the heads are random, for a caller that loads
    weights into them; no label is embedded.

    Attributes:
        base: the name of the encoder before any training.
        zero_shot: whether all heads are as they were initialized.

    Raises:
        ModelError: there is no task, or two tasks have the same name.
    """

    def __init__(self, encoder: Encoder, tasks: Sequence[Task] = DEFAULT_TASKS, *, zero_shot: bool = True) -> None:
        super().__init__()
        self.encoder = encoder
        self.base = encoder.name
        self.zero_shot = zero_shot
        self.tasks = check_tasks(tuple(tasks))
        heads = [nn.Linear(encoder.dimension, len(task.labels)) for task in self.tasks]
        self.heads = nn.ModuleList(heads)
        for task, head in zip(self.tasks, heads, strict=True) if zero_shot else ():
            _make_zero_shot(head, encoder.encode([_words(label) for label in task.labels]))
        self.heads.to(encoder.device)

    def forward(self, sentences: Sequence[str]) -> dict[str, Tensor]:
        """Return the logits (n, labels) of each task for n sentences, on the graph down into the encoder."""
        return self.classify(self.encoder(sentences))

    def classify(self, embeddings: Tensor) -> dict[str, Tensor]:
        """Return the logits (n, labels) of each task for embeddings (n, d)."""
        return {task.name: head(embeddings) for task, head in zip(self.tasks, self.heads, strict=True)}

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """Return the embeddings (n, d) as float32, without gradients."""
        return self.encoder.encode(sentences)

    def predict(self, sentences: Sequence[str]) -> dict[str, Prediction]:
        """Return the predictions of each task for n sentences."""
        with torch.inference_mode():
            embeddings = torch.from_numpy(self.encode(sentences)).to(self.encoder.device)
            logits = self.classify(embeddings)
            return {
                task.name: Prediction(task, probabilities(task, logits[task.name]).cpu().numpy()) for task in self.tasks
            }

    def with_tasks(self, tasks: Sequence[Task]) -> Self:
        """Return a model for these tasks on the same encoder, to train it further.

        A task with the same name and labels as one of this model gets a copy of its head; other heads are new.
        """
        model = type(self)(self.encoder, tasks)
        model.base = self.base
        for task, head, old_task in zip(tasks, model.heads, reusable_tasks(self.tasks, tasks), strict=True):
            if old_task is not None:
                model.zero_shot = self.zero_shot
                old_head = self.heads[self.tasks.index(old_task)]
                model.set_thresholds({task.name: old_task.threshold})
                order = [old_task.labels.index(label) for label in task.labels]
                head.load_state_dict({name: tensor[order] for name, tensor in old_head.state_dict().items()})
        return model

    def set_thresholds(self, thresholds: Mapping[str, float]) -> None:
        """Set the thresholds of multi-label tasks, by task name."""
        self.tasks = tuple(replace(task, threshold=thresholds.get(task.name, task.threshold)) for task in self.tasks)

    def save(
        self, folder: str | Path, *, heads_only: bool = False, report: bytes | None = None, name: str = ""
    ) -> None:
        """Write the model as a folder. It replaces an older model there; a folder with other files is refused.

        Args:
            folder: the target.
            heads_only: leave out an encoder that has not changed since it was loaded; its name is stored instead.
            report: the report of the run that the model comes from, as JSON, to be stored with it.
            name: what the model card calls the model; the name of the folder by default.

        Raises:
            ModelError: the folder holds other files or cannot be written, `heads_only` would lose training, or the
                report is none.
        """
        target = Path(folder)
        name = name or target.resolve().name
        prompt = self.encoder.prompt
        extra = {} if heads_only else bundle_files(name, self.tasks, self.base, report, prompt=prompt)
        if heads_only and self.encoder.weights_changed:
            raise ModelError("The encoder was trained too, so its weights must be saved with the heads.")
        check_target(target)
        try:
            with replace_folder(target) as staging:
                with checked_write():
                    self._write(staging, heads_only=heads_only)
                for file, content in extra.items():
                    (staging / file).write_bytes(content)
        except OSError as error:
            raise write_error(target, error) from error

    def _write(self, folder: Path, *, heads_only: bool) -> None:
        if not heads_only:
            save_backbone(self.encoder.backbone, folder)
        encoder = self.encoder.name if heads_only else None
        metadata = ModelMetadata(self.tasks, encoder, self.base, self.encoder.prompt)
        write_metadata(folder, metadata, self.encoder.dimension)
        tensors = {name: tensor.contiguous().cpu() for name, tensor in self.heads.state_dict().items()}
        save_file(tensors, folder / HEADS_FILE)
        for weights in folder.rglob("*.safetensors"):  # safetensors makes files that only their owner may read
            shutil.copymode(folder / METADATA_FILE, weights)

    def push_to_hub(
        self, repo_id: str, *, token: str | None = None, private: bool | None = None, report: bytes | None = None
    ) -> str:
        """Upload the model with its card to the Hub and return its URL.

        Args:
            repo_id: the name of the repository, owner/name; it is created if there is none.
            token: a token that may write there; that of `hf auth login` or HF_TOKEN by default.
            private: whether a new repository is private; by default as the owner's settings say.
            report: the report of the run that the model comes from, as JSON, to be stored with it.

        Raises:
            ModelError: the Hub refuses the upload or does not answer, a repository that should be private exists and
                is public, or the report is none.
        """
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            self.save(folder, report=report, name=repo_id.rpartition("/")[2])
            return hub.push(folder, repo_id, token=token, private=private)

    @classmethod
    def from_pretrained(cls, repo_id_or_folder: str | Path, revision: str | None = None) -> Self:
        """Load a model from a folder, or from the Hub, where `revision` names a branch, a tag or a commit.

        Raises:
            ModelError: there is no model, or the Hub does not answer.
            EncoderError: its encoder cannot be loaded.
        """
        if Path(repo_id_or_folder).is_dir():
            return cls.load(repo_id_or_folder)
        return cls.load(hub.download(str(repo_id_or_folder), revision))

    @classmethod
    def load(cls, folder: str | Path, encoder: Encoder | None = None, *, fp32: bool = False) -> Self:
        """Load a model that `save` wrote.

        Args:
            folder: of the model.
            encoder: one that is already loaded; it is used if the folder names it and its prompt, and holds no encoder.
            fp32: compute in 32 bits even where the machine has bf16 in hardware.

        Raises:
            ModelError: the folder holds no model, or its parts do not fit together.
            EncoderError: its encoder cannot be loaded.
        """
        source = Path(folder)
        metadata = read_metadata(source)
        if (source / MODULES_FILE).is_file():
            encoder = load_encoder(str(source), fp32=fp32)
        elif metadata.encoder is None:
            raise ModelError(f"{source} should hold its encoder, but {MODULES_FILE} is missing.")
        elif encoder is None or encoder.name != metadata.encoder or metadata.prompt not in (None, encoder.prompt):
            encoder = load_encoder(metadata.encoder, prompt=metadata.prompt, fp32=fp32)
        model = cls(encoder, metadata.tasks, zero_shot=False)
        model.base = metadata.base or encoder.name
        try:
            model.heads.load_state_dict(load_file(source / HEADS_FILE))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise ModelError(
                f"The heads in {source / HEADS_FILE} cannot be read or do not fit {METADATA_FILE}."
            ) from error
        return model


def _words(label: str) -> str:
    return label.replace("_", " ").replace("-", " ").strip() or label


def _make_zero_shot(head: nn.Linear, labels: np.ndarray) -> None:
    """Give a head the embeddings of its labels' words as weights, so that its logits are multiples of cosines.

    Not every encoder has embeddings of length 1; those of sentences are about as long as those of the labels.
    """
    norms = np.linalg.norm(labels, axis=1, keepdims=True).clip(min=1e-12)
    with torch.no_grad():
        head.weight.copy_(ZERO_SHOT_SCALE * torch.from_numpy(labels / norms / norms.mean()))
        head.bias.zero_()
