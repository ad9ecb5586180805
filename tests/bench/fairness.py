"""How long an honest visitor waits while another address attacks.

python -m tests.bench.fairness [--seconds 20] [--attack WORD]
    starts the app; prints how long one visitor waits for `/predict` and for the page's prediction, idle and under each
    attack of `tests/support/attacks.py` (or those whose name has the word), what the attacker was answered, every error

It speaks to this machine only, over 127.0.0.1 and 127.0.0.2, and needs Linux for that.
"""

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

import httpx2
import psutil

from tests.bench.load import start
from tests.support.attacks import ATTACKS, Victim
from tests.support.page_client import RefusedError

PAUSE_SECONDS = 0.2
LEAD_SECONDS = 3.0  # that an attack is under way before anything is measured
REST_SECONDS = 10.0  # between two attacks


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.fairness", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each attack is measured")
    parser.add_argument("--attack", default="", help="a word in the names of the attacks to run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        url, app = start(Path(scratch))
        try:
            errors = asyncio.run(measure_all(url, psutil.Process(app.pid), arguments))
        finally:
            app.terminate()
            app.wait()
    sys.exit(bool(errors))


async def measure_all(url: str, app: psutil.Process, arguments: argparse.Namespace) -> list[str]:
    victim = Victim(url)
    await victim.page.open()
    await measure(victim, 3.0)  # the models are loaded now
    print(f"{'':50}{'predict: p50, p95':>22}{'page: p50, p95':>20}{'memory, MB':>12}  answers to the attacker")
    errors = await report("idle", victim, app, arguments.seconds)
    for name in ATTACKS:
        if arguments.attack in name:
            own, other = multiprocessing.Pipe()
            attacker = multiprocessing.get_context("spawn").Process(target=attack, args=(url, name, other))
            attacker.start()
            await asyncio.sleep(LEAD_SECONDS)
            errors += await report(name, victim, app, arguments.seconds, own)
            attacker.join()
            await asyncio.sleep(REST_SECONDS)
    errors += await report("idle again", victim, app, arguments.seconds)
    await victim.page.close()
    print(f"errors: {len(errors)}", *errors, sep="\n")
    return errors


def attack(url: str, name: str, connection: Connection) -> None:
    """Attack until the other end says that it is over; send it the answers."""

    async def run() -> Counter[int]:
        over = asyncio.Event()
        task = asyncio.create_task(ATTACKS[name](url, over))
        await asyncio.to_thread(connection.recv)
        over.set()
        return await task

    connection.send(asyncio.run(run()))


async def report(
    name: str, victim: Victim, app: psutil.Process, seconds: float, attacker: Connection | None = None
) -> list[str]:
    calls, presses, errors = await measure(victim, seconds)
    memory = app.memory_info().rss / 1e6
    answers: Counter[int] = Counter()
    if attacker:
        attacker.send(None)
        answers = await asyncio.to_thread(attacker.recv)
    shown = ", ".join(f"{count} × {status}" for status, count in sorted(answers.items()))
    print(f"{name:50}{_times(calls):>22}{_times(presses):>20}{memory:12.0f}  {shown}")
    return [f"{name}: {error}" for error in errors]


async def measure(victim: Victim, seconds: float) -> tuple[list[float], list[float], list[str]]:
    """Return the seconds of each call and each press of an honest visitor, and the errors."""
    waits: tuple[list[float], list[float]] = [], []
    errors: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for times, do in zip(waits, (victim.predict, victim.press), strict=True):
            began = time.perf_counter()
            try:
                await do()
            except (RefusedError, httpx2.HTTPError) as error:
                errors.append(repr(error))
            times.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE_SECONDS)
    return *waits, errors


def _times(seconds: list[float]) -> str:
    tail = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    return f"{1000 * median(seconds):.0f}, {1000 * tail:.0f} ms"


if __name__ == "__main__":
    main()
