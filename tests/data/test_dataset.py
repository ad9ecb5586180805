import json
from collections import Counter
from io import BytesIO

import openpyxl
import pytest

from mtst.assets import SAMPLE
from mtst.data.dataset import MAX_TASKS, UNLABELLED, Dataset, make_dataset, similar_labels
from mtst.data.labels.columns import LabelColumns
from mtst.data.limits import Limits
from mtst.data.table import read_table
from mtst.data.tasks import Task
from mtst.errors import DataError


@pytest.fixture(scope="module")
def whole_sample():
    return make_dataset(read_table(SAMPLE), "text", ["topic", "sentiment"])


# --- choosing sentences and labels


def test_labels_become_indices_in_alphabetical_order_and_blank_ones_none(table_of):
    data = make_dataset(table_of("text,mood,topic\n one ,sad,x\ntwo, glad ,\nthree,,x\n"), "text", ["mood", "topic"])
    assert data.texts == ("one", "two", "three")
    assert data.tasks == (Task("mood", ("glad", "sad")), Task("topic", ("x",)))
    assert data.labels == {"mood": (1, 0, UNLABELLED), "topic": (0, UNLABELLED, 0)}
    assert data.counts(data.tasks[0]) == {"glad": 1, "sad": 1}


def test_rows_that_cannot_be_used_are_listed_with_line_and_reason_in_order(table_of):
    table = table_of("text,mood\none,glad\n  ,glad\ntwo\nthree,\nfour five six,sad\nseven,sad\n,\n")
    data = make_dataset(table, "text", ["mood"], leave_out={7}, limits=Limits(characters=10))
    assert data.texts == ("one",)
    assert data.lines == (2,)
    assert [(skip.line, skip.reason) for skip in data.skipped] == [
        (3, "no text"),
        (4, "malformed: 1 cells in place of 2"),
        (5, "no label"),
        (6, "too long: more than 10 characters"),
        (7, "left out by choice"),
        (8, "blank"),
    ]


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
        ("text", ["mood", "none"], r"'none'.*has no label"),
        ("text", ["id"], "201 different values"),
    ],
)
def test_columns_that_cannot_be_a_dataset_are_refused(table_of, text, labels, words):
    table = table_of("text,mood,none,id\n" + "".join(f"row {n},glad,,x{n}\n" for n in range(201)))
    with pytest.raises(DataError, match=words):
        make_dataset(table, text, labels)


def test_a_column_of_measurements_is_refused_and_one_of_few_numbers_is_not(table_of):
    table = table_of("text,price,stars\n" + "".join(f"row {n},{n}.5,{n % 5}\n" for n in range(60)))
    assert make_dataset(table, "text", ["stars"]).tasks[0].labels == ("0", "1", "2", "3", "4")
    with pytest.raises(DataError, match=r"60 different numbers from 0\.5 to 59\.5: a measurement"):
        make_dataset(table, "text", ["price"])


@pytest.mark.parametrize("count", [1, MAX_TASKS])
def test_one_to_eight_tasks_are_made(table_of, count):
    names = [f"task {n}" for n in range(count)]
    data = make_dataset(table_of(f"text,{','.join(names)}\n" + f"so far{',glad' * count}\n"), "text", names)
    assert [task.name for task in data.tasks] == names


@pytest.mark.parametrize("values", [[True, False], [1, 0], [1.0, 0.5], ["yes", "no"]])
def test_flags_whole_numbers_others_and_words_are_labels_in_every_format(table_of, values):
    book = openpyxl.Workbook()
    for row in [("text", "mood"), *zip("ab", values, strict=True)]:
        book.active.append(row)
    book.save(sheet := BytesIO())
    lines = "".join(json.dumps({"text": text, "mood": value}) + "\n" for text, value in zip("ab", values, strict=True))
    for content in (f"text,mood\na,{values[0]}\nb,{values[1]}\n", lines, sheet.getvalue()):
        data = make_dataset(table_of(content), "text", ["mood"])
        assert len(data.tasks[0].labels) == 2
        assert set(data.labels["mood"]) == {0, 1}


def test_taking_rows_keeps_them_together():
    task = Task("mood", ("glad", "sad"))
    data = Dataset(("a", "b", "c"), (task,), {"mood": (0, 1, UNLABELLED)}, (2, 3, 4)).take([2, 0])
    assert (data.texts, data.labels, data.lines) == (("c", "a"), {"mood": (UNLABELLED, 0)}, (4, 2))


# --- labels that look alike

ALIKE = "text,mood\na,glad \nb,Glad\nc,Glad\nd,glad\ne, sad\nf,ＧＬＡＤ\n"


def test_labels_that_look_alike_stay_apart_and_are_listed(table_of):
    data = make_dataset(table_of(ALIKE), "text", ["mood"])
    assert data.tasks[0].labels == ("Glad", "glad", "glad ", "sad", "ＧＬＡＤ")
    assert similar_labels(data) == {"mood": (("Glad", "glad", "glad ", "ＧＬＡＤ"),)}


def test_merging_makes_them_the_most_frequent_one_without_blanks(table_of):
    data = make_dataset(table_of(ALIKE), "text", ["mood"], merge=True)
    assert data.counts(data.tasks[0]) == {"Glad": 5, "sad": 1}
    assert similar_labels(data) == {}
    most = make_dataset(table_of("text,mood\na,glad \nb,glad \nc,Glad\n"), "text", ["mood"], merge=True)
    assert most.tasks[0].labels == ("glad",)


def test_rows_that_are_not_used_do_not_decide_which_label_stays(table_of):
    data = make_dataset(
        table_of("text,mood\na,glad\nb,glad\n" + ",Glad\n" * 3 + "c,Glad\n"), "text", ["mood"], merge=True
    )
    assert data.counts(data.tasks[0]) == {"glad": 3}


@pytest.mark.parametrize(
    ("cell", "merge", "label"),
    [
        ("glad", False, 1),
        (" glad ", False, 1),
        ("Glad", False, 0),
        ("GLAD", False, None),
        ("SAD", True, 2),
        ("ｓａｄ", True, 2),
        ("sad", False, 2),
        ("", True, None),
        ("odd", True, None),
    ],
)
def test_a_test_file_finds_its_labels_among_those_of_training(table_of, cell, merge, label):
    tasks = (Task("mood", ("Glad", "glad", "sad ")), Task("topic", ("x",)))
    data = make_dataset(table_of(f"text,mood,topic\na,{cell},x\n"), "text", ["mood", "topic"], tasks, merge=merge)
    assert data.labels["mood"] == (UNLABELLED if label is None else label,)


def test_labels_of_any_script_are_kept_as_they_are(table_of):
    labels = ["très bon", "👩‍🚀", "مرحبا", "ß", "İ", "a\u0301", "\u200b", '"', "=1+1"]
    lines = "".join(json.dumps({"text": f"row {n}", "mood": label}) + "\n" for n, label in enumerate(labels))
    assert set(make_dataset(table_of(lines), "text", ["mood"]).tasks[0].labels) == set(labels)


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


TAGS = "text,tags,mood\nfirst,joy;anger,up\nsecond,JOY,\nthird,[],down\nfourth,,up\nfifth,fear,down\n"


def test_several_labels_a_row_are_a_mask_and_mix_with_one_label_a_row(table_of):
    data = make_dataset(table_of(TAGS), "text", [LabelColumns("tags", ("tags",), ";"), "mood"])
    tags, mood = data.tasks
    assert (tags.labels, tags.multi, mood.multi) == (("JOY", "anger", "fear", "joy"), True, False)
    assert data.labels == {"tags": (0b1010, 0b1, 0, UNLABELLED, 0b100), "mood": (1, UNLABELLED, 0, 1, 0)}
    assert data.counts(tags) == {"JOY": 1, "anger": 1, "fear": 1, "joy": 1}
    assert data.labelled_rows(tags) == 4


def test_several_labels_are_merged_like_one(table_of):
    data = make_dataset(table_of(TAGS), "text", [LabelColumns("tags", ("tags",), ";")], merge=True)
    assert len(data.tasks[0].labels) == 3
    assert data.labels["tags"][:2] == (0b11, 0b10) or data.labels["tags"][:2] == (0b11, 0b1)


def test_of_several_labels_those_that_a_model_knows_count(table_of):
    known = [Task("tags", ("anger", "joy"), multi=True)]
    data = make_dataset(table_of(TAGS), "text", [LabelColumns("tags", ("tags",), ";")], known)
    assert data.texts == ("first", "third")  # "JOY" and "fear" are unknown, and a row of unknown labels has none
    assert data.labels["tags"] == (0b11, 0)


def test_two_tasks_of_one_name_are_refused(table_of):
    columns = [LabelColumns("mood", ("tags",), ";"), "mood"]
    with pytest.raises(DataError, match="name of its own"):
        make_dataset(table_of(TAGS), "text", columns)
