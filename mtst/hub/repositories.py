"""What the Hub names: repositories, and the files that it lists of one."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

HUB_ID = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)  # owner/name


@dataclass(frozen=True)
class RemoteFile:
    """A file that the Hub lists: its size in bytes and the digest of its content.

    `sha256` is known of large files; `blob_id` is git's name for the others.
    """

    path: str
    size: int
    blob_id: str
    sha256: str | None = None

    def matches(self, file: Path) -> bool:
        """Return whether a file has this content."""
        with file.open("rb") as content:
            if self.sha256:
                return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256
            body = content.read()
        return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest() == self.blob_id
