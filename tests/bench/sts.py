"""How good and how quick `encode` is beside `SentenceTransformer.encode`, on the STS benchmark, in one run.

python -m tests.bench.sts FILE.csv    a CSV with the columns sentence1, sentence2 and score
"""

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
from scipy.stats import spearmanr

from mtst.data.table import read_table
from mtst.encoders.encoder import bf16_pays
from mtst.encoders.loading import load_encoder

ROUNDS = 3
ALLOWED = 0.05  # of the rank correlation times 100


def main(path: str) -> None:
    table = read_table(path)
    first, second = table.column("sentence1"), table.column("sentence2")
    human = [float(score) for score in table.column("score")]
    plain = load_encoder(fp32=True).backbone
    ways: dict[str, Callable[[list[str]], np.ndarray]] = {
        "SentenceTransformer.encode": plain.encode,
        "mtst fp32": uncached(fp32=True),
        "mtst bf16": uncached(fp32=False),
    }
    able = "yes" if bf16_pays(load_encoder().device) else "no"
    print(f"{len(human)} pairs; bf16 in hardware: {able}; best of {ROUNDS} rounds")
    seconds = dict.fromkeys(ways, float("inf"))
    rho: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, encode in ways.items():
            encode(["warm up"])
            seconds[name], rho[name] = measure(encode, first, second, human, seconds[name])
    base = seconds["SentenceTransformer.encode"]
    print(f"{'':28}{'Spearman x 100':>15}{'seconds':>9}{'speed':>8}")
    for name in ways:
        print(f"{name:28}{rho[name]:15.3f}{seconds[name]:9.2f}{base / seconds[name]:7.2f}x")
    if max(rho.values()) - min(rho.values()) > ALLOWED:
        sys.exit(f"The ways differ by more than {ALLOWED} in their rank correlation.")


def uncached(*, fp32: bool) -> Callable[[list[str]], np.ndarray]:
    """Return `encode` of an encoder that remembers nothing from one call to the next."""
    encoder = load_encoder(fp32=fp32)

    def encode(texts: list[str]) -> np.ndarray:
        encoder.clear_cache()
        return encoder.encode(texts)

    return encode


def measure(
    encode: Callable[[list[str]], np.ndarray], first: list[str], second: list[str], human: list[float], best: float
) -> tuple[float, float]:
    """Return the shorter of `best` and the seconds this took, and the rank correlation with the human scores."""
    start = time.perf_counter()
    rows = np.asarray(encode(first + second), dtype=np.float64)
    took = time.perf_counter() - start
    a, b = rows[: len(first)], rows[len(first) :]
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return min(best, took), 100 * float(spearmanr(cosines, human).statistic)


if __name__ == "__main__":
    main(sys.argv[1])
