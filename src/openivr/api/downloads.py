"""Answers signed addresses: recordings, messages, and reports as files."""

from openivr.api.call_reports import make_file
from openivr.api.endpoint import ApiRequest, Endpoint, FileAnswer, UploadedFile
from openivr.api.recording_files import make_mp3
from openivr.api.responses import NOT_FOUND, ApiError
from openivr.api.signed_address import verify
from openivr.store.cdr import recordings, voicemail

MEDIA_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


async def download(request: ApiRequest) -> UploadedFile | FileAnswer:
    """Answer a signed address. 60001 for any other, for one that is too old, and for a file that is gone."""
    match await verify(request):
        case None:
            raise ApiError(NOT_FOUND)
        case file if file.kind == "Voicemail":
            return await send_message(request, file.id)
        case file if file.kind == "CallReport":
            return await make_file(request, file.id)
        case file:
            return await send_recording(request, int(file.id), file.form)


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
