"""A model keeps its encoder's prompt: whoever uses it gets the same labels and probabilities."""

import runpy
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.special import softmax
from sentence_transformers import SentenceTransformer

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.model.export.onnx import export_onnx
from mtst.model.export.zip import zip_folder
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from tests.model.export.test_onnx import answers

TASKS = (Task("mood", ("glad", "sad")), Task("topic", ("x", "y", "z")))
TEXTS = ["The team won the cup.", "the soup and the salt", "a"]
PROMPT = "By topic: "


@pytest.fixture(params=["pooled", "left out, cut to 24 values"])
def model(request, tiny_folder, tmp_path):
    """A model whose encoder is used with a text of the user's own as its prompt."""
    backbone = SentenceTransformer(str(tiny_folder()))
    if request.param != "pooled":
        backbone.set_pooling_include_prompt(False)
        backbone.truncate_dim = 24
    backbone.save_pretrained(str(tmp_path / "encoder"), create_model_card=False)
    encoder = load_encoder(str(tmp_path / "encoder"), prompt=PROMPT, fp32=True)
    assert encoder.dimension == (32 if request.param == "pooled" else 24)
    made = MultiTaskSentenceTransformer(encoder, TASKS)
    with torch.no_grad():
        for head in made.heads:
            head.weight.normal_(std=0.3)
    return made


def probabilities(model):
    return {name: each.probabilities for name, each in model.predict(TEXTS).items()}


def assert_same(found, expected, atol=1e-5):
    for name, rows in expected.items():
        np.testing.assert_allclose(found[name], rows, atol=atol)


def test_libraries_scripts_and_the_page_agree(model, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "model"
    model.save(folder)
    expected = probabilities(model)
    model.encoder.use_prompt("")
    assert not np.allclose(probabilities(model)["topic"], expected["topic"], atol=1e-3)
    model.encoder.use_prompt(PROMPT)

    assert_same(probabilities(load_model(str(folder), fp32=True)), expected)  # as the page does

    plain = SentenceTransformer(str(folder)).encode(TEXTS)
    heads = load_file(folder / "heads.safetensors")
    logits = {
        task.name: plain @ heads[f"{i}.weight"].numpy().T + heads[f"{i}.bias"].numpy() for i, task in enumerate(TASKS)
    }
    assert_same({name: softmax(rows, axis=1) for name, rows in logits.items()}, expected)

    export_onnx(model, folder / "onnx")
    embeddings, *onnx = answers(folder / "onnx", TEXTS)
    np.testing.assert_allclose(embeddings, plain, atol=1e-4)
    assert_same(dict(zip(expected, (softmax(rows, axis=1) for rows in onnx), strict=True)), expected, atol=1e-3)

    monkeypatch.setattr(sys, "argv", ["predict.py", *TEXTS])
    runpy.run_path(str(folder / "predict.py"), run_name="__main__")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert lines == [
        f"  {task.name}: {task.labels[rows[i].argmax()]} ({rows[i].max():.0%})"
        for i in range(len(TEXTS))
        for task, rows in zip(TASKS, expected.values(), strict=True)
    ]

    zip_folder(folder, tmp_path / "model.zip")
    base = load_encoder(model.encoder.name, fp32=True)
    assert base.prompt == ""
    assert_same(probabilities(load_model(str(tmp_path / "model.zip"), base)), expected)


def test_heads_alone_keep_the_prompt(model, tmp_path):
    model.save(tmp_path / "heads", heads_only=True)
    expected = probabilities(model)
    assert_same(probabilities(load_model(str(tmp_path / "heads"), fp32=True)), expected)
    own = load_encoder(model.encoder.name, fp32=True)
    assert_same(probabilities(load_model(str(tmp_path / "heads"), own, fp32=True)), expected)
    assert load_model(str(tmp_path / "heads"), model.encoder).encoder is model.encoder


def test_the_card_says_which_prompt_there_is(model, tmp_path):
    model.save(tmp_path / "model")
    assert "by default: `By topic: `" in (tmp_path / "model" / "README.md").read_text()
