import dataclasses
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import transformers

from mtst.encoders import CATALOGUE, DEFAULT, load_encoder, verify
from mtst.errors import EncoderError

SCRIPT = """
import json, sys
from mtst.encoders import load_encoder
from mtst.errors import EncoderError
for name in sys.argv[1:]:
    try:
        load_encoder(name)
    except EncoderError as error:
        print(json.dumps(str(error)))
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers as the Hub does for models that are not there, and for gated ones."""

    def do_GET(self):
        gated = "gated" in self.path
        self.send_response(403 if gated else 404)
        self.send_header("X-Error-Code", "GatedRepo" if gated else "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 (named by the library)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Load names in a process that is online with a Hub at an address; return what each error says."""

    def start(endpoint, *names):
        environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path_factory.mktemp("hub"))}
        del environment["HF_HUB_OFFLINE"]
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, *names]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        processes = [
            start(f"http://127.0.0.1:{hub.server_port}", "nobody/nothing", "somebody/gated"),
            start("http://127.0.0.1:9", "owner/model"),
        ]
        lines = [line for process in processes for line in process.communicate()[0].splitlines()]
        hub.shutdown()
    return dict(zip(("unknown", "gated", "unreachable"), map(json.loads, lines), strict=True))


def weights():
    entry = CATALOGUE[DEFAULT]
    return Path(find_spec(entry.bundle.package).submodule_search_locations[0]) / "model" / "model.safetensors"


def test_the_default_comes_from_the_bundle_and_knows_what_sentences_mean(encoder):
    assert (encoder.name, encoder.dimension, encoder.max_tokens) == (DEFAULT, 384, 256)
    food, dish, law = encoder.encode(["I love pizza.", "Pizza is my favourite dish.", "The court ruled today."])
    assert food @ dish > 0.7 > 0.2 > food @ law


def test_the_bundled_weights_are_the_published_ones():
    verify(weights(), CATALOGUE[DEFAULT].bundle.sha256)
    assert hashlib.sha256(weights().read_bytes()).hexdigest() == CATALOGUE[DEFAULT].bundle.sha256


def test_weights_with_one_byte_changed_are_refused(tmp_path):
    changed = bytearray(weights().read_bytes())
    changed[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(changed)
    with pytest.raises(EncoderError, match="not the published ones"):
        verify(tmp_path / "model.safetensors", CATALOGUE[DEFAULT].bundle.sha256)


def test_weights_that_are_missing_are_refused(tmp_path):
    with pytest.raises(EncoderError, match="cannot be read"):
        verify(tmp_path / "model.safetensors", "0" * 64)


def test_a_bundle_with_another_checksum_is_not_loaded(monkeypatch):
    entry = CATALOGUE[DEFAULT]
    other = dataclasses.replace(entry, bundle=dataclasses.replace(entry.bundle, sha256="0" * 64))
    monkeypatch.setitem(CATALOGUE, DEFAULT, other)
    with pytest.raises(EncoderError, match="not the published ones"):
        load_encoder()


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_an_encoder_of_every_kind_is_loaded_from_a_folder(tiny_folder, kind):
    name = str(tiny_folder(kind))
    tiny = load_encoder(name, fp32=True)
    texts = ["A good film.", "the soup " * 100, ""]
    assert tiny.name == name
    assert tiny.dimension == 32
    expected = tiny.backbone.encode(texts, show_progress_bar=False)
    np.testing.assert_allclose(tiny.encode(texts), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nowhere", "../nowhere/at/all", "~/nowhere", "a/b/c"])
def test_a_folder_that_is_not_there_is_called_a_folder(name):
    with pytest.raises(EncoderError, match="There is no folder") as caught:
        load_encoder(name)
    assert repr(name) in str(caught.value)


def pictures(folder):
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=16, **size)).save_pretrained(folder)


def words_of_another(folder):
    (folder / "config.json").write_text('{"model_type": "no-such-model"}')


def nothing(folder):
    (folder / "notes.txt").write_text("nothing here")


@pytest.mark.parametrize("fill", [pictures, words_of_another, nothing])
def test_what_is_not_a_text_encoder_is_refused_in_one_line(tmp_path, fill):
    fill(tmp_path)
    with pytest.raises(EncoderError, match="not a text encoder") as caught:
        load_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "  ", "no such name", "owner/model/"])
def test_a_name_that_cannot_be_one_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EncoderError, match="Hub"):
        load_encoder(name)


@pytest.mark.parametrize(
    ("case", "name", "advice"),
    [
        ("unknown", "nobody/nothing", "Check the spelling"),
        ("gated", "somebody/gated", "Accept its terms"),
        ("unreachable", "owner/model", "Check the network"),
    ],
)
def test_an_encoder_that_the_hub_does_not_give_is_explained(ask, case, name, advice):
    assert repr(name) in ask[case]
    assert advice in ask[case]


def test_offline_the_bundled_encoder_is_offered():
    with pytest.raises(EncoderError, match=f"could not be reached.*{DEFAULT}"):
        load_encoder("owner/model")
