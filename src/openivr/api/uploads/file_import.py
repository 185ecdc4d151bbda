"""What imports of files have in common: the upload, `is_check`, and the answer.

`is_check` is as in `custom_prompt/upload`: "ask" previews, "force" imports.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from starlette.datastructures import UploadFile

from openivr.api.endpoint import ApiRequest
from openivr.api.responses import TOO_LARGE, ApiError, bad_parameters
from openivr.api.uploads.multipart import read_upload
from openivr.data_import.errors import ImportFailed
from openivr.data_import.merge_action import MergeAction
from openivr.resources.errors import Problem
from openivr.resources.problem_codes import ProblemCode

ASK, FORCE = CHECKS = ("ask", "force")
ENVELOPE = 10_000  # bytes of a form around its file
FILE = {"type": "string", "format": "binary"}
CHECK = {"type": "string", "enum": list(CHECKS), "default": FORCE}
OBJECT_ID = {"type": "string", "pattern": "^[0-9]{1,9}$", "default": "0"}
COUNT = {"type": "integer", "minimum": 0}
ANSWER = {
    **{action.value: COUNT for action in MergeAction},
    "data": {"type": "array", "items": {"type": "object"}},
}


class MergedRow(Protocol):
    """A row of an import."""

    @property
    def action(self) -> MergeAction:
        """What is done with it."""
        ...


async def read_form(request: ApiRequest, most: int, names: Sequence[str]) -> tuple[bytes, dict[str, Any]]:
    """Return the file of a form, of at most so many bytes, and those of its fields that it has.

    Raises 40002 without a file, TOO_LARGE.
    """
    form = await read_upload(request.headers, request.body.stream(most + ENVELOPE, TOO_LARGE))
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise bad_parameters(Problem("file", ProblemCode.REQUIRED))
    fields = {name: form[name] for name in names if name in form}
    data = await file.read()
    await form.close()
    if len(data) > most:
        raise ApiError(TOO_LARGE)
    return data, fields


def read_check(value: Any, problems: list[Problem]) -> str:
    """Return `is_check`. A wrong one is added to the problems."""
    if value not in CHECKS:
        problems.append(Problem("is_check", ProblemCode.CHOICE, {"choices": CHECKS}, str(value)[:100]))
    return str(value)


def refuse_source(field: str, error: ImportFailed) -> ApiError:
    """Return the error of a source that cannot be read. `field` is the parameter that names it."""
    return bad_parameters(Problem(field, error.code, {"part": error.part}, error.part))


def count_actions(rows: Iterable[MergedRow]) -> dict[str, int]:
    """Count the rows of an import by what is done with them."""
    counts = Counter(row.action for row in rows)
    return {action.value: counts[action] for action in MergeAction}
