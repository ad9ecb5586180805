"""A model as ONNX: the encoder and all heads in one file, for programs without PyTorch.

Inputs are `input_ids`, `attention_mask` and, where the network takes them, `token_type_ids`, each (n, length) of int64.
Outputs are `sentence_embedding` (n, d) and, for task i, `logits_i` (n, labels).
"""

import copy
import inspect
import json
import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer, normalizers
from torch import Tensor, nn

from mtst.assets import ASSETS
from mtst.encoders.encoder import PROBE_TEXTS
from mtst.errors import ModelError
from mtst.files import checked_write
from mtst.hub.problems import first_line
from mtst.model.export.bundle import REQUIREMENTS, pinned_requirements
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.storage import METADATA_FILE, tasks_to_json, write_error

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NETWORK, TOKENIZER, SCRIPT = "model.onnx", "tokenizer.json", "predict_onnx.py"
LIBRARIES = ("numpy", "onnxruntime", "tokenizers")
TOLERANCE = 1e-4  # the largest difference of any output from that of PyTorch
OPSET = 18
BATCH_SIZES = ((1, 1), (1, 7), (2, 3), (3, 16), (5, None))  # sentences and tokens of the test batches; None: the most


class _EncoderAndHeads(nn.Module):
    """The encoder and the heads in one pass over plain tensors, as the exporter needs it."""

    def __init__(self, model: MultiTaskSentenceTransformer, inputs: Sequence[str]) -> None:
        super().__init__()
        self._inputs = inputs
        self.network = _network(model)
        self.pooling = nn.ModuleList(list(model.encoder.backbone)[1:])  # and dense layers or a norm after it
        self.heads = model.heads
        self._left_out = model.encoder.pooling_inputs.get("prompt_length", 0)  # tokens at the start
        self._dimension = model.encoder.dimension

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(self._inputs, tensors, strict=True))
        states = self.network(**named, return_dict=True).last_hidden_state
        mask = named["attention_mask"]
        if self._left_out:
            mask = mask * (torch.arange(mask.shape[1]) >= self._left_out)
        features = {"token_embeddings": states, "attention_mask": mask}
        for module in self.pooling:
            features = module(features)
        embedding = features["sentence_embedding"][:, : self._dimension]
        return embedding, *(head(embedding) for head in self.heads)


def export_onnx(model: MultiTaskSentenceTransformer, folder: Path) -> float:
    """Write a model as ONNX with its tokenizer, its tasks and a script that predicts.

    Args:
        model: to write.
        folder: the target; it must be empty or not exist.

    Returns:
        The largest difference of any output from that of PyTorch.

    Raises:
        ModelError: the network cannot be expressed in ONNX, its outputs differ by more than `TOLERANCE`, or the folder
            cannot be written.
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
    # A copy, because other threads may be encoding with the model.
    plain = copy.deepcopy(model).float().cpu().eval()
    inputs = _input_names(plain)
    _network(plain).set_attn_implementation("eager")
    outputs = ["sentence_embedding", *(f"logits_{number}" for number in range(len(model.tasks)))]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of optional libraries
    example = next(_batches(plain, inputs, ((2, 5),)))
    free_sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _EncoderAndHeads(plain, inputs).eval(),
                example,
                folder / NETWORK,
                input_names=inputs,
                output_names=outputs,
                opset_version=OPSET,
                dynamic_shapes=(tuple(free_sizes for _ in inputs),),
                external_data=False,
                dynamo=True,
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError, TypeError, ValueError) as error:
        why = first_line(error).partition(". ")[0]  # the exporter goes on with steps for developers
        kind = _network(plain).config.model_type
        raise ModelError(f"This encoder ({kind}) cannot be written as ONNX: {why}. Export without ONNX.") from error
    _write_companions(model, folder)
    return _largest_difference(model, folder / NETWORK, inputs)


def _network(model: MultiTaskSentenceTransformer) -> "PreTrainedModel":
    """Return the transformer of the encoder.

    Raises:
        ModelError: the encoder has none.
    """
    network: PreTrainedModel | None = getattr(model.encoder.backbone[0], "auto_model", None)
    if network is None:
        raise ModelError("Models on static embeddings cannot be written as ONNX. Export without ONNX.")
    return network


def _input_names(model: MultiTaskSentenceTransformer) -> list[str]:
    network = _network(model)
    accepted = inspect.signature(network.forward).parameters
    has_types = "token_type_ids" in accepted and getattr(network.config, "type_vocab_size", 0) > 1
    return ["input_ids", "attention_mask", *(["token_type_ids"] if has_types else [])]


def _batches(
    model: MultiTaskSentenceTransformer,
    inputs: Sequence[str],
    sizes: Sequence[tuple[int, int | None]] = BATCH_SIZES,
) -> Iterator[tuple[Tensor, ...]]:
    """Yield batches of made-up sentences; each sentence is a little shorter than the one before and padded."""
    encoder = model.encoder
    tokens = [token for ids in encoder.tokenize(PROBE_TEXTS) for token in ids]
    pad = _pad_token_id(model)
    for sentences, most in sizes:
        longest = encoder.max_tokens if most is None else most
        ids = torch.full((sentences, longest), pad)
        mask = torch.zeros_like(ids)
        for row in range(sentences):
            length = max(1, longest - row * (longest // 4))
            ids[row, :length] = torch.tensor([tokens[column % len(tokens)] for column in range(length)])
            mask[row, :length] = 1
        yield (ids, mask, torch.zeros_like(ids))[: len(inputs)]


def _pad_token_id(model: MultiTaskSentenceTransformer) -> int:
    return (model.encoder.padding or [0])[0]


def _write_companions(model: MultiTaskSentenceTransformer, folder: Path) -> None:
    """Write the tokenizer, which adds the prompt, truncates and pads, the tasks, a script and what that requires."""
    source: Any = model.encoder.backbone.tokenizer
    tokenizer = Tokenizer.from_str(source.backend_tokenizer.to_str())
    tokenizer.enable_truncation(model.encoder.max_tokens)
    tokenizer.enable_padding(pad_id=_pad_token_id(model), pad_token=source.pad_token or "[PAD]")
    if prompt := model.encoder.prompt:
        rest = [] if tokenizer.normalizer is None else [tokenizer.normalizer]
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(prompt), *rest])
    with checked_write():
        tokenizer.save(str(folder / TOKENIZER))
    metadata = json.dumps({"base": model.base, "tasks": tasks_to_json(model.tasks)}, indent=1, ensure_ascii=False)
    (folder / METADATA_FILE).write_text(metadata + "\n", encoding="utf-8")
    (folder / REQUIREMENTS).write_text(pinned_requirements(LIBRARIES), encoding="utf-8")
    shutil.copyfile(ASSETS / SCRIPT, folder / SCRIPT)


def _largest_difference(model: MultiTaskSentenceTransformer, network: Path, inputs: Sequence[str]) -> float:
    """Compare the ONNX file with the model on several batches; return the largest difference.

    Raises:
        ModelError: it is larger than `TOLERANCE`, or not a number.
    """
    from onnxruntime import InferenceSession

    session = InferenceSession(network, providers=["CPUExecutionProvider"])
    largest = 0.0
    for batch in _batches(model, inputs):
        outputs = session.run(None, {name: tensor.numpy() for name, tensor in zip(inputs, batch, strict=True)})
        for output, expected in zip(outputs, _expected(model, batch), strict=True):
            difference = float(np.abs(output - expected).max())
            largest = max(largest, difference) if np.isfinite(difference) else np.inf
    if largest > TOLERANCE:
        raise ModelError(
            f"The ONNX file differs from the model by {largest:.2g}, and {TOLERANCE:g} is allowed: "
            "it is not handed out."
        )
    return largest


@torch.inference_mode()
def _expected(model: MultiTaskSentenceTransformer, batch: tuple[Tensor, ...]) -> list[np.ndarray]:
    """Return the outputs of the model itself for a batch, in 32 bits."""
    backbone, device = model.encoder.backbone, model.encoder.device
    named = dict(zip(("input_ids", "attention_mask"), (tensor.to(device) for tensor in batch[:2]), strict=True))
    embedding = backbone(named | model.encoder.pooling_inputs)["sentence_embedding"].float()
    embedding = embedding[:, : model.encoder.dimension]
    return [embedding.cpu().numpy(), *(logits.cpu().numpy() for logits in model.classify(embedding).values())]
