"""ZIPs of models: those made here load into this machine's own encoder, and nothing else of them is read."""

import json
import os
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.model.export.zip import zip_model
from mtst.model.loading import load_model, load_report
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.upload.base_encoder import BaseEncoderPolicy
from mtst.model.upload.loading import base_encoder, load_archive
from tests.model.upload.conftest import TASKS

TEXTS = ["the striker scored", "salt and pepper " * 50]


@pytest.fixture
def refused(sent):
    """Return why the ZIP is refused when some of its files are replaced."""

    def explain(changed):
        with pytest.raises(ModelError) as caught:
            load_archive(sent(changed))
        assert str(caught.value).count("\n") == 0
        assert len(str(caught.value)) < 400
        return str(caught.value)

    return explain


def at(name):
    return f"mtst-model/{name}"


def metadata(content, **values):
    """`mtst.json` with some values changed."""
    return {at("mtst.json"): json.dumps(json.loads(content[at("mtst.json")]) | values).encode()}


def trained(encoder):
    """A model of which every weight has changed."""
    model = MultiTaskSentenceTransformer(encoder, TASKS)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1).add_(0.01)
    return model


def same(one, other):
    return all(
        np.array_equal(one.predict(TEXTS)[task.name].probabilities, other.predict(TEXTS)[task.name].probabilities)
        for task in one.tasks
    )


# --- what is made here


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_a_trained_model_comes_back_the_same(cached_encoder, tmp_path, kind):
    model = trained(load_encoder(cached_encoder(kind)))
    zip_model(model, tmp_path / "model.zip")
    again = load_model(str(tmp_path / "model.zip"))
    assert (again.tasks, again.base, again.encoder.name) == (TASKS, f"tiny/{kind}", f"tiny/{kind}")
    assert same(model, again)
    again.save(tmp_path / "folder")
    assert same(model, load_model(str(tmp_path / "folder")))


def test_a_dense_layer_comes_back_too(tiny_folder, tmp_path):
    transformer = Transformer(str(tiny_folder()))
    modules = [transformer, Pooling(32), Dense(32, 8)]
    SentenceTransformer(modules=modules, device="cpu").save(str(tmp_path / "encoder"))
    own = load_encoder(str(tmp_path / "encoder"))
    model = trained(load_encoder(str(tmp_path / "encoder")))
    zip_model(model, tmp_path / "model.zip")
    assert same(model, load_model(str(tmp_path / "model.zip"), own))
    assert not own.weights_changed


def test_the_model_that_ships_comes_back(tmp_path):
    model = load_model("starter")
    zip_model(model, tmp_path / "model.zip")
    again = load_model(str(tmp_path / "model.zip"))
    assert same(model, again)
    assert again.base == "all-MiniLM-L6-v2"
    again.save(tmp_path / "heads", heads_only=True)  # its encoder is still the published one
    assert same(model, load_model(str(tmp_path / "heads"), model.encoder))


def test_heads_alone_are_put_on_the_encoder_that_they_name(model, content, sent):
    unchanged = [name for name in content if name.endswith(("heads.safetensors", "README.md"))]
    heads = {name: None for name in content if name not in unchanged}
    again = load_archive(sent(heads | metadata(content, encoder="tiny/bert")))
    assert same(model, again)


def test_half_precision_weights_are_taken(model, content, sent):
    halves = {name: tensor.half() for name, tensor in load(content[at("model.safetensors")]).items()}
    again = load_archive(sent({at("model.safetensors"): save(halves)}))
    assert next(again.encoder.parameters()).dtype == torch.float32
    np.testing.assert_allclose(again.encode(TEXTS), model.encode(TEXTS), atol=1e-2)


def test_the_report_is_read_only_when_it_is_asked_for(sent):
    assert load_report(str(sent())) is None
    path = sent({at("report.json"): b"{}"})
    assert load_archive(path).tasks == TASKS
    with pytest.raises(ModelError, match=r"report\.json is not the report of a run"):
        load_report(str(path))


# --- nothing else of the ZIP counts


EVIL = {
    "modules.json": b'[{"idx": 0, "name": "0", "path": "", "type": "os.system"}]',
    "config.json": b'{"model_type": "evil", "auto_map": {"AutoModel": "modeling.Evil"}, "vocab_size": 1000000000}',
    "tokenizer.json": b'{"model": {"type": "WordPiece", "max_input_chars_per_word": 1000000}}',
    "tokenizer_config.json": b'{"auto_map": {"AutoTokenizer": ["evil.Evil", null]}}',
    "sentence_bert_config.json": b'{"max_seq_length": 1000000}',
    "config_sentence_transformers.json": b"[" * 100_000,
    "1_Pooling/config.json": b'{"pooling_mode": "evil"}',
    "vocab.txt": b"x" * 1_000,
    "predict.py": b"raise SystemExit(9)",
    "README.md": b"\xff\xfe",
}


def test_configuration_and_code_in_a_zip_are_never_read(model, sent, tmp_path):
    again = load_archive(sent({at(name): data for name, data in EVIL.items()}))
    assert same(model, again)
    assert again.encoder.max_tokens == model.encoder.max_tokens
    again.save(tmp_path / "saved")
    saved = {
        path.relative_to(tmp_path / "saved").as_posix(): path.read_bytes() for path in tmp_path.rglob("saved/**/*.*")
    }
    assert not {name for name, data in EVIL.items() if saved.get(name) == data}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("config.json", {"num_labels": 100_000_000, "id2label": {"0": "a"}}),
        ("config.json", {"hidden_size": 10**9, "num_hidden_layers": 10**9}),
        ("sentence_bert_config.json", {"max_seq_length": 0}),
        ("sentence_bert_config.json", {"max_seq_length": 1}),
        ("sentence_bert_config.json", {"max_seq_length": -1}),
    ],
)
def test_no_size_in_the_settings_of_a_zip_counts(model, sent, name, settings):
    again = load_archive(sent({at(name): json.dumps(settings).encode()}))
    assert again.encoder.max_tokens == model.encoder.max_tokens
    assert same(model, again)


def test_another_network_than_the_one_it_names_is_refused(content, refused):
    assert "model.safetensors does not fit the encoder 'all-MiniLM-L6-v2'" in refused(
        metadata(content, base="all-MiniLM-L6-v2")
    )


def test_the_encoder_must_be_allowed(content, sent):
    server = BaseEncoderPolicy(any_hub_encoder=False)
    for load_or_look in (load_archive, base_encoder):
        with pytest.raises(ModelError, match="'tiny/bert'; this server takes"):
            load_or_look(sent(), server)
    assert base_encoder(sent(metadata(content, base="all-MiniLM-L6-v2")), server) == "all-MiniLM-L6-v2"


def test_a_model_on_a_local_folder_needs_that_encoder(tiny_folder, tiny_encoder, tmp_path):
    model = trained(tiny_encoder)
    zip_model(model, tmp_path / "model.zip")
    with pytest.raises(ModelError, match=r"neither in the catalogue nor on the Hub\. Unpack the ZIP") as caught:
        load_model(str(tmp_path / "model.zip"))
    assert "python -m mtst" in str(caught.value)
    assert same(model, load_model(str(tmp_path / "model.zip"), load_encoder(str(tiny_folder()))))
    assert same(model, load_archive(tmp_path / "model.zip", BaseEncoderPolicy(str(tiny_folder()))))
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:  # what the message advises
        archive.extractall(tmp_path)
    assert same(model, load_model(str(tmp_path / "mtst-model")))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"base": None}, "does not name the encoder"),
        ({"base": "../../etc"}, "'../../etc', which is neither in the catalogue nor on the Hub"),
        ({"base": 7}, "does not describe its tasks"),
        ({"base": "nobody/has-this"}, "'nobody/has-this', which is not on this machine"),
        ({"tasks": [{"name": "mood", "labels": ["glad"]}]}, "heads.safetensors does not fit the labels"),
        ({"tasks": [{"name": "m", "labels": [f"{n}" for n in range(2_000)]}]}, "more tasks or labels"),
        ({"tasks": [{"name": f"{n}", "labels": ["a"]} for n in range(65)]}, "more tasks or labels"),
        ({"tasks": [{"name": "m" * 2_000, "labels": ["a", "b"]}]}, "longer ones"),
        ({"tasks": [{"name": "m", "labels": ["a" * 2_000, "b"]}]}, "longer ones"),
        ({"tasks": [{"name": "m", "labels": ["\ud800", "b"]}]}, "does not describe its tasks"),
        ({"tasks": [{"name": "m", "labels": ["a", "a"]}]}, "does not describe its tasks"),
        ({"tasks": 2 * [{"name": "m", "labels": ["a"]}]}, "m"),
        ({"tasks": 3}, "does not describe its tasks"),
        ({"tasks": []}, "at least one task"),
        ({"format": 99}, "does not describe its tasks"),
    ],
)
def test_metadata_that_describes_no_model_is_refused(refused, content, values, words):
    assert words in refused(metadata(content, **values))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b'{"format": ' + b"9" * 10_000 + b"}"]
)
def test_metadata_that_is_no_json_object_is_refused(refused, text):
    assert "does not describe its tasks" in refused({at("mtst.json"): text})


def test_of_a_key_that_comes_twice_the_last_counts_everywhere(refused, content):
    text = content[at("mtst.json")].rstrip()[:-1] + b', "tasks": [{"name": "mood", "labels": ["glad"]}]}'
    assert "heads.safetensors does not fit the labels" in refused({at("mtst.json"): text})


def test_many_labels_are_counted_in_no_time(refused, content):
    labels = [{"name": "m", "labels": [f"{n}" for n in range(200_000)]}]
    assert "more tasks or labels" in refused(metadata(content, tasks=labels))


@pytest.mark.parametrize("name", ["mtst.json", "heads.safetensors", "model.safetensors"])
def test_a_part_that_is_missing_is_named(refused, name):
    assert f"{name!r} is missing" in refused({at(name): None})


@pytest.mark.parametrize("name", ["2_Dense/model.safetensors", "model-00001-of-00002.safetensors"])
def test_weights_that_the_encoder_does_not_have_are_refused(refused, content, name):
    assert f"{name!r} is no part of the encoder 'tiny/bert'" in refused({at(name): content[at("model.safetensors")]})


@pytest.mark.parametrize("name", ["heads.safetensors", "model.safetensors"])
def test_no_more_is_unpacked_than_the_network_can_have(refused, name):
    assert f"{name!r} unpacks to more than it may" in refused({at(name): os.urandom(4_000_000)})


def test_weights_that_are_finite_but_overflow_are_refused(refused, content):
    heads = {name: torch.full_like(tensor, 3e38) for name, tensor in load(content[at("heads.safetensors")]).items()}
    heads["0.weight"][0] = -3e38
    assert "no numbers" in refused({at("heads.safetensors"): save(heads)})


# --- trained further


def test_a_head_of_the_same_name_and_labels_goes_on(tiny):
    other = Task("place", tuple(reversed(tiny.tasks[1].labels)))
    made = tiny.with_tasks([other, Task("topic", ("another", "set")), Task("new", ("a", "b"))])
    assert [task.name for task in made.tasks] == ["place", "topic", "new"]
    assert torch.equal(made.heads[0].weight, tiny.heads[1].weight.flip(0))
    assert made.encoder is tiny.encoder
    fresh = MultiTaskSentenceTransformer(tiny.encoder, made.tasks)
    assert torch.equal(made.heads[1].weight, fresh.heads[1].weight)
    assert torch.equal(made.heads[2].weight, fresh.heads[2].weight)
