"""Addresses of downloads: relative, good for 30 minutes, not to be guessed (download-a-recording-file).

An address is signed with a key that all workers read from the database, so none has to be kept. A request
for it needs an access token as every other.
"""

import hashlib
import hmac
import re
import time
from dataclasses import dataclass

from openivr.api.endpoint import ApiRequest
from openivr.store.system import find_download_key, make_download_key

SECONDS = 1800  # that an address is good for
NAME = re.compile(
    r"(Recording|Voicemail|CallReport)-([A-Za-z0-9_-]{1,8000})-(\d{1,12})-([0-9a-f]{32})\.(wav|mp3|csv)",
    re.ASCII,
)
PATH = "/api/download/"


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file that an address stands for: a "Recording", "Voicemail" or "CallReport", with its extension."""

    kind: str
    id: str
    form: str


async def sign(request: ApiRequest, kind: str, id_: str, form: str, now: float | None = None) -> str:
    """Return the address of a file, as "wav", "mp3" or "csv"."""
    expires = int(now or time.time()) + SECONDS
    key = await read_key(request)
    mac = make_mac(key, kind, id_, form, expires)
    return f"{PATH}{kind}-{id_}-{expires}-{mac}.{form}"


async def verify(request: ApiRequest) -> SignedFile | None:
    """Return the file of a signed address; None for any other address, and for one that is too old."""
    match = NAME.fullmatch(request.path)
    if match is None or int(match[3]) < time.time():
        return None
    kind, id_, form = match[1], match[2], match[5]
    mac = make_mac(await read_key(request), kind, id_, form, int(match[3]))
    return SignedFile(kind, id_, form) if hmac.compare_digest(mac, match[4]) else None


async def read_key(request: ApiRequest) -> str:
    """Return the key of signatures, made where there is none yet."""
    database = request.service.database
    known: str = await database.read(find_download_key)
    return known or await database.write(make_download_key)


def make_mac(key: str, kind: str, id_: str, form: str, expires: int) -> str:
    text = "/".join((kind, id_, form, str(expires)))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
