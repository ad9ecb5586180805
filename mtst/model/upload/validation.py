"""The folder of a model that came from anywhere: whether its settings name nothing but what mtst writes.

sentence-transformers and transformers import what `modules.json` and its companions name, and build a network as large
as `config.json` says. So these are held against what is known: the modules, the kinds of networks, the parts of
tokenizers, and the weights.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from mtst.data.tasks import Task
from mtst.encoders.hub.model_size import build_outline
from mtst.errors import ModelError
from mtst.model.card import RunReport
from mtst.model.export.bundle import REPORT, read_report
from mtst.model.storage import HEADS, METADATA_FILE, invalid_model, read_metadata
from mtst.model.upload.tokenizer_validation import check_class, check_tokenizer

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

BASE, OWN = "sentence_transformers.base.modules", "sentence_transformers.sentence_transformer.modules"
MODULES = {
    "Transformer": (f"{BASE}.transformer.Transformer", "sentence_transformers.models.Transformer"),
    "Pooling": (f"{OWN}.pooling.Pooling", "sentence_transformers.models.Pooling"),
    "Dense": (f"{BASE}.dense.Dense", "sentence_transformers.models.Dense"),
    "Normalize": (f"{BASE}.normalize.Normalize", "sentence_transformers.models.Normalize"),
}
CHAINS = {("Transformer", "Pooling", *rest) for rest in ((), ("Normalize",), ("Dense",), ("Dense", "Normalize"))}
ACTIVATIONS = ("torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity")
NETWORKS = ("bert", "distilbert", "mpnet", "roberta", "xlm-roberta")
# What the file beside a transformer may say: how long a sentence is, and otherwise what mtst itself writes.
TRANSFORMER = {
    "max_seq_length": None,
    "do_lower_case": None,
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    "module_output_name": "token_embeddings",
}
SENTENCES = {"__version__", "default_prompt_name", "model_type", "prompts", "similarity_fn_name"}
TOKENIZER = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
LISTS = {"architectures", "id2label", "label2id"}
NAMES_CODE = {"auto_map", "trust_remote_code", "Regex", "custom_pipelines", "quantization_config"}
WORD = re.compile(r"[\w.+-]{0,60}", re.ASCII)
MOST = 2_000_000  # of any number that describes a network
SIZES = {  # the most of what a pass grows with though the weights do not, or little: two cores have to bear it
    "max_position_embeddings": 1_026,  # about twice what the encoders of the catalogue read
    "max_seq_length": 1_026,
    "num_hidden_layers": 100,
    "n_layers": 100,
    "num_attention_heads": 32,
    "n_heads": 32,
    "intermediate_size": 16_384,
    "hidden_dim": 16_384,
    "out_features": 16_384,
}
MAX_TASKS, MAX_LABELS, MAX_CHARACTERS, MAX_HEADER = 64, 1_000, 1_000, 2_000_000
FLOATS = {"F32", "F16", "BF16"}
Shapes = dict[str, tuple[int, ...]]


def check_network(folder: Path) -> None:
    """Make sure that loading the model in a folder runs no code but ours, and takes no more than its weights do.

    Raises:
        ModelError: it might; the message says what is wrong.
    """
    for path in folder.rglob("*.json"):
        content = _json(path)
        if path.name != REPORT and (named := NAMES_CODE & set(_keys(content))):
            raise invalid_model(f"{path.name} has {min(named)!r} in it")
    _check_modules(folder)
    _check_transformer(folder)
    check_tokenizer(_object(folder / "tokenizer.json"), [_object(folder / name) for name in TOKENIZER])
    _check_config(folder)
    _check_heads(folder)
    if report := read_report(folder):
        RunReport.read(report)


def check_working(model: "MultiTaskSentenceTransformer") -> None:
    """Make sure that a model that came from anywhere has an answer to every text.

    Raises:
        ModelError: it has none to a long one, or its answers are no numbers.
    """
    encoder, table = model.encoder, model.encoder.token_embedding
    if table is None or len(encoder.backbone.tokenizer) > table.num_embeddings:
        raise invalid_model("its tokenizer knows more tokens than its network")
    try:
        found = model.predict(["a short text", "a long text, " * 2 * encoder.max_tokens])
    except (RuntimeError, LookupError, ValueError) as error:
        raise invalid_model(f"it cannot read a long text: {str(error)[:100]}") from error
    if not all(np.isfinite(each.probabilities).all() for each in found.values()):
        raise invalid_model("its weights are no numbers")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise invalid_model(f"{path.name} is no JSON") from error


def _object(path: Path) -> Mapping[str, Any]:
    found = _json(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise invalid_model(f"{path.name} is not what it should be")
    return found


def _settings(path: Path) -> Mapping[str, Any]:
    """Return what a file says of a network or a part of it, if that is not too large."""
    found = _object(path)
    for name, most in SIZES.items():
        value = found.get(name)
        if value is not None and not (isinstance(value, int) and value <= most):
            raise invalid_model(
                f"{path.name} says that {name} is {str(value)[:20]}; the most that is taken here is {most:,}"
            )
    return found


def _keys(content: Any) -> Iterator[str]:
    """Yield the keys of all objects in some JSON."""
    pending = [content]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            yield from part
            pending += part.values()
        elif isinstance(part, list):
            pending += part


def _check_modules(folder: Path) -> None:
    """Let an encoder be a transformer, a pooling, and perhaps a dense layer and a norm."""
    found, chain = _json(folder / "modules.json"), []
    for place, module in enumerate(found if isinstance(found, list) else []):
        said = module if isinstance(module, dict) else {}
        kind = next((name for name, types in MODULES.items() if said.get("type") in types), "")
        path = f"{place}_{kind}" if place else ""
        if not kind or said != {"idx": place, "name": str(place), "path": path, "type": said["type"]}:
            raise invalid_model("modules.json names something else than the modules of an encoder")
        chain.append(kind)
    if tuple(chain) not in CHAINS:
        raise invalid_model("modules.json is not the list of an encoder's modules")
    if "Dense" in chain:
        dense = _settings(folder / "2_Dense" / "config.json")
        shapes = _shapes(folder / "2_Dense" / "model.safetensors")
        if dense.get("activation_function") not in ACTIVATIONS or dense.get("use_residual"):
            raise invalid_model(f"its dense layer has the activation {dense.get('activation_function')!r}")
        if shapes.get("linear.weight") != (dense.get("out_features"), dense.get("in_features")):
            raise invalid_model("its dense layer and the weights of that do not fit")


def _check_transformer(folder: Path) -> None:
    for name, value in _settings(folder / "sentence_bert_config.json").items():
        plain = value is None or isinstance(value, int)
        if name not in TRANSFORMER or not (plain if TRANSFORMER[name] is None else value == TRANSFORMER[name]):
            raise invalid_model(f"sentence_bert_config.json says {name[:40]!r}: {str(value)[:60]}")
    about = _object(folder / "config_sentence_transformers.json")
    if not about.keys() <= SENTENCES or about.get("model_type", "SentenceTransformer") != "SentenceTransformer":
        raise invalid_model("config_sentence_transformers.json says more than it should")


def _check_config(folder: Path) -> None:
    """Compare the network that a description stands for with the weights, without making it."""
    config = _settings(folder / "config.json")
    kind = config.get("model_type")
    if kind not in NETWORKS:
        raise invalid_model(f"its network is of the kind {str(kind)[:40]!r}, not one of {', '.join(NETWORKS)}")
    for name, value in config.items():
        number = isinstance(value, int | float) and abs(value) <= MOST
        word = isinstance(value, str) and WORD.fullmatch(value)
        if not (number or word or value is None or name in LISTS):
            raise invalid_model(f"config.json says {name[:40]!r}: {str(value)[:60]}")
    check_class(config.get("tokenizer_class"))
    try:
        network = build_outline(config)
    except Exception as error:  # of no common base class
        raise invalid_model(f"config.json describes no network: {' '.join(str(error).split())[:100]}") from error
    shapes = _shapes(folder / "model.safetensors")
    for name, tensor in network.state_dict().items():
        if shapes.get(name) != tuple(tensor.shape):
            raise invalid_model(f"config.json and the weights differ in {name!r}")


def _check_heads(folder: Path) -> None:
    try:
        tasks, name, _ = read_metadata(folder)
    except ModelError as error:  # which would tell of a place on this machine
        raise invalid_model(f"{METADATA_FILE} does not describe its tasks in a way that this version reads") from error
    if name is not None:
        raise invalid_model(f"{METADATA_FILE} names an encoder in place of holding one")
    if len(tasks) > MAX_TASKS or any(
        len(task.labels) > MAX_LABELS or _longest(task) > MAX_CHARACTERS for task in tasks
    ):
        raise invalid_model(f"{METADATA_FILE} has more tasks or labels than a model may have, or longer ones")
    shapes = _shapes(folder / HEADS)
    for number, task in enumerate(tasks):
        weight, bias = shapes.get(f"{number}.weight", ()), shapes.get(f"{number}.bias")
        if len(weight) != 2 or weight[0] != len(task.labels) or bias != (len(task.labels),):
            raise invalid_model(f"the head {number} does not fit its labels")


def _longest(task: Task) -> int:
    return max(map(len, (task.name, *task.labels)))


def _shapes(path: Path) -> Shapes:
    """Return the shapes of the tensors in a file."""
    try:
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > MAX_HEADER:
                raise invalid_model(f"{path.name} has too long a list of tensors")
        with safe_open(path, framework="pt") as tensors:
            parts = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118 (it is no dictionary)
            if not {part.get_dtype() for part in parts.values()} <= FLOATS:
                raise invalid_model(f"{path.name} holds other numbers than weights")
            return {name: tuple(part.get_shape()) for name, part in parts.items()}
    except (OSError, SafetensorError) as error:
        raise invalid_model(f"{path.name} cannot be read as safetensors") from error
