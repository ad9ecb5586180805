import copy
import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from mtst.assets import SMALL_SAMPLE, STARTER, STARTER_FOLDER
from mtst.data.dataset import make_dataset
from mtst.data.table import read_table
from mtst.data.tasks import DEFAULT_TASKS, Task
from mtst.encoders.loading import load_encoder
from mtst.errors import EncoderError, ModelError
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer

TEXTS = ["The striker scored twice in the cup final.", "What a wonderful, joyful day!", "The food was awful."]


@pytest.fixture(scope="module")
def untrained(encoder):
    """The two default heads, zero-shot, on the shared encoder."""
    return MultiTaskSentenceTransformer(encoder)


@pytest.fixture
def tiny(tiny_encoder):
    return MultiTaskSentenceTransformer(tiny_encoder, [Task("mood", ("glad", "sad"))])


@pytest.fixture
def saved(tiny, tmp_path):
    """The folder of a saved tiny model."""
    tiny.save(tmp_path / "saved")
    return tmp_path / "saved"


def same(first, second):
    """Whether two sets of predictions agree to the last bit."""
    return first.keys() == second.keys() and all(
        first[name].task == second[name].task and np.array_equal(first[name].probabilities, second[name].probabilities)
        for name in first
    )


# --- forward and predict


def test_the_logits_have_a_column_for_each_label(untrained):
    logits = untrained(TEXTS)
    assert {name: tuple(values.shape) for name, values in logits.items()} == {"topic": (3, 9), "sentiment": (3, 3)}
    assert all(values.dtype == torch.float32 for values in logits.values())


def test_gradients_of_one_task_reach_the_embeddings_and_every_block(fresh_encoder):
    model = MultiTaskSentenceTransformer(fresh_encoder)
    model(TEXTS)["topic"].logsumexp(dim=1).sum().backward()
    named = dict(fresh_encoder.backbone.named_parameters())
    for group in fresh_encoder.groups:
        assert any(named[name].grad.abs().sum() > 0 for name in group.parameters), group.key
    assert model.heads[0].weight.grad.abs().sum() > 0
    assert model.heads[1].weight.grad is None


def test_the_encode_of_sentence_transformers_would_not_train_anything(encoder):
    output = encoder.backbone.encode(TEXTS, convert_to_tensor=True, show_progress_bar=False)
    assert not output.requires_grad
    assert encoder(TEXTS).requires_grad


@pytest.mark.parametrize(
    ("text", "task", "label"),
    [
        ("The team won the football match.", "topic", "sports"),
        ("The new phone has a faster processor and a better camera.", "topic", "technology"),
        ("The doctor prescribed medicine for the patient's fever.", "topic", "health"),
        (TEXTS[1], "sentiment", "positive"),
        ("I hate this; it is terrible.", "sentiment", "negative"),
    ],
)
def test_untrained_heads_know_the_words_of_their_labels(untrained, text, task, label):
    assert untrained.predict([text])[task].labels == [label]


def test_a_label_of_several_words_is_read_as_words(encoder):
    plain = MultiTaskSentenceTransformer(encoder, [Task("t", ("health care", "-"))])
    joined = MultiTaskSentenceTransformer(encoder, [Task("t", ("health_care", "-"))])
    assert torch.equal(plain.heads[0].weight, joined.heads[0].weight)
    assert torch.isfinite(plain.heads[0].weight).all()


def test_probabilities_sum_to_one_and_the_label_is_the_likeliest(untrained):
    for prediction in untrained.predict(TEXTS).values():
        np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, atol=1e-6)
        for label, sure, row in zip(prediction.labels, prediction.confidences, prediction.probabilities, strict=True):
            assert prediction.task.labels.index(label) == row.argmax()
            assert sure == row.max()


def test_predicting_nothing_gives_nothing(untrained):
    assert [(p.labels, p.probabilities.shape) for p in untrained.predict([]).values()] == [([], (0, 9)), ([], (0, 3))]


@pytest.mark.parametrize("count", [1, 8])
def test_one_task_and_eight_are_models_too(tiny_encoder, tmp_path, count):
    tasks = tuple(Task(f"task {n}", tuple(f"label {k}" for k in range(n + 1))) for n in range(count))
    model = MultiTaskSentenceTransformer(tiny_encoder, tasks)
    model.save(tmp_path / "model")
    again = MultiTaskSentenceTransformer.load(tmp_path / "model")
    assert again.tasks == tasks
    assert same(model.predict(TEXTS), again.predict(TEXTS))


@pytest.mark.parametrize("tasks", [[], [DEFAULT_TASKS[0], DEFAULT_TASKS[0]]])
def test_impossible_tasks_are_refused(encoder, tasks):
    with pytest.raises(ModelError):
        MultiTaskSentenceTransformer(encoder, tasks)


def test_the_starter_model_knows_the_small_sample(encoder):
    starter = load_model(STARTER, encoder)
    data = make_dataset(read_table(SMALL_SAMPLE), "text", [task.name for task in starter.tasks])
    assert starter.tasks == DEFAULT_TASKS == data.tasks
    data = data.take(range(0, len(data), 3))
    found = starter.predict(data.texts)["sentiment"].probabilities.argmax(axis=1)
    truth = np.array(data.labels["sentiment"])
    assert (found == truth)[truth >= 0].mean() > 0.78


# --- save and load


def test_a_model_that_was_saved_and_loaded_predicts_the_same(fresh_encoder, tmp_path):
    model = MultiTaskSentenceTransformer(fresh_encoder)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.01)
    model.save(tmp_path / "model")
    again = MultiTaskSentenceTransformer.load(tmp_path / "model")
    assert again.tasks == model.tasks
    assert same(model.predict(TEXTS), again.predict(TEXTS))


def test_the_folder_of_a_model_is_a_sentence_transformers_model(saved, tiny):
    loaded = MultiTaskSentenceTransformer.load(saved, fp32=True)
    backbone = SentenceTransformer(str(saved), local_files_only=True)
    np.testing.assert_allclose(backbone.encode(TEXTS, show_progress_bar=False), loaded.encode(TEXTS), atol=1e-5)
    assert tiny.encoder.dimension == backbone.get_embedding_dimension()


def test_the_folder_holds_open_formats_only(saved):
    files = [path for path in saved.rglob("*") if path.is_file()]
    assert {"heads.safetensors", "mtst.json", "model.safetensors"} <= {path.name for path in files}
    assert {path.suffix for path in files if path.name != "predict.py"} <= {".safetensors", ".json", ".txt", ".md"}
    card = json.loads((saved / "mtst.json").read_text())
    assert card["tasks"] == [{"name": "mood", "labels": ["glad", "sad"]}]
    assert set(load_file(saved / "heads.safetensors")) == {"0.weight", "0.bias"}


def test_heads_alone_find_their_encoder_again(tiny, tmp_path):
    tiny.save(tmp_path / "heads", heads_only=True)
    assert {path.name for path in (tmp_path / "heads").iterdir()} == {"mtst.json", "heads.safetensors"}
    lent = MultiTaskSentenceTransformer.load(tmp_path / "heads", tiny.encoder)
    assert lent.encoder is tiny.encoder
    alone = MultiTaskSentenceTransformer.load(tmp_path / "heads")
    assert alone.encoder is not tiny.encoder
    assert same(tiny.predict(TEXTS), lent.predict(TEXTS))
    assert same(tiny.predict(TEXTS), alone.predict(TEXTS))


def test_loading_embeds_nothing(tiny, tmp_path):
    tiny.save(tmp_path / "heads", heads_only=True)
    tiny.encoder.clear_cache()
    passes = []
    tiny.encoder.backbone.register_forward_hook(lambda *_: passes.append(1))
    loaded = MultiTaskSentenceTransformer.load(tmp_path / "heads", tiny.encoder)
    assert not passes
    assert not loaded.zero_shot
    assert same(tiny.predict(TEXTS), loaded.predict(TEXTS))
    assert passes


def test_heads_are_not_put_on_an_encoder_of_another_name(tiny, tmp_path, encoder):
    tiny.save(tmp_path / "heads", heads_only=True)
    again = MultiTaskSentenceTransformer.load(tmp_path / "heads", encoder)
    assert again.encoder.name == tiny.encoder.name


def test_an_encoder_that_was_trained_is_not_left_out(tiny, tmp_path):
    optimizer = torch.optim.AdamW(tiny.parameters(), fused=True)
    tiny(TEXTS)["mood"].sum().backward()
    optimizer.step()
    with pytest.raises(ModelError, match="trained"):
        tiny.save(tmp_path / "heads", heads_only=True)
    assert not (tmp_path / "heads").exists()


def test_an_empty_folder_and_one_that_is_missing_are_filled(tiny, tmp_path):
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "a" / "b"):
        tiny.save(place, heads_only=True)
        assert (place / "mtst.json").is_file()


# --- folders that do not load


def change_card(**changes):
    def change(folder):
        card = json.loads((folder / "mtst.json").read_text())
        (folder / "mtst.json").write_text(json.dumps(card | changes))

    return change


def write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def remove(name):
    return lambda folder: (folder / name).unlink()


def other_heads(folder):
    save_file({"0.weight": torch.zeros(2, 5), "0.bias": torch.zeros(2)}, folder / "heads.safetensors")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (remove("mtst.json"), "holds no model"),
        (write("mtst.json", b"{"), "cannot be read as the description"),
        (write("mtst.json", b"[]"), "cannot be read as the description"),
        (write("mtst.json", b"\xff\xfe"), "cannot be read as the description"),
        (write("mtst.json", b'{"format": 1, "encoder": null}'), "cannot be read as the description"),
        (change_card(format=3), "format 3"),
        (change_card(tasks=[]), "at least one task"),
        (change_card(tasks=[{"name": "mood", "labels": ["glad"]}]), "do not fit"),
        (remove("heads.safetensors"), "cannot be read or do not fit"),
        (write("heads.safetensors", b"not tensors"), "cannot be read or do not fit"),
        (other_heads, "do not fit"),
        (remove("modules.json"), "encoder"),
    ],
)
def test_a_damaged_folder_is_refused_with_what_is_wrong(saved, damage, words):
    damage(saved)
    with pytest.raises(ModelError, match=words):
        MultiTaskSentenceTransformer.load(saved)


@pytest.mark.parametrize("damage", [remove("model.safetensors"), write("model.safetensors", b"short")])
def test_a_folder_whose_encoder_is_damaged_is_refused(saved, damage):
    damage(saved)
    with pytest.raises(EncoderError, match="saved"):
        MultiTaskSentenceTransformer.load(saved)


@pytest.mark.parametrize("name", [5, ["a"]])
def test_heads_that_name_no_encoder_are_refused(saved, name):
    remove("modules.json")(saved)
    change_card(encoder=name)(saved)
    with pytest.raises(ModelError):
        MultiTaskSentenceTransformer.load(saved)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelError, match="holds no model"):
        load_model(str(tmp_path / "none"))


def test_the_starter_folder_names_the_bundled_encoder():
    assert json.loads((STARTER_FOLDER / "mtst.json").read_text())["encoder"] == load_encoder.__defaults__[0]


@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_zero_shot_heads_are_as_sure_whatever_the_length_of_the_embeddings(tiny_encoder, scale):
    longer = copy.deepcopy(tiny_encoder)
    with torch.no_grad():
        for parameter in longer.backbone[0].auto_model.encoder.layer[-1].output.LayerNorm.parameters():
            parameter *= scale
    longer.invalidate_cache()
    task = Task("place", ("kitchen", "stadium"))
    expected, logits = (
        MultiTaskSentenceTransformer(encoder, [task])(["The soup is hot."])["place"]
        for encoder in (tiny_encoder, longer)
    )
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_a_copy_predicts_the_same(tiny, copied):
    expected = tiny.predict(TEXTS)
    other = copied(tiny)
    assert (other.tasks, other.base) == (tiny.tasks, tiny.base)
    for task, prediction in other.predict(TEXTS).items():
        np.testing.assert_allclose(prediction.probabilities, expected[task].probabilities, atol=1e-6)
