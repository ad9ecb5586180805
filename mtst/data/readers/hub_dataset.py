"""A dataset of the Hub -> the files of one of its tables, which are its splits.

The Hub itself keeps a Parquet copy of most datasets in a branch of its own, with one folder for each subset and split.
Where there is none, the tables are the files of the dataset that can be read, with the shards of a split together.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from mtst.data.limits import Limits
from mtst.errors import DataError
from mtst.hub.problems import ALTERED, explain, first_line
from mtst.hub.repositories import HUB_ID, RemoteFile

PARQUET_BRANCH = "refs/convert/parquet"
TIMEOUT = 10.0  # seconds to wait for the first answer
MAX_LISTED = 2_000  # files and folders of a dataset that are looked at
SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".json", ".ndjson", ".xlsx", ".ods", ".txt")
PACKED = (".gz", ".zst")
SHARD = re.compile(r"-\d{5}-of-\d{5}$")
NO_TABLES = {"dataset_infos.json", "dataset_dict.json", "state.json", "requirements.txt", "license.txt"}


@dataclass(frozen=True)
class HubFiles:
    """The downloaded files of one table of a dataset.

    Attributes:
        paths: the files, in the order of their rows.
        tables: the names of all tables of the dataset: `train`, or `subset/train`.
        table: the one that the files are of.
    """

    paths: tuple[Path, ...]
    tables: tuple[str, ...]
    table: str


def fetch_table(name: str, table: str, limits: Limits, folder: Path) -> HubFiles:
    """Download the files of one table of a dataset into a folder.

    Args:
        name: the dataset, as owner/name.
        table: the name of the table; the training split if empty.
        limits: how much may be downloaded.
        folder: where the files go.

    Raises:
        DataError: there is no such dataset or table, it cannot be read, is too large, or the Hub does not answer.
    """
    if not HUB_ID.fullmatch(name):
        raise DataError(f"{name[:100]!r} is no name of a dataset on the Hub. They look like owner/name.")
    try:
        revision, listed = _list_files(name)
        tables = find_tables(listed)
        chosen = choose_table(name, tables, table)
        files = [listed[path] for path in tables[chosen]]
        _check_size(name, chosen, files, limits)
        paths = tuple(_download(name, file, revision, folder) for file in files)
    except DataError:
        raise
    except Exception as error:  # of no common base class
        sentence = explain(name, error, kind="dataset")
        raise DataError(sentence or f"{name!r} was not fetched from the Hub: {first_line(error)}.") from error
    return HubFiles(paths, tuple(tables), chosen)


def is_table_file(path: str) -> bool:
    """Return whether a path has the name of a table rather than of code, a description or a folder."""
    name = PurePosixPath(path).name.lower()
    for suffix in PACKED:
        name = name.removesuffix(suffix)
    return name.endswith(SUFFIXES) and name not in NO_TABLES and not path.startswith(".")


def find_tables(paths: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the names of the tables among the files of a dataset, and the files of each, in order.

    The name is the path without suffix and number of the shard; of a converted dataset it is subset and split, without
    the subset if there is only one.
    """
    paths = sorted(path for path in paths if is_table_file(path))
    converted = all(re.fullmatch(r"[^/]+/[^/]+/\d{4}\.parquet", path) for path in paths)
    subsets = {path.split("/")[0] for path in paths}
    tables: dict[str, tuple[str, ...]] = {}
    for path in paths:
        key = _converted_name(path, alone=len(subsets) == 1) if converted else _file_name(path)
        tables[key] = (*tables.get(key, ()), path)
    return dict(sorted(tables.items(), key=lambda item: (not _is_training(item[0]), item[0])))


def choose_table(name: str, tables: Mapping[str, tuple[str, ...]], wanted: str) -> str:
    """Return the table of this name, or the first if none is named, which is a training split where there is one.

    Raises:
        DataError: there is no such table, or none at all.
    """
    if not tables:
        raise DataError(
            f"The dataset {name!r} has no table that can be read: no Parquet, CSV or JSON file. Download what you need "
            "of it, and choose that file."
        )
    if not wanted:
        return next(iter(tables))
    if wanted not in tables:
        there = ", ".join(islice(tables, 20))
        raise DataError(f"The dataset {name!r} has no split {wanted[:60]!r}. It has: {there}.")
    return wanted


def _converted_name(path: str, *, alone: bool) -> str:
    subset, split, _ = path.split("/")
    return split if alone else f"{subset}/{split}"


def _file_name(path: str) -> str:
    file = PurePosixPath(path)
    while file.suffix.lower() in (*SUFFIXES, *PACKED):
        file = file.with_suffix("")
    return SHARD.sub("", str(file))


def _is_training(table: str) -> bool:
    return "train" in table.split("/")[-1].lower()


def _list_files(name: str) -> tuple[str, dict[str, RemoteFile]]:
    """Return the revision to download and its files: of the Parquet copy, or of the dataset itself."""
    from huggingface_hub import HfApi, errors

    info = HfApi().dataset_info(name, timeout=TIMEOUT, expand=["sha"])
    try:
        listed = {file.path: file for file in _files(info.id, PARQUET_BRANCH)}
    except errors.RevisionNotFoundError:
        listed = {}
    if any(map(is_table_file, listed)):
        return PARQUET_BRANCH, listed
    revision = info.sha or "main"
    return revision, {file.path: file for file in _files(info.id, revision)}


def _files(name: str, revision: str) -> Iterator[RemoteFile]:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    tree = HfApi().list_repo_tree(name, recursive=True, revision=revision, repo_type="dataset")
    for entry in islice(tree, MAX_LISTED):
        if isinstance(entry, RepoFile):
            sha256 = entry.lfs.sha256 if entry.lfs else None
            yield RemoteFile(entry.path, entry.size or 0, entry.blob_id or "", sha256)


def _check_size(name: str, table: str, files: list[RemoteFile], limits: Limits) -> None:
    size = sum(file.size for file in files)
    if size > limits.bytes:
        raise DataError(
            f"{table} of {name!r} has {size / 1e6:,.0f} MB; at most {limits.megabytes:g} MB can be read here. Choose "
            "another split, or download it and keep fewer rows."
        )


def _download(name: str, file: RemoteFile, revision: str, folder: Path) -> Path:
    from huggingface_hub import hf_hub_download, logging

    logging.set_verbosity_error()
    path = Path(hf_hub_download(name, file.path, repo_type="dataset", revision=revision, local_dir=folder))
    if path.stat().st_size != file.size or not file.matches(path):
        raise DataError(ALTERED.describe(name))
    return path
