"""Datasets of the Hub by name, with the real client and a small Hub on this machine."""

import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtst.data.readers.hub_dataset import find_tables
from tests.support.hub_client import Client
from tests.support.small_hub import SmallHub

FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["sad", "happy"], "_type": "ClassLabel"},
    "topics": {"feature": {"names": ["food", "sports"], "_type": "ClassLabel"}, "_type": "Sequence"},
}


def parquet(rows: list[tuple[str, int, list[int]]]) -> bytes:
    """Return rows as the `datasets` library writes them: labels as numbers, their names in the file's description."""
    texts, labels, topics = zip(*rows, strict=True)
    table = pa.table({"text": texts, "label": labels, "topics": topics})
    described = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    target = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(described), target)
    return target.getvalue()


@pytest.fixture(scope="module")
def hub() -> Iterator[SmallHub]:
    with SmallHub() as hub:
        converted = {
            "default/train/0000.parquet": parquet([("a sad day", 0, [0]), ("unlabelled", -1, [])]),
            "default/train/0001.parquet": parquet([("a happy day", 1, [0, 1])]),
            "default/test/0000.parquet": parquet([("hooray", 1, [1])]),
        }
        hub.add_dataset("owner/moods", {"README.md": b"#", "train.py": b"raise SystemExit"}, converted)
        hub.moved["datasets/first/moods"] = "datasets/owner/moods"
        hub.add_dataset(
            "owner/plain", {"data/test.csv": b"text,label\nno,n\n", "data/train.csv": b"text,label\nyes,y\n"}
        )
        hub.add_dataset("owner/gated", {"train.csv": b"text,label\nyes,y\n"}, gated=True)
        hub.add_dataset("owner/pictures", {"cat.png": b"\x89PNG"})
        hub.add_dataset("owner/altered", {"train.csv": b"text,label\nyes,y\n"})
        yield hub


@pytest.fixture(scope="module")
def client(hub: SmallHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(hub.url, tmp_path_factory.mktemp("home")) as client:
        yield client


def test_the_training_split_is_read_with_the_names_of_its_labels(client):
    table = client.call("read_dataset", name="owner/moods")
    assert table["sheets"] == ["train", "test"]
    assert table["sheet"] == "train"
    assert table["columns"] == ["text", "label", "topics"]
    assert table["rows"] == [
        ["a sad day", "sad", '["food"]'],
        ["unlabelled", "", "[]"],
        ["a happy day", "happy", '["food", "sports"]'],
    ]
    assert table["lines"] == [1, 2, 3]
    assert "label, topics, are read as the names" in table["decisions"][0]


def test_another_split_and_a_dataset_that_was_renamed(client):
    assert client.call("read_dataset", name="owner/moods", split="test")["rows"] == [["hooray", "happy", '["sports"]']]
    assert client.call("read_dataset", name="first/moods", split="test")["sheet"] == "test"


def test_without_a_parquet_copy_the_files_themselves_are_read(client):
    table = client.call("read_dataset", name="owner/plain")
    assert table["sheets"] == ["data/train", "data/test"]
    assert table["rows"] == [["yes", "y"]]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("owner/nothing", {}, "no public dataset"),
        ("no name", {}, "owner/name"),
        ("owner/moods", {"split": "dev"}, "It has: train, test"),
        ("owner/gated", {}, "gated. Accept its terms"),
        ("owner/pictures", {}, "no table that can be read"),
        ("owner/moods", {"megabytes": 0.001}, "has 0 MB"),
        ("owner/moods", {"rows": 2}, "more than 2 rows|more rows"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(client, name, options, words):
    answer = client.call("read_dataset", name=name, **options)
    assert "error" in answer
    assert any(part in answer["error"] for part in words.split("|")), answer["error"]


def test_a_file_that_does_not_arrive_as_it_is_listed_is_refused(client, hub):
    hub.trouble("datasets/owner/altered/resolve", wrong=True, method="GET")
    assert "not what the Hub lists" in client.call("read_dataset", name="owner/altered")["error"]


def test_the_command_line_takes_a_dataset_by_name(client, tmp_path):
    out = tmp_path / "found.csv"
    split = ["check", "owner/moods", "--text", "text", "--labels", "label", "--split"]
    done = client.call("run_command", arguments=[*split, "test", "--out", str(out)])
    assert "1 rows" in done["output"]
    assert out.exists()
    done = client.call("run_command", arguments=[*split, "dev", "--out", str(out)])
    assert done["code"] != 0
    assert "There is no file 'owner/moods' here" in " ".join(done["output"].split())


def test_the_tables_of_a_dataset_are_its_subsets_and_splits():
    tables = find_tables(["b/test/0000.parquet", "a/train/0001.parquet", "a/train/0000.parquet"])
    assert tables == {"a/train": ("a/train/0000.parquet", "a/train/0001.parquet"), "b/test": ("b/test/0000.parquet",)}
    sharded = [
        "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet",
        "load.py",
        "dataset_infos.json",
    ]
    assert list(find_tables(sharded)) == ["data/train"]
    assert list(find_tables(["dev.jsonl.gz", "train.jsonl.gz"])) == ["train", "dev"]
