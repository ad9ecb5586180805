import pytest

from mtst.data.tasks import Task, check_tasks
from mtst.errors import ModelError

MOOD = Task("mood", ("glad", "sad"))
TOPIC = Task("topic", ("food",))


@pytest.mark.parametrize(
    ("name", "labels", "word"),
    [
        ("", ("a",), "name"),
        ("  ", ("a",), "name"),
        ("mood", (), "mood"),
        ("mood", ("glad", "sad", "glad"), "glad"),
    ],
)
def test_an_impossible_task_is_refused_with_what_is_wrong(name, labels, word):
    with pytest.raises(ModelError, match=word):
        Task(name, labels)


def test_tasks_that_differ_stand_together_in_their_order():
    assert check_tasks((TOPIC, MOOD)) == (TOPIC, MOOD)


@pytest.mark.parametrize(("tasks", "word"), [((), "at least one"), ((MOOD, Task("mood", ("x",))), "'mood'")])
def test_no_tasks_and_tasks_of_one_name_are_refused(tasks, word):
    with pytest.raises(ModelError, match=word):
        check_tasks(tasks)
