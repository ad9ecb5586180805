"""A small Hub on this machine: it answers `huggingface_hub` as the Hub does, and misbehaves as a test asks.

The real client talks to it when its process starts with `HF_ENDPOINT` set to `SmallHub.url`. Files of weights are
large ones, as on the Hub: a redirect leads to their content. There is no Xet storage, so a client that uploads needs
`HF_HUB_DISABLE_XET=1`.
"""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.support.hub_answers import HubRequestHandler

LARGE = (".safetensors", ".parquet", ".bin", ".npy", ".onnx", ".h5")
TOKEN = "hf_of_the_small_hub"  # noqa: S105 (nothing is behind it)


@dataclass
class Repo:
    """A model: its files by their paths, and who may read it. A gated one shows its list of files to anybody.

    `claimed` holds sizes that are listed in place of the true ones.
    """

    files: dict[str, bytes]
    gated: bool = False
    private: bool = False
    message: str = ""
    claimed: dict[str, int] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        return hashlib.sha1(b"".join(path.encode() + body for path, body in sorted(self.files.items()))).hexdigest()  # noqa: S324

    def etag(self, path: str) -> str:
        """Return what the content of a file is known by."""
        body = self.files[path]
        return sha256(body) if SmallHub.is_large(path) else blob_id(body)

    def listing(self) -> Iterator[dict]:
        """Yield what the Hub says of each file, for both of its ways to ask for that."""
        for path, body in sorted(self.files.items()):
            size = self.claimed.get(path, len(body))
            row = {"type": "file", "path": path, "size": size, "oid": blob_id(body)}
            if SmallHub.is_large(path):
                row["lfs"] = {"oid": sha256(body), "sha256": sha256(body), "size": len(body), "pointerSize": 130}
            yield row


@dataclass
class Trouble:
    """What goes wrong with requests whose path contains `where`.

    Attributes:
        where: a part of the path; the content of a large file is at `/content/<model>/<file>`.
        status: answer with this status.
        headers: and these headers.
        cut: close the connection after so many bytes of what was asked for.
        wrong: change the last byte, so that the size is right and the content is not.
        short: leave out so many bytes at the end, and say so.
        hold: send nothing more after the first bytes until this is set; `met` is set when it is waited for.
        method: only requests of this method.
        times: how often; for ever if it is None.
    """

    where: str
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    wrong: bool = False
    short: int = 0
    hold: threading.Event | None = None
    method: str | None = None
    times: int | None = None
    met: threading.Event = field(default_factory=threading.Event)

    def spoil(self, body: bytes) -> bytes:
        """Return what is sent of some content."""
        if self.wrong:
            body = body[:-1] + bytes([body[-1] ^ 1])
        return body[: len(body) - self.short]

    def ends_at(self, sent: int) -> bool:
        """Tell whether nothing more is sent after so many bytes; wait if that is the trouble."""
        if self.hold and sent:
            self.met.set()
            self.hold.wait()
        return self.cut is not None and sent >= self.cut


@dataclass(frozen=True)
class Seen:
    """A request that was made."""

    method: str
    path: str
    range: str | None
    status: int


class SmallHub:
    """The repositories, the troubles, and what was asked for; served while the context is open."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}  # old name -> new name, as of the models that had no owner once
        self.troubles: list[Trouble] = []
        self.seen: list[Seen] = []
        self.uploaded: dict[str, bytes] = {}
        self.lock = threading.Lock()
        bound = type("Bound", (HubRequestHandler,), {"hub": self})
        # Large files come from another address, as the Hub's do: what is at its own the client takes for a new name.
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), bound) for _ in range(2)]
        self.url, self.content = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)

    def __enter__(self) -> Self:
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for trouble in self.troubles:
            if trouble.hold:
                trouble.hold.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def add(self, name: str, folder: Path, **rights: bool) -> Repo:
        """Publish the files of a folder as a model."""
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        self.repos[name] = Repo(files, **rights)
        return self.repos[name]

    def add_dataset(
        self, name: str, files: dict[str, bytes], converted: dict[str, bytes] | None = None, **rights: bool
    ) -> Repo:
        """Publish a dataset, and the Parquet copy that the Hub makes of most."""
        if converted is not None:
            self.repos[f"datasets/{name}@refs/convert/parquet"] = Repo(converted, **rights)
        self.repos[f"datasets/{name}"] = Repo(files, **rights)
        return self.repos[f"datasets/{name}"]

    def create(self, name: str, *, private: bool) -> None:
        """Make an empty model, as the page and the client can."""
        self.repos[name] = Repo({".gitattributes": b""}, private=private)

    def trouble(self, where: str, **what: object) -> Trouble:
        """Let something go wrong from now on."""
        self.troubles.append(Trouble(where, **what))
        return self.troubles[-1]

    def asked(self, part: str, method: str = "GET") -> list[Seen]:
        """Return the requests so far whose path contains something."""
        return [seen for seen in self.seen if part in seen.path and seen.method == method]

    @staticmethod
    def is_large(path: str) -> bool:
        """Tell whether a file is kept apart from the small ones, as Git LFS does."""
        return path.endswith(LARGE)

    @property
    def token(self) -> str:
        """The one token that it lets in, and write."""
        return TOKEN

    def note(self, method: str, path: str, part: str | None, status: int) -> None:
        with self.lock:
            self.seen.append(Seen(method, path, part, status))

    def take_trouble(self, method: str, path: str) -> Trouble | None:
        with self.lock:
            for trouble in self.troubles:
                if trouble.where in path and trouble.method in (None, method) and trouble.times != 0:
                    if trouble.times is not None:
                        trouble.times -= 1
                    return trouble
        return None


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def blob_id(body: bytes) -> str:
    """Return git's name for a file."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()  # noqa: S324
