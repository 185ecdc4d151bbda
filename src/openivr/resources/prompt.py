"""Custom prompt: what callers hear (P-Series: upload-a-custom-prompt). The audio itself is kept beside it."""

from openivr.resources.fields import ChoiceField, IntegerField, TextField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values

LISTED = ("name", "type", "format", "size", "duration")
NAME_PATTERN = r"[^/\\,\x00-\x1f]+\.([wW][aA][vV]|[mM][pP]3|[gG][sS][mM])"


def file_type(name: str) -> str:
    """ "wav", "mp3" or "gsm": what the name of a prompt ends in."""
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
        ),
        ChoiceField(name="type", values=("record", "tts", "specify"), default="record"),
        ChoiceField(name="format", values=("wav", "mp3", "gsm"), default="wav"),
        IntegerField(name="size", low=0, high=2**31 - 1, default=0),
        IntegerField(name="duration", low=0, high=2**31 - 1, default=0),
    ),
    listed=LISTED,
    row=list_row,
    sorts=("name",),
    unique=("name",),
)
