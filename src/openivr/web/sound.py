"""What callers hear, for the browser to play: a prompt as it sounds on the telephone, or a built-in sound."""

from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from openivr import sounds
from openivr.objects.errors import NotFound
from openivr.store import prompts
from openivr.web.view import View, Visit

PATH = "/sounds/"


def address(name: str) -> str:
    """Where the sound of this name is."""
    return PATH + quote(name)


def read_prompt(connection: Connection, name: str) -> bytes:
    """A custom prompt's telephone version. Raises NotFound."""
    ident = prompts.find(connection, name) if "\0" not in name else None
    if ident is None:
        raise NotFound(f"custom_prompt {name}")
    return prompts.audio(connection, ident)[2]


async def play(visit: Visit) -> Response:
    """A wav file: of a custom prompt, which goes before a built-in sound of the same name, as in a call."""
    name: str = visit.request.path_params["name"]
    try:
        wav = await visit.database.read(read_prompt, name)
    except NotFound:
        if name not in sounds.NAMES:
            raise
        wav = sounds.read(name)
    return Response(wav, media_type="audio/wav")


VIEWS = (View(path=PATH + "{name:path}", handle=play),)
