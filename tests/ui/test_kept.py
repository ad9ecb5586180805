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

from mtst.folder import RunFolder
from mtst.model import MultiTaskSentenceTransformer as Model
from mtst.saved import CARD, HEADS
from mtst.ui import brought, controls, kept, map, predict
from mtst.ui.evidence import OWN, STARTER
from mtst.ui.services import Services
from tests.ui import handmade

NUMBERS = count()
PATIENCE = 6  # seconds after which what should have answered hangs


@pytest.fixture
def run(services: Services) -> RunFolder:
    return handmade.folder(services, f"kept-{next(NUMBERS):027}", None)


@contextmanager
def slow(folder: RunFolder, pool: Executor, load: Callable[[], Model]) -> Iterator[Future[Model]]:
    """Load a run's model, whose description can be read only at the end of this; begin once it is being read."""
    path = folder.model_path / CARD
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
    other = handmade.folder(services, f"kept-{next(NUMBERS):027}", None).path.name
    with ThreadPoolExecutor() as pool:
        with slow(run, pool, lambda: services.trained(run.path.name)) as loading:
            again = pool.submit(services.trained, run.path.name)
            asked = [
                pool.submit(lambda: services.encoder.encode(["hello"])),
                pool.submit(predict.predict, services, "hello", STARTER, None),
                pool.submit(predict.predict, services, "hello", OWN, other),
            ]
            found = [each.result(PATIENCE) for each in asked]
            assert not loading.done()
        assert loading.result(PATIENCE) is again.result(PATIENCE)
    assert found[0].shape == (1, 384)
    assert all('class="prediction"' in answer for answer in found[1:])


def test_a_page_that_loads_reads_no_weights(services: Services, run: RunFolder) -> None:
    model = services.trained(run.path.name)
    others = [handmade.folder(services, f"kept-{next(NUMBERS):027}", None) for _ in range(3)]
    for other in others:
        (other.model_path / HEADS).write_bytes(b"no weights")
        told, away = brought.describe(services, other.path.name)
        assert "kind (2 labels); place (2 labels)" in told["value"]
        assert away.visible
    assert services.trained(run.path.name) is model


def test_a_drawing_keeps_no_model_and_asks_for_it_again(services: Services, run: RunFolder) -> None:
    model = weakref.ref(services.trained(run.path.name))
    *_, (drawing, *_) = map.draw(
        services, map.OWN, "a cat\na dog\nshares fell", None, None, "PCA", map.TRAINED, "predicted:kind", run.path.name
    )
    services.sweep(time.monotonic() + kept.IDLE_SECONDS + 1)
    gc.collect()
    assert model() is None
    assert set(drawing.coloured("predicted:kind")[1]) == set(handmade.KIND.labels)
    assert "It is new here" in map.add(services, drawing, "a kitten")[1]
    controls.remove(services, run.path.name)
    assert "not here any more" in map.add(services, drawing, "a lion")[1]


def test_a_run_that_is_deleted_leaves_no_model_behind(services: Services, run: RunFolder) -> None:
    model = weakref.ref(services.trained(run.path.name))
    services.sweep(time.monotonic())
    gc.collect()
    assert services.trained(run.path.name) is model()
    controls.remove(services, run.path.name)
    gc.collect()
    assert model() is None
