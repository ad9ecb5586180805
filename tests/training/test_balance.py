import pytest

from mtst.data.dataset import make_dataset
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.events import EpochEnded, StepEnded
from mtst.training.fitting import fit


@pytest.fixture
def skewed(table_of):
    """Forty sentences, of which four have the rare label of one task."""
    rows = [
        f"{'a storm' if n % 10 else 'a feast'} {n},{'often' if n % 10 else 'seldom'},{'ab'[n % 2]}" for n in range(40)
    ]
    return make_dataset(table_of("text,how,which\n" + "\n".join(rows)), "text", ["how", "which"])


@pytest.mark.parametrize("balance", ["class-weights", "balanced-sampling"])
def test_more_weight_for_rare_labels_finds_more_of_their_rows(tiny_encoder, skewed, balance):
    found = {}
    for way in ("none", balance):
        model = MultiTaskSentenceTransformer(tiny_encoder, skewed.tasks)
        events = list(fit(model, skewed, TrainConfig(epochs=2, batch_size=8, head_rate=0.05, balance=way)))
        last = [event for event in events if isinstance(event, EpochEnded)][-1].train["how"]
        found[way] = model.predict(skewed.texts)["how"].probabilities[:, 1].mean()
        assert last.rows > 0
    assert found[balance] > found["none"]


def test_reported_losses_are_not_weighted(tiny_encoder, skewed):
    first = []
    for balance in ("none", "class-weights"):
        model = MultiTaskSentenceTransformer(tiny_encoder, skewed.tasks)
        model.zero_shot = False  # heads that are new would begin with what the rows weigh
        events = fit(model, skewed, TrainConfig(epochs=1, batch_size=64, balance=balance))
        first.append(next(event for event in events if isinstance(event, StepEnded)).losses)
    assert first[0] == pytest.approx(first[1])


def test_the_start_tells_the_labels_of_the_training_rows(tiny_encoder, skewed):
    started = next(fit(MultiTaskSentenceTransformer(tiny_encoder, skewed.tasks), skewed))
    assert started.tasks == skewed.tasks
    assert sum(started.counts["how"]) == started.train_rows == 34
    assert started.counts["how"][1] in (3, 4)
