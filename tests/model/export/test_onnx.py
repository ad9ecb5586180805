import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.model.export import onnx
from mtst.model.export.onnx import TOLERANCE, export_onnx
from mtst.model.loading import load_model
from tests.model.conftest import OTHER_KINDS, SENTENCES


@pytest.fixture(params=["bert", *OTHER_KINDS])
def exported(request, export):
    return export(request.param)


def answers(folder, sentences):
    """What the ONNX file says of sentences: the embeddings, and the logits of each task."""
    session = InferenceSession(folder / "model.onnx")
    tokens = Tokenizer.from_file(str(folder / "tokenizer.json")).encode_batch(sentences)
    known = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
    named = {each.name: known[each.name] for each in session.get_inputs()}
    inputs = {name: np.array([getattr(each, part) for each in tokens], dtype=np.int64) for name, part in named.items()}
    return session.run(None, inputs)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_sentences_get_the_embeddings_and_logits_of_pytorch(exported, count):
    model, folder = exported
    found = answers(folder, SENTENCES[-count:])
    with torch.inference_mode():
        expected = [model.encode(SENTENCES[-count:]), *(each.numpy() for each in model(SENTENCES[-count:]).values())]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=TOLERANCE)


def test_the_file_says_what_goes_in_and_comes_out(exported):
    session = InferenceSession(exported[1] / "model.onnx")
    inputs = [each.name for each in session.get_inputs()]
    takes = ["token_type_ids"] if exported[1].name in {"bert", "roberta"} else []
    assert inputs == ["input_ids", "attention_mask", *takes]
    assert [each.name for each in session.get_outputs()] == ["sentence_embedding", "logits_0", "logits_1"]
    assert session.get_inputs()[0].shape[0] != session.get_inputs()[0].shape[1]
    assert all(isinstance(size, str) for size in session.get_inputs()[0].shape)


def printed_labels(folder):
    """The lines with labels that the script prints, without PyTorch and mtst."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    hidden = "import sys; sys.modules['torch'] = sys.modules['mtst'] = None; sys.argv = sys.argv[1:]\n"
    script = hidden + "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-I", "-c", script, "predict_onnx.py", *SENTENCES]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("  ")]


def test_the_script_prints_all_labels_above_a_threshold(exported, tmp_path):
    folder = shutil.copytree(exported[1], tmp_path / "multi")
    _, logits, _ = answers(folder, SENTENCES)
    probabilities = np.sort((1 / (1 + np.exp(-logits))), axis=None)
    threshold = float(probabilities[3:5].mean())
    metadata = json.loads((folder / "mtst.json").read_text())
    metadata["tasks"][0] |= {"multi": True, "threshold": threshold}
    (folder / "mtst.json").write_text(json.dumps(metadata))
    name, labels = metadata["tasks"][0]["name"], metadata["tasks"][0]["labels"]
    chosen = [[labels[k] for k in np.flatnonzero(1 / (1 + np.exp(-row)) >= threshold)] for row in logits]
    said = [re.findall(r"(\w+) \(", line.removeprefix(f"  {name}:")) for line in printed_labels(folder)[::2]]
    assert said == chosen
    assert sum(map(len, chosen)) == logits.size - 4


def test_the_script_needs_neither_pytorch_nor_mtst(exported):
    model, folder = exported
    found = model.predict(SENTENCES)
    lines = [line.rpartition(" (")[0] for line in printed_labels(folder)]
    assert lines == [f"  {name}: {each.labels[row]}" for row in range(3) for name, each in found.items()]


def test_the_model_stays_as_it_was(exported):
    encoder = exported[0].encoder
    attention = [
        each.backbone[0].auto_model.config._attn_implementation for each in (encoder, load_encoder(encoder.name))
    ]
    assert attention[0] == attention[1]
    assert not encoder.weights_changed


@pytest.mark.slow
def test_the_model_that_ships_is_the_same_as_onnx(tmp_path):
    model = load_model("starter", fp32=True)
    assert export_onnx(model, tmp_path / "onnx") <= TOLERANCE
    _, topics, _ = answers(tmp_path / "onnx", SENTENCES[:2])
    assert [model.tasks[0].labels[row.argmax()] for row in topics] == model.predict(SENTENCES[:2])["topic"].labels


def test_a_difference_is_an_error(monkeypatch, export):
    model, folder = export("bert")
    monkeypatch.setattr(onnx, "TOLERANCE", 0.0)
    with pytest.raises(ModelError, match="differs from the model by"):
        onnx._largest_difference(model, folder / onnx.NETWORK, onnx._input_names(model))


@pytest.mark.slow
def test_what_differs_is_not_handed_out(monkeypatch, tiny, tmp_path):
    monkeypatch.setattr(onnx, "TOLERANCE", 0.0)
    with pytest.raises(ModelError, match="differs from the model by"):
        export_onnx(tiny, tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()


def test_a_folder_with_other_files_is_left_alone(tiny, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.txt").touch()
    with pytest.raises(ModelError, match="holds other files"):
        export_onnx(tiny, tmp_path / "own")
    assert os.listdir(tmp_path / "own") == ["mine.txt"]
