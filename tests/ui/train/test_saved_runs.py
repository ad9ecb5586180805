import pytest

from mtst.ui.train.saved_runs import MAX_NAME, MAX_RUNS, SavedRun, SavedRuns


def of(*tokens: str) -> SavedRuns:
    saved = SavedRuns()
    for token in tokens:
        saved = saved.remember(token)
    return saved


def test_the_newest_comes_first_and_the_oldest_is_forgotten() -> None:
    saved = of(*(f"token {k}" for k in range(12)))
    assert [run.token for run in saved.runs] == [f"token {k}" for k in range(11, 11 - MAX_RUNS, -1)]
    assert saved.remember("token 5") == saved.remember(None) == saved


def test_what_the_browser_stores_is_read_again() -> None:
    saved = of("a", "b")
    key = saved.runs[0].key
    changed = saved.rename(key, "  my\n run  ").pin(key).draw(key)
    assert changed.runs[0].name == "my run"
    assert SavedRuns.read(changed.stored()) == changed
    assert len(key) == 16
    assert changed.pin(key).pinned == ""
    assert changed.draw(key).drawn == frozenset()


def test_a_forgotten_run_is_no_baseline_any_more() -> None:
    saved = of("a", "b")
    key = saved.runs[1].key
    left = saved.pin(key).draw(key).forget(key)
    assert (left.runs, left.pinned, left.drawn) == ((SavedRun("b"),), "", frozenset())


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        "x",
        {"runs": "x"},
        {"runs": [1, {"token": 3}, {"name": "x"}]},
        {"pinned": 3, "drawn": [[]], "order": 1},
    ],
)
def test_what_anyone_can_write_is_read_as_far_as_it_makes_sense(stored: object) -> None:
    assert SavedRuns.read(stored) == SavedRuns()


def test_a_long_name_is_cut_and_a_list_too() -> None:
    stored = {"runs": [{"token": str(k), "name": "x" * 500} for k in range(50)]}
    saved = SavedRuns.read(stored)
    assert len(saved.runs) == MAX_RUNS
    assert len(saved.runs[0].name) == MAX_NAME
