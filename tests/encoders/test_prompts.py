import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from mtst.encoders.loading import load_encoder, with_prompt
from mtst.encoders.prompts import describe_prompt
from mtst.errors import EncoderError

TEXTS = ["The team won the cup.", "the soup", "x"]


@pytest.fixture(scope="module")
def prompted(tiny_folder, tmp_path_factory):
    """The folder of an encoder with two prompts, neither of them used by default."""
    folder = tmp_path_factory.mktemp("prompted")
    backbone = SentenceTransformer(str(tiny_folder()))
    backbone.prompts = {"query": "query: ", "topic": "By topic: "}
    backbone.save_pretrained(str(folder), create_model_card=False)
    return str(folder)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (None, ""),
        ("", ""),
        ("query", "query: "),
        ("topic", "By topic: "),
        ("By topic: ", "By topic: "),
        ("As: ", "As: "),
    ],
)
def test_a_prompt_is_chosen_by_its_name_or_its_text(prompted, chosen, text):
    encoder = load_encoder(prompted, prompt=chosen, fp32=True)
    assert encoder.prompt == text
    plain = SentenceTransformer(prompted)
    np.testing.assert_allclose(encoder.encode(TEXTS), plain.encode(TEXTS, prompt=text), atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS), encoder.backbone.encode(TEXTS), atol=1e-5)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("passage", "no prompt named 'passage'. Its prompts: query, topic"),
        ("word " * 300, "up to 1,000"),
        ("\ud800: ", "whole characters"),
        ("the letters of a long prompt, and more: ", r"takes \d+ of the 48 tokens"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_refused(prompted, chosen, words):
    with pytest.raises(EncoderError, match=words):
        load_encoder(prompted, prompt=chosen)


def test_another_prompt_gives_other_embeddings_and_is_taken_back(prompted):
    encoder = load_encoder(prompted, fp32=True)
    before = encoder.encode(TEXTS)
    encoder.use_prompt("query")
    assert not np.allclose(encoder.encode(TEXTS), before, atol=1e-3)
    encoder.use_prompt("")
    np.testing.assert_array_equal(encoder.encode(TEXTS), before)
    assert not encoder.weights_changed


def test_a_prompt_is_described_where_there_is_one():
    assert describe_prompt("query: ") == "Each text begins with “query: ”."
    assert describe_prompt("") == ""


def test_an_encoder_with_another_prompt_shares_the_weights_and_leaves_the_first_as_it_is(prompted):
    first = load_encoder(prompted, prompt="query", fp32=True)
    before = first.encode(["a text"])
    other = with_prompt(first, "By topic: ")
    assert (first.prompt, other.prompt) == ("query: ", "By topic: ")
    assert all(a is b for a, b in zip(first.parameters(), other.parameters(), strict=True))
    assert [first.weights_changed, other.weights_changed] == [False, False]
    np.testing.assert_array_equal(first.encode(["a text"]), before)
    expected = load_encoder(prompted, prompt="By topic: ", fp32=True).encode(["a text"])
    np.testing.assert_allclose(other.encode(["a text"]), expected, atol=1e-6)
    assert not np.allclose(other.encode(["a text"]), before, atol=1e-3)
    with pytest.raises(EncoderError, match="no prompt named"):
        with_prompt(first, "nothing")
