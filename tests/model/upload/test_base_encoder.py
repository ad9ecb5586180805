"""Which encoders a ZIP may name: none that could be a folder of this machine, and else what the host allows."""

import pytest

from mtst.encoders.catalogue import CATALOGUE, DEFAULT
from mtst.errors import ModelError
from mtst.model.upload.base_encoder import BaseEncoderPolicy

SERVER = BaseEncoderPolicy("/srv/encoder", any_hub_encoder=False)
OPEN = BaseEncoderPolicy(any_hub_encoder=True)


@pytest.mark.parametrize("policy", [SERVER, OPEN])
def test_the_catalogue_is_allowed_by_key_and_by_hub_id(policy):
    for key, entry in CATALOGUE.items():
        assert policy.check(key) == policy.check(entry.hub_id) == key


def test_the_encoder_of_the_host_is_allowed_even_as_a_folder():
    assert SERVER.check("/srv/encoder") == "/srv/encoder"


@pytest.mark.parametrize("name", ["owner/model", "bert-base-cased"])
def test_others_of_the_hub_are_allowed_if_the_host_says_so(name):
    assert OPEN.check(name) == name
    with pytest.raises(ModelError, match=rf"from the encoder '{name}'; this server takes .* own machine"):
        SERVER.check(name)


@pytest.mark.parametrize(
    "name",
    ["/srv", "../up", ".", "", " ", "~/x", "a/b/c", "C:\\x", "\\\\a\\b", "http://x/y", "ö/x", "\ud800", "x" * 300],
)
def test_what_could_be_a_path_is_refused(name):
    for policy in (SERVER, OPEN):
        with pytest.raises(ModelError, match=r"neither in the catalogue nor on the Hub\. Unpack") as caught:
            policy.check(name)
        assert len(str(caught.value)) < 300


def test_a_folder_of_this_machine_is_no_id_of_the_hub(tmp_path, monkeypatch):
    (tmp_path / "owner" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="neither in the catalogue nor on the Hub"):
        OPEN.check("owner/model")


def test_a_model_without_a_name_is_refused():
    with pytest.raises(ModelError, match="does not name the encoder"):
        OPEN.check(None)


def test_one_that_cannot_be_fetched_is_refused_by_name_and_with_the_reason():
    with pytest.raises(
        ModelError, match=r"'nobody/has-this', which is not on this machine\. The Hub could not be reached"
    ):
        OPEN.fetch("nobody/has-this")


def test_what_is_on_this_machine_is_not_fetched(cached_encoder):
    OPEN.fetch(DEFAULT)
    OPEN.fetch(cached_encoder())
