"""The web page: `mtst.ui.app` builds and serves it."""

import os

# Set here because Gradio, tokenizers and OpenMP read them when they are first imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # no telemetry
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A thread that waits for work spins briefly, then sleeps. With two cores and several processes, threads that spin for
# long halve the speed of training; threads that sleep at once cost it a third while nothing else runs.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
