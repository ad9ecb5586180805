"""What the core tests share: the real encoder, tiny random ones, small data. Nothing here touches the network."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# The suite asks for what a CPU gives, where sentences are not padded; `tests.bench.gpu` is for the rest.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
# Two threads that wait for each other on a busy machine are many times slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# t-SNE has two all the same. They sleep while they wait: if they spin, the tests beside them take five times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import copy
import random
import shutil

import numpy as np
import pytest
import torch
from hypothesis import settings

from mtst.assets import SMALL_SAMPLE
from mtst.data.dataset import make_dataset
from mtst.data.limits import Limits
from mtst.data.readers.options import ReadOptions
from mtst.data.table import read_table
from mtst.encoders.loading import load_encoder
from mtst.model.multitask import MultiTaskSentenceTransformer
from tests.support.scheduling import BrowserInOneProcess
from tests.support.small_hub import SmallHub
from tests.support.tiny_encoders import save_tiny_encoder

# How many examples a property test tries: few and always the same ones, or `--hypothesis-profile=full`.
settings.register_profile("suite", max_examples=50, derandomize=True, database=None, deadline=2000)
settings.register_profile("full", max_examples=10_000, database=None, deadline=2000, print_blob=True)
settings.load_profile("suite")

COMMIT = "0" * 40
SPORTS = (
    "The striker scored twice in the cup final.",
    "Our goalkeeper saved a penalty.",
    "The team lost the match in extra time.",
    "She won the tennis tournament in straight sets.",
    "The coach praised the defenders after the game.",
    "He ran the marathon in under three hours.",
    "The league title was decided on the last day.",
    "Fans cheered as the players left the pitch.",
)
FOOD = (
    "This soup needs more salt and pepper.",
    "We baked bread and ate it with butter.",
    "The restaurant serves excellent noodles.",
    "Add two eggs and a cup of flour.",
    "The cheese was creamy and the wine was dry.",
    "Roast the vegetables for half an hour.",
    "My grandmother's apple pie is the best dessert.",
    "The curry was too spicy to finish.",
)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    return BrowserInOneProcess(config, log)


@pytest.fixture(autouse=True)
def seeds():
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (libraries draw from the global generator)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def encoder():
    """The real bundled encoder, shared: no test changes its weights."""
    return load_encoder()


@pytest.fixture
def fresh_encoder(encoder):
    """A copy of the real encoder to train; copying takes a fifth of the time of loading."""
    return copy.deepcopy(encoder)


@pytest.fixture(scope="session")
def sample():
    """The first 60 rows of the small sample, with both of its tasks."""
    return make_dataset(read_table(SMALL_SAMPLE), "text", ["topic", "sentiment"]).take(range(60))


@pytest.fixture
def table_of(tmp_path):
    """Write a file and read it as a table, within some limits."""

    def read(content, name="table.csv", header=None, **limits):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, Limits(**limits), ReadOptions(header=header))

    return read


@pytest.fixture
def swapped(table_of):
    """Sixteen sentences whose labels say the opposite, so that any training beats the zero-shot heads."""
    rows = [f'"{text}",food,work' for text in SPORTS] + [f'"{text}",sports,kitchen' for text in FOOD]
    table = table_of("text,topic,place\n" + "\n".join(rows))
    return make_dataset(table, "text", ["topic", "place"])


@pytest.fixture
def tiny(tiny_encoder, swapped):
    """The tasks of `swapped` on a tiny random BERT."""
    return MultiTaskSentenceTransformer(tiny_encoder, swapped.tasks)


@pytest.fixture
def swapped_model(fresh_encoder, swapped):
    return MultiTaskSentenceTransformer(fresh_encoder, swapped.tasks)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Save a tiny random encoder of a kind, such as bert, once and return its folder."""
    made = {}

    def folder(kind="bert", blocks=2):
        place = made.get((kind, blocks))
        if place is None:
            place = made[kind, blocks] = tmp_path_factory.mktemp(kind)
            save_tiny_encoder(kind, place, blocks)
        return place

    return folder


@pytest.fixture(scope="session")
def cached_encoder(tiny_folder, tmp_path_factory):
    """Put a tiny random encoder of a kind into the tests' own Hub cache and return its id."""
    cache = tmp_path_factory.mktemp("hub")

    def hub_id(kind="bert"):
        repo = cache / f"models--tiny--{kind}"
        if not repo.exists():
            shutil.copytree(tiny_folder(kind), repo / "snapshots" / COMMIT)
            (repo / "refs").mkdir()
            (repo / "refs" / "main").write_text(COMMIT)
        return f"tiny/{kind}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
        yield hub_id


@pytest.fixture
def calm():
    """Turn off all dropout of a model, so that only its weights and its sentences decide what it gives."""

    def without_dropout(model):
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        return model

    return without_dropout


@pytest.fixture
def tiny_encoder(tiny_folder):
    """A tiny random BERT of one's own: to train, and for what does not depend on meaning."""
    return load_encoder(str(tiny_folder()))


@pytest.fixture(scope="module")
def hub():
    """A small Hub on this machine."""
    with SmallHub() as hub:
        yield hub


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder in which its clients keep what they fetch."""
    return tmp_path_factory.mktemp("home")
