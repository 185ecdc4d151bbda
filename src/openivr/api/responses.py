"""Answers: the envelope that every one of them has, and the table of errors.

P-Series: response-result, error-code-and-error-message.
"""

from typing import Any, ClassVar

import msgspec

from openivr.resources.errors import Duplicate, InUse, Invalid, NotFound, ObjectError, Problem
from openivr.store.caches.encoded_list import SEPARATOR

INTERNAL, FAILURE, SUCCESS = -2, -1, 0
NO_INTERFACE, NO_VERSION, TOKEN_EXPIRED = 10001, 10003, 10004
SYNTAX, PARAMETER, DUPLICATE, TOO_LARGE = 40001, 40002, 40003, 40004
NOT_FOUND, LIMIT = 60001, 60002
BLOCKED, IP_FORBIDDEN, IN_USE = 70004, 70087, 70091
OPERATION_FAILED, NO_CHANNEL, NOT_SUPPORTED = 10009, 70130, 70132

MESSAGES = {
    INTERNAL: "INTERNAL SERVER ERROR",
    FAILURE: "FAILURE",
    SUCCESS: "SUCCESS",
    NO_INTERFACE: "INTERFACE NOT EXISTED",
    NO_VERSION: "API VERSION UNSUPPORTED",
    TOKEN_EXPIRED: "TOKEN EXPIRED",
    OPERATION_FAILED: "OPERATION FAILED",
    SYNTAX: "PARAMETER SYNTAX ERROR",
    PARAMETER: "PARAMETER ERROR",
    DUPLICATE: "DUPLICATE KEY VALUE",
    TOO_LARGE: "FILE SIZE EXCEEDED",
    NOT_FOUND: "DATA NOT FOUND",
    LIMIT: "MAX LIMITATION EXCEEDED",
    BLOCKED: "ACCOUNT IP BLOCKED",
    IP_FORBIDDEN: "IP FORBIDDEN",
    IN_USE: "CONNECTION_RELATION_EXISTED",
    NO_CHANNEL: "CAHNNEL ID NOT FOUND",  # spelled as in the documentation
    NOT_SUPPORTED: "OPERATION NOT SUPPORTED",
}
ENCODE = msgspec.json.Encoder().encode
LIST_HEAD = b'{"errcode":0,"errmsg":"SUCCESS","total_number":%d,"data":['


class ApiError(Exception):
    """An answer other than success. `details` are further fields of its body, `status` is that of HTTP."""

    status: ClassVar[int] = 200

    def __init__(self, code: int, **details: Any) -> None:
        super().__init__(MESSAGES[code])
        self.code, self.details = code, details

    def encode(self) -> bytes:
        return ENCODE({"errcode": self.code, "errmsg": MESSAGES[self.code], **self.details})


class UpgradeMissing(ApiError):
    """A WebSocket was asked for as if it were an answer."""

    status: ClassVar[int] = 400


def succeed(**fields: Any) -> bytes:
    return ENCODE({"errcode": SUCCESS, "errmsg": MESSAGES[SUCCESS], **fields})


def list_rows(total: int, rows: list[bytes]) -> bytes:
    """A list's answer from rows that are encoded already."""
    return LIST_HEAD % total + SEPARATOR.join(rows) + b"]}"


def bad_parameters(*problems: Problem) -> ApiError:
    """40002 that names every bad field, with a sentence for people in `submsg`."""
    listed = [describe(problem) for problem in problems]
    text = "; ".join(f"{problem.field} {problem.text}" for problem in problems)
    return ApiError(PARAMETER, submsg=text, invalid_param_list=listed)


def describe(problem: Problem) -> dict[str, str]:
    if problem.value is None or problem.rule == "required":
        return {"field": problem.field, "validation_type": problem.rule}
    return {"field": problem.field, "value": problem.value}


def refuse(error: ObjectError) -> ApiError:
    """The documented answer to what the store refused."""
    match error:
        case Invalid():
            return bad_parameters(*error.problems)
        case Duplicate():
            owner = {"external_source": error.kind, "external_source_name": error.name}
            listed = [{"field": error.field, "value": error.value, **owner}]
            return ApiError(DUPLICATE, submsg=str(error), duplicate_field_list=listed)
        case InUse():
            return ApiError(IN_USE, submsg=str(error))
        case NotFound():
            return ApiError(NOT_FOUND)
    raise error
