"""What each architecture gives, with tiny random weights: the same vectors, groups that train, saved models."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import BoW, Dense, StaticEmbedding

from mtst.encoders.loading import load_encoder
from mtst.errors import EncoderError
from mtst.model.export.zip import zip_folder
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.events import Finished
from mtst.training.fitting import fit
from tests.support.tiny_encoders import save_tiny_encoder, tiny_network, tiny_tokenizer

TEXTS = ["The cup.", "the soup and the salt " * 30, "a", ""]
GROUPS = {
    "electra": ["Embeddings", "Block 0", "Block 1"],
    "xlm-roberta": ["Embeddings", "Block 0", "Block 1"],
    "deberta-v2": ["Embeddings", "Block 0", "Block 1"],
    "nomic_bert": ["Embeddings", "Block 0", "Block 1"],
    "longformer": ["Embeddings", "Block 0", "Block 1"],
    "modernbert": ["Embeddings", "Block 0", "Block 1", "Final norm"],
    "gemma3": ["Embeddings", "Block 0", "Block 1", "Final norm"],
    "t5": ["Embeddings", "Block 0", "Block 1", "Final norm"],
    "albert": ["Embeddings", "Block 0 (shared by 2 layers)"],
    "funnel": ["Encoder"],
    "squeezebert": ["Encoder"],
    "xlm": ["Encoder"],
    "canine": ["Embeddings", "Block 0", "Block 1", "Dense"],
    "static": ["Embeddings"],
}


@pytest.fixture(scope="module", params=list(GROUPS))
def kind(request):
    return request.param


def test_an_encoder_gives_what_plain_sentence_transformers_gives(tiny_folder, kind):
    encoder = load_encoder(str(tiny_folder(kind)), fp32=True)
    assert [group.title for group in encoder.groups] == GROUPS[kind]
    expected = SentenceTransformer(str(tiny_folder(kind))).encode(TEXTS)
    np.testing.assert_allclose(encoder.encode(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(encoder(TEXTS).detach().numpy(), expected, atol=1e-5)


def test_what_is_said_to_train_trains_and_the_model_is_saved(tiny_folder, tmp_path, swapped, kind):
    encoder = load_encoder(str(tiny_folder(kind)), fp32=True)
    before = {name: parameter.detach().clone() for name, parameter in encoder.backbone.named_parameters()}
    model = MultiTaskSentenceTransformer(encoder, swapped.tasks)
    config = TrainConfig("train-all", epochs=1, batch_size=8, encoder_rate=1e-2, layer_decay=1.0)
    (finished,) = (event for event in fit(model, swapped, config, baselines=False) if isinstance(event, Finished))
    assert not any(proof.same for proof in finished.proof)
    moved = {
        name for name, parameter in encoder.backbone.named_parameters() if not torch.equal(parameter, before[name])
    }
    assert moved <= {name for group in encoder.groups for name in group.parameters}
    model.save(tmp_path / "model")
    np.testing.assert_allclose(
        SentenceTransformer(str(tmp_path / "model")).encode(TEXTS), model.encode(TEXTS), atol=1e-5
    )
    zip_folder(tmp_path / "model", tmp_path / "model.zip")
    own = load_encoder(str(tiny_folder(kind)), fp32=True)
    for again in (load_model(str(tmp_path / "model"), fp32=True), load_model(str(tmp_path / "model.zip"), own)):
        np.testing.assert_allclose(again.encode(TEXTS), model.encode(TEXTS), atol=1e-5)


def test_a_static_model_of_model2vec_is_loaded(tmp_path):
    save_tiny_encoder("static", tmp_path)
    expected = load_encoder(str(tmp_path), fp32=True).encode(TEXTS)
    weights = load_file(tmp_path / "model.safetensors")
    save_file({"embeddings": weights["embedding.weight"].half()}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "model2vec", "architectures": ["StaticModel"]}')
    found = load_encoder(str(tmp_path), fp32=True)
    assert {parameter.dtype for parameter in found.parameters()} == {torch.float32}
    np.testing.assert_allclose(found.encode(TEXTS), expected, atol=1e-3)


def test_a_static_model_with_a_layer_above_has_two_groups(tmp_path):
    modules = [StaticEmbedding(tiny_tokenizer("bert"), embedding_dim=32), Dense(32, 8)]
    SentenceTransformer(modules=modules).save_pretrained(str(tmp_path), create_model_card=False)
    encoder = load_encoder(str(tmp_path), fp32=True)
    assert [(group.key, group.title) for group in encoder.groups] == [("embeddings", "Embeddings"), ("dense", "Dense")]


@pytest.mark.parametrize(("kind", "limit"), [("roberta", 62), ("xlm-roberta", 62), ("bert", 64), ("t5", 512)])
def test_a_tokenizer_that_states_no_length_gets_what_the_network_reads(tmp_path, kind, limit):
    tokenizer = tiny_tokenizer(kind)
    tokenizer.model_max_length = int(1e30)
    tiny_network(kind, tokenizer, 2).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    encoder = load_encoder(str(tmp_path), fp32=True)
    assert encoder.max_tokens == limit
    (long,) = encoder.encode(["soup and salt " * 200])
    encoder.backbone.save_pretrained(str(tmp_path / "saved"), create_model_card=False)
    plain = SentenceTransformer(str(tmp_path / "saved"))
    assert plain.max_seq_length == limit
    np.testing.assert_allclose(plain.encode(["soup and salt " * 200])[0], long, atol=1e-5)


@pytest.mark.parametrize("stated", [-1, 0, 1, 2])
def test_a_stated_length_that_leaves_no_room_for_a_text_is_none(tmp_path, stated):
    tokenizer = tiny_tokenizer("bert")
    tokenizer.model_max_length = stated
    tiny_network("bert", tokenizer, 2).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert load_encoder(str(tmp_path), fp32=True).max_tokens == 64


def test_an_encoder_with_a_decoder_is_refused_by_name(tiny_folder):
    with pytest.raises(EncoderError, match=r"with a decoder \(bart\).* Choose an encoder"):
        load_encoder(str(tiny_folder("bart")))


def test_a_module_of_another_kind_is_refused_by_name(tmp_path):
    SentenceTransformer(modules=[BoW(["the", "soup"])]).save_pretrained(str(tmp_path), create_model_card=False)
    with pytest.raises(EncoderError, match=r"begins with a module BoW, .* Choose a transformer"):
        load_encoder(str(tmp_path))


def test_rows_of_a_table_that_is_scaled_are_not_replaced(tiny_folder):
    assert load_encoder(str(tiny_folder("gemma3"))).token_embeddings == ()
    assert len(load_encoder(str(tiny_folder("t5"))).token_embeddings) == 2
