"""Static files: read and compressed once, served under a path that changes with any of them.

The version is in the path and not in the query, so that JavaScript modules import one another by relative
paths.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parents[1] / "static"
ROOT = "/static/"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and compressed."""

    content: bytes
    compressed: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file by its path below the folder."""

    files: Mapping[str, Asset]
    version: str

    def address(self, path: str) -> str:
        """The URL of a file."""
        if path not in self.files:
            raise KeyError(path)
        return f"{ROOT}{self.version}/{path}"

    def answer(self, request: Request) -> Response:
        """Send a file. No session is needed: none of them is secret."""
        version, _, path = request.url.path.removeprefix(ROOT).partition("/")
        asset = self.files.get(path)
        if asset is None or version != self.version:
            return Response(status_code=404)
        headers = {"Cache-Control": FOREVER, "ETag": asset.etag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == asset.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.compressed, headers=headers, media_type=asset.media_type)
        return Response(asset.content, headers=headers, media_type=asset.media_type)


@cache
def load() -> Assets:
    """Read and compress all files."""
    files = {
        str(path.relative_to(FOLDER)): read(path)
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in TYPES
    }
    tags = "".join(path + asset.etag for path, asset in files.items())
    return Assets(files, hashlib.sha256(tags.encode()).hexdigest()[:12])


def read(path: Path) -> Asset:
    content = path.read_bytes()
    tag = hashlib.sha256(content).hexdigest()[:16]
    return Asset(content, gzip.compress(content, 9, mtime=0), TYPES[path.suffix], f'"{tag}"')
