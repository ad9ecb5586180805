import pytest
import torch
import transformers

from mtst.encoders.catalogue import CATALOGUE, catalogue_key
from mtst.encoders.loading import load_encoder
from mtst.hub.repositories import HUB_ID


@pytest.mark.parametrize(("key", "entry"), CATALOGUE.items(), ids=list(CATALOGUE))
def test_an_entry_is_plausible(key, entry):
    assert HUB_ID.fullmatch(entry.hub_id) or "/" not in entry.hub_id
    assert catalogue_key(key) == catalogue_key(entry.hub_id) == key
    assert 1.9 < 1e6 * entry.megabytes / entry.parameters < 4.3  # bytes: 16 or 32 bits, and a tokenizer
    assert entry.block_parameters < 1.1 * entry.parameters  # twelve matrices a block is a rule of thumb
    assert entry.score is None or (40 < entry.score.mteb < 70 and entry.score.source.startswith("https://"))


@pytest.mark.parametrize(
    ("key", "vocabulary"),
    [("bge-small-en-v1.5", 30_522), ("e5-base-v2", 30_522), ("gte-base", 30_522), ("multilingual-e5-small", 250_037)],
)
def test_parameters_are_those_of_the_architecture(key, vocabulary):
    entry = CATALOGUE[key]
    size = {"hidden_size": entry.width, "intermediate_size": 4 * entry.width, "num_hidden_layers": entry.blocks}
    with torch.device("meta"):
        network = transformers.BertModel(transformers.BertConfig(vocab_size=vocabulary, **size))
    assert entry.parameters == pytest.approx(sum(parameter.numel() for parameter in network.parameters()), rel=0.01)


def test_the_prompt_of_the_catalogue_is_used_unless_the_user_says_otherwise(cached_encoder, monkeypatch):
    entry = CATALOGUE["e5-small-v2"]
    monkeypatch.setitem(CATALOGUE, "e5-small-v2", type(entry)(**{**vars(entry), "hub_id": cached_encoder()}))
    assert load_encoder("e5-small-v2").prompt == "query: "
    assert load_encoder("e5-small-v2", prompt="").prompt == ""
    assert load_encoder("e5-small-v2", prompt="passage: ").prompt == "passage: "
