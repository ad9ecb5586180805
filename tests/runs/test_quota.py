import shutil
import sys
import threading

import pytest

from mtst.errors import RunError
from mtst.runs.quota import Quota
from mtst.runs.settings import Settings


@pytest.fixture
def often():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_runs_and_models_are_counted_apart_each_in_its_own_words():
    quota = Quota(Settings(max_runs_an_hour=2, max_runs_waiting=1))
    for _ in range(2):
        quota.count_run("a", 0)
        quota.count_model("a")
    with pytest.raises(RunError, match=r"^You have begun 2 runs within an hour. Begin the next in 60 minutes.$"):
        quota.count_run("a", 0)
    with pytest.raises(RunError, match=r"^You have uploaded 2 models within an hour. Upload the next in 60 minutes.$"):
        quota.count_model("a")
    with pytest.raises(RunError, match="1 runs that wait or train"):
        quota.count_run("b", 1)
    quota.count_run("b", 0)
    for _ in range(9):  # nobody in particular
        quota.count_run("", 9)


def test_as_many_as_allowed_are_counted_whichever_threads_ask(often):
    quota = Quota(Settings(max_runs_an_hour=300))
    begun: list[str] = []
    errors: list[Exception] = []

    def ask(number: int) -> None:
        for turn in range(200):
            try:
                quota.count_run("all", 0)
                begun.append("all")
            except RunError:
                pass
            except Exception as error:
                errors.append(error)
            quota.count_run(f"{number} {turn}", 0)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(begun) == 300


def test_nobody_keeps_more_than_what_is_left_for_all_others(tmp_path):
    def keep(token: str, visitor: str, size: int) -> None:
        (tmp_path / token).mkdir()
        (tmp_path / token / "model").write_bytes(b"x" * size)
        quota.own(token, visitor)

    quota = Quota(Settings(runs_dir=tmp_path, max_folder_gb=0.001))
    keep("one", "greedy", 400_000)
    quota.check_disk_space("greedy")
    keep("two", "greedy", 200_000)
    with pytest.raises(RunError, match=r"take 0\.0 GB here, more than the 0\.0 GB that are left for all\. Delete one"):
        quota.check_disk_space("greedy")
    for other in ("modest", ""):
        quota.check_disk_space(other)
    shutil.rmtree(tmp_path / "two")
    quota.check_disk_space("greedy")
    keep("three", "", 700_000)
    with pytest.raises(RunError, match="no room for another run"):
        quota.check_disk_space("modest")
