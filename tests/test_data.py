import csv
from collections import Counter

import pytest

from mtst.data import UNLABELLED, Dataset, make_dataset
from mtst.errors import DataError
from mtst.starter import SAMPLE, SMALL_SAMPLE
from mtst.tables import guess_columns, read_table
from mtst.tasks import Task

MELD = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
    + "".join(
        f'{n},"{said} number {n}, you know.",{who},{emotion},{sentiment},{n // 6},{n % 6},8,21,'
        f'"00:16:{n:02},059","00:16:{n:02},{100 + 3 * n}"\n'
        for n, (said, who, emotion, sentiment) in enumerate(
            [
                ("Also I was the point person on my company's transition", "Chandler", "neutral", "neutral"),
                ("You must have had your hands full with all of it", "The Interviewer", "surprise", "positive"),
                ("That I did. That I really did, believe me", "Chandler", "joy", "positive"),
                ("Oh no, this is the worst thing that could happen", "Monica", "sadness", "negative"),
            ]
            * 8
        )
    )
)


@pytest.fixture(scope="module")
def whole_sample():
    return make_dataset(read_table(SAMPLE), "text", ["topic", "sentiment"])


def labelled(rows):
    """A dataset of (text, label index) rows of one task with two labels."""
    texts, labels = zip(*rows, strict=True)
    return Dataset(texts, (Task("mood", ("glad", "sad")),), {"mood": labels}, tuple(range(2, len(rows) + 2)))


# --- reading a file


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(table_of, delimiter):
    table = table_of(f"text{delimiter}mood\nso far{delimiter}glad\n")
    assert table.columns == ("text", "mood")
    assert table.rows == (("so far", "glad"),)


def test_the_delimiter_is_found_below_blank_lines(table_of):
    assert table_of("\n\ntext;mood\nso far;glad\n").columns == ("text", "mood")


def test_a_delimiter_inside_quotes_does_not_count(table_of):
    assert table_of('"a,b,c,d";mood\nx;glad\n').columns == ("a,b,c,d", "mood")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_the_encoding_is_found(table_of, encoding):
    table = table_of("text,mood\ncafé – “naïve”,glad\n".encode(encoding))
    assert table.columns == ("text", "mood")
    assert table.column("text") == ["café – “naïve”"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(table_of, end):
    table = table_of(end.join(["text,mood", "one,glad", "two,sad", ""]))
    assert table.rows == (("one", "glad"), ("two", "sad"))


def test_quotes_and_line_breaks_inside_quotes_are_text(table_of):
    table = table_of('text,mood\r\n"She said ""yes"",\r\nthen left.",glad\r\nnext,sad\r\n')
    assert table.column("text") == ['She said "yes",\r\nthen left.', "next"]
    assert table.lines == (2, 4)


def test_blanks_round_header_names_are_dropped_and_names_made_different(table_of):
    table = table_of(" text , mood,mood,,mood (2)\na,b,c,d,e\n")
    assert table.columns == ("text", "mood", "mood (2)", "column 4", "mood (2) (2)")


def test_rows_with_the_wrong_number_of_cells_are_skipped_and_listed_by_their_line(table_of):
    table = table_of('text,mood\n"two\nlines",glad\n\nonly one\na,b,c\nlast,sad\n')
    assert table.column("text") == ["two\nlines", "last"]
    assert table.lines == (2, 7)
    assert [skip.line for skip in table.skipped] == [5, 6]
    assert ["1 cells" in table.skipped[0].reason, "3 cells" in table.skipped[1].reason] == [True, True]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"text,mood\n", "no rows"),
        (b"text,mood\nonly one cell\n", "no rows"),
        (b"PK\x03\x04\0\0\0\xff", "not a text file"),
        ("text,mood\nx,y\n".encode("utf-16"), "not a text file"),
    ],
)
def test_a_file_without_a_table_is_refused(table_of, content, words):
    with pytest.raises(DataError, match=words) as caught:
        table_of(content)
    assert "table.csv" in str(caught.value)


@pytest.mark.parametrize("place", ["missing.csv", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, place):
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / place)


def test_rows_up_to_the_limit_are_read_and_one_more_is_refused(table_of):
    content = "text\na\nb\nc\n"
    assert len(table_of(content, max_rows=3).rows) == 3
    with pytest.raises(DataError, match="more than 2 rows"):
        table_of(content, max_rows=2)


def test_a_file_above_the_limit_is_refused_with_both_sizes(table_of):
    with pytest.raises(DataError, match=r"0\.3 MB.*0\.1 MB"):
        table_of(b"text\n" + b"a" * 300_000, max_megabytes=0.1)


def test_a_very_long_cell_is_read(table_of):
    assert len(table_of("text\n" + "word " * 40_000).column("text")[0]) == 200_000


def test_reading_a_short_file_leaves_other_readers_their_long_cells(table_of):
    before = csv.field_size_limit()
    table_of("text\na\n")
    assert csv.field_size_limit() >= before


def test_an_unknown_column_is_refused_with_those_that_are(table_of):
    with pytest.raises(DataError, match=r"'moood'.*text, mood"):
        table_of("text,mood\na,b\n").column("moood")


# --- guessing the columns


@pytest.mark.parametrize("path", [SAMPLE, SMALL_SAMPLE])
def test_the_columns_of_the_samples_are_guessed(path):
    assert guess_columns(read_table(path)) == ("text", ("topic", "sentiment"))


def test_the_columns_of_a_dialogue_corpus_are_guessed(table_of):
    text, labels = guess_columns(table_of(MELD))
    assert text == "Utterance"
    assert set(labels) <= {"Speaker", "Emotion", "Sentiment"}
    assert "Sentiment" in labels


def test_a_table_without_labels_has_none_to_guess(table_of):
    assert guess_columns(table_of("note\nfirst thing\nsecond thing\n")) == ("note", ())


# --- choosing sentences and labels


def test_labels_become_indices_in_alphabetical_order_and_blank_ones_none(table_of):
    data = make_dataset(table_of("text,mood,topic\n one ,sad,x\ntwo, glad ,\nthree,,x\n"), "text", ["mood", "topic"])
    assert data.texts == ("one", "two", "three")
    assert data.tasks == (Task("mood", ("glad", "sad")), Task("topic", ("x",)))
    assert data.labels == {"mood": (1, 0, UNLABELLED), "topic": (0, UNLABELLED, 0)}
    assert data.counts(data.tasks[0]) == {"glad": 1, "sad": 1}


def test_rows_that_cannot_be_used_are_listed_with_line_and_reason_in_order(table_of):
    table = table_of("text,mood\none,glad\n  ,glad\ntwo\nthree,\nfour five six,sad\n")
    data = make_dataset(table, "text", ["mood"], max_characters=10)
    assert data.texts == ("one",)
    assert data.lines == (2,)
    assert [skip.line for skip in data.skipped] == [3, 4, 5, 6]
    reasons = ["has no text", "has 1 cells", "has no label", "more than 10 characters"]
    assert all(words in skip.reason for words, skip in zip(reasons, data.skipped, strict=True))


def test_a_test_file_is_read_with_the_labels_of_the_training_file(table_of):
    tasks = (Task("mood", ("sad", "glad")), Task("topic", ("x", "y")))
    data = make_dataset(table_of("text,mood,topic\none,glad,z\ntwo,odd,x\n"), "text", ["mood", "topic"], tasks)
    assert data.tasks == tasks
    assert data.labels == {"mood": (1, UNLABELLED), "topic": (UNLABELLED, 0)}


def test_a_row_whose_every_label_is_unknown_to_the_tasks_is_skipped_and_listed(table_of):
    tasks = (Task("mood", ("sad", "glad")),)
    data = make_dataset(table_of("text,mood\none,glad\ntwo,odd\n"), "text", ["mood"], tasks)
    assert data.texts == ("one",)
    assert [skip.line for skip in data.skipped] == [3]


@pytest.mark.parametrize(
    ("text", "labels", "words"),
    [
        ("text", [], "Choose one text column"),
        ("text", ["text"], "a different one"),
        ("text", ["mood", "mood"], "a different one"),
        ("text", [f"task {n}" for n in range(9)], "one to 8"),
        ("txt", ["mood"], "no column 'txt'"),
        ("text", ["none"], "both a text"),
        ("text", ["mood", "none"], "'none'.*has no label"),
        ("text", ["id"], "201 different values"),
    ],
)
def test_columns_that_cannot_be_a_dataset_are_refused(table_of, text, labels, words):
    table = table_of("text,mood,none,id\n" + "".join(f"row {n},glad,,{n}\n" for n in range(201)))
    with pytest.raises(DataError, match=words):
        make_dataset(table, text, labels)


def test_taking_rows_keeps_them_together():
    data = labelled([("a", 0), ("b", 1), ("c", UNLABELLED)]).take([2, 0])
    assert (data.texts, data.labels, data.lines) == (("c", "a"), {"mood": (UNLABELLED, 0)}, (4, 2))


# --- splitting


def test_no_text_is_on_both_sides_and_no_row_is_lost():
    data = labelled([(f"Text {n % 30}" if n % 2 else f" text {n % 30} ", n % 2) for n in range(90)])
    train, held_out = data.split()
    sides = [{text.strip().casefold() for text in side.texts} for side in (train, held_out)]
    assert not sides[0] & sides[1]
    assert sorted(train.lines + held_out.lines) == sorted(data.lines)


def test_the_mix_of_labels_is_kept_on_both_sides():
    train, held_out = labelled([(f"text {n}", int(n % 5 == 0)) for n in range(200)]).split(0.2)
    assert Counter(train.labels["mood"]) == {0: 128, 1: 32}
    assert Counter(held_out.labels["mood"]) == {0: 32, 1: 8}


def test_a_seed_fixes_the_split_and_another_changes_it():
    data = labelled([(f"text {n}", n % 2) for n in range(40)])
    first, again, other = (data.split(seed=seed)[1].texts for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(("rows", "sizes"), [(1, (1, 0)), (2, (1, 1)), (3, (2, 1))])
def test_the_smallest_sets_are_split_too(rows, sizes):
    sides = labelled([(f"text {n}", n % 2) for n in range(rows)]).split()
    assert tuple(map(len, sides)) == sizes


@pytest.mark.parametrize("share", [0.001, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("rows", [2, 3, 10])
def test_whatever_the_share_both_sides_get_a_row(rows, share):
    train, held_out = labelled([(f"text {n}", n % 2) for n in range(rows)]).split(share)
    assert len(train) > 0
    assert len(held_out) > 0


# --- the data that ships


def test_the_sample_is_as_large_and_varied_as_promised(whole_sample):
    assert len(whole_sample) >= 1200
    assert not whole_sample.skipped
    topic, sentiment = whole_sample.tasks
    assert sentiment.labels == ("negative", "neutral", "positive")
    assert topic.labels == (
        "business", "entertainment", "everyday", "food", "health", "sports", "technology", "travel", "world",
    )  # fmt: skip
    for task in whole_sample.tasks:
        assert min(whole_sample.counts(task).values()) > len(whole_sample) / len(task.labels) / 3


def test_about_a_tenth_of_the_sample_lacks_one_label_and_none_lacks_both(whole_sample):
    lacking = Counter(row.count(UNLABELLED) for row in zip(*whole_sample.labels.values(), strict=True))
    assert set(lacking) == {0, 1}
    assert 0.08 <= lacking[1] / len(whole_sample) <= 0.12


def test_no_text_of_the_sample_comes_twice(whole_sample):
    assert len({text.casefold() for text in whole_sample.texts}) == len(whole_sample)


def test_the_small_sample_is_the_first_rows_of_the_other():
    small, whole = read_table(SMALL_SAMPLE), read_table(SAMPLE)
    assert 100 <= len(small.rows) < len(whole.rows)
    assert small.columns == whole.columns
    assert small.rows == whole.rows[: len(small.rows)]


def test_a_quote_that_is_never_closed_is_reported_with_its_line(tmp_path):
    path = tmp_path / "open.csv"
    path.write_text('text,label\nfine,a\n"never closed,b\n' + "more,c\n" * 50)
    with pytest.raises(DataError, match="row on line 3 opens a quote"):
        read_table(path)


def test_a_lone_quote_inside_a_cell_is_only_text(tmp_path):
    path = tmp_path / "inch.csv"
    path.write_text('text,label\na 5" disk,a\na 3" disk,b')
    assert read_table(path).column("text") == ['a 5" disk', 'a 3" disk']
