"""What an upload leaves behind that ends before it is whole."""

import asyncio
import time
from urllib.parse import urlsplit

from tests.browser.conftest import Host

HEAD = (
    "POST /gradio_api/upload?upload_id=aborted HTTP/1.1\r\nHost: here\r\nContent-Length: 10000000\r\n"
    "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    '--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
)
PATIENCE_SECONDS = 60


def test_its_file_is_removed_and_its_listeners_are_told(host: Host) -> None:
    async def upload() -> None:
        port = urlsplit(host.url).port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD.encode() + b"x" * 500_000)
        await writer.drain()
        while not parts(host):
            await asyncio.sleep(0.05)
        reader, listener = await asyncio.open_connection("127.0.0.1", port)
        listener.write(b"GET /gradio_api/upload_progress?upload_id=aborted HTTP/1.0\r\nHost: here\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.close()
        told = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
        assert b'"msg": "done"' in told
        listener.close()

    asyncio.run(asyncio.wait_for(upload(), PATIENCE_SECONDS))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while parts(host) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert parts(host) == []


def parts(host: Host) -> list[str]:
    """Return the uploaded files that are in no folder of their own yet."""
    return [path.name for path in host.uploads.glob("*") if path.is_file()]
