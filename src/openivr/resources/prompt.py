"""Custom prompt: what callers hear (P-Series: upload-a-custom-prompt). The audio itself is kept beside it."""

from openivr.resources.fields import ChoiceField, IntegerField, TextField, flag
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values

LISTED = ("name", "type", "format", "size", "duration", "loudness", "keep_level")
FILE_TYPES = ("wav", "mp3", "gsm", "flac", "ogg", "opus")
NAME_PATTERN = r".+\.(?i:" + "|".join(FILE_TYPES) + ")"
SILENCE = -70  # LUFS


def file_type(name: str) -> str:
    """Return one of FILE_TYPES, which the name of a prompt ends in."""
    return name.rpartition(".")[2].lower()


def list_row(values: Values) -> Row:
    return {"id": values["id"], **{name: values[name] for name in LISTED}}


CUSTOM_PROMPT = ResourceType(
    name="custom_prompt",
    paths=("custom_prompt",),
    title="Custom prompt",
    fields=(
        TextField(
            name="name",
            required=True,
            low=5,
            pattern=NAME_PATTERN,
            mismatch=ProblemCode.NOT_FILE_NAME,
            forbidden="/\\,",
        ),
        ChoiceField(name="type", values=("record", "tts", "specify"), default="record"),
        ChoiceField(name="format", values=FILE_TYPES, default="wav"),
        IntegerField(name="size", low=0, high=2**31 - 1, default=0),
        IntegerField(name="duration", low=0, high=2**31 - 1, default=0),
        # LUFS (ITU-R BS.1770) as callers hear it, SILENCE for silence; follows from the file
        IntegerField(name="loudness", low=SILENCE, high=10, default=SILENCE),
        flag("keep_level"),  # 1: the level of the file is kept, else it is brought to that of other sounds
    ),
    listed=LISTED,
    row=list_row,
    sorts=("name",),
    unique=("name",),
)
