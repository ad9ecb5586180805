import random
from collections import Counter

import pytest

from mtst.assets import SAMPLE, SMALL_SAMPLE
from mtst.data.columns import check_labels, guess_columns, numeric_range
from mtst.data.dataset import make_dataset
from mtst.data.limits import Limits
from mtst.data.table import Table, read_table
from mtst.errors import DataError

SAID = (
    "Also I was the point person on my company's transition",
    "You must have had your hands full with all of it",
    "That I did. That I really did, believe me",
    "Oh no, this is the worst thing that could happen",
    "The flight was late again and nobody told us why",
    "Great crew, thank you so much for the help",
)


def table(columns, rows=60, said=SAID):
    """A table of columns by name: `text` is what is said, a list is drawn from, a function is asked for each row."""
    draw = random.Random(0)  # noqa: S311 (made-up rows, not a secret)

    def cell(values, row):
        if values == "text":
            return f"{said[row % len(said)]} number {row}."
        return str(values(row)) if callable(values) else draw.choice(values)

    cells = tuple(tuple(cell(values, row) for values in columns.values()) for row in range(rows))
    return Table("my.csv", tuple(columns), cells, tuple(range(2, rows + 2)))


MELD = {
    "Sr No.": lambda row: row + 1,
    "Utterance": "text",
    "Speaker": ["Chandler", "The Interviewer", "Monica"],
    "Emotion": ["neutral", "surprise", "joy", "sadness"],
    "Sentiment": ["neutral", "positive", "negative"],
    "Dialogue_ID": lambda row: row // 6,
    "Utterance_ID": lambda row: row % 6,
    "Season": ["8"],
    "Episode": ["21", "22"],
    "StartTime": lambda row: f"00:16:{row:02},059",
    "EndTime": lambda row: f"00:16:{row:02},{100 + row}",
}
AIRLINE = {
    "tweet_id": lambda row: 570306133677760513 + 7 * row,
    "airline_sentiment": ["neutral", "positive", "negative"],
    "airline_sentiment_confidence": lambda row: round(0.5 + row / 200, 4),
    "negativereason": ["", "Late Flight", "Customer Service Issue"],
    "airline": ["United", "Delta", "Virgin America"],
    "name": lambda row: f"traveller{row}",
    "retweet_count": ["0", "0", "0", "1"],
    "text": "text",
    "tweet_created": lambda row: f"2015-02-24 11:{row:02}:59 -0800",
    "user_timezone": ["Eastern Time (US & Canada)", "Pacific Time (US & Canada)", ""],
}
REVIEWS = {
    "url": lambda row: f"https://example.org/a/very/long/address/of/review/{row}",
    "date": lambda row: f"2024-01-{row % 28 + 1:02}",
    "stars": ["1", "2", "3", "4", "5"],
    "review": "text",
    "helpful": lambda row: row * 37 % 101,
}
NEWS = {"column 1": ["1", "2", "3", "4"], "column 2": lambda row: f"Short title {row}", "column 3": "text"}
TWO_ANNOTATORS = {
    "id": lambda row: f"a{row}",
    "sentence": "text",
    "split": ["train", "dev", "test"],
    "label": ["yes", "no"],
}


@pytest.mark.parametrize(
    ("columns", "rows", "text", "needed", "allowed"),
    [
        (MELD, 60, "Utterance", {"Emotion", "Sentiment"}, {"Speaker"}),
        (AIRLINE, 60, "text", {"airline_sentiment"}, {"airline", "negativereason"}),
        (REVIEWS, 60, "review", {"stars"}, set()),
        (NEWS, 60, "column 3", {"column 1"}, set()),
        (TWO_ANNOTATORS, 60, "sentence", {"label"}, set()),
        ({"review": "text", "sentiment": ["positive", "negative"]}, 60, "review", {"sentiment"}, set()),
        ({"a": ["True", "False"], "b": "text"}, 60, "b", {"a"}, set()),
        ({"label": ["0", "1"], "tweet": "text"}, 60, "tweet", {"label"}, set()),
        ({"text": "text", "glad": ["0", "1"], "angry": ["0", "1"]}, 60, "text", {"glad", "angry"}, set()),
        ({"text": "text", "label": ["a", "b"]}, 6, "text", {"label"}, set()),
    ],
)
def test_the_columns_of_well_known_kinds_of_tables_are_guessed(columns, rows, text, needed, allowed):
    guessed, labels = guess_columns(table(columns, rows))
    assert guessed == text
    assert needed <= set(labels) <= needed | allowed


@pytest.mark.parametrize("path", [SAMPLE, SMALL_SAMPLE])
def test_the_columns_of_the_samples_are_guessed(path):
    assert guess_columns(read_table(path)) == ("text", ("topic", "sentiment"))


def test_texts_without_blanks_between_words_are_texts_too():
    chinese = (
        "这部电影很好看，演员的表演也不错。",
        "我不知道火车为什么晚点，真让人生气。",
        "昨天的比赛非常精彩，我们都很高兴。",
    )
    columns = {"用户": lambda row: f"user number {row % 30}", "内容": "text", "情感": ["正面", "负面"]}
    assert guess_columns(table(columns, said=chinese)) == ("内容", ("情感",))


def test_a_table_without_labels_has_none_to_guess():
    others = {"id": lambda row: f"x{row}", "price": lambda row: row / 7}
    assert guess_columns(table({"note": "text"})) == ("note", ())
    assert guess_columns(table({"note": "text"} | others)) == ("note", ())


def test_a_column_that_alone_can_be_meant_is_guessed_and_its_refusal_will_say_why():
    numbers = {"x": lambda row: row / 7}
    assert guess_columns(table({"note": "text"} | numbers)) == ("note", ("x",))
    assert guess_columns(table({"note": "text", "label": lambda row: row / 9} | numbers)) == ("note", ("label",))


@pytest.mark.parametrize("rows", [1, 2])
def test_hardly_any_rows_are_no_reason_to_fail(rows):
    assert guess_columns(table({"text": "text", "label": ["a"]}, rows)) == ("text", ("label",))
    assert guess_columns(table({"text": [""], "label": [""], "n": [" "]}, rows))[0] == "text"


def test_500_columns_are_no_reason_to_fail():
    columns = {f"c{n}": lambda row, n=n: (row * n) % 97 for n in range(498)}
    assert guess_columns(table(columns | {"text": "text", "mood": ["a", "b"]})) == ("text", ("mood",))


# --- what speaks against a column of labels


@pytest.mark.parametrize(
    "values",
    [
        ["glad", "sad"],
        [str(number) for number in range(20)],
        ["0.5", "1", "1,5", "2.0"],
        [str(number) for number in range(77)] * 3,
        [f"intent {number}" for number in range(150)],
        ["nan", "inf", *map(str, range(18))],
    ],
)
def test_words_and_few_numbers_and_numbers_that_come_again_are_labels(values):
    assert numeric_range(Counter(values)) is None
    check_labels(table({"a": ["x"]}), "a", values, Limits())


@pytest.mark.parametrize(
    "values",
    [
        [f"{number / 100}" for number in range(50)] * 9,
        [f"{number},{number}" for number in range(21)] * 9,
        [str(number) for number in range(77)] * 2,
        [str(number * 1000) for number in range(100)],
        [*[str(number) for number in range(100)], "none"],
    ],
)
def test_many_numbers_are_a_measurement_and_refused_with_their_span(values):
    with pytest.raises(DataError, match=r"'price' of my\.csv holds \d+ different numbers from 0 .*named groups"):
        check_labels(table({"price": ["1"]}), "price", values, Limits())


def test_more_labels_than_allowed_are_refused():
    values = [f"label {number}" for number in range(201)]
    check_labels(table({"a": ["x"]}), "a", values[:200], Limits())
    with pytest.raises(DataError, match="201 different values, more than the 200"):
        check_labels(table({"a": ["x"]}), "a", values, Limits())


def test_a_column_without_a_label_is_refused():
    with pytest.raises(DataError, match="no label in any row"):
        check_labels(table({"a": [""]}), "a", [], Limits())


@pytest.mark.parametrize("labels", [77, 150])
def test_a_table_of_many_intents_becomes_a_dataset(labels):
    intents = table({"text": "text", "intent": lambda row: f"intent {row % labels}"}, 450)
    data = make_dataset(intents, "text", ["intent"])
    assert len(data.tasks[0].labels) == labels


def test_labels_of_a_table_of_five_rows_are_guessed(table_of):
    rows = ["Great film.,1,2", "It rained all day.,0,0", "We left early.,0,1", "A lovely song.,1,2", "So so.,0,1"]
    guessed = "sentence", ("class", "sentiment")
    assert guess_columns(table_of("sentence,class,sentiment\n" + "\n".join(rows))) == guessed
    numbered = [f"{row},{number}" for number, row in enumerate(rows)]
    assert guess_columns(table_of("sentence,class,sentiment,position\n" + "\n".join(numbered))) == guessed
