"""Models go to a small Hub on this machine and come back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

import mtst
from mtst.cli import app
from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.model.multitask import MultiTaskSentenceTransformer

ROOT = Path(mtst.__file__).parents[1]
NOWHERE = "http://127.0.0.1:9"
TEXTS = ["the striker scored", "salt and pepper"]
LIGHT = """
import json, sys
from pathlib import Path
from mtst.errors import ModelError
from mtst.model.hub import download, push
for line in sys.stdin:
    what, *arguments = json.loads(line)
    try:
        print(push(Path(arguments[0]), *arguments[1:]) if what == "push" else download(*arguments))
    except ModelError as error:
        print(error)
"""
PULL = """
import json, sys
from mtst import MultiTaskSentenceTransformer
model = MultiTaskSentenceTransformer.from_pretrained(sys.argv[1], sys.argv[2])
print(json.dumps({name: each.probabilities.tolist() for name, each in model.predict(sys.argv[3:]).items()}))
"""
PUSH = """
import sys
from mtst import MultiTaskSentenceTransformer
model = MultiTaskSentenceTransformer.from_pretrained(sys.argv[1])
print(model.push_to_hub(sys.argv[2], token=sys.argv[3], private=True))
"""


@pytest.fixture
def untroubled(hub):
    yield
    hub.troubles.clear()


@pytest.fixture(scope="module")
def model(tiny_folder):
    return MultiTaskSentenceTransformer(load_encoder(str(tiny_folder())), [Task("mood", ("glad", "sad"))])


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    """A saved model, with a file that is no business of the Hub's."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save(folder)
    (folder / "notes.pkl").write_bytes(b"\x80\x04N.")
    return folder


@pytest.fixture
def online(hub, home):
    """Run Python in a process that takes the small Hub for the Hub."""

    def run(*arguments, endpoint=hub.url, token=None, said=""):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        environment |= {"HF_TOKEN": token} if token else {}
        command = [sys.executable, "-W", "ignore", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=environment, input=said, capture_output=True, text=True)

    return run


@pytest.fixture
def told(online, untroubled):
    """Tell what becomes of orders to publish or to fetch, a line for each."""

    def tell(*orders, **how):
        done = online("-c", LIGHT, said="".join(json.dumps([*map(str, order)]) + "\n" for order in orders), **how)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return tell


def test_a_model_goes_to_the_hub_and_comes_back_the_same(hub, online, saved, model):
    done = online("-m", "mtst", "push", saved, "visitor/mine", "--public", token=hub.token)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{hub.url}/visitor/mine\n"
    repo = hub.repos["visitor/mine"]
    assert not repo.private
    papers = {"README.md", "predict.py", "requirements.txt"}
    assert papers | {"mtst.json", "heads.safetensors", "model.safetensors"} <= repo.files.keys()
    assert not [path for path in repo.files if path.endswith((".pkl", ".bin", ".pt"))]
    assert hub.token.encode() not in b"".join(repo.files.values())
    assert ModelCard(repo.files["README.md"].decode()).data.library_name == "sentence-transformers"
    done = online("-c", PULL, "visitor/mine", repo.commit, *TEXTS)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {name: each.probabilities.tolist() for name, each in model.predict(TEXTS).items()}


@pytest.mark.slow
def test_the_method_makes_a_private_one_with_a_card_of_its_name(hub, online, saved):
    done = online("-c", PUSH, saved, "visitor/closed", hub.token)
    assert done.returncode == 0, done.stderr
    repo = hub.repos["visitor/closed"]
    assert repo.private
    assert repo.files["README.md"].decode().count("# closed\n") == 1


@pytest.mark.parametrize("order", ["push", pytest.param("method", marks=pytest.mark.slow)])
def test_nothing_is_sent_where_everybody_would_see_it(hub, online, saved, order):
    """A repository that is there stays as it is, whatever is said of a new one."""
    hub.create("visitor/open", private=False)
    before = dict(hub.repos["visitor/open"].files)
    how = {
        "push": ["-m", "mtst", "push", saved, "visitor/open", "--private"],
        "method": ["-c", PUSH, saved, "visitor/open", hub.token],
    }
    done = online(*how[order], token=hub.token)
    assert done.returncode != 0
    assert "visitor/open is there already, and public, so nothing was uploaded" in done.stderr
    assert hub.repos["visitor/open"].files == before
    assert not hub.asked("visitor/open", "POST")


@pytest.mark.slow
def test_one_that_is_there_and_private_gets_the_model(hub, online, saved):
    hub.create("visitor/hidden", private=True)
    done = online("-m", "mtst", "push", saved, "visitor/hidden", "--private", token=hub.token)
    assert done.returncode == 0, done.stderr
    assert hub.repos["visitor/hidden"].private
    assert "mtst.json" in hub.repos["visitor/hidden"].files


def test_an_unknown_user_is_asked_to_log_in(hub, told, saved):
    (said,) = told(("push", saved, "visitor/new"))
    assert "does not know you, so visitor/new was not uploaded" in said
    assert "hf auth login" in said
    (said,) = told(("push", saved, "visitor/new"), token="hf_of_nobody")  # noqa: S106
    assert "does not know you" in said
    assert "visitor/new" not in hub.repos


def test_a_token_without_write_access_is_reported(hub, told, saved):
    hub.trouble("/api/repos/create", status=403)
    (said,) = told(("push", saved, "somebody/else"), token=hub.token)
    assert said.startswith("Your token may not do that with somebody/else.")


def test_a_missing_repository_revision_or_model_is_reported(hub, told, saved):
    hub.create("visitor/empty", private=False)
    none, revision, empty = told(
        ("download", "visitor/none"),
        ("download", "visitor/empty", "v9"),
        ("download", "visitor/empty"),
        token=hub.token,
    )
    assert "knows no visitor/none" in none
    assert "no such revision" in revision
    assert "there is no mtst.json in it" in empty


def test_an_invalid_name_is_refused_before_the_hub_is_asked(told):
    names = ["nothing", "a/b/c", "../up", "visitor/", "visitor/na me", "./folder", ""]
    messages = told(*(("download", name) for name in names), endpoint=NOWHERE)
    assert len(messages) == len(names)
    assert all("neither a folder nor a name on the Hub" in message for message in messages)


def test_an_unreachable_hub_is_reported(told, saved):
    there, back = told(("push", saved, "visitor/new"), ("download", "visitor/away"), endpoint=NOWHERE, token="hf_x")  # noqa: S106
    assert "could not be reached, so 'visitor/new' was not uploaded" in there
    assert "could not be reached, so 'visitor/away' was not fetched" in back


@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "no more requests"), (503, "out of order"), pytest.param(500, "out of order", marks=pytest.mark.slow)],
)
def test_a_failing_hub_is_reported(hub, told, saved, status, words):
    hub.trouble("/api/", status=status)
    there, back = told(("push", saved, "visitor/later"), ("download", "visitor/later"), token=hub.token)
    assert words in there
    assert f"({status}), so 'visitor/later' was not uploaded. Try again later" in there
    assert f"({status}), so 'visitor/later' was not fetched. Try again later" in back


def test_a_full_disk_during_a_download_is_reported(hub, online, saved):
    hub.add("visitor/large", saved)
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\n" + LIGHT
    done = online("-c", limited, said=json.dumps(["download", "visitor/large"]) + "\n", token=hub.token)
    assert "The disk is full, so 'visitor/large' could not be stored" in done.stdout


def test_a_folder_without_a_model_is_refused(tmp_path):
    done = CliRunner().invoke(app, ["push", str(tmp_path), "visitor/new"])
    assert done.exit_code == 2
    assert "holds no model" in done.stderr


def test_no_option_takes_a_token():
    done = CliRunner().invoke(app, ["push", "--help"])
    assert "--token" not in done.stdout
    assert "HF_TOKEN" in done.stdout
