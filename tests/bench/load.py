"""Fifty visitors at once: forty predict and compare while ten train, each from an address of its own.

python -m tests.bench.load [--looking 40] [--training 10] [--pause 10] [--seconds 60]
    starts the app and its visitors; prints how long they waited for predictions and comparisons with and without
    training, the order in which runs finished, and every error

It speaks to this machine only, over the addresses 127.0.1.*, and needs Linux for that.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import httpx2

from mtst.assets import SMALL_SAMPLE
from tests.support.page_client import PageClient, RefusedError

EVENTS = {"predict": ("predict-go", "predict-text"), "compare": ("compare-go", "compare-text")}
ROWS = 300
EPOCHS = "3"
SENTENCES = (
    "The train was an hour late and nobody told us why.",
    "A wonderful evening, the best in a long time.",
    "Prices rose again in the last quarter.",
    "He scored in the final minute.",
)
MARK = re.compile(r"visitor-(\d+)-")


@dataclass
class Results:
    """The seconds of each event, with whether somebody trained; the errors; the visitors whose runs have finished."""

    waits: list[tuple[str, bool, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    training: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--looking", type=int, default=40)
    parser.add_argument("--training", type=int, default=10)
    parser.add_argument("--pause", type=float, default=10.0, help="mean seconds between what one visitor does")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long nobody trains")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        url, app = start(Path(scratch))
        try:
            results = asyncio.run(visit(url, arguments))
        finally:
            app.terminate()
            app.wait()
        log = (Path(scratch) / "log").read_text(encoding="utf-8")
    results.errors += [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line]
    report(results)
    sys.exit(bool(results.errors))


def start(scratch: Path) -> tuple[str, subprocess.Popen]:
    """Start the app on a free port; return its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "MTST_RUNS_DIR": str(scratch / "runs")
    }  # fmt: skip
    with (scratch / "log").open("wb") as log:
        app = subprocess.Popen([sys.executable, "app.py"], env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            httpx2.get(f"{url}/health").raise_for_status()
            return url, app
        except httpx2.HTTPError:
            time.sleep(0.5)
    sys.exit("The app did not start.")


async def visit(url: str, arguments: argparse.Namespace) -> Results:
    results = Results()
    visitors = [PageClient(url, f"127.0.1.{number}") for number in range(1, arguments.looking + arguments.training + 1)]
    for visitor in visitors:
        await visitor.open()
    looking, training = visitors[: arguments.looking], visitors[arguments.looking :]
    await look(looking[0], 0, 0.0, asyncio.Event(), Results())  # the models are loaded now
    over = asyncio.Event()
    watching = [
        asyncio.create_task(look(visitor, number, arguments.pause, over, results))
        for number, visitor in enumerate(looking)
    ]
    await asyncio.sleep(arguments.seconds)
    results.training = True
    await asyncio.gather(
        *(train(visitor, number, training, results) for number, visitor in enumerate(training, arguments.looking))
    )
    results.training = False
    over.set()
    await asyncio.gather(*watching)
    for number, visitor in enumerate(visitors):
        results.errors += foreign(number, json.dumps(visitor.values))
        await visitor.close()
    return results


async def look(visitor: PageClient, number: int, pause: float, over: asyncio.Event, results: Results) -> None:
    """Predict and compare in turn until it is over; without pause, do each once."""
    chance = random.Random(number)  # noqa: S311 (pauses, not secrets)
    while not over.is_set():
        for event, (button, box) in EVENTS.items():
            await asyncio.sleep(chance.uniform(0.0, 2.0) * pause)
            visitor[box] = "\n".join([f"This is visitor-{number}-{chance.random():.6f}.", *chance.sample(SENTENCES, 3)])
            began, trained = time.perf_counter(), results.training
            try:
                await visitor.do(button, "click")
            except (RefusedError, httpx2.HTTPError) as error:
                results.errors.append(f"visitor {number}, {event}: {error!r}")
            if trained == results.training:
                results.waits.append((event, trained, time.perf_counter() - began))
        if not pause:
            return


async def train(visitor: PageClient, number: int, all_of_them: list[PageClient], results: Results) -> None:
    """Upload a file, train, download the model, and try to fetch another visitor's file."""
    try:
        visitor["train-upload"] = await visitor.upload(f"visitor-{number}-.csv", table(number))
        path = visitor["train-upload"]["path"]
        await visitor.do("train-upload", "upload")
        visitor["train-scenario"] = "train-all"
        visitor["train-epochs"] = EPOCHS
        await visitor.do("train-start", "click")
        results.finished.append(f"{number}")
        if "finished" not in str(visitor["train-status"]):
            results.errors.append(f"visitor {number}: {visitor['train-status']}")
        await visitor.do("train-pack", "click")
        model = await visitor.download(visitor["train-download"])
        names = zipfile.ZipFile(io.BytesIO(model)).namelist()
        if not any(name.endswith("model.safetensors") for name in names):
            results.errors.append(f"visitor {number}: no model in {names}")
        other = next(client for client in all_of_them if client is not visitor)
        for what in (path, f"{path}x"):
            answer = await other.http.get(f"/gradio_api/file={what}")
            if answer.is_success:
                results.errors.append(f"visitor {number}: another visitor could fetch {what}")
    except (RefusedError, httpx2.HTTPError) as error:
        results.errors.append(f"visitor {number}, training: {error!r}")


def table(number: int) -> bytes:
    """Return a file whose labels bear the visitor's number."""
    with SMALL_SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["topic"] and row["sentiment"]][:ROWS]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["text", "topic", "sentiment"])
    writer.writerows(
        [f"{row['text']} ({number})", f"visitor-{number}-{row['topic']}", f"visitor-{number}-{row['sentiment']}"]
        for row in rows
    )
    return out.getvalue().encode()


def foreign(number: int, shown: str) -> list[str]:
    """Return what a visitor was shown that belongs to another."""
    others = {other for other in MARK.findall(shown) if int(other) != number}
    return [f"visitor {number} was shown what belongs to visitor {other}" for other in sorted(others)]


def report(results: Results) -> None:
    print(f"{'':10}{'somebody trains':>17}{'times':>8}{'median, ms':>12}{'95 %, ms':>10}{'longest, ms':>13}")
    tails = {}
    for event in EVENTS:
        for trained in (False, True):
            waits = [1000 * wait for name, when, wait in results.waits if (name, when) == (event, trained)]
            tails[event, trained] = quantiles(waits, n=20)[-1]
            print(
                f"{event:10}{'yes' if trained else 'no':>17}{len(waits):8}{median(waits):12.0f}"
                f"{tails[event, trained]:10.0f}{max(waits):13.0f}"
            )
    for event in EVENTS:
        print(
            f"{event}: 95 % while somebody trains / while nobody does: {tails[event, True] / tails[event, False]:.2f}"
        )
    print(f"runs finished in the order of visitors {', '.join(results.finished)}")
    print(f"errors: {len(results.errors)}")
    for what in results.errors:
        print(what)


if __name__ == "__main__":
    main()
