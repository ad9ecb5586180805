"""ZIPs of models that somebody sends: those made here load, all others are one sentence and leave nothing behind."""

import io
import json
import os
import struct
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.model.export.zip import zip_model
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.upload.archive import load_archive, unpack
from mtst.model.upload.validation import check_working

TEXTS = ["the striker scored", "salt and pepper"]
TASKS = (Task("mood", ("glad", "sad")), Task("topic", ("x", "y", "z")))
LINK = 0o120777 << 16
DOUBLING = {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}] * 16}


@pytest.fixture(scope="module")
def model(tiny_folder):
    return MultiTaskSentenceTransformer(load_encoder(str(tiny_folder())), TASKS)


@pytest.fixture(scope="module")
def content(model, tmp_path_factory):
    """What a ZIP made here holds, by name."""
    path = tmp_path_factory.mktemp("made") / "model.zip"
    zip_model(model, path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def refused(content, tmp_path):
    """Tell why a ZIP with other content is refused; nothing of it may be left."""

    def tell(changed, *, megabytes=50.0, raw=None):
        path = tmp_path / "sent.zip"
        path.write_bytes(zipped(content | changed) if raw is None else raw)
        before = sorted(os.listdir(tmp_path))
        with pytest.raises(ModelError) as caught:
            unpack(path, tmp_path / "model", megabytes)
        assert sorted(os.listdir(tmp_path)) == before
        assert str(caught.value).count("\n") == 0
        return str(caught.value)

    return tell


def zipped(content, method=zipfile.ZIP_STORED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return target.getvalue()


def at(name):
    return f"mtst-model/{name}"


def changed(content, name, **values):
    """A JSON file of the model with some values changed."""
    return {at(name): json.dumps(json.loads(content[at(name)]) | values).encode()}


# --- what is made here


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_what_is_made_here_comes_back_the_same(tiny_folder, tmp_path, kind):
    made = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder(kind))), TASKS)
    zip_model(made, tmp_path / "model.zip")
    again = load_archive(tmp_path / "model.zip")
    assert again.tasks == made.tasks
    for task in TASKS:
        found = again.predict(TEXTS)[task.name].probabilities
        np.testing.assert_array_equal(found, made.predict(TEXTS)[task.name].probabilities)


def test_the_model_that_ships_passes(tmp_path):
    made = load_model("starter")
    zip_model(made, tmp_path / "model.zip")
    again = load_archive(tmp_path / "model.zip")
    assert again.predict(TEXTS)["topic"].labels == made.predict(TEXTS)["topic"].labels
    assert again.base == "all-MiniLM-L6-v2"


def test_scripts_and_papers_stay_in_the_archive(content, tmp_path):
    (tmp_path / "sent.zip").write_bytes(zipped(content | {at("predict.py"): b"raise SystemExit(9)"}))
    unpack(tmp_path / "sent.zip", tmp_path / "model")
    assert at("predict.py") in content
    assert not [path for path in (tmp_path / "model").rglob("*") if path.suffix in {".py", ".md", ".txt"}]


def test_a_zip_packed_again_without_its_folder_is_taken_too(content, tmp_path):
    flat = {name.removeprefix("mtst-model/"): data for name, data in content.items()}
    (tmp_path / "sent.zip").write_bytes(zipped(flat, zipfile.ZIP_DEFLATED))
    assert load_archive(tmp_path / "sent.zip").tasks == TASKS


# --- what the archive is


@pytest.mark.parametrize(
    "name",
    [
        "mtst-model/evil.py",
        "mtst-model/pytorch_model.bin",
        "mtst-model/a.pkl",
        "mtst-model/x.pt",
        "mtst-model/2_Evil/a",
    ],
)
def test_what_is_no_part_of_a_model_is_refused(refused, name):
    assert "is no part of a model" in refused({name: b"x"})


@pytest.mark.parametrize("name", ["../evil", "mtst-model/../../evil", "/etc/evil", "mtst-model/..", "C:\\evil", "a\\b"])
def test_nothing_is_written_elsewhere(refused, name):
    assert "leads out of it" in refused({name: b"x"})


def test_a_link_is_refused(refused, content):
    entry = zipfile.ZipInfo(at("vocab.txt"))
    entry.external_attr = LINK
    target = io.BytesIO(zipped(content))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "is no plain file" in refused({}, raw=target.getvalue())


def test_a_file_that_comes_twice_is_refused(refused, content):
    target = io.BytesIO(zipped(content))
    with zipfile.ZipFile(target, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(at("mtst.json"), "{}")
    assert "more than once" in refused({}, raw=target.getvalue())


@pytest.mark.parametrize("name", ["mtst.json", "heads.safetensors", "model.safetensors", "modules.json"])
def test_a_part_that_is_missing_is_named(refused, name):
    assert f"{name!r} is missing" in refused({at(name): None})


def test_an_archive_that_unpacks_to_more_than_it_may_is_stopped(refused, content):
    bomb = zipped(content | {at("model.safetensors"): bytes(40_000_000)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1_000_000
    assert "unpacks to more" in refused({}, raw=bomb)


def test_a_size_that_is_a_lie_is_no_way_around(refused, content):
    """The directory says that the weights are small: no more than that is read, and the checksum does not fit it."""
    made = bytearray(zipped(content | {at("model.safetensors"): os.urandom(3_000_000)}))
    place = made.rindex(at("model.safetensors").encode()) - 46
    assert made[place : place + 4] == b"PK\x01\x02"
    struct.pack_into("<L", made, place + 24, 100)
    assert "Bad CRC-32 for file 'mtst-model/model.safetensors'" in refused({}, raw=bytes(made), megabytes=4)


def test_files_that_are_too_large_only_together_are_stopped(refused, content):
    """Each may take what those before it have left."""
    tenfold = b"".join(10 * os.urandom(3_000) for _ in range(100))
    made = zipped(
        content | dict.fromkeys([at("model.safetensors"), at("heads.safetensors")], tenfold), zipfile.ZIP_DEFLATED
    )
    assert len(made) < 4_000_000 < 2 * len(tenfold)
    assert "'model.safetensors' unpacks to more" in refused({}, raw=made, megabytes=4)


@pytest.mark.parametrize("name", ["tokenizer_config.json", "vocab.txt"])
def test_a_text_that_is_too_long_is_stopped(refused, name):
    assert "unpacks to more" in refused({at(name): os.urandom(60_000_000)}, megabytes=100)


def test_an_archive_that_is_too_large_is_refused_before_it_is_read(refused, content):
    assert "larger than the 0.01 MB" in refused({}, megabytes=0.01)


def test_many_entries_are_refused_before_their_directory_is_read(refused, content):
    assert "its directory is unusual" in refused({at(f"onnx/{n}"): b"" for n in range(100)})


def test_what_is_damaged_is_refused(refused, content):
    whole = zipped(content)
    assert "not a ZIP" in refused({}, raw=b"")
    assert "not a ZIP" in refused({}, raw=b"text,mood\na,b\n")
    assert "not a ZIP" in refused({}, raw=whole[:-40])
    assert "its directory is unusual" in refused({}, raw=b"#!/bin/sh\n" + whole)
    broken = bytearray(whole)
    broken[whole.index(b'"tasks"')] ^= 1
    assert "cannot be read as a ZIP" in refused({}, raw=bytes(broken))


def test_a_password_is_refused(refused, content):
    made = bytearray(zipped(content))
    for place in (made.index(b"PK\x03\x04") + 6, made.index(b"PK\x01\x02") + 8):
        made[place] |= 1
    assert "is encrypted" in refused({}, raw=bytes(made))


# --- what its settings say


@pytest.mark.parametrize(
    "kind", ["os.system", "sentence_transformers.models.CLIPModel", "modeling.Evil", ["x"], None, "torch.nn.Linear"]
)
def test_a_module_that_is_not_known_is_refused(refused, content, kind):
    modules = json.loads(content[at("modules.json")])
    modules[0]["type"] = kind
    assert "modules.json" in refused({at("modules.json"): json.dumps(modules).encode()})


@pytest.mark.parametrize("modules", [b"{}", b"[]", b"[" * 100_000, b"\xff", b'[{"type": {}}]', b"null"])
def test_modules_that_are_no_list_of_modules_are_refused(refused, modules):
    assert "modules.json" in refused({at("modules.json"): modules})


@pytest.mark.parametrize("path", ["../other", "/other", "1_Other"])
def test_a_module_that_lies_elsewhere_is_refused(refused, content, path):
    modules = json.loads(content[at("modules.json")])
    modules[1]["path"] = path
    assert "modules.json" in refused({at("modules.json"): json.dumps(modules).encode()})


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("config.json", {"auto_map": {"AutoModel": "modeling.Evil"}}, "auto_map"),
        ("config.json", {"model_type": "evil"}, "'evil', not one of bert"),
        ("config.json", {"model_type": ["bert"]}, "not one of bert"),
        ("config.json", {"vocab_size": 10**9}, "vocab_size"),
        ("config.json", {"vocab_size": 10**6}, "the weights differ"),
        (
            "config.json",
            {"num_hidden_layers": 10**6},
            "num_hidden_layers is 1000000; the most that is taken here is 100",
        ),
        ("config.json", {"num_hidden_layers": "many"}, "num_hidden_layers is many"),
        ("config.json", {"n_layers": 10**6}, "n_layers is 1000000"),
        (
            "config.json",
            {"max_position_embeddings": 1_027},
            "max_position_embeddings is 1027; the most that is taken here is 1,026",
        ),
        ("config.json", {"num_attention_heads": 33}, "num_attention_heads is 33"),
        ("config.json", {"intermediate_size": 16_385}, "intermediate_size is 16385"),
        ("config.json", {"model_type": "distilbert", "sinusoidal_pos_embds": True}, "sinusoidal"),
        ("sentence_bert_config.json", {"max_seq_length": 1_027}, "max_seq_length is 1027"),
        ("config.json", {"num_hidden_layers": 3}, "the weights differ"),
        ("config.json", {"hidden_size": "x"}, "config.json"),
        ("config.json", {"hidden_size": float("nan")}, "hidden_size"),
        ("config.json", {"attn_implementation": "someone/kernel"}, "attn_implementation"),
        ("config.json", {"quantization_config": {"quant_method": "x"}}, "quantization_config"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}, "auto_map"),
        ("tokenizer_config.json", {"tokenizer": {"trust_remote_code": True}}, "trust_remote_code"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}}}, "Regex"),
        ("tokenizer.json", {"normalizer": DOUBLING}, "Replace"),
        (
            "tokenizer.json",
            {"model": {"type": "WordPiece", "vocab": {"a": 0}, "max_input_chars_per_word": 10**6}},
            "100 are",
        ),
        ("tokenizer_config.json", {"tokenizer_class": "LlamaTokenizer"}, "of the class 'LlamaTokenizer'"),
        ("config.json", {"tokenizer_class": "LlamaTokenizer"}, "of the class 'LlamaTokenizer'"),
        ("sentence_bert_config.json", {"model_args": {"device_map": "auto"}}, "model_args"),
        ("sentence_bert_config.json", {"modality_config": {"text": {"method": "save"}}}, "modality_config"),
        ("config_sentence_transformers.json", {"model_type": "CrossEncoder"}, "more than it should"),
        ("mtst.json", {"encoder": "someone/else"}, "names an encoder"),
        ("mtst.json", {"tasks": [{"name": "mood", "labels": ["glad"]}]}, "does not fit its labels"),
        ("mtst.json", {"tasks": [{"name": "m", "labels": [f"{n}" for n in range(2000)]}]}, "more tasks or labels"),
        ("mtst.json", {"tasks": [{"name": "m" * 2000, "labels": ["a", "b"]}]}, "longer ones"),
        ("mtst.json", {"tasks": 3}, "does not describe its tasks"),
        ("mtst.json", {"format": 99}, "does not describe its tasks"),
    ],
)
def test_settings_that_could_do_harm_are_refused(refused, content, name, values, words):
    assert words in refused(changed(content, name, **values))


def test_a_report_that_is_none_is_refused(refused):
    assert "report.json" in refused({at("report.json"): b"{}"})


@pytest.mark.parametrize("name", ["heads.safetensors", "model.safetensors"])
def test_weights_that_are_none_are_refused(refused, name):
    assert name in refused({at(name): (100).to_bytes(8, "little") + b"no header"})
    assert "too long a list" in refused({at(name): (10**8).to_bytes(8, "little") + bytes(100)})


def test_heads_of_whole_numbers_are_refused(refused, content):
    heads = {name: tensor.long() for name, tensor in load(content[at("heads.safetensors")]).items()}
    assert "other numbers than weights" in refused({at("heads.safetensors"): save(heads)})


def test_a_model_that_answers_with_no_numbers_is_refused(content, tmp_path):
    heads = {
        name: torch.full_like(tensor, torch.nan) for name, tensor in load(content[at("heads.safetensors")]).items()
    }
    (tmp_path / "sent.zip").write_bytes(zipped(content | {at("heads.safetensors"): save(heads)}))
    with pytest.raises(ModelError, match="no numbers"):
        load_archive(tmp_path / "sent.zip")


def test_a_model_that_cannot_read_a_long_text_is_refused(content, tmp_path):
    longer = changed(content, "sentence_bert_config.json", max_seq_length=1_000)
    (tmp_path / "sent.zip").write_bytes(zipped(content | longer))
    with pytest.raises(ModelError, match="long text"):
        load_archive(tmp_path / "sent.zip")


def test_a_tokenizer_of_more_tokens_than_the_network_knows_is_refused(model):
    model.encoder.backbone.tokenizer.add_tokens(["extraordinary"])
    with pytest.raises(ModelError, match="more tokens"):
        check_working(model)


# --- trained further


def test_a_head_of_the_same_name_and_labels_goes_on(tiny):
    other = Task("place", tuple(reversed(tiny.tasks[1].labels)))
    made = tiny.with_tasks([other, Task("topic", ("another", "set")), Task("new", ("a", "b"))])
    assert [task.name for task in made.tasks] == ["place", "topic", "new"]
    assert torch.equal(made.heads[0].weight, tiny.heads[1].weight.flip(0))
    assert made.encoder is tiny.encoder
    fresh = MultiTaskSentenceTransformer(tiny.encoder, made.tasks)
    assert torch.equal(made.heads[1].weight, fresh.heads[1].weight)
    assert torch.equal(made.heads[2].weight, fresh.heads[2].weight)
