"""`python -m mtst`."""

import os

from mtst.cli import app

if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    app(prog_name="python -m mtst")
