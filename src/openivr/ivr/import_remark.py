"""Remarks of an import from another PBX: what could not be kept of a menu, as a code with parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique


@unique
class ImportRemarkCode(StrEnum):
    """Things that could not be kept. Comments list the parameters.

    `input` is a key ("0" to "9", "*", "#"), "timeout", "invalid" or the name of a field. `type` and `name`
    are a destination or a member of a list, as the other PBX names them.
    """

    DESTINATION_UNSERVED = "destination_unserved"  # input, type, name: a type that this server lacks
    DESTINATION_MISSING = "destination_missing"  # input, type, name: nothing of this name was imported
    DESTINATION_INVALID = "destination_invalid"  # input, type, name
    NUMBER_INVALID = "number_invalid"  # input, type, name: an outside number
    PLAYS_INVALID = "plays_invalid"  # input, type, name, high: a prompt that is played too often
    KEY_PROMPT_MISSING = "key_prompt_missing"  # input, prompt
    PROMPT_MISSING = "prompt_missing"  # prompt: of the announcement
    MEMBER_MISSING = "member_missing"  # field, type, name: a member of a list
    OTHER = "other"  # text: written by people, or by a release that stored sentences


_DESTINATION = ("input", "type", "name")
PARAMS: Mapping[ImportRemarkCode, tuple[str, ...]] = {
    ImportRemarkCode.DESTINATION_UNSERVED: _DESTINATION,
    ImportRemarkCode.DESTINATION_MISSING: _DESTINATION,
    ImportRemarkCode.DESTINATION_INVALID: _DESTINATION,
    ImportRemarkCode.NUMBER_INVALID: _DESTINATION,
    ImportRemarkCode.PLAYS_INVALID: (*_DESTINATION, "high"),
    ImportRemarkCode.KEY_PROMPT_MISSING: ("input", "prompt"),
    ImportRemarkCode.PROMPT_MISSING: ("prompt",),
    ImportRemarkCode.MEMBER_MISSING: ("field", "type", "name"),
    ImportRemarkCode.OTHER: ("text",),
}


@dataclass(frozen=True, slots=True)
class ImportRemark:
    """One thing that an import could not keep. `params` are those that `PARAMS` lists for the code."""

    code: ImportRemarkCode
    params: Mapping[str, str] = field(default_factory=dict)
