"""Audio of prompts and built-in sounds, in telephone quality, to be played and drawn."""

from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from openivr import sounds
from openivr.resources.errors import NotFound
from openivr.sounds.convert import find_peaks
from openivr.store.config import prompts
from openivr.web.core.range_response import send_bytes
from openivr.web.core.request import PageRequest, PageRoute

PATH, PEAKS_PATH = "/sounds/", "/outlines/"
PEAKS = 96  # bars of a waveform


def sound_url(name: str) -> str:
    """The URL of the sound of this name."""
    return PATH + quote(name)


def read_prompt(connection: Connection, name: str) -> bytes:
    """A custom prompt's telephone version. Raises NotFound."""
    prompt_id = prompts.find(connection, name) if "\0" not in name else None
    if prompt_id is None:
        raise NotFound(f"custom_prompt {name}")
    return prompts.audio(connection, prompt_id)[2]


async def read_sound(request: PageRequest) -> bytes:
    """The wav file that the path names. A custom prompt hides a built-in sound of its name, as in calls."""
    name: str = request.http.path_params["name"]
    try:
        return await request.database.read(read_prompt, name)
    except NotFound:
        if name not in sounds.NAMES:
            raise
    return await request.database.run_in_thread(sounds.read, name)


async def send_sound(request: PageRequest) -> Response:
    """Send the file or a range of it."""
    return send_bytes(request, await read_sound(request), "audio/wav")


async def send_peaks(request: PageRequest) -> Response:
    """The loudness from beginning to end as numbers up to 100, for a waveform."""
    return JSONResponse(await request.database.run_in_thread(find_peaks, await read_sound(request), PEAKS))


ROUTES = (
    PageRoute(path=PATH + "{name:path}", handle=send_sound),
    PageRoute(path=PEAKS_PATH + "{name:path}", handle=send_peaks),
)
