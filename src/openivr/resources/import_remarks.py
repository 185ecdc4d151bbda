"""The field for what an import from another PBX could not keep of a menu."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from openivr.ivr.former_words import remark_code
from openivr.ivr.import_remark import PARAMS, ImportRemark, ImportRemarkCode
from openivr.resources.errors import Problem
from openivr.resources.fields import MISSING, Body, Field, Find, InvalidValue, Names, Schema
from openivr.resources.problem_codes import ProblemCode

MAX_REMARKS = 500
MAX_PARAM_LENGTH = 1000


class StoredRemarks(list[dict[str, str]]):
    """Remarks that only a configuration file can give. No request can carry them: JSON makes plain lists."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRemarksField(Field):
    """Remarks as a list of objects that have `code` and its parameters, all of them strings.

    Not part of the API: no request can set it, no answer shows it. Configuration files have it. Those of
    former releases have a text with a sentence in each line, under a former name.
    """

    default: Any = field(default_factory=list)
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        if self.name in entry:
            return {self.name: StoredRemarks(map(check_remark, check_list(entry[self.name])))}
        notes = [str(entry[name]) for name in self.former_names if name in entry]
        return {self.name: StoredRemarks(read_note(notes[0]))} if notes else {}

    def read(self, body: Body, stored: Any, problems: list[Problem]) -> list[dict[str, str]]:
        sent = body.get(self.name)
        if isinstance(sent, StoredRemarks):
            return list(sent[:MAX_REMARKS])
        return list(self.default if stored is MISSING else stored)

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        return iter(())

    def schema(self) -> dict[str, Schema]:
        return {}


def check_list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise InvalidValue(ProblemCode.NOT_LIST)
    return raw


def check_remark(raw: Any) -> dict[str, str]:
    """Return a remark of a file. Raises InvalidValue for an unknown code or parameter."""
    remark = raw if isinstance(raw, dict) else {}
    params = PARAMS.get(remark.get("code", ""))
    if params is None or remark.keys() != {"code", *params}:
        raise InvalidValue(ProblemCode.UNREADABLE_ITEM)
    if not all(isinstance(value, str) and len(value) <= MAX_PARAM_LENGTH for value in remark.values()):
        raise InvalidValue(ProblemCode.UNREADABLE_ITEM)
    return remark


def read_note(text: str) -> list[dict[str, str]]:
    """Return the remarks of a note, which has a line for each."""
    return [remark_code(line[:MAX_PARAM_LENGTH]) for line in text.splitlines() if line]


def store_remark(remark: ImportRemark) -> dict[str, str]:
    """Return a remark as it is stored."""
    return {"code": remark.code.value, **{name: v[:MAX_PARAM_LENGTH] for name, v in remark.params.items()}}


def restore_remark(stored: dict[str, str]) -> ImportRemark:
    """Return a remark that was stored."""
    return ImportRemark(
        ImportRemarkCode(stored["code"]), {name: text for name, text in stored.items() if name != "code"}
    )
