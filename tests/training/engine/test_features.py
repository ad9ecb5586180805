import errno
import resource
import signal

import pytest
import torch

from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.distributed import SINGLE_PROCESS
from mtst.training.engine.feature_cache import cache_kind, compute_features
from mtst.training.engine.features import BoundaryFeatures, PooledFeatures, UncachedFeatures, allocate, boundary_block
from mtst.training.events import Embedded, EpochEnded, Opened, Started, StepEnded
from mtst.training.fitting import fit

KEYS = ("embeddings", "block-0", "block-1", "block-2", "dense", "head:mood", "head:topic")
HEADS = {"head:mood", "head:topic"}
KINDS = pytest.mark.parametrize("kind", ["bert", "mpnet"])  # one that packs and one that does not
TEXTS = ("one", "two words", "", "a sentence that is longer than the others", "two words")


@pytest.fixture
def exact(tiny_folder, calm):
    """A tiny random encoder of a kind with three blocks, in 32 bits and without dropout."""

    def load(kind="bert"):
        return calm(load_encoder(str(tiny_folder(kind, blocks=3)), fp32=True))

    return load


def prepared(encoder, block, parts=(TEXTS,)):
    run = compute_features(encoder, parts, block, 0.0, SINGLE_PROCESS)
    told = []
    while True:
        try:
            told.append(next(run))
        except StopIteration as end:
            return end.value, told


# --- where a pass begins


@pytest.mark.parametrize(
    ("opened", "block"),
    [
        (set(), None),
        (HEADS, None),
        ({"dense"}, 2),
        ({"dense", "head:mood"}, 2),
        ({"block-2"}, 2),
        ({"block-2", "dense"} | HEADS, 2),
        ({"block-1"}, 1),
        ({"block-1", "dense"}, 1),
        ({"block-0", "block-2"}, 0),
        ({"embeddings"}, 0),
        ({"embeddings", "dense"}, 0),
        (set(KEYS), 0),
    ],
)
def test_a_pass_begins_at_the_lowest_open_block(opened, block):
    assert boundary_block(opened, KEYS, 3) == block


def test_a_layer_between_the_blocks_and_the_heads_needs_the_last_block_only():
    assert boundary_block({"dense"}, ("block-0", "block-1", "dense", "head:mood"), 2) == 1


@pytest.mark.parametrize("keys", [("encoder", "head:mood"), ("dense", "head:mood")])
def test_without_blocks_a_pass_begins_at_the_bottom(keys):
    assert boundary_block({keys[0]}, keys, 0) == 0
    assert boundary_block({"head:mood"}, keys, 0) is None


def test_blocks_that_cannot_be_entered_are_all_passed():
    assert boundary_block({"block-2"}, KEYS, 0) == 0


@pytest.mark.parametrize(("block", "kept"), [(None, "embeddings"), (0, "nothing"), (1, "hidden states")])
def test_a_run_tells_what_it_looks_up(block, kept):
    assert cache_kind(block) == kept


# --- what is looked up


@KINDS
@pytest.mark.parametrize(
    ("block", "made"), [(None, PooledFeatures), (0, UncachedFeatures), (1, BoundaryFeatures), (2, BoundaryFeatures)]
)
@pytest.mark.parametrize("places", [[0], [3, 0, 2], [1, 4, 1], list(range(5))])
def test_every_way_gives_the_same_embeddings(exact, kind, block, made, places):
    encoder = exact(kind)
    (features,), _ = prepared(encoder, block)
    assert type(features) is made
    assert len(features.lengths) == len(TEXTS)
    found, expected = features.batch(places), encoder([TEXTS[place] for place in places])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert found.requires_grad == (block is not None)


def test_gradients_stop_at_the_block_where_a_pass_begins(exact):
    encoder = exact()
    (features,), _ = prepared(encoder, 2)
    features.batch([0, 3]).sum().backward()
    named = dict(encoder.backbone.named_parameters())
    for group in encoder.groups:
        reached = any(named[name].grad is not None for name in group.parameters)
        assert reached == (group.key == "block-2")


def test_preparing_tells_how_far_it_is_in_each_part(monkeypatch, exact):
    monkeypatch.setattr("mtst.training.engine.feature_cache.ROWS_PER_PART", 2)
    monkeypatch.setattr("mtst.encoders.inputs.SENTENCES_PER_BATCH", 2)
    for block in (None, 1):
        made, told = prepared(exact(), block, (TEXTS, TEXTS[:2]))
        assert [len(features.lengths) for features in made] == [5, 2]
        assert [event.rows for event in told] == [2, 4, 6, 7] if block is None else sorted({e.rows for e in told})
        assert told[-1].rows == told[-1].total == 7
        for features, texts in zip(made, (TEXTS, TEXTS[:2]), strict=True):
            places = range(len(texts))
            torch.testing.assert_close(features.batch(places), exact()(texts), atol=1e-5, rtol=1e-4)


def test_live_features_need_no_preparing(exact):
    assert prepared(exact(), 0)[1] == []


def test_no_texts_have_features_too(exact):
    for block in (None, 0, 1):
        made, _ = prepared(exact(), block, (TEXTS, ()))
        assert [len(features.lengths) for features in made] == [5, 0]


# --- a whole run


def run(encoder, data, config):
    """The losses, scores and what was looked up, of a run that begins from the same weights every time."""
    model = MultiTaskSentenceTransformer(encoder, data.tasks)
    events = list(fit(model, data, config, baselines=False))
    kept = [event.cached for event in events if isinstance(event, Started | Opened)]
    losses = [list(event.losses.values()) for event in events if isinstance(event, StepEnded)]
    scores = [
        found.loss
        for event in events
        if isinstance(event, EpochEnded)
        for side in (event.train, event.validation)
        for found in side.values()
    ]
    weights = {name: part.detach().clone() for name, part in model.named_parameters()}
    return kept, torch.tensor(losses), torch.tensor(scores), weights


@KINDS
@pytest.mark.parametrize(
    "scenario",
    ["gradual", *(pytest.param(key, marks=pytest.mark.slow) for key in ("freeze-encoder", "top-k", "custom"))],
)
def test_looking_up_gives_the_losses_of_computing_everything(monkeypatch, exact, swapped, kind, scenario):
    config = TrainConfig(
        scenario,
        open_groups=("block-1", "head:topic") if scenario == "custom" else (),
        top_blocks=1,
        epochs=5,
        batch_size=64,  # so that the rows of a batch are the same whatever their lengths
        encoder_rate=3e-3,
    )
    kept, losses, scores, weights = run(exact(kind), swapped, config)
    monkeypatch.setattr("mtst.training.engine.trainer.boundary_block", lambda *_: 0)
    computed = run(exact(kind), swapped, config)
    assert set(kept) <= {"embeddings", "hidden states", "nothing"} - (set() if scenario == "gradual" else {"nothing"})
    assert set(computed[0]) == {"nothing"}
    torch.testing.assert_close(losses, computed[1], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(scores, computed[2], atol=1e-4, rtol=1e-3)
    assert (losses[-1] - losses[0]).abs().max() > 0.005  # fifty times what they may differ by
    for name, part in weights.items():
        torch.testing.assert_close(part, computed[3][name], atol=2e-3, rtol=1e-2)


def test_a_gradual_run_looks_up_less_and_less(exact, swapped):
    kept, *_ = run(exact(), swapped, TrainConfig("gradual", batch_size=64))
    assert kept == ["embeddings", "hidden states", "hidden states", "nothing", "nothing"]


# --- states that do not fit into memory


def test_states_beyond_the_limit_go_to_a_file_and_give_the_same(monkeypatch, exact, swapped):
    config = TrainConfig("top-k", top_blocks=1, epochs=2)
    in_memory = run(exact(), swapped, config)
    shapes = []

    def spied(shape, dtype):
        shapes.append(shape)
        return allocate(shape, dtype)

    monkeypatch.setattr("mtst.training.engine.features.MEMORY_BYTES", 100)
    monkeypatch.setattr("mtst.training.engine.features.allocate", spied)
    in_file = run(exact(), swapped, config)
    assert len(shapes) == 2
    assert torch.equal(in_memory[1], in_file[1])
    assert all(torch.equal(part, in_file[3][name]) for name, part in in_memory[3].items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_file_gives_room_of_zeros_that_nobody_else_sees(monkeypatch, tmp_path, dtype):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("mtst.training.engine.features.MEMORY_BYTES", 100)
    made = allocate((50, 7), dtype)
    assert made.shape == (50, 7)
    assert made.dtype == dtype
    assert not made.any()
    made[3] = torch.arange(7)
    assert made[3].tolist() == list(range(7))
    assert made.sum() == 21
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def full_disk():
    """Let no file of this process grow beyond a megabyte."""
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_without_room_is_an_error_before_anything_is_written(monkeypatch, full_disk):
    monkeypatch.setattr("mtst.training.engine.features.MEMORY_BYTES", 100)
    with pytest.raises(ModelError, match=r"takes 0\.1 GB, for which .* has no room") as caught:
        allocate((1_000_000, 32), torch.float32)
    assert caught.value.__cause__.errno in (errno.EFBIG, errno.ENOSPC)


def test_a_run_without_room_ends_with_the_error_and_the_model_as_it_was(monkeypatch, exact, swapped, full_disk):
    monkeypatch.setattr("mtst.training.engine.features.MEMORY_BYTES", 100)
    model = MultiTaskSentenceTransformer(exact(), swapped.tasks)
    then = {name: part.detach().clone() for name, part in model.named_parameters()}
    many = swapped.take([n % 16 for n in range(2000)])
    with pytest.raises(ModelError, match="name a larger folder in TMPDIR"):
        list(fit(model, many, TrainConfig("top-k", top_blocks=1), baselines=False))
    assert all(torch.equal(part, then[name]) for name, part in model.named_parameters())
    assert not any(module.training for module in model.modules())


def test_what_was_kept_is_let_go_when_more_opens(exact, swapped):
    """A gradual run embeds the rows anew for each boundary, and tells so."""
    model = MultiTaskSentenceTransformer(exact(), swapped.tasks)
    events = list(fit(model, swapped, TrainConfig("gradual", epochs=6, batch_size=64), baselines=False))
    order = [event.kind for event in events if isinstance(event, Embedded | Opened | EpochEnded)]
    expected = ["embedded", "epoch", "epoch"]  # epoch 0, then the heads
    expected += ["opened", "embedded", "epoch"] * 2  # blocks 2 and 1
    expected += ["opened", "epoch"] * 2 + ["epoch"]  # block 0 and the embeddings: nothing to keep
    assert [kind for n, kind in enumerate(order) if kind != "embedded" or order[n - 1] != "embedded"] == expected
