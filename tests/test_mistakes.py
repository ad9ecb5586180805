import time
from itertools import product

import pytest

from mtst.config import TrainConfig
from mtst.data import UNLABELLED, Dataset
from mtst.evaluation import evaluate
from mtst.folder import Job, RunFolder
from mtst.mistakes import (
    ALL_LABELS,
    FEW_ROWS,
    LIKELIEST,
    Answer,
    Bin,
    HeldOut,
    answer,
    answers,
    by_label,
    by_length,
    counted,
    reliability,
    worst_first,
)
from mtst.model import MultiTaskSentenceTransformer
from mtst.splitting import split
from mtst.tasks import Task
from mtst.worker import _train

MOOD, TOPIC = Task("mood", ("glad", "sad")), Task("topic", ("x", "y", "z"))


def dataset(*rows):
    """A dataset of (text, mood, topic) rows, the labels as indices."""
    texts, mood, topic = zip(*rows, strict=True)
    return Dataset(texts, (MOOD, TOPIC), {"mood": mood, "topic": topic}, tuple(range(2, len(rows) + 2)))


def said(row, truth, label, confidence=0.9):
    return Answer(row, truth, label, confidence, confidence if truth == label else 1 - confidence)


def test_what_is_said_agrees_with_the_scores(encoder, sample):
    model = MultiTaskSentenceTransformer(encoder, sample.tasks)
    found = answer(model, sample)
    scores = evaluate(model, sample)
    assert found.lines == sample.lines
    for task in sample.tasks:
        rows = answers(found, sample, task)
        assert len(rows) == scores[task.name].rows
        assert sum(each.right for each in rows) / len(rows) == pytest.approx(scores[task.name].accuracy)
        assert all(each.confidence >= each.of_truth for each in rows)


def test_a_row_without_a_label_for_a_task_has_no_answer_there():
    data = dataset(("a", 0, 2), ("b", UNLABELLED, 1))
    held = HeldOut(data.lines, {"mood": (((0, 0.7), (1, 0.3)),) * 2, "topic": (((0, 0.6), (1, 0.3), (2, 0.1)),) * 2})
    assert answers(held, data, MOOD) == [Answer(0, 0, 0, 0.7, 0.7)]
    assert answers(held, data, TOPIC) == [Answer(0, 2, 0, 0.6, 0.1), Answer(1, 1, 0, 0.6, 0.3)]


def test_of_many_labels_the_likeliest_are_kept_and_the_true_one(tiny_encoder):
    task = Task("many", tuple(map("".join, product("abcdefghi", repeat=2))))
    model = MultiTaskSentenceTransformer(tiny_encoder, [task])
    found = model.predict(["some text"])["many"].probabilities[0]
    rarest = int(found.argmin())
    assert len(task.labels) > ALL_LABELS
    data = Dataset(("some text",) * 2, (task,), {"many": (rarest, UNLABELLED)}, (2, 3))
    with_truth, without = answer(model, data).said["many"]
    assert (len(with_truth), len(without)) == (LIKELIEST + 1, LIKELIEST)
    assert with_truth[:LIKELIEST] == without
    assert with_truth[-1][0] == rarest
    (row,) = answers(answer(model, data), data, task)
    assert row.of_truth == pytest.approx(found[rarest], abs=1e-4)


def test_the_worst_mistakes_are_those_with_the_most_confidence():
    found = [said(0, 0, 1, 0.6), said(1, 0, 0, 0.99), said(2, 1, 0, 0.9), said(3, 1, 0, 0.6)]
    assert [each.row for each in worst_first(found)] == [2, 0, 3]


def test_rows_are_counted_by_true_and_said_label():
    assert counted([said(0, 0, 1), said(1, 0, 1), said(2, 1, 1)], 2) == ((0, 2), (0, 1))


def test_a_score_for_each_third_of_the_lengths():
    data = dataset(*((" ".join("w" * (k + 1)), 0, 0) for k in range(9)))
    thirds = by_length([said(row, 0, int(row > 5)) for row in range(9)], data)
    assert [(each.name, each.rows, each.accuracy) for each in thirds] == [
        ("short (1 to 3 words)", 3, 1.0),
        ("medium (4 to 6 words)", 3, 1.0),
        ("long (7 to 9 words)", 3, 0.0),
    ]
    assert all(each.few for each in thirds)
    assert by_length([], data) == []


def test_rows_of_one_length_are_one_group():
    data = dataset(*(("two words", 0, 0),) * FEW_ROWS)
    (group,) = by_length([said(row, 0, 0) for row in range(FEW_ROWS)], data)
    assert (group.name, group.rows, group.few) == ("short (2 words)", FEW_ROWS, False)


def test_a_score_for_each_label_of_the_other_task():
    data = dataset(("a", 0, 2), ("b", 1, 2), ("c", 1, 0), ("d", 0, UNLABELLED))
    found = [said(0, 0, 0), said(1, 1, 0), said(2, 1, 1), said(3, 0, 1)]
    groups = by_label(found, data, TOPIC)
    assert [(each.name, each.rows, each.accuracy) for each in groups] == [("z", 2, 0.5), ("x", 1, 1.0)]
    assert groups[0].macro_f1 == pytest.approx(1 / 3)  # "glad" 2/3, "sad" 0


def test_macro_f1_of_a_group_is_over_the_labels_it_has():
    data = dataset(*(("a", 0, 0),) * 10)
    (group,) = by_label([said(row, 0, int(row == 0)) for row in range(10)], data, TOPIC)
    assert group.macro_f1 == pytest.approx(18 / 19)


def test_how_right_each_confidence_is():
    found = [said(0, 0, 0, 1.0), said(1, 0, 1, 0.95), said(2, 0, 0, 0.9), said(3, 0, 0, 0.35)]
    assert reliability(found) == [Bin(3, 1, 1), Bin(9, 3, 2)]
    assert reliability([]) == []


def test_a_run_keeps_what_its_model_says_of_the_held_out_rows(tmp_path, tiny_folder, swapped):
    folder = RunFolder(tmp_path / "run")
    config = TrainConfig("freeze-encoder", epochs=1)
    folder.create(Job(str(tiny_folder()), config, "my.csv"), swapped)
    assert folder.held_out() is None
    folder.write_held_out(HeldOut((), {}))  # of the part before the run went on
    with folder.event_log() as log:
        _train(folder, log, time.monotonic() + 60, 1_000.0)
    held_out = split(swapped, config)[1]
    kept = folder.held_out()
    assert kept.lines == held_out.lines
    assert kept == answer(MultiTaskSentenceTransformer.load(folder.model_path), held_out)
    finished = folder.history().finished
    for task in swapped.tasks:
        assert counted(answers(kept, held_out, task), len(task.labels)) == finished.confusion[task.name]
