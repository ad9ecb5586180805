import pytest

from mtst.analysis.token_oddities import SAMPLE_TEXTS, advise_training, find_token_oddities, find_unknown_tokens
from mtst.encoders.loading import load_encoder

CHINESE = ["这部电影很好看", "我不喜欢这个故事"]


def test_ordinary_texts_are_read_whole(encoder):
    assert find_token_oddities(["a good film", "a bad film"], encoder) == ()
    assert find_token_oddities([], encoder) == ()


def test_texts_that_the_encoder_cuts_are_counted(encoder):
    texts = ["a good film", "so far " * 400, "well then " * 300]
    (found,) = find_token_oddities(texts, encoder, [2, 3, 4])
    assert (found.kind, found.count, found.line) == ("cut texts", 2, 3)
    assert f"2 texts are longer than the {encoder.max_tokens} tokens" in found.sentence


def test_sentences_that_are_not_from_a_file_have_no_line(encoder):
    (found,) = find_token_oddities(["a good film", "so far " * 400], encoder)
    assert found.line is None
    assert found.example.startswith("so far")


@pytest.mark.parametrize(
    ("texts", "name", "reads"),
    [
        (CHINESE, "multilingual-e5-small", "Chinese characters"),
        (["𓀀𓀁 𓀂 𓀃", "𓀄 𓀅 𓀆"], None, "Egyptian script"),
    ],
)
def test_unknown_tokens_are_counted_and_an_encoder_for_the_script_is_suggested(encoder, texts, name, reads):
    (found,) = find_unknown_tokens(["a good film", *texts], encoder, [2, 3, 4])
    assert (found.kind, found.count, found.line) == ("unknown tokens", 2, 3)
    if name:
        assert found.treatment.words == ("--encoder", name)
        assert found.treatment.label == f"Use an encoder that reads {reads}"
    else:
        assert found.treatment is None
        assert f"No other encoder of the catalogue reads {reads}" in found.sentence


def test_where_the_encoder_cannot_be_exchanged_another_is_named_as_advice(encoder):
    texts = [*CHINESE * 5, "so far " * 200]
    cut, unknown = advise_training(find_token_oddities(texts, encoder))
    assert cut == find_token_oddities(texts, encoder)[0]
    assert unknown.treatment is None
    assert unknown.sentence.endswith("For such texts, train with --encoder multilingual-e5-small.")


def test_of_many_texts_a_sample_is_looked_at(encoder):
    texts = ["short" if n % 3 else "so far " * 400 for n in range(SAMPLE_TEXTS + 1)]
    (found,) = find_token_oddities(texts, encoder)
    assert found.sentence.startswith("About 33.")
    assert found.count < SAMPLE_TEXTS / 2


def test_unknown_tokens_of_static_embeddings_are_counted_too(tiny_folder):
    (found,) = find_token_oddities(CHINESE, load_encoder(str(tiny_folder("static"))))
    assert (found.kind, found.count) == ("unknown tokens", 2)
