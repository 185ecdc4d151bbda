"""Addresses of downloads: relative, good for 30 minutes, not to be guessed (download-a-recording-file).

An address is signed with a key that all workers read from the database, so none has to be kept. A request
for it needs an access token as every other.
"""

import hashlib
import hmac
import re
import time

from openivr.api.endpoint import ApiRequest, Endpoint, FileAnswer, UploadedFile
from openivr.api.recording_files import make_mp3
from openivr.api.responses import NOT_FOUND, ApiError
from openivr.store.cdr import recordings, voicemail
from openivr.store.system import find_download_key, make_download_key

SECONDS = 1800  # that an address is good for
NAME = re.compile(
    r"(Recording|Voicemail)-([A-Za-z0-9_-]{1,64})-(\d{1,12})-([0-9a-f]{32})\.(wav|mp3)", re.ASCII
)
MEDIA_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
PATH = "/api/download/"


async def sign(request: ApiRequest, kind: str, id_: str, form: str, now: float | None = None) -> str:
    """Return the address of a download: of a "Recording" or "Voicemail", as "wav" or "mp3"."""
    expires = int(now or time.time()) + SECONDS
    key = await read_key(request)
    mac = make_mac(key, kind, id_, form, expires)
    return f"{PATH}{kind}-{id_}-{expires}-{mac}.{form}"


async def read_key(request: ApiRequest) -> str:
    """Return the key of signatures, made where there is none yet."""
    database = request.service.database
    known: str = await database.read(find_download_key)
    return known or await database.write(make_download_key)


def make_mac(key: str, kind: str, id_: str, form: str, expires: int) -> str:
    text = "/".join((kind, id_, form, str(expires)))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


async def download(request: ApiRequest) -> UploadedFile | FileAnswer:
    """Answer a signed address. 60001 for any other, for one that is too old, and for a file that is gone."""
    match = NAME.fullmatch(request.path)
    if match is None or int(match[3]) < time.time():
        raise ApiError(NOT_FOUND)
    kind, id_, form = match[1], match[2], match[5]
    key = await read_key(request)
    if not hmac.compare_digest(make_mac(key, kind, id_, form, int(match[3])), match[4]):
        raise ApiError(NOT_FOUND)
    if kind == "Voicemail":
        return await send_message(request, id_)
    return await send_recording(request, int(id_), form)


async def send_recording(request: ApiRequest, id_: int, form: str) -> FileAnswer:
    row = await request.service.database.read(recordings.find_recording, id_)
    files = request.service.files
    path = files.find(row.recording) if row is not None else None
    if path is None:
        raise ApiError(NOT_FOUND)
    if form == "mp3":
        async with files.converting:
            path = await request.service.database.run_in_thread(make_mp3, path)
    return FileAnswer(f"{path.stem}.{form}", MEDIA_TYPES[form], path)


async def send_message(request: ApiRequest, id_: str) -> UploadedFile:
    audio = await request.service.database.read(voicemail.audio_of, id_)
    if audio is None:
        raise ApiError(NOT_FOUND)
    return UploadedFile(f"{id_}.wav", MEDIA_TYPES["wav"], audio)


DOWNLOAD = Endpoint(path="download", method="GET", handle=download, summary="A file by its signed address")
