"""A model as ONNX: the encoder and all heads in one file, for programs without PyTorch.

Inputs are `input_ids`, `attention_mask` and, where the network takes them, `token_type_ids`, each (n, length) of int64.
Outputs are `sentence_embedding` (n, d) and for task i `logits_i` (n, labels).
"""

import copy
import inspect
import json
import logging
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from mtst.assets import ASSETS
from mtst.encoders.encoder import PROBE_TEXTS
from mtst.errors import ModelError
from mtst.files import checked_write
from mtst.model.export.bundle import pinned_requirements
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.storage import METADATA_FILE, tasks_to_json, write_error

NETWORK, TOKENIZER, SCRIPT = "model.onnx", "tokenizer.json", "predict_onnx.py"
LIBRARIES = ("numpy", "onnxruntime", "tokenizers")
TOLERANCE = 1e-4  # of any number that comes out, against PyTorch
OPSET = 18
BATCHES = ((1, 1), (1, 7), (2, 3), (3, 16), (5, None))  # sentences and tokens of what is tried; None: as many as can be


class _Whole(nn.Module):
    """The encoder and the heads in one pass over plain tensors."""

    def __init__(self, model: MultiTaskSentenceTransformer, inputs: list[str]) -> None:
        super().__init__()
        self._inputs = inputs
        self.network = model.encoder.backbone[0].auto_model
        self.after = nn.ModuleList(list(model.encoder.backbone)[1:])  # pooling and what follows it
        self.heads = model.heads

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(self._inputs, tensors, strict=True))
        states = self.network(**named, return_dict=True).last_hidden_state
        features = {"token_embeddings": states, "attention_mask": named["attention_mask"]}
        for module in self.after:
            features = module(features)
        embedding = features["sentence_embedding"]
        return embedding, *(head(embedding) for head in self.heads)


def export_onnx(model: MultiTaskSentenceTransformer, folder: Path) -> float:
    """Write a model as ONNX, with its tokenizer, tasks and a script that predicts; return the largest difference.

    Args:
        model: the model.
        folder: where to; it must be empty or not be there yet.

    Raises:
        ModelError: the network cannot be expressed, its answers differ from those of PyTorch, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ModelError(f"{folder} holds other files. Choose a new folder.")
        try:
            return _export(model, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise write_error(folder, error) from error


def _export(model: MultiTaskSentenceTransformer, folder: Path) -> float:
    plain = copy.deepcopy(model).float().cpu().eval()
    inputs = _inputs(plain)
    plain.encoder.backbone[0].auto_model.set_attn_implementation("eager")
    outputs = ["sentence_embedding", *(f"logits_{number}" for number in range(len(model.tasks)))]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of libraries that are not needed
    example = next(_batches(plain, inputs, ((2, 5),)))
    sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Whole(plain, inputs).eval(),
                example,
                folder / NETWORK,
                input_names=inputs,
                output_names=outputs,
                opset_version=OPSET,
                dynamic_shapes=(tuple(sizes for _ in inputs),),
                external_data=False,
                dynamo=True,
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError, TypeError, ValueError) as error:
        why = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelError(f"This encoder cannot be written as ONNX: {why}") from error
    _write_words(model, folder)
    return _check(model, folder / NETWORK, inputs)


def _inputs(model: MultiTaskSentenceTransformer) -> list[str]:
    """Return the names of what the network takes."""
    network = getattr(model.encoder.backbone[0], "auto_model", None)
    if network is None:
        raise ModelError("This encoder is no transformer, so it cannot be written as ONNX.")
    takes = inspect.signature(network.forward).parameters
    kinds = "token_type_ids" in takes and getattr(network.config, "type_vocab_size", 0) > 1
    return ["input_ids", "attention_mask", *(["token_type_ids"] if kinds else [])]


def _batches(
    model: MultiTaskSentenceTransformer, inputs: list[str], sizes: tuple[tuple[int, int | None], ...] = BATCHES
) -> Iterator[tuple[Tensor, ...]]:
    """Yield batches of made-up sentences, each a little shorter than the one before, the rest being padding."""
    encoder = model.encoder
    words = [token for ids in encoder.tokenize(PROBE_TEXTS) for token in ids]
    pad = (encoder.padding or [0])[0]
    for sentences, length in sizes:
        longest = encoder.max_tokens if length is None else length
        lengths = [max(1, longest - number * (longest // 4)) for number in range(sentences)]
        ids = torch.full((sentences, longest), pad)
        mask = torch.zeros_like(ids)
        for row, own in enumerate(lengths):
            ids[row, :own] = torch.tensor([words[place % len(words)] for place in range(own)])
            mask[row, :own] = 1
        yield (ids, mask, torch.zeros_like(ids))[: len(inputs)]


def _write_words(model: MultiTaskSentenceTransformer, folder: Path) -> None:
    """Write what stands around the network: the tokenizer, which cuts and pads, the tasks, and a script."""
    encoder = model.encoder
    tokenizer = Tokenizer.from_str(encoder.backbone.tokenizer.backend_tokenizer.to_str())
    tokenizer.enable_truncation(encoder.max_tokens)
    tokenizer.enable_padding(
        pad_id=(encoder.padding or [0])[0], pad_token=encoder.backbone.tokenizer.pad_token or "[PAD]"
    )
    with checked_write():
        tokenizer.save(str(folder / TOKENIZER))
    metadata = {"base": model.base, "tasks": tasks_to_json(model.tasks)}
    (folder / METADATA_FILE).write_text(json.dumps(metadata, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "requirements.txt").write_text(pinned_requirements(LIBRARIES), encoding="utf-8")
    shutil.copyfile(ASSETS / SCRIPT, folder / SCRIPT)


def _check(model: MultiTaskSentenceTransformer, network: Path, inputs: list[str]) -> float:
    """Compare the file with the model on batches of several sizes; return the largest difference.

    Raises:
        ModelError: it is larger than it may be.
    """
    from onnxruntime import InferenceSession

    session = InferenceSession(network, providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch in _batches(model, inputs):
        found = session.run(None, {name: tensor.numpy() for name, tensor in zip(inputs, batch, strict=True)})
        for one, other in zip(found, _expected(model, batch), strict=True):
            difference = float(np.abs(one - other).max())
            worst = max(worst, difference) if np.isfinite(difference) else np.inf
    if worst > TOLERANCE:
        raise ModelError(
            f"The ONNX file differs from the model by {worst:.2g}, and {TOLERANCE:g} is allowed: it is not handed out."
        )
    return worst


@torch.inference_mode()
def _expected(model: MultiTaskSentenceTransformer, batch: tuple[Tensor, ...]) -> list[np.ndarray]:
    """Return what the model itself makes of a batch, in 32 bits."""
    backbone, device = model.encoder.backbone, model.encoder.device
    named = dict(zip(("input_ids", "attention_mask"), (tensor.to(device) for tensor in batch[:2]), strict=True))
    embedding = backbone(named)["sentence_embedding"].float()
    return [embedding.cpu().numpy(), *(logits.cpu().numpy() for logits in model.classify(embedding).values())]
