import copy
import pickle
import threading

import numpy as np
import pytest
import torch

from mtst.encoders.encoder import bf16_pays
from mtst.encoders.inputs import SENTENCES_PER_BATCH, TOKENS_PER_BATCH, batches_by_length
from mtst.encoders.loading import load_encoder
from mtst.errors import EncoderError

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
    exact.clear_cache()
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


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("one text", "a list of texts, not a single one"),
        (["a", None], "Text 2 is None, not a string"),
        (["a", 1.5], "Text 2 is 1.5, not a string"),
        (["half \ud83d of a smile"], "Text 1 holds half of a character"),
    ],
)
def test_what_is_not_a_list_of_texts_is_refused(tiny_encoder, texts, words):
    with pytest.raises(EncoderError, match=words):
        tiny_encoder.encode(texts)


def test_a_repeated_text_gets_the_same_row(encoder):
    rows = encoder.encode(["twice", "once", "twice"])
    np.testing.assert_array_equal(rows[0], rows[2])
    assert not np.array_equal(rows[0], rows[1])


@pytest.fixture
def half(monkeypatch, tiny_folder):
    """A tiny encoder in half precision, whatever the machine."""
    monkeypatch.setattr("mtst.encoders.encoder.bf16_pays", lambda _device: True)
    return load_encoder(str(tiny_folder()))


def cosines(some, others):
    return (some * others).sum(axis=1) / np.linalg.norm(some, axis=1) / np.linalg.norm(others, axis=1)


def test_precision_is_what_pays_unless_32_bits_are_asked_for(encoder, exact):
    assert encoder.precision == ("bf16" if bf16_pays(encoder.device) else "fp32")
    assert exact.precision == "fp32"
    encoder.clear_cache()
    exact.clear_cache()
    quick, slow = encoder.encode(TEXTS), exact.encode(TEXTS)
    assert np.array_equal(quick, slow) == (encoder.precision == "fp32")
    assert cosines(quick, slow).min() > 0.999


def test_half_precision_stays_close(half, tiny_folder):
    quick, slow = half.encode(TEXTS), load_encoder(str(tiny_folder()), fp32=True).encode(TEXTS)
    assert half.precision == "bf16"
    assert quick.dtype == np.float32
    assert not np.array_equal(quick, slow)
    assert cosines(quick, slow).min() > 0.999


@pytest.mark.parametrize(
    ("able", "pays"),
    [
        ({}, False),
        ({"amx_bf16": True, "cpu_name": "Intel(R) Xeon(R)"}, True),
        ({"avx512_bf16": True, "amx_bf16": False, "cpu_name": "Intel(R) Xeon(R)"}, False),
        ({"avx512_bf16": True}, False),
        ({"avx512_bf16": True, "cpu_name": "AMD EPYC"}, True),
        ({"avx512_bf16": False, "cpu_name": "AMD EPYC"}, False),
    ],
)
def test_half_precision_pays_where_a_processor_is_quick_in_it(monkeypatch, able, pays):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: able)
    assert bf16_pays(torch.device("cpu")) == pays


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


def test_a_cleared_cache_embeds_again(monkeypatch, tiny_encoder):
    tiny_encoder.encode(["one"])
    tiny_encoder.clear_cache()
    seen = count_tokenized(monkeypatch, tiny_encoder)
    tiny_encoder.encode(["one"])
    assert seen == ["one"]


def test_the_oldest_texts_are_dropped_when_memory_is_full(monkeypatch, tiny_encoder):
    monkeypatch.setattr("mtst.encoders.embedding_cache.MAX_NUMBERS", 2 * tiny_encoder.dimension)
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
    encoder.invalidate_cache()


def in_place_write(encoder):
    with torch.no_grad():
        next(encoder.backbone.parameters()).mul_(1.5)


CHANGES = pytest.mark.parametrize("change", [fused_step, in_place_write])


@CHANGES
def test_changed_weights_give_new_embeddings(tiny_encoder, change):
    before = tiny_encoder.encode(["one"])
    assert not tiny_encoder.weights_changed
    change(tiny_encoder)
    after = tiny_encoder.encode(["one"])
    assert tiny_encoder.weights_changed
    assert not np.array_equal(before, after)
    tiny_encoder.clear_cache()
    np.testing.assert_allclose(tiny_encoder.encode(["one"]), after, atol=1e-6)


def test_encoding_between_a_forward_pass_and_its_step_leaves_nothing_stale(tiny_encoder):
    fused_step(tiny_encoder, between=lambda: tiny_encoder.encode(["one"]))
    remembered = tiny_encoder.encode(["one"])
    tiny_encoder.clear_cache()
    np.testing.assert_allclose(tiny_encoder.encode(["one"]), remembered, atol=1e-6)


def through_pickle(encoder):
    return pickle.loads(pickle.dumps(encoder))  # noqa: S301 (its own)


COPIES = pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle])


@COPIES
@CHANGES
def test_a_copy_of_changed_weights_is_known_to_have_moved(tiny_encoder, change, copied):
    assert not copied(tiny_encoder).weights_changed
    change(tiny_encoder)
    assert copied(tiny_encoder).weights_changed


@COPIES
@pytest.mark.parametrize("kind", ["bert", "static"])
def test_a_copy_gives_the_same_and_goes_its_own_way(tiny_folder, copied, kind):
    encoder = load_encoder(str(tiny_folder(kind)), prompt="By topic: ", fp32=True)
    expected, trained = encoder.encode(TEXTS), encoder(TEXTS)
    other = copied(encoder)
    assert (other.prompt, other.groups, other.name) == (encoder.prompt, encoder.groups, encoder.name)
    np.testing.assert_array_equal(other.encode(TEXTS), expected)
    np.testing.assert_allclose(other(TEXTS).detach().numpy(), trained.detach().numpy(), atol=1e-6)
    with torch.no_grad():
        next(other.backbone.parameters())[1::2].mul_(3)
    np.testing.assert_array_equal(encoder.encode(TEXTS), expected)
    assert not np.allclose(other.encode(TEXTS), expected, atol=1e-3)


def test_encoding_moves_nothing_and_keeps_every_module_in_its_mode(tiny_encoder):
    blocks = [module for module in tiny_encoder.modules() if isinstance(module, torch.nn.Dropout)]
    for module in blocks[::2]:
        module.train()
    modes = [module.training for module in tiny_encoder.modules()]
    tiny_encoder.clear_cache()
    first = tiny_encoder.encode(["one"])
    tiny_encoder.clear_cache()
    np.testing.assert_array_equal(first, tiny_encoder.encode(["one"]))
    assert [module.training for module in tiny_encoder.modules()] == modes
    assert not tiny_encoder.weights_changed


def test_two_threads_at_once_get_right_embeddings(exact):
    jobs = [[f"{word} number {n}" for n in range(30)] for word in ("first", "second")]
    expected = [published(exact, job) for job in jobs]
    found = [[], []]
    exact.clear_cache()

    def work(place):
        for _ in range(2):
            found[place].append(exact.encode(jobs[place]))
            exact.clear_cache()

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
    assert len(encoder.tokenize([" ".join(words)], truncate=False)[0]) == len(words) + 2
    cut = " ".join(words[: encoder.max_tokens - 2])
    np.testing.assert_allclose(encoder.encode([" ".join(words)]), encoder.encode([cut]), atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_tokens_are_counted_before_a_text_is_cut(tiny_encoder, count):
    texts = ["the " * number for number in (0, 1, 2, 45, 300)][:count]
    found = tiny_encoder.count_tokens(texts)
    assert found.dtype == np.int64
    assert found.tolist() == [2, 3, 4, 47, 302][:count]
    assert [length > tiny_encoder.max_tokens for length in found] == [False, False, False, False, True][:count]


@pytest.mark.parametrize(
    "text",
    [
        "word " * 4_000,
        " " * 20_000 + "the tail",
        "x" * 20_000 + " and more",
        ("y" * 150 + " ") * 100 + "known words",
        "日本 " * 9_000,
    ],
    ids=["words", "blanks", "no blank", "unknown words", "other script"],
)
def test_the_beginning_of_a_long_text_gives_the_tokens_of_the_whole(encoder, text):
    whole = encoder.backbone.tokenizer(text, truncation=True, max_length=encoder.max_tokens)["input_ids"]
    assert encoder.tokenize(["short", text, "short"]) == [
        encoder.tokenize(["short"])[0],
        whole,
        encoder.tokenize(["short"])[0],
    ]


def test_tokens_are_those_that_the_real_encoder_reads(encoder):
    counted = encoder.count_tokens(TEXTS)
    assert [min(length, encoder.max_tokens) for length in counted] == [len(ids) for ids in encoder.tokenize(TEXTS)]


def test_gradients_reach_every_block(fresh_encoder):
    fresh_encoder(["one", "two words"])[:, 0].sum().backward()
    named = dict(fresh_encoder.backbone.named_parameters())
    for group in fresh_encoder.groups:
        assert any(named[name].grad.abs().sum() > 0 for name in group.parameters)


def test_the_table_of_token_embeddings_is_identified(encoder):
    (table,) = encoder.token_embeddings
    assert table.weight.shape == (30522, 384)
    assert any(table.weight is parameter for parameter in encoder.backbone.parameters())


def test_an_encoder_counts_its_blocks(encoder, tiny_encoder):
    assert (encoder.num_blocks, tiny_encoder.num_blocks) == (6, 2)


def test_a_pass_that_takes_no_gradient_does_not_count_as_a_change(tiny_encoder):
    ids = tiny_encoder.tokenize(["one"])
    with torch.no_grad():
        tiny_encoder.embed(ids)
    tiny_encoder.hidden_states(ids, 1)
    tiny_encoder.requires_grad_(False)
    tiny_encoder.embed(ids)
    assert not tiny_encoder.weights_changed
    tiny_encoder.requires_grad_(True)
    tiny_encoder.embed(ids)
    assert tiny_encoder.weights_changed


def test_batches_by_length_hold_every_place_once_within_the_budget():
    lengths = [(n * 7919) % 300 + 1 for n in range(700)] + [TOKENS_PER_BATCH * 2]
    batches = batches_by_length(lengths)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= SENTENCES_PER_BATCH
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= TOKENS_PER_BATCH
    longest = [max(lengths[place] for place in batch) for batch in batches]
    assert longest == sorted(longest)


@pytest.fixture(params=[True, False], ids=["pooled", "left out"])
def prompting(request, tiny_folder, tmp_path):
    """An encoder that puts a prompt in front of every text, and pools its tokens too or leaves them out."""
    backbone = load_encoder(str(tiny_folder()), fp32=True).backbone
    backbone.prompts, backbone.default_prompt_name = {"query": "query: "}, "query"
    backbone.set_pooling_include_prompt(request.param)
    backbone.save(str(tmp_path / "prompting"))
    return load_encoder(str(tmp_path / "prompting"), fp32=True)


def test_a_prompt_that_is_used_by_default_is_used_here(prompting, tiny_encoder):
    assert prompting.prompt == "query: "
    expected = published(prompting, TEXTS)
    np.testing.assert_allclose(prompting.encode(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(prompting(TEXTS).detach().numpy(), expected, atol=1e-5)
    assert not np.allclose(expected, tiny_encoder.encode(TEXTS), atol=1e-3)
    hidden = prompting.hidden_states(prompting.tokenize(TEXTS), 1)
    with torch.no_grad():
        from_block = prompting.embed(prompting.tokenize(TEXTS), 1, hidden)
    np.testing.assert_allclose(from_block.numpy(), expected, atol=1e-5)


def test_what_is_asked_of_a_loaded_encoder_changes_its_backbone_not_even_for_a_moment(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    passes = []
    hook = encoder.backbone.register_forward_hook(lambda *_: passes.append(1))
    assert encoder.num_blocks == 2  # other threads may be embedding
    hook.remove()
    assert passes == []
