"""What callers hear, to be played and drawn: a prompt as telephones carry it, or a built-in sound."""

from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from openivr import sounds
from openivr.resources.errors import NotFound
from openivr.sounds.convert import find_peaks
from openivr.store.config import prompts
from openivr.web.core.range_response import send_bytes
from openivr.web.core.request import PageRequest, PageRoute

PATH, OUTLINE = "/sounds/", "/outlines/"
PEAKS = 96  # bars of a picture


def address(name: str) -> str:
    """Where the sound of this name is."""
    return PATH + quote(name)


def read_prompt(connection: Connection, name: str) -> bytes:
    """A custom prompt's telephone version. Raises NotFound."""
    ident = prompts.find(connection, name) if "\0" not in name else None
    if ident is None:
        raise NotFound(f"custom_prompt {name}")
    return prompts.audio(connection, ident)[2]


async def read(visit: PageRequest) -> bytes:
    """The wav file that the path names: a custom prompt's goes before a built-in one, as in a call."""
    name: str = visit.request.path_params["name"]
    try:
        return await visit.database.read(read_prompt, name)
    except NotFound:
        if name not in sounds.NAMES:
            raise
    return await visit.database.run_in_thread(sounds.read, name)


async def play(visit: PageRequest) -> Response:
    """The file, or a part of it."""
    return send_bytes(visit, await read(visit), "audio/wav")


async def outline(visit: PageRequest) -> Response:
    """How loud it is from its beginning to its end: numbers up to 100, for a picture."""
    return JSONResponse(await visit.database.run_in_thread(find_peaks, await read(visit), PEAKS))


VIEWS = (
    PageRoute(path=PATH + "{name:path}", handle=play),
    PageRoute(path=OUTLINE + "{name:path}", handle=outline),
)
