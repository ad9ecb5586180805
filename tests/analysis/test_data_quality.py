import csv
import warnings

import numpy as np
import pytest

from mtst.analysis.data_quality import NEAR_COPY_COSINE, Finding, check_quality, near_copies, suspicious_labels
from mtst.assets import SMALL_SAMPLE
from mtst.data.dataset import UNLABELLED, Dataset, make_dataset
from mtst.data.table import read_table
from mtst.data.tasks import Task
from mtst.errors import DataError
from tests.bench.flips import flipped

MOOD, TOPIC = Task("mood", ("glad", "sad", "so-so")), Task("topic", ("x", "y"))


def dataset(rows):
    """A dataset of (text, mood, topic) rows, the labels as indices."""
    texts, mood, topic = zip(*rows, strict=True)
    return Dataset(texts, (MOOD, TOPIC), {"mood": mood, "topic": topic}, tuple(range(2, len(rows) + 2)))


def apart(count):
    """Embeddings of which each is at a right angle to the others."""
    return np.eye(count, dtype=np.float32)


def mixed(labels, seed=0):
    """Embeddings of 20 numbers that tell three labels apart, with some noise."""
    noise = np.random.default_rng(seed).normal(0, 0.3, (len(labels), 20))
    return (noise + 2 * np.eye(20)[np.array(labels)]).astype(np.float32)


# --- copies


def test_copies_and_those_that_disagree_are_listed_with_the_row_they_copy():
    data = dataset([("One", 0, 0), ("two", 1, 0), (" one", 0, 1), ("ONE ", 1, -1), ("Two", 1, -1), ("three", -1, 1)])
    found = check_quality(data, apart(6))
    assert [(each.row, each.other) for each in found.copies] == [(2, 0), (3, 0), (4, 1)]
    conflicts = {(each.task, each.row, each.other, each.suggestion) for each in found.conflicts}
    assert conflicts == {
        ("mood", 0, 3, "sad"),
        ("mood", 2, 3, "sad"),
        ("mood", 3, 0, "glad"),
        ("topic", 0, 2, "y"),
        ("topic", 2, 0, "x"),
    }
    assert found.near_copies == ()


def test_near_copies_are_detected_by_their_embeddings_once_each():
    data = dataset([(f"text {n}", 0, 0) for n in range(5)] + [("text 0", 0, 0)])
    embeddings = apart(6)
    embeddings[3] = embeddings[1] + 0.1 * embeddings[0]
    embeddings[4] = 2 * embeddings[3]
    embeddings[5] = embeddings[0]
    found = list(near_copies(data, embeddings))
    assert [(each.row, each.other) for each in found] == [(3, 1), (4, 3)]
    assert found[0].score == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)
    assert found[0].score >= NEAR_COPY_COSINE


def test_near_copies_are_detected_across_the_chunks_of_a_long_table(monkeypatch):
    monkeypatch.setattr("mtst.analysis.data_quality.CHUNK_ROWS", 3)
    embeddings = apart(11)
    embeddings[10] = embeddings[1]
    embeddings[4] = embeddings[3]
    found = near_copies(dataset([(f"text {n}", 0, 0) for n in range(11)]), embeddings)
    assert [(each.row, each.other) for each in found] == [(4, 3), (10, 1)]


def test_sentences_that_say_the_same_in_nearly_the_same_words_are_near_copies(encoder):
    texts = ["The flight was two hours late.", "The soup was too salty.", "The flight was two hours late"]
    found = list(near_copies(dataset([(text, 0, 0) for text in texts]), encoder.encode(texts)))
    assert [(each.row, each.other) for each in found] == [(2, 0)]


# --- labels that look mistaken


def test_at_least_half_of_flipped_labels_are_in_the_tenth_that_is_listed():
    labels = tuple(n % 3 for n in range(200))
    clean = dataset([(f"text {n}", label, -1) for n, label in enumerate(labels)])
    data, changed = flipped(clean, 0.05, 0)
    listed = {finding.row for finding in suspicious_labels(data, mixed(labels))}
    assert len(listed) <= 20
    assert len(listed & changed["mood"]) >= 0.5 * len(changed["mood"]) > 0


@pytest.mark.slow
def test_at_least_half_of_flipped_labels_of_the_sample_are_in_the_tenth_that_is_listed(encoder):
    sample = make_dataset(read_table(SMALL_SAMPLE), "text", ["topic", "sentiment"])
    embeddings = encoder.encode(sample.texts)
    hits, flips = {"topic": 0, "sentiment": 0}, {"topic": 0, "sentiment": 0}
    for seed in range(5):  # thirty flipped labels of a task are too few to judge by
        data, changed = flipped(sample, 0.05, seed)
        listed = suspicious_labels(data, embeddings)
        for task in data.tasks:
            rows = {finding.row for finding in listed if finding.task == task.name}
            assert len(rows) <= 0.1 * sum(data.counts(task).values()) + 1
            hits[task.name] += len(rows & changed[task.name])
            flips[task.name] += len(changed[task.name])
    assert all(hits[name] >= 0.5 * flips[name] for name in hits), (hits, flips)


def test_a_mistaken_label_is_listed_first_with_the_one_that_the_others_speak_for():
    labels = [n % 3 for n in range(60)]
    wrong = [*labels[:7], 2, *labels[8:]]
    data = dataset([(f"text {n}", label, -1) for n, label in enumerate(wrong)])
    found = suspicious_labels(data, mixed(labels))
    assert (found[0].row, found[0].task, found[0].suggestion) == (7, "mood", "sad")
    assert found[0].score < 0.5
    assert [each.score for each in found] == sorted(each.score for each in found)


def test_labels_that_nothing_speaks_against_are_not_listed():
    labels = [n % 3 for n in range(60)]
    data = dataset([(f"text {n}", label, -1) for n, label in enumerate(labels)])
    assert suspicious_labels(data, 9 * mixed(labels)) == ()


def test_a_row_is_not_judged_by_its_own_copies():
    labels = [n % 3 for n in range(60)]
    rows = [(f"text {n}", label, -1) for n, label in enumerate(labels)] + [("wrong", 2, -1)] * 4
    found = suspicious_labels(dataset(rows), mixed([*labels, 0, 0, 0, 0]))
    assert {60, 61, 62, 63} <= {each.row for each in found}


def test_a_seed_repeats_the_findings():
    labels = [n % 3 for n in range(60)]
    data = dataset([(f"text {n}", (label + n // 50) % 3, n % 2) for n, label in enumerate(labels)])
    assert suspicious_labels(data, mixed(labels), 1) == suspicious_labels(data, mixed(labels), 1)


# --- small and skewed data

SMALL = {
    "one row": [("a", 0, -1)],
    "two rows": [("a", 0, 0), ("b", 1, 0)],
    "one label": [(f"{n}", 0, 0) for n in range(12)],
    "singletons": [(f"{n}", n % 3, n % 2) for n in range(3)],
    "two texts a label": [(f"{n}", n % 3, n % 2) for n in range(6)],
    "copies only": [("a", n % 3, 0) for n in range(9)],
    "one common and one rare": [(f"{n}", int(n > 17), n % 2) for n in range(20)],
    "nearly no labels": [(f"{n}", 0 if n < 2 else UNLABELLED, n % 2 if n < 3 else UNLABELLED) for n in range(9)],
    "conflicts": [(f"{n % 4}", n % 3, n % 2) for n in range(24)],
    "one large group": [("a", n % 2, 0) for n in range(40)] + [(f"{n}", n % 2, 1) for n in range(4)],
}


@pytest.mark.parametrize("rows", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("same", [False, True])
def test_small_and_skewed_data_are_checked_in_silence(rows, same):
    data = dataset(rows)
    embeddings = np.ones((len(rows), 4), np.float32) if same else mixed([n % 3 for n in range(len(rows))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check_quality(data, embeddings)
    for each in found.labels:
        assert 0 <= each.score <= 1
        assert each.suggestion in {*MOOD.labels, *TOPIC.labels}


@pytest.mark.parametrize("labels", [77, 150])
def test_many_labels_are_checked(labels):
    task = Task("intent", tuple(f"intent {n}" for n in range(labels)))
    values = tuple(n % labels for n in range(2 * labels))
    data = Dataset(tuple(f"text {n}" for n in values), (task,), {"intent": values}, tuple(range(2 * labels)))
    assert len(check_quality(data, np.eye(labels, dtype=np.float32)[list(values)]).copies) == labels


def test_random_data_of_any_shape_are_checked():
    draw = np.random.default_rng(0)
    for _ in range(20):
        count = int(draw.integers(1, 40))
        texts, mood, topic = draw.integers(1, 20), draw.integers(-1, 3, count), draw.integers(-1, 2, count)
        rows = [(f"text {draw.integers(texts)}", int(a), int(b)) for a, b in zip(mood, topic, strict=True)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = check_quality(dataset(rows), draw.normal(size=(count, 8)).astype(np.float32))
        assert all(0 <= each.score <= 1 for each in found.labels)


# --- the list to take home


def test_findings_are_written_with_lines_labels_and_texts(tmp_path):
    data = dataset([("=one", 0, 0), ("two", 1, 0), (" =One", 1, -1)])
    found = check_quality(data, apart(3))
    assert found.copies == (Finding("copy", 2, other=0),)
    assert found.write(data, tmp_path / "found.csv") == 3
    with (tmp_path / "found.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["line", "finding", "task", "label", "suggested label", "score", "other line", "text"],
            ["4", "copy", "", "", "", "1.0000", "2", " =One"],
            ["2", "conflict", "mood", "glad", "sad", "1.0000", "4", "'=one"],
            ["4", "conflict", "mood", "sad", "glad", "1.0000", "2", " =One"],
        ]


def test_findings_that_cannot_be_written_are_refused(tmp_path):
    data = dataset([("a", 0, 0), ("b", 1, 0)])
    with pytest.raises(DataError, match="cannot be written"):
        check_quality(data, apart(2)).write(data, tmp_path / "none" / "found.csv")


def test_of_several_labels_the_doubtful_one_is_named():
    task = Task("tags", ("a", "b", "c"), multi=True)
    truth = [[row % 3] if row % 2 else [row % 3, (row + 1) % 3] for row in range(90)]
    noise = np.random.default_rng(0).normal(0, 0.1, (90, 20))
    embeddings = (noise + 2 * np.array([np.eye(20)[labels].sum(axis=0) for labels in truth])).astype(np.float32)
    masks = [sum(1 << label for label in labels) for labels in truth]
    masks[7] ^= 0b100  # row 7 has "b" alone
    data = Dataset(tuple(f"text {row}" for row in range(90)), (task,), {"tags": tuple(masks)}, tuple(range(90)))
    found = suspicious_labels(data, embeddings)
    assert (found[0].row, found[0].suggestion) == (7, "b")
    assert found[0].score < 0.5
    assert all(each.task == "tags" for each in found)
