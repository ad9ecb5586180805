"""Models that were exported as ONNX, which takes seconds, once for all tests."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.model.export.onnx import TOLERANCE, export_onnx
from mtst.model.multitask import MultiTaskSentenceTransformer

TASKS = (Task("mood", ("glad", "sad")), Task("a task: of odd / name", ("x", "y", "z")))
SENTENCES = ["The team won the cup.", "x", "the soup and the salt " * 60]  # the last one is cut
OTHER_KINDS = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("roberta", "distilbert", "mpnet")]


@pytest.fixture(scope="session")
def export(tiny_folder, tmp_path_factory):
    """Export a model on a tiny encoder of a kind, once; return it with the folder of its ONNX file.

    Another thread encodes meanwhile and must get the same: the exporter patches PyTorch while it traces, and an app
    encodes for others in the same process.
    """
    exported = {}

    def make(kind):
        model = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder(kind)), fp32=True), TASKS)
        expected, over = model.encode(SENTENCES), threading.Event()

        def encode():
            count = 0
            while not over.is_set():
                model.encoder.clear_cache()
                np.testing.assert_allclose(model.encode(SENTENCES), expected, atol=1e-5)
                count += 1
            return count

        with ThreadPoolExecutor(1) as pool:
            encoding = pool.submit(encode)
            folder = tmp_path_factory.mktemp("onnx") / kind
            try:
                assert export_onnx(model, folder) <= TOLERANCE
            finally:
                over.set()
            assert encoding.result() > 0
        return model, folder

    def once(kind):
        if kind not in exported:
            exported[kind] = make(kind)
        return exported[kind]

    return once
