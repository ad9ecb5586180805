"""What visitors share in memory: nobody's model keeps another waiting, and nothing stays that nobody uses."""

import gc
import os
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import pytest

from mtst.model.multitask import MultiTaskSentenceTransformer as Model
from mtst.model.storage import HEADS_FILE, METADATA_FILE
from mtst.runs.folder import RunFolder
from mtst.ui.map import drawing as map_drawing
from mtst.ui.map.drawing import MapRequest
from mtst.ui.map.selection import add_sentence
from mtst.ui.map.source import TYPED
from mtst.ui.predict import answers
from mtst.ui.services import cache, run_controls, uploaded_model
from mtst.ui.services.model_data import STARTER, TRAINED
from mtst.ui.services.services import Services
from tests.support import fake_run

NUMBERS = count()
PATIENCE = 6  # seconds after which what should have answered hangs


@pytest.fixture
def run(services: Services) -> RunFolder:
    return fake_run.folder(services, f"kept-{next(NUMBERS):027}", None)


@contextmanager
def slow(folder: RunFolder, pool: Executor, load: Callable[[], Model]) -> Iterator[Future[Model]]:
    """Load a run's model, whose description can be read only at the end of this; begin once it is being read."""
    path = folder.model_path / METADATA_FILE
    content = path.read_text(encoding="utf-8")
    path.unlink()
    os.mkfifo(path)
    loading = pool.submit(load)
    with path.open("w", encoding="utf-8") as file:  # waits for who reads
        try:
            yield loading
        finally:
            file.write(content)


def test_a_model_that_is_being_read_keeps_nobody_else_waiting(services: Services, run: RunFolder) -> None:
    other = fake_run.folder(services, f"kept-{next(NUMBERS):027}", None).path.name
    with ThreadPoolExecutor() as pool:
        with slow(run, pool, lambda: services.run_model(run.path.name)) as loading:
            again = pool.submit(services.run_model, run.path.name)
            asked = [
                pool.submit(lambda: services.encoder.encode(["hello"])),
                pool.submit(answers.predict, services, "hello", STARTER, None),
                pool.submit(answers.predict, services, "hello", TRAINED, other),
            ]
            found = [each.result(PATIENCE) for each in asked]
            assert not loading.done()
        assert loading.result(PATIENCE) is again.result(PATIENCE)
    assert found[0].shape == (1, 384)
    assert all('class="prediction"' in answer for answer in found[1:])


def test_a_page_that_loads_reads_no_weights(services: Services, run: RunFolder) -> None:
    model = services.run_model(run.path.name)
    others = [fake_run.folder(services, f"kept-{next(NUMBERS):027}", None) for _ in range(3)]
    for other in others:
        (other.model_path / HEADS_FILE).write_bytes(b"no weights")
        view = uploaded_model.describe(services, other.path.name)
        assert "kind (2 labels); place (2 labels)" in view.message["value"]
        assert view.delete.visible
    assert services.run_model(run.path.name) is model


def test_a_drawing_keeps_no_model_and_asks_for_it_again(services: Services, run: RunFolder) -> None:
    model = weakref.ref(services.run_model(run.path.name))
    request = MapRequest(
        TYPED, "a cat\na dog\nshares fell", None, None, "PCA", map_drawing.TRAINED, "predicted:kind", run.path.name
    )
    *_, view = map_drawing.draw(services, request)
    drawing = view.drawing
    services.drop_idle(time.monotonic() + cache.IDLE_SECONDS + 1)
    gc.collect()
    assert model() is None
    assert set(drawing.groups("predicted:kind")[1]) == set(fake_run.KIND.labels)
    assert "It is new here" in add_sentence(services, drawing, "a kitten").selected
    run_controls.delete_run(services, run.path.name)
    assert "not here any more" in add_sentence(services, drawing, "a lion").selected


def test_a_run_that_is_deleted_leaves_no_model_behind(services: Services, run: RunFolder) -> None:
    model = weakref.ref(services.run_model(run.path.name))
    services.drop_idle(time.monotonic())
    gc.collect()
    assert services.run_model(run.path.name) is model()
    run_controls.delete_run(services, run.path.name)
    gc.collect()
    assert model() is None
