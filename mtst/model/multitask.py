"""The model: one shared sentence encoder and one linear head a task; saved as a folder that anybody can read.

The folder is a sentence-transformers model (`SentenceTransformer(folder)` loads its encoder) with two files more:
`heads.safetensors`, the weights of head i under `i.weight` (labels, d) and `i.bias` (labels), and `mtst.json`, the
tasks and their labels in order; and with what `mtst.model.export.bundle` adds. A folder saved with `heads_only` has the two files
alone, and names its encoder in `mtst.json`.
"""

import shutil
from collections.abc import Sequence
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
from mtst.model.export import bundle
from mtst.model.predictions import Prediction
from mtst.model.storage import (
    ENCODER,
    HEADS,
    METADATA_FILE,
    check_target,
    read_metadata,
    replace_folder,
    write_error,
    write_metadata,
)

ZERO_SHOT_SCALE = 20.0  # turns a difference of cosines into logits, as the losses of sentence-transformers do


class MultiTaskSentenceTransformer(nn.Module):
    """One encoder shared by the linear heads of several tasks.

    New heads are zero-shot: the weight of a label is the embedding of its words, so an untrained model already
    predicts something, and a frozen head has a meaning to keep. With `zero_shot=False` they are random, for whoever has
    weights to put there: labels are not embedded.

    Attributes:
        base: the name of the encoder that it began with, before any training.
        zero_shot: whether all heads are as they were made.

    Raises:
        ModelError: no task, or two of one name.
    """

    def __init__(self, encoder: Encoder, tasks: Sequence[Task] = DEFAULT_TASKS, *, zero_shot: bool = True) -> None:
        super().__init__()
        self.encoder = encoder
        self.base = encoder.name
        self.zero_shot = zero_shot
        self.tasks = check_tasks(tuple(tasks))
        self.heads = nn.ModuleList(nn.Linear(encoder.dimension, len(task.labels)) for task in self.tasks)
        for task, head in zip(self.tasks, self.heads, strict=True) if zero_shot else ():
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
        """Return, for each task, the probability of each label for each of n sentences."""
        with torch.inference_mode():
            embeddings = torch.from_numpy(self.encode(sentences)).to(self.encoder.device)
            logits = self.classify(embeddings)
            return {task.name: Prediction(task, logits[task.name].softmax(dim=1).cpu().numpy()) for task in self.tasks}

    def with_tasks(self, tasks: Sequence[Task]) -> Self:
        """Return a model for these tasks on the same encoder, to train it further.

        The head of a task that has the same name and labels here is kept; the others are new.
        """
        made = type(self)(self.encoder, tasks)
        made.base = self.base
        for number, kept in enumerate(reusable_tasks(self.tasks, tasks)):
            if kept is not None:
                made.zero_shot = self.zero_shot
                own = self.heads[self.tasks.index(kept)]
                order = [kept.labels.index(label) for label in made.tasks[number].labels]
                with torch.no_grad():
                    made.heads[number].weight.copy_(own.weight[order])
                    made.heads[number].bias.copy_(own.bias[order])
        return made

    def save(
        self, folder: str | Path, *, heads_only: bool = False, report: bytes | None = None, name: str = ""
    ) -> None:
        """Write the model as a folder; an older model there is replaced whole, and a folder with more is refused.

        Args:
            folder: where to.
            heads_only: leave out an encoder that has not changed since it was loaded; its name is kept.
            report: the report of the run that the model comes from, as JSON, to go along.
            name: what its card calls it; by its folder if left out.

        Raises:
            ModelError: the folder holds anything else, cannot be written, or `heads_only` would lose training; or the
                report is none.
        """
        target = Path(folder)
        papers = {} if heads_only else bundle.bundle_files(name or target.resolve().name, self.tasks, self.base, report)
        if heads_only and self.encoder.weights_changed:
            raise ModelError("The encoder was trained too, so its weights must be saved with the heads.")
        check_target(target)
        try:
            with replace_folder(target) as made:
                with checked_write():
                    self._write(made, heads_only=heads_only)
                for paper, content in papers.items():
                    (made / paper).write_bytes(content)
        except OSError as error:
            raise write_error(target, error) from error

    def _write(self, folder: Path, *, heads_only: bool) -> None:
        if not heads_only:
            self.encoder.backbone.save_pretrained(str(folder), create_model_card=False)
        write_metadata(folder, self.tasks, self.encoder.name if heads_only else None, self.base, self.encoder.dimension)
        save_file({name: tensor.contiguous().cpu() for name, tensor in self.heads.state_dict().items()}, folder / HEADS)
        for weights in folder.rglob("*.safetensors"):  # whose library lets nobody but their owner read them
            shutil.copymode(folder / METADATA_FILE, weights)

    def push_to_hub(
        self, repo_id: str, *, token: str | None = None, private: bool | None = None, report: bytes | None = None
    ) -> str:
        """Upload the model to the Hub with its card; return its address.

        Args:
            repo_id: the name of the repository, owner/name; a new one is made if there is none.
            token: may write there; if left out, what `hf auth login` or HF_TOKEN gave.
            private: whether a new repository is closed to others; as the owner's settings say if left out.
            report: the report of the run that the model comes from, as JSON, to go along.

        Raises:
            ModelError: the Hub refuses it or does not answer, a repository that should be private is there and public,
                or the report is none.
        """
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            self.save(folder, report=report, name=repo_id.rpartition("/")[2])
            return hub.push(folder, repo_id, token=token, private=private)

    @classmethod
    def from_pretrained(cls, repo_id_or_folder: str | Path, revision: str | None = None) -> Self:
        """Read a model from a folder, or from the Hub, where `revision` names a branch, a tag or a commit.

        Raises:
            ModelError: there is none, or the Hub does not answer.
            EncoderError: its encoder cannot be loaded.
        """
        if Path(repo_id_or_folder).is_dir():
            return cls.load(repo_id_or_folder)
        return cls.load(hub.download(str(repo_id_or_folder), revision))

    @classmethod
    def load(cls, folder: str | Path, encoder: Encoder | None = None, *, fp32: bool = False) -> Self:
        """Read a model that `save` wrote.

        Args:
            folder: where it is.
            encoder: one that is already loaded, used if the folder names it rather than holding its own.
            fp32: compute in 32 bits even where the machine has bf16 in hardware.

        Raises:
            ModelError: the folder holds no model, or its parts do not fit together.
            EncoderError: its encoder cannot be loaded.
        """
        source = Path(folder)
        tasks, name, base = read_metadata(source)
        if (source / ENCODER).is_file():
            encoder = load_encoder(str(source), fp32=fp32)
        elif name is None:
            raise ModelError(f"{source} should hold its encoder, but {ENCODER} is missing.")
        elif encoder is None or encoder.name != name:
            encoder = load_encoder(name, fp32=fp32)
        model = cls(encoder, tasks, zero_shot=False)
        model.base = base or encoder.name
        try:
            model.heads.load_state_dict(load_file(source / HEADS))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise ModelError(f"The heads in {source / HEADS} cannot be read or do not fit {METADATA_FILE}.") from error
        return model


def _words(label: str) -> str:
    return label.replace("_", " ").replace("-", " ").strip() or label


def _make_zero_shot(head: nn.Linear, labels: np.ndarray) -> None:
    norms = np.linalg.norm(labels, axis=1, keepdims=True).clip(min=1e-12)
    with torch.no_grad():
        head.weight.copy_(ZERO_SHOT_SCALE * torch.from_numpy(labels / norms))
        head.bias.zero_()
