import json
import threading

import pytest

from mtst.encoders.catalogue import DEFAULT
from mtst.encoders.hub.files import required_files
from tests.support import checkpoints
from tests.support.hub_client import Client

NOWHERE = "http://127.0.0.1:9"
LAYOUTS = (
    ("bert", checkpoints.plain),
    ("mpnet", checkpoints.with_twin),
    ("roberta", checkpoints.with_modules),
    ("bert", checkpoints.of_old),
    ("distilbert", checkpoints.sharded),
    ("bert", checkpoints.pickled),
)


@pytest.fixture(scope="module")
def clients(hub, home):
    """A client of the small Hub, and one that has what the first has fetched and no way to any Hub."""
    with Client(hub.url, home) as online, Client(NOWHERE, home) as cut_off:
        yield online, cut_off


@pytest.fixture
def client(clients):
    return clients[0]


@pytest.fixture
def cut_off(clients):
    return clients[1]


@pytest.fixture(scope="module")
def publish(hub, tiny_folder, tmp_path_factory):
    """Publish a small model in a layout, under a name of its own."""
    count = 0

    def make(layout=checkpoints.plain, kind="bert", name=None, **rights):
        nonlocal count
        count += 1
        name = name or f"owner/model-{count:03}"
        hub.add(name, layout(tiny_folder(kind), tmp_path_factory.mktemp("models") / "model"), **rights)
        return name

    return make


@pytest.fixture(autouse=True)
def no_troubles(hub):
    yield
    hub.troubles.clear()


@pytest.mark.parametrize(("kind", "layout"), LAYOUTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_model_of_every_layout_is_fetched_trained_saved_and_loaded(client, hub, publish, tmp_path, kind, layout):
    name = publish(layout, kind)
    answer = client.do("train", name=name, folder=str(tmp_path / "model"))
    assert answer["events"][-1] == "Finished"
    assert (answer["moved"] > 0, answer["same"]) == (True, True)
    assert answer["label"] in ("food", "sports")
    fetched = {seen.path.partition(f"{name}/")[2].rpartition("resolve/")[2] for seen in hub.asked(f"{name}/")}
    assert not any(unneeded in path for path in fetched for unneeded in checkpoints.BESIDE)
    assert layout is checkpoints.pickled or not any(path.endswith(".bin") for path in fetched)


def test_a_name_of_the_catalogue_is_found_where_the_hub_has_moved_it(client, hub, publish):
    publish(kind="roberta", name="FacebookAI/roberta-base")
    hub.moved["roberta-base"] = "FacebookAI/roberta-base"
    assert not client.do("offer", name="roberta-base")["is_local"]
    assert client.do("load", name="roberta-base")["name"] == "roberta-base"
    assert client.do("offer", name="roberta-base")["is_local"]


def test_the_download_tells_how_far_it_is(client, hub, publish):
    name = publish()
    told = client.do("load", name=name)["told"]
    sizes = [
        len(hub.repos[name].files[path])
        for path in required_files(hub.repos[name].files, [""])
        if path != "config.json"
    ]
    assert told[0] == [0, sum(sizes)]
    assert told[-1] == [sum(sizes), sum(sizes)]
    assert told == sorted(told)


def test_a_cut_connection_is_taken_up_where_it_broke(client, hub, publish):
    name = publish(checkpoints.large)
    hub.trouble(f"/content/{name}", cut=11_000_000, times=1)
    assert client.do("load", name=name)["dimension"] == 32
    assert [seen.range for seen in hub.asked(f"/content/{name}")] == [None, f"bytes={10 * 2**20}-"]


def test_a_hub_that_is_busy_for_a_moment_is_asked_again(client, hub, publish):
    name = publish()
    hub.trouble(f"/content/{name}", status=429, headers={"Retry-After": "0"}, times=1)
    hub.trouble(f"{name}/resolve/", status=503, method="HEAD", times=1)
    assert client.do("load", name=name)["dimension"] == 32


def test_what_is_here_is_loaded_without_asking(client, cut_off, hub, publish):
    name = publish(checkpoints.with_modules)
    first = client.do("load", name=name)
    before = len(hub.seen)
    assert client.do("load", name=name) == first | {"told": []}
    assert cut_off.do("load", name=name) == first | {"told": []}
    assert len(hub.seen) == before


def test_what_another_program_has_fetched_is_used_without_the_hub(client, cut_off, home, publish):
    name = publish()
    first = client.do("load", name=name)
    for tree in (home / "hub" / f"models--{name.replace('/', '--')}" / "trees").iterdir():
        tree.unlink()  # such programs keep no list of what there should be
    assert cut_off.do("load", name=name) == first | {"told": []}


def test_without_the_hub_the_bundled_encoder_is_offered(cut_off):
    assert cut_off.do("load", name="owner/never-fetched")["error"] == (
        "The Hub could not be reached, so 'owner/never-fetched' was not fetched. Check the network and try again, or "
        f"use the bundled '{DEFAULT}'."
    )


def test_two_who_want_the_same_fetch_it_once(client, hub, publish):
    name = publish()
    slow = hub.trouble(f"/content/{name}", hold=threading.Event())
    both = [client.ask("load", name=name) for _ in range(2)]
    slow.met.wait(60)
    slow.hold.set()
    first, second = (each.result() for each in both)
    assert first["row"] == second["row"]
    assert len(hub.asked(f"/content/{name}")) == 1


@pytest.mark.parametrize(
    ("trouble", "part"),
    [
        ({"status": 429}, "takes no more requests from here for now (429)"),
        ({"status": 500}, "out of order (500)"),
        ({"status": 503}, "out of order (503)"),
        ({"status": 403}, "does not let you read"),
        ({"status": 418}, "refuses to give"),
    ],
)
def test_a_hub_that_refuses_is_quoted(client, hub, publish, trouble, part):
    name = publish()
    hub.trouble(f"/api/models/{name}", **trouble)
    error = client.do("load", name=name)["error"]
    assert part in error
    assert repr(name) in error


def test_a_hub_that_fails_halfway_is_quoted(client, hub, publish):
    name = publish()
    hub.trouble(f"/content/{name}", status=500)
    assert "out of order (500)" in client.do("load", name=name)["error"]


def test_a_connection_that_breaks_again_and_again_is_given_up(client, hub, publish):
    name = publish()
    hub.trouble(f"/content/{name}", cut=0)
    assert "broke off" in client.do("load", name=name)["error"]


@pytest.mark.parametrize("spoilt", [{"wrong": True}, {"short": 100}])
def test_what_differs_from_the_list_is_thrown_away_and_fetched_again(client, hub, publish, spoilt):
    name = publish()
    hub.trouble(f"/content/{name}", times=1, **spoilt)
    assert "not what the Hub lists" in client.do("load", name=name)["error"]
    assert not client.do("offer", name=name)["is_local"]
    assert client.do("load", name=name)["dimension"] == 32


def test_a_small_file_that_differs_from_the_list_is_thrown_away_too(client, hub, publish):
    name = publish()
    hub.trouble("/tokenizer.json", wrong=True, times=2)  # the answer to HEAD, then the content
    assert "not what the Hub lists" in client.do("load", name=name)["error"]
    assert client.do("load", name=name)["dimension"] == 32


@pytest.mark.parametrize(
    ("rights", "part"),
    [({"gated": True}, "Accept its terms"), ({"private": True}, "Log in"), (None, "Check the spelling")],
)
def test_a_model_that_is_not_for_everybody_is_explained(client, publish, rights, part):
    name = publish(**rights) if rights else "nobody/nothing"
    error = client.do("load", name=name)["error"]
    assert part in error
    assert repr(name) in error


def test_a_model_larger_than_the_disk_is_not_begun(client, hub, publish):
    name = publish()
    hub.repos[name].claimed["model.safetensors"] = 10**15
    error = client.do("load", name=name)["error"]
    assert f"'{name}' takes 1,000,000,0" in error
    assert not hub.asked(f"/content/{name}")


def test_a_disk_that_fills_up_meanwhile_is_named(client, publish):
    name = publish(checkpoints.large)
    client.do("limit_files", size=2_000_000)
    assert "The disk is full" in client.do("load", name=name)["error"]
    client.do("limit_files", size=-1)
    assert client.do("load", name=name)["dimension"] == 32


@pytest.mark.parametrize("layout", [checkpoints.with_code, checkpoints.with_own_module])
def test_a_model_with_code_of_its_own_is_refused_before_it_is_fetched(client, hub, publish, layout):
    name = publish(layout)
    assert "code of its own, which never runs here" in client.do("load", name=name)["error"]
    assert not hub.asked(f"/content/{name}")
    assert not hub.asked("own.py")


def test_a_pickle_that_holds_more_than_weights_runs_nothing(client, hub, publish, tmp_path):
    name = publish(checkpoints.pickled)
    hub.repos[name].files["pytorch_model.bin"] = checkpoints.pickle_that_makes(tmp_path / "trace")
    assert "more than weights" in client.do("load", name=name)["error"]
    assert not (tmp_path / "trace").exists()


def test_a_model_without_weights_is_refused(client, hub, publish):
    name = publish()
    del hub.repos[name].files["model.safetensors"]
    assert "neither model.safetensors nor pytorch_model.bin" in client.do("load", name=name)["error"]


def test_the_size_is_known_before_anything_is_fetched(client, hub, publish):
    name = publish()
    offer = client.do("offer", name=name)
    size = sum(len(hub.repos[name].files[path]) for path in required_files(hub.repos[name].files, [""]))
    assert offer["megabytes"] == pytest.approx(size / 1e6)
    assert not offer["is_local"]
    config = json.loads(hub.repos[name].files["config.json"])
    assert offer["block_parameters"] == 12 * config["num_hidden_layers"] * config["hidden_size"] ** 2
    assert not hub.asked(f"/content/{name}")
