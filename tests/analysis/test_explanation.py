import numpy as np
import pytest

from mtst.analysis.explanation import MAX_SPANS, explain, nearest_rows, row_labels, split_spans
from mtst.assets import STARTER
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer

CUP = "The team kept its nerve and won the cup on penalties."


@pytest.fixture(scope="module")
def starter(encoder):
    return load_model(STARTER, encoder)


def words(sentence, spans):
    return [sentence[start:end] for start, end in spans]


def test_the_shares_of_the_words_add_up_to_the_probability_for_every_head(starter):
    found = explain(starter, CUP)
    assert words(CUP, found.spans) == CUP.split()
    predictions = starter.predict([CUP, ""])
    for attribution in found.tasks:
        whole, blank = predictions[attribution.task.name].probabilities[
            :, attribution.task.labels.index(attribution.label)
        ]
        assert attribution.label == predictions[attribution.task.name].labels[0]
        assert (attribution.probability, attribution.baseline) == pytest.approx((whole, blank), abs=1e-4)
        assert attribution.baseline + attribution.contributions.sum() == pytest.approx(
            attribution.probability, abs=1e-4
        )


def test_the_words_of_a_topic_carry_it_though_any_of_them_can_be_missed(starter):
    found = explain(starter, CUP)
    topic = dict(zip(words(CUP, found.spans), found.tasks[0].contributions, strict=True))
    assert found.tasks[0].label == "sports"
    assert set(sorted(topic, key=topic.get)[-4:]) == {"team", "won", "cup", "penalties."}
    assert abs(topic["the"]) < 0.1 < topic["cup"]
    assert found.tasks[0].standard_errors.max() < 0.1


def test_a_word_can_speak_against_a_label(starter):
    sentence = "The soup was wonderful, delicious, lovely but cold and disgusting"
    found = explain(starter, sentence)
    mood = dict(zip(words(sentence, found.spans), found.tasks[1].contributions, strict=True))
    sides = ("wonderful,", "delicious,", "lovely"), ("cold", "disgusting")
    better, worse = (sum(mood[word] for word in side) for side in sides)
    assert (better > 0 > worse) if found.tasks[1].label == "positive" else (better < 0 < worse)


def test_the_same_seed_gives_the_same_shares(starter):
    first, again, other = (explain(starter, CUP, seed).tasks[1].contributions for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.abs(first - other).max() < 0.25


@pytest.mark.parametrize("sentence", ["Wonderful", "?!", "🙂", "\0"])
def test_short_and_odd_sentences_have_shares_too(starter, sentence):
    found = explain(starter, sentence)
    assert words(sentence, found.spans) == sentence.split()
    for attribution in found.tasks:
        assert attribution.baseline + attribution.contributions.sum() == pytest.approx(
            attribution.probability, abs=1e-4
        )


def test_a_sentence_without_words_has_nothing_to_share(starter):
    found = explain(starter, " \t ")
    assert found.spans == ()
    assert [len(attribution.contributions) for attribution in found.tasks] == [0, 0]


def test_a_long_text_is_taken_in_pieces_up_to_where_the_encoder_stops(tiny):
    text = " ".join(["alpha", "beta"] * 5_000)
    found = explain(tiny, text)
    assert len(found.spans) <= MAX_SPANS
    assert found.spans[-1][1] <= len(" ".join(["alpha", "beta"] * (tiny.encoder.max_tokens // 2)))


def test_pieces_are_even_and_cover_every_word_once():
    text = " ".join(f"w{k}" for k in range(2 * MAX_SPANS + 1))
    spans = split_spans(text, 256)
    assert " ".join(words(text, spans)) == text
    assert [len(part.split()) for part in words(text, spans)] == [3] * 21 + [2]
    assert split_spans(text, 4) == split_spans("w0 w1 w2 w3", 99)


def test_where_words_have_no_blanks_between_them_each_character_is_a_piece():
    assert words("我爱 pizza吃。", split_spans("我爱 pizza吃。", 99)) == ["我", "爱", "pizza", "吃", "。"]


def test_an_explanation_leaves_the_encoder_as_it_was(starter):
    before = starter.encoder._revision
    explain(starter, CUP)
    assert starter.encoder._revision == before


def test_the_nearest_rows_come_first_and_copies_once(encoder):
    task, other = Task("kind", ("animal", "money")), Task("mood", ("glad", "sad"))
    texts = ("A hound barks.", "Shares fell.", "a hound  BARKS.", "The bank raised its rates.", "A cat sleeps.")
    labels = {"kind": (0, 1, 0, 1, 0), "mood": (0, UNLABELLED, 1, 1, 0)}
    rows = Dataset(texts, (task, other), labels, tuple(range(2, 7)))
    found = nearest_rows(MultiTaskSentenceTransformer(encoder, (task, other)), "A dog is barking.", rows, count=3)
    assert [place for place, _ in found][:2] == [0, 4]
    assert len(found) == 3
    assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)
    assert found[0][1] > 0.6
    assert (row_labels(rows, 0), row_labels(rows, 1)) == (["animal", "glad"], ["money", ""])
