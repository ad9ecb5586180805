import copy
import threading

import numpy as np
import pytest
import torch

from mtst.encoder import SENTENCES_PER_BATCH, TOKENS_PER_BATCH, batches_by_length, bf16_in_hardware
from mtst.encoders import load_encoder

TEXTS = [
    "Good.",
    "The striker scored twice in the cup final, and the whole town came out to see the team ride home that night.",
    "",
    "Add two eggs and a cup of flour.",
    "Good.",
    "word " * 120,
    "Ünïcode – 世界 🎉",
]


@pytest.fixture(scope="module")
def exact():
    """The real encoder in 32 bits, not to be changed."""
    return load_encoder(fp32=True)


def published(encoder, texts):
    return encoder.backbone.encode(texts, show_progress_bar=False)


@pytest.mark.parametrize("order", [TEXTS, TEXTS[::-1], sorted(TEXTS), TEXTS[5:6]])
def test_embeddings_are_those_of_sentence_transformers(exact, order):
    exact.forget()
    np.testing.assert_allclose(exact.encode(order), published(exact, order), atol=1e-5)


def test_the_forward_pass_gives_the_same_embeddings(exact):
    with torch.no_grad():
        np.testing.assert_allclose(exact(TEXTS).numpy(), exact.encode(TEXTS), atol=1e-5)


def test_embeddings_are_rows_of_float32(encoder):
    embeddings = encoder.encode(TEXTS)
    assert embeddings.shape == (len(TEXTS), encoder.dimension)
    assert embeddings.dtype == np.float32


def test_no_texts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, encoder.dimension)
    assert encoder.tokenize([]) == []


def test_a_repeated_text_gets_the_same_row(encoder):
    rows = encoder.encode(["twice", "once", "twice"])
    np.testing.assert_array_equal(rows[0], rows[2])
    assert not np.array_equal(rows[0], rows[1])


def test_half_precision_is_used_where_the_machine_has_it_and_stays_close(encoder, exact):
    able = torch.cpu.get_capabilities()
    assert bf16_in_hardware(torch.device("cpu")) == bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    quick, slow = encoder.encode(TEXTS), exact.encode(TEXTS)
    assert np.array_equal(quick, slow) != bf16_in_hardware(encoder.device)
    cosines = (quick * slow).sum(axis=1) / np.linalg.norm(quick, axis=1) / np.linalg.norm(slow, axis=1)
    assert cosines.min() > 0.999


# --- what is remembered


def count_tokenized(monkeypatch, encoder):
    """Return a list that grows by the texts that the encoder tokenizes."""
    seen, tokenize = [], encoder.tokenize
    monkeypatch.setattr(encoder, "tokenize", lambda texts, **more: seen.extend(texts) or tokenize(texts, **more))
    return seen


def test_a_text_is_embedded_once(monkeypatch, tiny_encoder):
    seen = count_tokenized(monkeypatch, tiny_encoder)
    first = tiny_encoder.encode(["one", "two", "one"])
    assert seen == ["one", "two"]
    again = tiny_encoder.encode(["two", "three", "one"])
    assert seen == ["one", "two", "three"]
    np.testing.assert_array_equal(again[[2, 0]], first[:2])


def test_what_is_forgotten_is_embedded_again(monkeypatch, tiny_encoder):
    tiny_encoder.encode(["one"])
    tiny_encoder.forget()
    seen = count_tokenized(monkeypatch, tiny_encoder)
    tiny_encoder.encode(["one"])
    assert seen == ["one"]


def test_the_oldest_texts_are_dropped_when_memory_is_full(monkeypatch, tiny_encoder):
    monkeypatch.setattr("mtst.cache.CACHED_NUMBERS", 2 * tiny_encoder.dimension)
    seen = count_tokenized(monkeypatch, tiny_encoder)
    for text in ("one", "two", "one", "three", "one", "two"):
        assert np.isfinite(tiny_encoder.encode([text])).all()
    assert seen == ["one", "two", "three", "two"]


def fused_step(encoder, between=lambda: None):
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-2, fused=True)
    loss = encoder(["a", "b"])[:, 0].sum()
    between()
    loss.backward()
    optimizer.step()


def in_place_write(encoder):
    with torch.no_grad():
        next(encoder.backbone.parameters()).mul_(1.5)


CHANGES = pytest.mark.parametrize("change", [fused_step, in_place_write])


@CHANGES
def test_changed_weights_give_new_embeddings(tiny_encoder, change):
    before = tiny_encoder.encode(["one"])
    assert not tiny_encoder.moved
    change(tiny_encoder)
    after = tiny_encoder.encode(["one"])
    assert tiny_encoder.moved
    assert not np.array_equal(before, after)
    tiny_encoder.forget()
    np.testing.assert_allclose(tiny_encoder.encode(["one"]), after, atol=1e-6)


def test_encoding_between_a_forward_pass_and_its_step_leaves_nothing_stale(tiny_encoder):
    fused_step(tiny_encoder, between=lambda: tiny_encoder.encode(["one"]))
    remembered = tiny_encoder.encode(["one"])
    tiny_encoder.forget()
    np.testing.assert_allclose(tiny_encoder.encode(["one"]), remembered, atol=1e-6)


@CHANGES
def test_a_copy_of_changed_weights_is_known_to_have_moved(tiny_encoder, change):
    assert not copy.deepcopy(tiny_encoder).moved
    change(tiny_encoder)
    assert copy.deepcopy(tiny_encoder).moved


def test_encoding_moves_nothing_and_keeps_every_module_in_its_mode(tiny_encoder):
    blocks = [module for module in tiny_encoder.modules() if isinstance(module, torch.nn.Dropout)]
    for module in blocks[::2]:
        module.train()
    modes = [module.training for module in tiny_encoder.modules()]
    tiny_encoder.forget()
    first = tiny_encoder.encode(["one"])
    tiny_encoder.forget()
    np.testing.assert_array_equal(first, tiny_encoder.encode(["one"]))
    assert [module.training for module in tiny_encoder.modules()] == modes
    assert not tiny_encoder.moved


def test_two_threads_at_once_get_right_embeddings(exact):
    jobs = [[f"{word} number {n}" for n in range(30)] for word in ("first", "second")]
    expected = [published(exact, job) for job in jobs]
    found = [[], []]
    exact.forget()

    def work(place):
        for _ in range(2):
            found[place].append(exact.encode(jobs[place]))
            exact.forget()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rows, right in zip(found, expected, strict=True):
        assert len(rows) == 2
        for row in rows:
            np.testing.assert_allclose(row, right, atol=1e-5)


# --- tokens and batches


def test_a_text_that_is_too_long_is_cut(encoder):
    words = ["river"] * (encoder.max_tokens * 2)
    ids = encoder.tokenize([" ".join(words)])
    assert len(ids[0]) == encoder.max_tokens
    assert len(encoder.tokenize([" ".join(words)], cut=False)[0]) == len(words) + 2
    cut = " ".join(words[: encoder.max_tokens - 2])
    np.testing.assert_allclose(encoder.encode([" ".join(words)]), encoder.encode([cut]), atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_tokens_are_counted_before_a_text_is_cut(monkeypatch, tiny_encoder, count):
    monkeypatch.setattr("mtst.encoder.ROWS_AT_ONCE", 2)
    texts = ["the " * number for number in (0, 1, 2, 45, 300)][:count]
    found = tiny_encoder.count_tokens(texts)
    assert found.dtype == np.int64
    assert found.tolist() == [2, 3, 4, 47, 302][:count]
    assert [length > tiny_encoder.max_tokens for length in found] == [False, False, False, False, True][:count]


def test_tokens_are_those_that_the_real_encoder_reads(encoder):
    counted = encoder.count_tokens(TEXTS)
    assert [min(length, encoder.max_tokens) for length in counted] == [len(ids) for ids in encoder.tokenize(TEXTS)]


def test_gradients_reach_every_block(fresh_encoder):
    fresh_encoder(["one", "two words"])[:, 0].sum().backward()
    named = dict(fresh_encoder.backbone.named_parameters())
    for group in fresh_encoder.groups:
        assert any(named[name].grad.abs().sum() > 0 for name in group.parameters)


def test_batches_by_length_hold_every_place_once_within_the_budget():
    lengths = [(n * 7919) % 300 + 1 for n in range(700)] + [TOKENS_PER_BATCH * 2]
    batches = batches_by_length(lengths)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= SENTENCES_PER_BATCH
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= TOKENS_PER_BATCH
    longest = [max(lengths[place] for place in batch) for batch in batches]
    assert longest == sorted(longest)
