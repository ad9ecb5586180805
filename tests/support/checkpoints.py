"""Small checkpoints in the layouts that the Hub has: with and without modules, whole and in shards, older and newer."""

import io
import json
import os
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

# What lies beside the weights of a model on the Hub and no encoder needs.
BESIDE = ("onnx/model.onnx", "openvino/openvino_model.bin", "tf_model.h5", "training_args.bin", "README.md", "rust.ot")


def plain(source: Path, target: Path) -> Path:
    """Copy a network with its tokenizer: no modules."""
    shutil.copytree(source, target)
    for name in BESIDE:
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_bytes(b"not needed")
    return target


def with_twin(source: Path, target: Path) -> Path:
    """Give safetensors a pickle beside them, as many models have."""
    plain(source, target)
    (target / "pytorch_model.bin").write_bytes(b"not needed either")
    return target


def with_modules(source: Path, target: Path) -> Path:
    """Save it as Sentence Transformers does."""
    plain(source, target)
    SentenceTransformer(str(source)).save_pretrained(str(target), create_model_card=False)
    return target


def of_old(source: Path, target: Path) -> Path:
    """Put each module in a folder of its own and the classes where they were then."""
    with_modules(source, target)
    (target / "0_Transformer").mkdir()
    for path in [path for path in target.iterdir() if path.is_file()]:
        if path.name not in ("modules.json", "config_sentence_transformers.json"):
            path.rename(target / "0_Transformer" / path.name)
    names = ("Transformer", "Pooling")
    modules = [
        {"idx": place, "name": str(place), "path": f"{place}_{name}", "type": f"sentence_transformers.models.{name}"}
        for place, name in enumerate(names)
    ]
    (target / "modules.json").write_text(json.dumps(modules))
    return target


def sharded(source: Path, target: Path) -> Path:
    """Save its weights in several files and an index."""
    plain(source, target)
    (target / "model.safetensors").unlink()
    transformers.AutoModel.from_pretrained(source).save_pretrained(target, max_shard_size="40KB")
    assert len(list(target.glob("model-*.safetensors"))) > 1
    return target


def pickled(source: Path, target: Path) -> Path:
    """Save its weights as a pickle only, with the names and the head that they had when it was pre-trained."""
    plain(source, target)
    weights = load_file(target / "model.safetensors")
    (target / "model.safetensors").unlink()
    old = {f"bert.{name}": tensor for name, tensor in weights.items()}
    old |= {"bert.embeddings.position_ids": torch.arange(64)[None], "cls.predictions.bias": torch.zeros(8)}
    torch.save(old, target / "pytorch_model.bin")
    return target


def large(source: Path, target: Path) -> Path:
    """Give it so many token embeddings that the client writes it in two parts, of which the first has 10 MiB."""
    plain(source, target)
    weights = load_file(target / "model.safetensors")
    table = "embeddings.word_embeddings.weight"
    weights[table] = torch.cat([weights[table], torch.randn(100_000, weights[table].shape[1])])
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | {"vocab_size": len(weights[table])}))
    return target


def with_code(source: Path, target: Path) -> Path:
    """Name a class of the model's own for the network, and bring it."""
    plain(source, target)
    config = json.loads((target / "config.json").read_text())
    own = {"model_type": "own", "auto_map": {"AutoModel": "own.Own", "AutoConfig": "own.OwnConfig"}}
    (target / "config.json").write_text(json.dumps(config | own))
    (target / "own.py").write_text("raise SystemExit('foreign code has run')\n")
    return target


def with_own_module(source: Path, target: Path) -> Path:
    """Name a class of the model's own for one of the modules, and bring it."""
    with_modules(source, target)
    modules = json.loads((target / "modules.json").read_text())
    modules[-1]["type"] = "own.Own"
    (target / "modules.json").write_text(json.dumps(modules))
    (target / "own.py").write_text("raise SystemExit('foreign code has run')\n")
    return target


def pickle_that_makes(folder: Path) -> bytes:
    """Return weights that make a folder when a pickle is trusted."""

    class Trap:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(folder),)

    written = io.BytesIO()
    torch.save({"embeddings.word_embeddings.weight": Trap()}, written)
    return written.getvalue()
