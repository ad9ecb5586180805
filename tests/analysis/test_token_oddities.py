from mtst.analysis.token_oddities import SAMPLE_TEXTS, find_token_oddities, find_unknown_tokens
from mtst.data.dataset import make_dataset


def dataset_of(table_of, texts):
    return make_dataset(table_of("text,mood\n" + "".join(f'"{text}",ab\n' for text in texts)), "text", ["mood"])


def test_ordinary_texts_are_read_whole(table_of, encoder):
    assert find_token_oddities(dataset_of(table_of, ["a good film", "a bad film"]), encoder) == ()


def test_texts_that_the_encoder_cuts_are_counted(table_of, encoder):
    data = dataset_of(table_of, ["a good film", "so far " * 400, "well then " * 300])
    (found,) = find_token_oddities(data, encoder)
    assert (found.kind, found.count, found.line) == ("cut texts", 2, 3)
    assert f"2 texts are longer than the {encoder.max_tokens} tokens" in found.sentence


def test_texts_in_words_that_the_encoder_does_not_know_are_counted(table_of, encoder):
    data = dataset_of(table_of, ["a good film", "𓀀𓀁 𓀂 𓀃", "𓀄 𓀅 𓀆"])
    (found,) = find_unknown_tokens(data, encoder)
    assert (found.kind, found.count, found.line) == ("unknown tokens", 2, 3)
    assert "multilingual" in found.sentence


def test_of_many_texts_a_sample_is_looked_at(table_of, encoder):
    data = dataset_of(table_of, ["short" if n % 3 else "so far " * 400 for n in range(SAMPLE_TEXTS + 1)])
    (found,) = find_token_oddities(data, encoder)
    assert found.sentence.startswith("About 33.")
    assert found.count < SAMPLE_TEXTS / 2
