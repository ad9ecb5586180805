"""The page opens before torch does: building it needs nothing that takes seconds to import."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "sentence_transformers",
    "transformers",
    "sklearn",
    "scipy",
    "plotly",
    "umap",
    "numba",
    "cleanlab",
    "clevercsv",
    "openpyxl",
)
SCRIPT = f"""
import sys
from pathlib import Path
from mtst.runs.settings import Settings
from mtst.ui.app import build_app
from mtst.ui.services.services import Services
demo = build_app(Services(Settings(runs_dir=Path(sys.argv[1]))))
print(len(demo.blocks), sorted(set({HEAVY!r}) & set(sys.modules)))
"""


def test_the_page_is_built_without_what_is_slow_to_import(tmp_path) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path], capture_output=True, text=True, cwd=ROOT)
    blocks, heavy = done.stdout.split(" ", 1)
    assert int(blocks) > 100, done.stderr
    assert heavy.strip() == "[]"
