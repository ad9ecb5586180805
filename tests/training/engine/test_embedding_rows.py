import copy

import pytest
import torch
from torch import nn

from mtst.encoders.loading import load_encoder
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.engine.embedding_rows import TrainedRows
from mtst.training.events import StepEnded
from mtst.training.fitting import fit

IDS = [[2, 5, 9], [5, 7], [2, 2, 11, 0]]
PADDED = torch.tensor([[2, 5, 9, 0], [5, 7, 0, 0], [2, 2, 11, 0]])
PADDING = pytest.mark.parametrize("padding", [None, 0, 3])
EVERY_KIND = pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet", "t5"])


def table(padding):
    torch.manual_seed(4)
    made = nn.Embedding(20, 6, padding_idx=padding)
    with torch.no_grad():
        made.weight += 0.1  # so that the row of padding is not all zero
    return made


def trained(embedding, parameter, after=lambda: None, steps=6):
    """Take some steps of AdamW down a loss that sees every token of the sentences."""
    torch.manual_seed(5)
    target = torch.randn(3, 4, 6)
    optimizer = torch.optim.AdamW([parameter], lr=0.05, weight_decay=0.0)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (embedding(PADDED) - target).square().mean()
        loss.backward()
        optimizer.step()
        after()
        losses.append(loss.item())
    return losses


@PADDING
def test_training_the_used_rows_is_training_the_whole_table(padding):
    whole, part = table(padding), table(padding)
    used = TrainedRows([part], IDS)
    losses = trained(whole, whole.weight)
    assert losses == pytest.approx(trained(part, used.rows, used.write_back), rel=1e-5)
    assert losses[-1] < 0.9 * losses[0]
    torch.testing.assert_close(part.weight, whole.weight)


@PADDING
def test_rows_of_tokens_that_do_not_occur_stay_bit_for_bit(padding):
    embedding = table(padding)
    then = embedding.weight.detach().clone()
    used = TrainedRows([embedding], IDS)
    trained(embedding, used.rows, used.write_back)
    moved = (embedding.weight != then).any(dim=1).nonzero()[:, 0].tolist()
    assert moved == [place for place in (0, 2, 5, 7, 9, 11) if place != padding]


def test_only_the_rows_that_occur_are_trained_and_that_of_padding():
    assert TrainedRows([table(3)], IDS).token_ids.tolist() == [0, 2, 3, 5, 7, 9, 11]
    assert TrainedRows([table(None)], IDS).rows.shape == (6, 6)


def test_the_table_is_up_to_date_after_each_step():
    embedding = table(0)
    used = TrainedRows([embedding], IDS)
    seen = []

    def check():
        used.write_back()
        with torch.no_grad():
            seen.append(torch.equal(embedding(PADDED), embedding.weight[PADDED]))
            assert torch.equal(embedding.weight[used.token_ids], used.rows)

    trained(embedding, used.rows, check)
    assert seen == [True] * 6


def test_a_frozen_table_is_read_itself_and_an_open_one_gets_no_gradient():
    embedding = table(0)
    used = TrainedRows([embedding], IDS)
    embedding(PADDED).sum().backward()
    assert embedding.weight.grad is None
    assert used.rows.grad is not None
    embedding.weight.requires_grad_(False)
    assert not embedding(torch.tensor([1, 19])).requires_grad  # tokens that do not occur


def test_nothing_is_left_when_it_is_closed():
    embedding = table(0)
    TrainedRows([embedding], IDS).close()
    assert not embedding._forward_hooks
    embedding(torch.tensor([1, 19])).sum().backward()
    assert embedding.weight.grad is not None


# --- in a run


@EVERY_KIND
def test_a_run_trains_the_rows_of_its_words_as_if_it_trained_all(monkeypatch, calm, tiny_folder, swapped, kind):
    encoder = calm(load_encoder(str(tiny_folder(kind)), fp32=True))
    config = TrainConfig("train-all", epochs=3, batch_size=4, encoder_rate=3e-3, clip=0)

    def run():
        model = MultiTaskSentenceTransformer(copy.deepcopy(encoder), swapped.tasks)
        events = list(fit(model, swapped, config, baselines=False))
        return [event.losses for event in events if isinstance(event, StepEnded)], model.encoder

    losses, trained_encoder = run()
    monkeypatch.setattr("mtst.encoders.encoder.Encoder.token_embeddings", ())
    expected, _ = run()
    monkeypatch.undo()
    part = trained_encoder.token_embeddings[0]
    assert len(losses) == len(expected) == 12
    for some, others in zip(losses, expected, strict=True):
        assert some == pytest.approx(others, abs=1e-4)
    then = encoder.token_embeddings[0].weight
    occur = {token for tokens in encoder.tokenize(swapped.texts) for token in tokens}
    rest = [place for place in range(len(then)) if place not in occur]
    assert not part._forward_hooks
    assert len(rest) > 0
    assert torch.equal(part.weight[rest], then[rest])


@pytest.mark.parametrize("end", ["finish", "close", "error"])
def test_the_table_is_what_it_was_after_a_run(tiny, swapped, end):
    run = fit(tiny, swapped, TrainConfig("train-all", epochs=1, batch_size=4), baselines=False)
    next(event for event in run if isinstance(event, StepEnded))
    embedding = tiny.encoder.token_embeddings[0]
    assert len(embedding._forward_hooks) == 1
    if end == "finish":
        list(run)
    elif end == "close":
        run.close()
    else:
        with pytest.raises(ZeroDivisionError):
            run.throw(ZeroDivisionError)
    assert not embedding._forward_hooks


def test_a_run_of_heads_does_not_touch_the_table(tiny, swapped):
    for event in fit(tiny, swapped, TrainConfig(epochs=1)):
        assert not tiny.encoder.token_embeddings[0]._forward_hooks, event.kind


def test_a_pass_with_words_that_do_not_occur_goes_through_the_whole_table():
    embedding = table(None)
    used = TrainedRows([embedding], IDS)
    strange = torch.tensor([[2, 5, 13]])
    out = embedding(strange)
    assert torch.equal(out, embedding.weight[strange])
    out.sum().backward()
    assert used.rows.grad is None
    assert embedding.weight.grad[13].sum() == 6
