"""Parses queries and bodies strictly: into a page, an id or a JSON object."""

import codecs
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from openivr.api.responses import SYNTAX, ApiError, bad_parameters
from openivr.resources import ResourceType
from openivr.resources.errors import Problem, shorten
from openivr.resources.fields import CONTROL, InvalidValue, clean_text, whole
from openivr.resources.order import ListQuery
from openivr.resources.problem_codes import ProblemCode

Query = Mapping[str, list[str]]
MAX_FIELDS = 100  # parameters of a query
MAX_ROWS = 10_000
MAX_PAGE = 10**12
MAX_IDS = 10_000
MAX_ID = 10**18
MAX_SEARCH = 127  # no name is longer
BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_query(raw: bytes) -> Query:
    """Parse the query into values by name. Raises 40001 if it is not UTF-8 or has too many parameters."""
    query: dict[str, list[str]] = {}
    if raw.count(b"&") >= MAX_FIELDS:
        raise ApiError(SYNTAX, submsg=f"the query has more than {MAX_FIELDS} parameters")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise ApiError(SYNTAX, submsg="the query is not UTF-8") from error
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query


def read_one(query: Query, name: str) -> str | None:
    """Return the value of a parameter, None if it is missing or empty. Raises 40002 if it is repeated."""
    values = query.get(name)
    if values is None:
        return None
    if len(values) > 1:
        raise bad_parameters(Problem(name, ProblemCode.SENT_TWICE, value=shorten(values[0])))
    if not values[0]:
        return None
    if CONTROL.search(values[0]):
        raise bad_parameters(Problem(name, ProblemCode.CONTROL_CHARACTERS, value=shorten(values[0])))
    return values[0]


def read_integer(query: Query, name: str, low: int, high: int) -> int | None:
    """A whole number from `low` to `high`, None where it is missing."""
    text = read_one(query, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise bad_parameters(Problem(name, ProblemCode.NOT_INTEGER, value=shorten(text)))
    value = int(text[:30])
    if not low <= value <= high:
        raise bad_parameters(Problem(name, ProblemCode.RANGE, {"low": low, "high": high}, shorten(text)))
    return value


def read_choice(query: Query, name: str, values: tuple[str, ...]) -> str:
    """Return one of the allowed values, by default the first."""
    text = read_one(query, name)
    if text is None:
        return values[0]
    if text not in values:
        raise bad_parameters(Problem(name, ProblemCode.CHOICE, {"choices": values}, shorten(text)))
    return text


def read_page(query: Query, kind: ResourceType) -> ListQuery:
    """`page`, `page_size`, `sort_by` and `order_by` of a list (P-Series: query-ivr-list)."""
    number = read_integer(query, "page", 1, MAX_PAGE) or 1
    size = read_integer(query, "page_size", 1, MAX_ROWS) or MAX_ROWS
    sort = read_choice(query, "sort_by", ("id", *kind.sorts))
    page = make_page(number, size, sort, read_choice(query, "order_by", ("asc", "desc")) == "desc")
    if page is None:
        raise AssertionError("the parameters are in range")
    return page


def make_page(number: int, size: int, sort: str, is_descending: bool) -> ListQuery | None:
    """Return page `number` (from 1) of a list in pages of `size` rows. None if one is out of range."""
    if not (1 <= size <= MAX_ROWS and 1 <= number <= MAX_PAGE):
        return None
    return ListQuery((number - 1) * size, size, sort, is_descending)


def read_search(query: Query) -> str:
    """Return `search_value`. An empty one matches every name."""
    raw = read_one(query, "search_value") or ""
    try:
        text = clean_text(raw)
    except InvalidValue as bad:
        raise bad_parameters(Problem("search_value", bad.code, value=shorten(raw))) from bad
    if len(text) > MAX_SEARCH:
        limits = {"high": MAX_SEARCH}
        raise bad_parameters(Problem("search_value", ProblemCode.TOO_LONG, limits, shorten(text)))
    return text


def read_id(query: Query) -> int:
    """The `id` that a query must name."""
    id_ = read_integer(query, "id", 0, MAX_ID)
    if id_ is None:
        raise bad_parameters(Problem("id", ProblemCode.REQUIRED))
    return id_


def read_ids(query: Query) -> list[int]:
    """`ids`, comma separated (P-Series: query-information-of-multiple-ivrs)."""
    text = read_one(query, "ids")
    if text is None:
        raise bad_parameters(Problem("ids", ProblemCode.REQUIRED))
    parts = text.split(",")
    if len(parts) > MAX_IDS or not all(
        part.isascii() and part.isdigit() and len(part) < 19 for part in parts
    ):
        raise bad_parameters(Problem("ids", ProblemCode.NOT_IDS, value=shorten(text)))
    return [int(part) for part in parts]


def read_object(body: bytes, *, is_form: bool = False) -> dict[str, Any]:
    """Parse a body, which must be a JSON object. Raises 40001 for others, with the reason.

    `is_form` says that the client declares the body as a form.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(SYNTAX, submsg=explain_body(body, error, is_form=is_form)) from error
    if not isinstance(value, dict):
        raise ApiError(SYNTAX, submsg="the body must be a JSON object")
    return value


def explain_body(body: bytes, error: Exception, *, is_form: bool) -> str:
    """Return the reason why a body cannot be read, without a part of it, which may be secret."""
    if not body.strip():
        return "the body is empty; it must be a JSON object"
    if body.startswith(BYTE_ORDER_MARKS):
        return "the body begins with a byte order mark; send JSON in UTF-8 without one"
    if is_form and not body.lstrip().startswith(b"{"):
        return "the body is a form; it must be a JSON object"
    if isinstance(error, RecursionError):
        return "the body is nested too deeply"
    return "the body is not JSON" if isinstance(error, msgspec.DecodeError) else "the body is not UTF-8"


def read_body_id(body: Mapping[str, Any]) -> int:
    """The `id` of the object that an update is for."""
    if "id" not in body:
        raise bad_parameters(Problem("id", ProblemCode.REQUIRED))
    try:
        return whole(body["id"])
    except InvalidValue as bad:
        raise bad_parameters(Problem("id", bad.code, bad.params, shorten(body["id"]))) from bad


def read_text(body: Mapping[str, Any], name: str) -> str:
    """A string that a body must have and that is not to be repeated in an answer."""
    value = body.get(name)
    if value is None:
        raise bad_parameters(Problem(name, ProblemCode.REQUIRED))
    if not isinstance(value, str) or not value:
        raise bad_parameters(Problem(name, ProblemCode.NOT_TEXT))
    return value
