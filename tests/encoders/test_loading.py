import dataclasses
import hashlib
import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense

from mtst.data.tasks import Task
from mtst.encoders.catalogue import CATALOGUE, DEFAULT, Bundle
from mtst.encoders.loading import find_encoder, load_encoder, verify
from mtst.errors import EncoderError
from mtst.model.multitask import MultiTaskSentenceTransformer


def weights():
    entry = CATALOGUE[DEFAULT]
    return Path(find_spec(entry.bundle.package).submodule_search_locations[0]) / "model" / "model.safetensors"


def test_the_default_comes_from_the_bundle_and_knows_what_sentences_mean(encoder):
    assert (encoder.name, encoder.dimension, encoder.max_tokens) == (DEFAULT, 384, 256)
    food, dish, law = encoder.encode(["I love pizza.", "Pizza is my favourite dish.", "The court ruled today."])
    assert food @ dish > 0.7 > 0.2 > food @ law


def test_the_bundled_weights_are_the_published_ones():
    verify(weights(), CATALOGUE[DEFAULT].bundle.sha256)
    assert hashlib.sha256(weights().read_bytes()).hexdigest() == CATALOGUE[DEFAULT].bundle.sha256


def test_weights_with_one_byte_changed_are_refused(tmp_path):
    changed = bytearray(weights().read_bytes())
    changed[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(changed)
    with pytest.raises(EncoderError, match="not the published ones"):
        verify(tmp_path / "model.safetensors", CATALOGUE[DEFAULT].bundle.sha256)


def test_weights_that_are_missing_are_refused(tmp_path):
    with pytest.raises(EncoderError, match="cannot be read"):
        verify(tmp_path / "model.safetensors", "0" * 64)


def test_a_bundle_with_another_checksum_is_not_loaded(monkeypatch):
    entry = CATALOGUE[DEFAULT]
    other = dataclasses.replace(entry, bundle=dataclasses.replace(entry.bundle, sha256="0" * 64))
    monkeypatch.setitem(CATALOGUE, DEFAULT, other)
    with pytest.raises(EncoderError, match="not the published ones"):
        load_encoder()


def test_bundled_weights_that_change_later_are_looked_at_again(tmp_path, monkeypatch):
    file = tmp_path / "some_bundle" / "model" / "model.safetensors"
    file.parent.mkdir(parents=True)
    (tmp_path / "some_bundle" / "__init__.py").touch()
    file.write_bytes(b"published")
    monkeypatch.syspath_prepend(tmp_path)
    bundle = Bundle("some_bundle", "model", hashlib.sha256(b"published").hexdigest())
    monkeypatch.setitem(CATALOGUE, DEFAULT, dataclasses.replace(CATALOGUE[DEFAULT], bundle=bundle))
    assert find_encoder(DEFAULT) == find_encoder(DEFAULT) == file.parent
    file.write_bytes(b"altered")
    for _ in range(2):
        with pytest.raises(EncoderError, match="not the published ones"):
            find_encoder(DEFAULT)


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_an_encoder_of_every_kind_is_loaded_from_a_folder(tiny_folder, kind):
    name = str(tiny_folder(kind))
    tiny = load_encoder(name, fp32=True)
    texts = ["A good film.", "the soup " * 100, ""]
    assert tiny.name == name
    assert tiny.dimension == 32
    expected = tiny.backbone.encode(texts, show_progress_bar=False)
    np.testing.assert_allclose(tiny.encode(texts), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nowhere", "../nowhere/at/all", "~/nowhere", "a/b/c"])
def test_a_folder_that_is_not_there_is_called_a_folder(name):
    with pytest.raises(EncoderError, match="There is no folder") as caught:
        load_encoder(name)
    assert repr(name) in str(caught.value)


def pictures(folder):
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=16, **size)).save_pretrained(folder)


def words_of_another(folder):
    (folder / "config.json").write_text('{"model_type": "no-such-model"}')


def nothing(folder):
    (folder / "notes.txt").write_text("nothing here")


@pytest.mark.parametrize("fill", [pictures, words_of_another, nothing])
def test_what_is_not_a_text_encoder_is_refused_in_one_line(tmp_path, fill):
    fill(tmp_path)
    with pytest.raises(EncoderError, match="not a text encoder") as caught:
        load_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "  ", "no such name", "owner/model/"])
def test_a_name_that_cannot_be_one_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EncoderError, match="Hub"):
        load_encoder(name)


def test_offline_the_bundled_encoder_is_offered():
    with pytest.raises(EncoderError, match=f"could not be reached.*{DEFAULT}"):
        load_encoder("owner/model")


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16])
def test_weights_that_are_stored_in_16_bits_are_used_in_32(tiny_folder, tmp_path, stored):
    folder = rewrite(tiny_folder(), tmp_path, lambda weights: {key: part.to(stored) for key, part in weights.items()})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"dtype": str(stored).removeprefix("torch.")}))
    loaded = load_encoder(str(folder), fp32=True)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    expected = load_encoder(str(tiny_folder()), fp32=True).encode(["A good film."])
    np.testing.assert_allclose(loaded.encode(["A good film."]), expected, atol=0.05)
    heads = MultiTaskSentenceTransformer(loaded, [Task("mood", ("good", "bad"))])
    heads(["A good film."])["mood"].sum().backward()
    assert {p.grad.dtype for p in loaded.parameters() if p.grad is not None} == {torch.float32}


@pytest.mark.parametrize("part", ["position_embeddings", "layer.1.", "attention.self.query.bias"])
def test_an_encoder_that_lacks_weights_is_refused(tiny_folder, tmp_path, part):
    folder = rewrite(
        tiny_folder(), tmp_path, lambda weights: {key: tensor for key, tensor in weights.items() if part not in key}
    )
    with pytest.raises(EncoderError, match=f"incomplete: .* such as .*{part}"):
        load_encoder(str(folder))


def test_weights_of_another_size_and_damaged_ones_are_refused_in_plain_words(tiny_folder, tmp_path):
    wide = rewrite(
        tiny_folder(), tmp_path, lambda weights: {key: torch.cat((tensor, tensor)) for key, tensor in weights.items()}
    )
    with pytest.raises(EncoderError, match=r"do not fit its config\.json\. Fetch them again"):
        load_encoder(str(wide))
    (wide / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(EncoderError, match=r"damaged, or only a pointer .*Git LFS"):
        load_encoder(str(wide))


def test_a_module_above_that_lacks_weights_is_refused_in_plain_words(tiny_folder, tmp_path):
    transformer, pooling = SentenceTransformer(str(tiny_folder()))
    SentenceTransformer(modules=[transformer, pooling, Dense(32, 8)]).save_pretrained(str(tmp_path / "dense"))
    (weights,) = (tmp_path / "dense").glob("2_*/model.safetensors")
    save_file({"linear.weight": load_file(weights)["linear.weight"]}, weights)
    with pytest.raises(EncoderError, match="are incomplete"):
        load_encoder(str(tmp_path / "dense"))


def test_weights_that_no_embedding_depends_on_may_be_missing(tiny_folder, tmp_path):
    folder = rewrite(
        tiny_folder(), tmp_path, lambda weights: {key: tensor for key, tensor in weights.items() if "pooler" not in key}
    )
    expected = load_encoder(str(tiny_folder())).encode(["A good film."])
    np.testing.assert_allclose(load_encoder(str(folder)).encode(["A good film."]), expected, atol=1e-6)


def test_a_model_class_of_its_own_is_refused_under_a_known_type_too(tiny_folder, tmp_path):
    folder = rewrite(tiny_folder(), tmp_path, dict)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "owner/code--modeling.Own"}}))
    with pytest.raises(EncoderError, match="needs Python code of its own"):
        load_encoder(str(folder))


def rewrite(source, target, change):
    """Copy an encoder with other weights."""
    folder = shutil.copytree(source, target / "encoder")
    weights = change(load_file(folder / "model.safetensors"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
