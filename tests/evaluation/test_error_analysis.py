import time
from itertools import product

import pytest

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.evaluation.error_analysis import (
    FEW_ROWS,
    MAX_LABELS_STORED,
    TOP_LABELS,
    HeldOutPredictions,
    PredictedRow,
    ReliabilityBin,
    confident_errors,
    count_confusions,
    label_decisions,
    predict_held_out,
    predicted_rows,
    reliability_bins,
    scores_by_label,
    scores_by_length,
)
from mtst.evaluation.metrics import evaluate
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.folder import RunFolder
from mtst.runs.job import Job
from mtst.runs.worker.main import _train
from mtst.training.config import TrainConfig, split

MOOD, TOPIC = Task("mood", ("glad", "sad")), Task("topic", ("x", "y", "z"))


def dataset(*rows):
    """A dataset of (text, mood, topic) rows, the labels as indices."""
    texts, mood, topic = zip(*rows, strict=True)
    return Dataset(texts, (MOOD, TOPIC), {"mood": mood, "topic": topic}, tuple(range(2, len(rows) + 2)))


def predicted(row, truth, label, confidence=0.9):
    return PredictedRow(row, truth, label, confidence, confidence if truth == label else 1 - confidence)


def test_what_is_said_agrees_with_the_scores(encoder, sample):
    model = MultiTaskSentenceTransformer(encoder, sample.tasks)
    found = predict_held_out(model, sample)
    scores = evaluate(model, sample)
    assert found.lines == sample.lines
    for task in sample.tasks:
        rows = predicted_rows(found, sample, task)
        assert len(rows) == scores[task.name].rows
        assert sum(each.is_correct for each in rows) / len(rows) == pytest.approx(scores[task.name].accuracy)
        assert all(each.confidence >= each.true_probability for each in rows)


def test_a_row_without_a_label_for_a_task_has_no_answer_there():
    data = dataset(("a", 0, 2), ("b", UNLABELLED, 1))
    held = HeldOutPredictions(
        data.lines, {"mood": (((0, 0.7), (1, 0.3)),) * 2, "topic": (((0, 0.6), (1, 0.3), (2, 0.1)),) * 2}
    )
    assert predicted_rows(held, data, MOOD) == [PredictedRow(0, 0, 0, 0.7, 0.7)]
    assert predicted_rows(held, data, TOPIC) == [PredictedRow(0, 2, 0, 0.6, 0.1), PredictedRow(1, 1, 0, 0.6, 0.3)]


def test_of_many_labels_the_likeliest_are_kept_and_the_true_one(tiny_encoder):
    task = Task("many", tuple(map("".join, product("abcdefghi", repeat=2))))
    model = MultiTaskSentenceTransformer(tiny_encoder, [task])
    found = model.predict(["some text"])["many"].probabilities[0]
    rarest = int(found.argmin())
    assert len(task.labels) > MAX_LABELS_STORED
    data = Dataset(("some text",) * 2, (task,), {"many": (rarest, UNLABELLED)}, (2, 3))
    with_truth, without = predict_held_out(model, data).said["many"]
    assert (len(with_truth), len(without)) == (TOP_LABELS + 1, TOP_LABELS)
    assert with_truth[:TOP_LABELS] == without
    assert with_truth[-1][0] == rarest
    (row,) = predicted_rows(predict_held_out(model, data), data, task)
    assert row.true_probability == pytest.approx(found[rarest], abs=1e-4)


def test_the_worst_mistakes_are_those_with_the_most_confidence():
    found = [predicted(0, 0, 1, 0.6), predicted(1, 0, 0, 0.99), predicted(2, 1, 0, 0.9), predicted(3, 1, 0, 0.6)]
    assert [each.row for each in confident_errors(found)] == [2, 0, 3]


def test_rows_are_counted_by_true_and_said_label():
    assert count_confusions([predicted(0, 0, 1), predicted(1, 0, 1), predicted(2, 1, 1)], 2) == ((0, 2), (0, 1))


def test_a_score_for_each_third_of_the_lengths():
    data = dataset(*((" ".join("w" * (k + 1)), 0, 0) for k in range(9)))
    thirds = scores_by_length(MOOD, [predicted(row, 0, int(row > 5)) for row in range(9)], data)
    assert [(each.name, each.rows, each.accuracy) for each in thirds] == [
        ("short (1 to 3 words)", 3, 1.0),
        ("medium (4 to 6 words)", 3, 1.0),
        ("long (7 to 9 words)", 3, 0.0),
    ]
    assert all(each.is_small for each in thirds)
    assert scores_by_length(MOOD, [], data) == []


def test_rows_of_one_length_are_one_group():
    data = dataset(*(("two words", 0, 0),) * FEW_ROWS)
    (group,) = scores_by_length(MOOD, [predicted(row, 0, 0) for row in range(FEW_ROWS)], data)
    assert (group.name, group.rows, group.is_small) == ("short (2 words)", FEW_ROWS, False)


def test_a_score_for_each_label_of_the_other_task():
    data = dataset(("a", 0, 2), ("b", 1, 2), ("c", 1, 0), ("d", 0, UNLABELLED))
    found = [predicted(0, 0, 0), predicted(1, 1, 0), predicted(2, 1, 1), predicted(3, 0, 1)]
    groups = scores_by_label(MOOD, found, data, TOPIC)
    assert [(each.name, each.rows, each.accuracy) for each in groups] == [("z", 2, 0.5), ("x", 1, 1.0)]
    assert groups[0].macro_f1 == pytest.approx(1 / 3)  # "glad" 2/3, "sad" 0


def test_macro_f1_of_a_group_is_over_the_labels_it_has():
    data = dataset(*(("a", 0, 0),) * 10)
    (group,) = scores_by_label(MOOD, [predicted(row, 0, int(row == 0)) for row in range(10)], data, TOPIC)
    assert group.macro_f1 == pytest.approx(18 / 19)


def test_how_right_each_confidence_is():
    found = [predicted(0, 0, 0, 1.0), predicted(1, 0, 1, 0.95), predicted(2, 0, 0, 0.9), predicted(3, 0, 0, 0.35)]
    assert reliability_bins(found) == [ReliabilityBin(3, 1, 1), ReliabilityBin(9, 3, 2)]
    assert reliability_bins([]) == []


def test_a_run_keeps_what_its_model_says_of_the_held_out_rows(tmp_path, tiny_folder, swapped):
    folder = RunFolder(tmp_path / "run")
    config = TrainConfig("freeze-encoder", epochs=1)
    folder.create(Job(str(tiny_folder()), config, "my.csv"), swapped)
    assert folder.held_out() is None
    folder.write_held_out(HeldOutPredictions((), {}))  # of the part before the run went on
    with folder.event_log() as log:
        _train(folder, log, time.monotonic() + 60, 1_000.0)
    held_out = split(swapped, config)[1]
    kept = folder.held_out()
    assert kept.lines == held_out.lines
    assert kept == predict_held_out(MultiTaskSentenceTransformer.load(folder.model_path), held_out)
    finished = folder.history().finished
    for task in swapped.tasks:
        assert count_confusions(predicted_rows(kept, held_out, task), len(task.labels)) == finished.confusion[task.name]


TAGS = Task("tags", ("a", "b", "c"), multi=True)


def test_a_row_with_several_labels_is_right_if_all_of_them_are():
    data = Dataset(("x y", "z", "u"), (TAGS, MOOD), {"tags": (0b11, 0b100, UNLABELLED), "mood": (0, 1, 0)}, (2, 3, 4))
    ranking = ((0, 0.9), (1, 0.5), (2, 0.1))
    held = HeldOutPredictions(data.lines, {"tags": (ranking,) * 3, "mood": (((0, 1.0),),) * 3}, {"tags": 0.4})
    first, second = predicted_rows(held, data, TAGS)
    assert (first.predicted, first.is_correct, second.is_correct) == (0b11, True, False)
    assert first.confidence == pytest.approx(0.9 * 0.5 * 0.9)
    assert second.true_probability == pytest.approx(0.1 * 0.5 * 0.1)
    (short,) = scores_by_label(TAGS, [first], data, MOOD)
    assert (short.name, short.accuracy, short.macro_f1) == ("glad", 1.0, 1.0)
    decisions = label_decisions(held, data, TAGS)
    assert len(decisions) == 6
    assert [each.is_correct for each in decisions] == [True, True, False, False, False, True]
