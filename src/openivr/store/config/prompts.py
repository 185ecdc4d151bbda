"""Custom prompts: what is known of them like any object, and their sound beside it."""

from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select

from openivr.resources import CUSTOM_PROMPT
from openivr.resources.errors import Invalid, NotFound, Problem
from openivr.resources.fields import fold_text
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.prompt import file_type
from openivr.sounds.convert import ConvertedAudio, NotAudio, convert
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction
from openivr.store.tables import OBJECTS, PROMPT_AUDIO

PROMPT = OBJECTS["custom_prompt"]
MAX_FILE = 8 * 1024 * 1024  # bytes of a file that is taken
MEDIA_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "gsm": "audio/gsm",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
}


def find(connection: Connection, name: str) -> int | None:
    """The id of the prompt of this name."""
    return connection.execute(select(PROMPT.c.id).where(PROMPT.c.name == fold_text(name))).scalar()


def decode(name: str, data: bytes, *, keeps_level: bool = False) -> ConvertedAudio:
    """Decode an uploaded file. Raises Invalid for `file` if its name or contents are bad.

    The name of the prompt is that of the file. Slow, but needs no connection.
    """
    check_name(name)
    try:
        return convert(data, file_type(name), keeps_level=keeps_level)
    except NotAudio as error:
        raise Invalid(Problem("file", ProblemCode(error.fault), error.params, name)) from error


def check_name(name: str) -> None:
    """Invalid where a file of this name cannot become a prompt."""
    try:
        CUSTOM_PROMPT.parse({"name": name})
    except Invalid as error:
        raise Invalid(*(replace(problem, field="file") for problem in error.problems)) from error


def save(
    change: ConfigTransaction,
    name: str,
    original: bytes,
    recording: ConvertedAudio,
    *,
    keeps_level: bool = False,
) -> int:
    """Add a prompt, or put another recording in the place of the one that has its name.

    `keeps_level` must be what `decode` was called with.
    """
    name = fold_text(name)
    body = {
        "name": name,
        "format": file_type(name),
        "size": len(original),
        "duration": recording.seconds,
        "loudness": recording.loudness,
        "keep_level": int(keeps_level),
    }
    id_ = find(change.connection, name)
    if id_ is None:
        id_ = resources.create(change, CUSTOM_PROMPT, body)
    else:
        resources.update(change, CUSTOM_PROMPT, id_, body)
    put_audio(change.connection, id_, original, recording.wav)
    return id_


def put_audio(connection: Connection, id_: int, original: bytes, telephone: bytes) -> None:
    connection.execute(delete(PROMPT_AUDIO).where(PROMPT_AUDIO.c.prompt_id == id_))
    row = {"prompt_id": id_, "original": original, "telephone": telephone}
    connection.execute(insert(PROMPT_AUDIO).values(row))


def telephone_audio(connection: Connection, name: str) -> bytes | None:
    """The telephone version of the prompt of this name."""
    joined = PROMPT.join(PROMPT_AUDIO, PROMPT_AUDIO.c.prompt_id == PROMPT.c.id)
    return connection.execute(
        select(PROMPT_AUDIO.c.telephone).select_from(joined).where(PROMPT.c.name == name)
    ).scalar()


def audio(connection: Connection, id_: int) -> tuple[str, bytes, bytes]:
    """A prompt's name, its original file and its telephone version."""
    columns = (PROMPT.c.name, PROMPT_AUDIO.c.original, PROMPT_AUDIO.c.telephone)
    joined = PROMPT.join(PROMPT_AUDIO, PROMPT_AUDIO.c.prompt_id == PROMPT.c.id)
    wanted = select(*columns).select_from(joined).where(PROMPT.c.id == id_)
    row = connection.execute(wanted).first() if resources.can_be_stored(id_) else None
    if row is None:
        raise NotFound(f"custom_prompt {id_}")
    return row.name, row.original, row.telephone
