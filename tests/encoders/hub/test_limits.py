"""What a visitor may name of the Hub: nothing that is larger than it says, or fills the memory or the disk."""

import json
import shutil
import threading

import pytest

from mtst.encoders.hub.limits import DISK_RESERVE, check_network, check_room
from mtst.errors import EncoderError
from tests.support import checkpoints

LARGE = 50.0  # megabytes, more than the encoders of these tests have


def with_dense(source, target):
    checkpoints.with_modules(source, target)
    modules = json.loads((target / "modules.json").read_text())
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    (target / "modules.json").write_text(json.dumps([*modules, dense]))
    return target


@pytest.mark.parametrize(
    ("layout", "path"), [(checkpoints.plain, "config.json"), (checkpoints.with_modules, "modules.json")]
)
def test_a_description_that_is_large_is_not_read(client, hub, publish, layout, path):
    name = publish(layout)
    hub.repos[name].claimed[path] = 3_000_000
    assert f"'{name}' has a {path} of 3 MB" in client.call("info", name=name)["error"]
    assert not hub.asked(f"{name}/resolve/")


def test_what_is_fetched_is_what_was_held_against_the_limit(client, hub, publish):
    name = publish()
    assert client.call("fetch_for", visitor="", name=name, megabytes=LARGE) is None
    assert [seen.path for seen in hub.asked(name)].count(f"/api/models/{name}") == 1
    large = publish()
    hub.repos[large].claimed["model.safetensors"] = 60_000_000
    error = client.call("fetch_for", visitor="", name=large, megabytes=LARGE)
    assert f"'{large}' has 60 MB; this server takes encoders up to 50 MB" in error
    assert not hub.asked(f"/content/{large}")


@pytest.mark.parametrize(
    ("layout", "configs", "words"),
    [
        (checkpoints.plain, {".": {"vocab_size": 1_000_000}}, "a network of 128 MB and has weights of 0 MB"),
        (checkpoints.of_old, {"0_Transformer": {"vocab_size": 1_000_000}}, "a network of 128 MB"),
        (with_dense, {"2_Dense": {"in_features": 32, "out_features": 1_000_000}}, "a network of 128 MB"),
        (checkpoints.plain, {".": {"num_hidden_layers": 10**6}}, "num_hidden_layers is 1000000; 1,000 are the most"),
        (checkpoints.plain, {".": {"model_type": "distilbert", "sinusoidal_pos_embds": True}}, "sinusoidal"),
        (checkpoints.plain, {".": {"hidden_size": "wide"}}, "not a text encoder"),
    ],
)
def test_a_network_that_is_larger_than_its_weights_is_not_fetched(client, hub, publish, layout, configs, words):
    name = publish(layout, configs=configs)
    assert words in client.call("load", name=name)["error"]
    assert not hub.asked(f"/content/{name}")


def test_weights_that_lack_a_part_are_enough():
    check_network("t5", [{"in_features": 10_000, "out_features": 10_000}], weight_bytes=100_000_000)
    with pytest.raises(EncoderError, match="a network of 400 MB"):
        check_network("t5", [{"in_features": 10_000, "out_features": 10_000}], weight_bytes=70_000_000)


def test_the_name_of_a_file_stands_for_that_file_alone(client, hub, publish):
    name = publish()
    hub.repos[name].files |= {"*.json": b"{}", "[ab].txt": b"a", "beside/large.json": b"{}"}
    assert "error" not in client.call("load", name=name)
    assert hub.asked(f"{name}/resolve/{hub.repos[name].commit}/[ab].txt")
    assert not hub.asked("beside/large.json")


def test_a_visitor_fetches_one_at_a_time(client, hub, publish):
    first, second = publish(), publish()
    slow = hub.trouble(f"/content/{first}", hold=threading.Event())
    coming = client.submit("fetch_for", visitor="one", name=first, megabytes=LARGE)
    assert slow.met.wait(60)
    error = client.call("fetch_for", visitor="one", name=second, megabytes=LARGE)
    assert error == f"Another encoder is on its way to you. Choose '{second}' when that is here."
    assert client.call("fetch_for", visitor="another", name=second, megabytes=LARGE) is None
    slow.hold.set()
    assert coming.result() is None
    assert client.call("fetch_for", visitor="one", name=publish(), megabytes=LARGE) is None


def test_some_of_the_disk_stays_free(tmp_path):
    with pytest.raises(EncoderError, match="1,000 MB stay free"):
        check_room("owner/model", shutil.disk_usage(tmp_path).free - DISK_RESERVE // 2, tmp_path / "cache")
    check_room("owner/model", 0, tmp_path / "cache")
