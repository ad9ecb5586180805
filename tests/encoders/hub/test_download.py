import json
import threading

import pytest

from mtst.encoders.catalogue import DEFAULT
from mtst.encoders.hub.files import required_files
from tests.support import checkpoints
from tests.support.hub_client import Client

NOWHERE = "http://127.0.0.1:9"
LAYOUTS = (
    ("roberta", checkpoints.with_modules),
    ("distilbert", checkpoints.sharded),
    ("bert", checkpoints.pickled),
    pytest.param("bert", checkpoints.plain, marks=pytest.mark.slow),
    pytest.param("mpnet", checkpoints.with_twin, marks=pytest.mark.slow),
    pytest.param("bert", checkpoints.of_old, marks=pytest.mark.slow),
)


@pytest.fixture(scope="module")
def offline_client(home):
    """A client that has what the other has downloaded and no way to any Hub."""
    with Client(NOWHERE, home) as client:
        yield client


@pytest.mark.parametrize(("kind", "layout"), LAYOUTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_model_of_every_layout_is_downloaded_trained_saved_and_loaded(client, hub, publish, tmp_path, kind, layout):
    name = publish(layout, kind)
    answer = client.call("train", name=name, folder=str(tmp_path / "model"))
    assert answer["events"][-1] == "Finished"
    assert (answer["moved"] > 0, answer["same"]) == (True, True)
    assert answer["label"] in ("food", "sports")
    fetched = {seen.path.partition(f"{name}/")[2].rpartition("resolve/")[2] for seen in hub.asked(f"{name}/")}
    assert not any(unneeded in path for path in fetched for unneeded in checkpoints.BESIDE)
    assert layout is checkpoints.pickled or not any(path.endswith(".bin") for path in fetched)


def test_a_catalogue_name_is_followed_where_the_hub_has_moved_it(client, hub, publish):
    publish(kind="roberta", name="FacebookAI/roberta-base")
    hub.moved["roberta-base"] = "FacebookAI/roberta-base"
    assert not client.call("info", name="roberta-base")["is_local"]
    assert client.call("load", name="roberta-base")["name"] == "roberta-base"
    assert client.call("info", name="roberta-base")["is_local"]


def test_a_download_reports_its_progress(client, hub, publish):
    name = publish()
    progress = client.call("load", name=name)["progress"]
    sizes = [
        len(hub.repos[name].files[path])
        for path in required_files(hub.repos[name].files, [""])
        if path != "config.json"
    ]
    assert progress[0] == [0, sum(sizes)]
    assert progress[-1] == [sum(sizes), sum(sizes)]
    assert progress == sorted(progress)


def test_a_cut_connection_is_taken_up_where_it_broke(client, hub, publish):
    name = publish(checkpoints.large)
    hub.trouble(f"/content/{name}", cut=11_000_000, times=1)
    assert client.call("load", name=name)["dimension"] == 32
    assert [seen.range for seen in hub.asked(f"/content/{name}")] == [None, f"bytes={10 * 2**20}-"]


def test_a_hub_that_is_busy_for_a_moment_is_asked_again(client, hub, publish):
    name = publish()
    hub.trouble(f"/content/{name}", status=429, headers={"Retry-After": "0"}, times=1)
    hub.trouble(f"{name}/resolve/", status=503, method="HEAD", times=1)
    assert client.call("load", name=name)["dimension"] == 32


def test_what_is_here_is_loaded_without_asking(client, offline_client, hub, publish):
    name = publish(checkpoints.with_modules)
    first = client.call("load", name=name)
    before = len(hub.seen)
    assert client.call("load", name=name) == first | {"progress": []}
    assert offline_client.call("load", name=name) == first | {"progress": []}
    assert len(hub.seen) == before


def test_what_another_program_has_fetched_is_used_without_the_hub(client, offline_client, home, publish):
    name = publish()
    first = client.call("load", name=name)
    for tree in (home / "hub" / f"models--{name.replace('/', '--')}" / "trees").iterdir():
        tree.unlink()  # such programs keep no list of what there should be
    assert offline_client.call("load", name=name) == first | {"progress": []}


def test_without_the_hub_the_bundled_encoder_is_offered(offline_client):
    assert offline_client.call("load", name="owner/never-fetched")["error"] == (
        "The Hub could not be reached, so 'owner/never-fetched' was not fetched. Check the network and try again, or "
        f"use the bundled '{DEFAULT}'."
    )


def test_two_who_want_the_same_fetch_it_once(client, hub, publish):
    name = publish()
    slow = hub.trouble(f"/content/{name}", hold=threading.Event())
    answers = [client.submit("load", name=name) for _ in range(2)]
    slow.met.wait(60)
    slow.hold.set()
    first, second = (answer.result() for answer in answers)
    assert first["row"] == second["row"]
    assert len(hub.asked(f"/content/{name}")) == 1


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (429, "takes no more requests from here for now (429)"),
        (503, "out of order (503)"),
        (403, "does not let you read"),
        (418, "refuses to give"),
    ],
)
def test_a_hub_that_refuses_is_quoted(client, hub, publish, status, part):
    name = publish()
    hub.trouble(f"/api/models/{name}", status=status)
    error = client.call("load", name=name)["error"]
    assert part in error
    assert repr(name) in error


def test_a_hub_that_fails_halfway_is_quoted(client, hub, publish):
    name = publish()
    hub.trouble(f"/content/{name}", status=500)
    assert "out of order (500)" in client.call("load", name=name)["error"]


def test_a_connection_that_breaks_again_and_again_is_given_up(client, hub, publish):
    name = publish()
    hub.trouble(f"/content/{name}", cut=0)
    assert "broke off" in client.call("load", name=name)["error"]


@pytest.mark.parametrize("spoilt", [{"wrong": True}, {"short": 100}])
def test_what_differs_from_the_list_is_thrown_away_and_fetched_again(client, hub, publish, spoilt):
    name = publish()
    hub.trouble(f"/content/{name}", times=1, **spoilt)
    assert "not what the Hub lists" in client.call("load", name=name)["error"]
    assert not client.call("info", name=name)["is_local"]
    assert client.call("load", name=name)["dimension"] == 32


def test_a_small_file_that_differs_from_the_list_is_thrown_away_too(client, hub, publish):
    name = publish()
    hub.trouble("/tokenizer.json", wrong=True, times=2)  # the answer to HEAD, then the content
    assert "not what the Hub lists" in client.call("load", name=name)["error"]
    assert client.call("load", name=name)["dimension"] == 32


@pytest.mark.parametrize(
    ("rights", "part"),
    [({"gated": True}, "Accept its terms"), ({"private": True}, "Log in"), (None, "Check the spelling")],
)
def test_a_model_that_is_not_for_everybody_is_explained(client, publish, rights, part):
    name = publish(**rights) if rights else "nobody/nothing"
    error = client.call("load", name=name)["error"]
    assert part in error
    assert repr(name) in error


def test_a_model_larger_than_the_disk_is_not_begun(client, hub, publish):
    name = publish()
    hub.repos[name].claimed["model.safetensors"] = 10**15
    error = client.call("load", name=name)["error"]
    assert f"'{name}' takes 1,000,000,0" in error
    assert not hub.asked(f"/content/{name}")


def test_a_disk_that_fills_up_meanwhile_is_named(client, publish):
    name = publish(checkpoints.large)
    client.call("limit_files", size=2_000_000)
    assert "The disk is full" in client.call("load", name=name)["error"]
    client.call("limit_files", size=-1)
    assert client.call("load", name=name)["dimension"] == 32


@pytest.mark.parametrize("layout", [checkpoints.with_code, checkpoints.with_own_module])
def test_a_model_with_code_of_its_own_is_refused_before_it_is_fetched(client, hub, publish, layout):
    name = publish(layout)
    assert "code of its own, which never runs here" in client.call("load", name=name)["error"]
    assert not hub.asked(f"/content/{name}")
    assert not hub.asked("own.py")


def test_a_pickle_that_holds_more_than_weights_runs_nothing(client, hub, publish, tmp_path):
    name = publish(checkpoints.pickled)
    hub.repos[name].files["pytorch_model.bin"] = checkpoints.pickle_that_makes(tmp_path / "trace")
    assert "more than weights" in client.call("load", name=name)["error"]
    assert not (tmp_path / "trace").exists()


def test_a_model_without_weights_is_refused(client, hub, publish):
    name = publish()
    del hub.repos[name].files["model.safetensors"]
    assert "neither model.safetensors nor pytorch_model.bin" in client.call("load", name=name)["error"]


def test_the_size_is_known_before_anything_is_fetched(client, hub, publish):
    name = publish()
    info = client.call("info", name=name)
    size = sum(len(hub.repos[name].files[path]) for path in required_files(hub.repos[name].files, [""]))
    assert info["megabytes"] == pytest.approx(size / 1e6)
    assert not info["is_local"]
    config = json.loads(hub.repos[name].files["config.json"])
    assert info["block_parameters"] == 12 * config["num_hidden_layers"] * config["hidden_size"] ** 2
    assert not hub.asked(f"/content/{name}")
