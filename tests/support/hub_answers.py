"""The request handler of the small Hub: the paths that `huggingface_hub` requests, and the troubles of tests."""

import base64
import json
import re
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from tests.support.small_hub import Repo, SmallHub

CHUNK = 4096
API = re.compile(
    r"/api/(?P<kind>models|datasets)/(?P<name>(?:[^/]+/)?[^/]+?)(?:/(?P<verb>revision|tree|preupload|commit)/(?P<rest>.+))?$"
)
FILE = re.compile(
    r"/(?P<kind>datasets/)?(?P<name>(?:[^/]+/)?[^/]+)/resolve/(?P<revision>refs/convert/parquet|[^/]+)/(?P<path>.+)$"
)
BATCH = re.compile(r"/(?P<name>(?:[^/]+/)?[^/]+)\.git/info/lfs/objects/batch$")
STRANGER = {"X-Error-Message": "Invalid username or password."}


class HubRequestHandler(BaseHTTPRequestHandler):
    """One connection to the small Hub."""

    protocol_version = "HTTP/1.1"
    hub: "SmallHub"

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self) -> None:
        asked = urlsplit(self.path)
        self.path, self.query = unquote(asked.path), parse_qs(asked.query)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.trouble = self.hub.take_trouble(self.command, self.path)
        if self.trouble and self.trouble.status:
            return self._respond(self.trouble.status, b"", self.trouble.headers)
        for pattern, answer in ((API, self._api), (FILE, self._file), (BATCH, self._batch)):
            if match := pattern.match(self.path):
                return answer(**match.groupdict())
        return self._rest()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 (named by the library)

    @property
    def _is_authorized(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def _repo(self, name: str, *, content: bool = False) -> "Repo | None":
        """Return a model that may be seen, or answer as the Hub does."""
        if name in self.hub.moved:
            self._respond(307, b"", {"Location": self.hub.url + self.path.replace(name, self.hub.moved[name], 1)})
            return None
        repo = self.hub.repos.get(name)
        if repo is None:  # over https the client needs no code to take a 401 for that
            self._respond(404 if self._is_authorized else 401, b"", {"X-Error-Code": "RepoNotFound"})
            return None
        if repo.private and not self._is_authorized:
            self._respond(401, b"", STRANGER)
            return None
        if content and repo.gated and not self._is_authorized:
            self._respond(
                401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": f"Access to model {name} is gated."}
            )
            return None
        return repo

    def _file(self, kind: str | None, name: str, revision: str, path: str) -> None:
        name = f"{kind or ''}{name}"
        repo = self._revision(name, self._repo(name, content=True), revision)
        if repo is None:
            return None
        commit = {"X-Repo-Commit": repo.commit}
        body = repo.files.get(path)
        if body is None:
            return self._respond(404, b"", commit | {"X-Error-Code": "EntryNotFound"})
        if self.hub.is_large(path):
            linked = {"X-Linked-Size": str(len(body)), "X-Linked-Etag": f'"{repo.etag(path)}"'}
            name = f"{name}@{revision}" if f"{name}@{revision}" in self.hub.repos else name
            return self._respond(302, b"", commit | linked | {"Location": f"{self.hub.content}/content/{name}/{path}"})
        return self._send(body, commit | {"ETag": f'"{repo.etag(path)}"'})

    def _revision(self, name: str, repo: "Repo | None", revision: str) -> "Repo | None":
        """Return a repository as it is at a revision, or answer that there is none; None if it may not be seen."""
        if repo is None or revision in ("main", repo.commit):
            return repo
        if f"{name}@{revision}" not in self.hub.repos:
            self._respond(404, b"", {"X-Error-Code": "RevisionNotFound"})
        return self.hub.repos.get(f"{name}@{revision}")

    def _api(self, kind: str, name: str, verb: str | None, rest: str | None) -> None:
        key = name if kind == "models" else f"{kind}/{name}"
        repo = self._repo(key)
        if verb in ("tree", "revision"):
            repo = self._revision(key, repo, rest.rstrip("/"))
        if repo is None:
            return None
        if verb == "tree":
            return self._respond_json(list(repo.listing()))
        if verb == "preupload":
            return self._preupload()
        if verb == "commit":
            return self._commit(name, repo)
        rows = ({"rfilename": each["path"]} | each | {"blobId": each["oid"]} for each in repo.listing())
        siblings = [row if "blobs" in self.query else {"rfilename": row["rfilename"]} for row in rows]
        about = {"id": name, "modelId": name, "sha": repo.commit, "private": repo.private, "gated": repo.gated}
        return self._respond_json(about | {"siblings": siblings, "tags": [], "downloads": 0, "likes": 0})

    def _rest(self) -> None:
        if self.path.startswith("/content/"):
            _, _, place = self.path.partition("/content/")
            for name, repo in self.hub.repos.items():
                if place.startswith(f"{name}/") and place[len(name) + 1 :] in repo.files:
                    return self._send(repo.files[place[len(name) + 1 :]], {})
        if self.path == "/api/agent-harnesses":  # asked for once a day, by whatever uses the client
            return self._respond(404, b"")
        if self.path == "/api/validate-yaml":
            return self._respond_json({"errors": [], "warnings": []})
        if self.path.startswith("/upload/") and self.command == "PUT":  # its address is the permission
            self.hub.uploaded[self.path.removeprefix("/upload/")] = self.body
            return self._respond(200, b"")
        if not self._is_authorized:
            return self._respond(401, b"", STRANGER)
        if self.path == "/api/whoami-v2":
            return self._respond_json({"type": "user", "name": "visitor", "orgs": [], "auth": {"type": "access_token"}})
        if self.path == "/api/repos/create":
            return self._create(json.loads(self.body))
        return self._respond(404, b"")

    def _create(self, wanted: dict) -> None:
        name = f"{wanted.get('organization') or 'visitor'}/{wanted['name']}"
        if name in self.hub.repos:
            there = {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"}
            return self._respond(409, json.dumps(there).encode())
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.hub.create(name, private=private)
        return self._respond_json({"url": f"{self.hub.url}/{name}", "id": name, "name": name})

    def _preupload(self) -> None:
        if not self._is_authorized:
            return self._respond(401, b"", STRANGER)
        files = json.loads(self.body)["files"]
        modes = [(file["path"], "lfs" if self.hub.is_large(file["path"]) else "regular") for file in files]
        return self._respond_json(
            {"files": [{"path": p, "uploadMode": mode, "shouldIgnore": False} for p, mode in modes]}
        )

    def _batch(self, name: str) -> None:
        if not self._is_authorized:
            return self._respond(401, b"", STRANGER)
        objects = [
            {"oid": each["oid"], "size": each["size"]}
            | ({} if each["oid"] in self.hub.uploaded else {
                "actions": {"upload": {"href": f"{self.hub.content}/upload/{each['oid']}"}}
            })
            for each in json.loads(self.body)["objects"]
        ]  # fmt: skip
        return self._respond_json({"transfer": "basic", "objects": objects})

    def _commit(self, name: str, repo: "Repo") -> None:
        if not self._is_authorized:
            return self._respond(401, b"", STRANGER)
        for line in map(json.loads, self.body.splitlines()):
            value = line["value"]
            match line["key"]:
                case "header":
                    repo.message = value["summary"]
                case "file":
                    repo.files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    repo.files[value["path"]] = self.hub.uploaded[value["oid"]]
                case "deletedFile":
                    repo.files.pop(value["path"], None)
        url = f"{self.hub.url}/{name}/commit/{repo.commit}"
        return self._respond_json({"success": True, "commitOid": repo.commit, "commitUrl": url, "hookOutput": ""})

    def _respond_json(self, value: object) -> None:
        self._respond(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, body: bytes, headers: dict[str, str]) -> None:
        """Send content, or the rest of it that is asked for, or what a trouble makes of it."""
        if self.trouble:
            body = self.trouble.spoil(body)
        first = int(re.sub(r"\D", "", (self.headers.get("Range") or "0").split("-")[0]))
        part = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"} if "Range" in self.headers else {}
        self._respond(206 if part else 200, body[first:], headers | part | {"Accept-Ranges": "bytes"})

    def _respond(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.hub.note(self.command, self.path, self.headers.get("Range"), status)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            for start in range(0, len(body), CHUNK):
                if self.trouble and self.trouble.ends_at(start):
                    self.close_connection = True
                    return
                self.wfile.write(body[start : start + CHUNK])
        except ConnectionError:  # the client has had enough
            self.close_connection = True
