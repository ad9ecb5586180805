"""What limits how many visitors' long computations run at once."""

import threading
from concurrent.futures import Executor

from mtst.ui.services.fair_executor import FairExecutor

# A projection that takes a minute cannot be interrupted, so t-SNE and UMAP run one at a time, even for closed pages.
PROJECTION_THREADS = {"PCA": 8, "t-SNE": 1, "UMAP": 1}
LARGE_EMBEDDINGS = 2


class Executors:
    """The executors and locks of one app.

    Attributes:
        projections: an executor for each projection method of the map.
        data_quality: looks for doubtful rows, one file at a time: it takes all processors.
        packing: packs models into ZIPs, one at a time: it takes the disk, and for ONNX the memory of the model.
        zip_lock: held while a ZIP is written, also for the API: its parts take as much room again.
        model_uploads: held while an uploaded model is read and stored: that takes memory for a whole model.
        large_embeddings: a permit for each large file that is embedded.
    """

    def __init__(self) -> None:
        self.projections: dict[str, Executor] = {
            method: FairExecutor(threads, method) for method, threads in PROJECTION_THREADS.items()
        }
        self.data_quality: Executor = FairExecutor(1, "data-quality")
        self.packing: Executor = FairExecutor(1, "packing")
        self.zip_lock = threading.Lock()
        self.model_uploads = threading.Lock()
        self.large_embeddings = threading.Semaphore(LARGE_EMBEDDINGS)

    def close(self) -> None:
        """Start no more work; what runs already goes on to its end."""
        for executor in (*self.projections.values(), self.data_quality, self.packing):
            executor.shutdown(wait=False, cancel_futures=True)
