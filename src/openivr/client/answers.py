"""Parses answers of the server: the envelope, errors, and values of the expected type.

Firmware versions differ: fields are added or missing, numbers are strings, empty lists are "". The parser
accepts all of that. Only values that cannot be converted raise BadAnswer.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import inspect

from openivr.client.effects import Ask, Got
from openivr.client.errors import BY_CODE, ApiError, BadAnswer

T = TypeVar("T")
SUCCESS, PARTIAL, PROCESSING = 0, 1, 2
MASK = "***"
SECRET_NAMES = ("password", "secret", "token", "pin_code", "vm_pin")
SHOWN = 80  # characters of an unexpected answer that an error quotes
SHORTEST = 3  # a shorter secret would mask half of every text


class Head(msgspec.Struct):
    """Fields of every answer."""

    errcode: int
    errmsg: str = ""


def check(ask: Ask, got: Got, secrets: Iterable[str]) -> None:
    """Raise the ApiError that an answer is, or BadAnswer where it is none of this API's."""
    masked = [*secrets, *secrets_of(ask)]
    if 300 <= got.status < 400:
        raise BadAnswer(f"{ask.path}: {got.status}, redirected to {origin(got.location)}")
    is_file = ask.is_file and got.status == 200 and got.media_type != "text/html"
    try:
        head = decode(got.content, Head)
    except BadAnswer:
        if is_file:
            return
        raise BadAnswer(f"{ask.path}: {describe(got, masked)} instead of an answer of the API") from None
    if head.errcode in {SUCCESS, PROCESSING} or (head.errcode == PARTIAL and ask.is_safe):
        return
    said = mask(msgspec.json.decode(got.content), masked)
    details = {name: said[name] for name in said if name not in {"errcode", "errmsg"}}
    kind = BY_CODE.get(head.errcode, ApiError)
    raise kind(ask.path, head.errcode, str(said.get("errmsg", "")), details)


def describe(got: Got, secrets: Iterable[str]) -> str:
    text = mask(got.content[:2000].decode("utf-8", "replace"), secrets)
    return f"{got.media_type or 'an answer without a type'} (status {got.status}) {text[:SHOWN]!r}"


def origin(location: str) -> str:
    """Return the target of a redirect, without the query, which can contain secrets."""
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"


def secrets_of(ask: Ask) -> list[str]:
    """Return the secrets in a request, which no error may contain."""
    return [ask.token, *find_secrets({**ask.query, **(ask.body or {})})]


def find_secrets(value: Any, name: str = "") -> Iterator[str]:
    """Every text in a value whose name says that it is secret."""
    match value:
        case dict():
            for key, one in value.items():
                yield from find_secrets(one, str(key).lower())
        case list() | tuple():
            for one in value:
                yield from find_secrets(one, name)
        case str() | int() if any(word in name for word in SECRET_NAMES):
            yield str(value)


def mask(value: Any, secrets: Iterable[str]) -> Any:
    """The value with every secret in it made unreadable, also where it stands as in a URL."""
    known = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
    return mask_known(value, [*known, *(quote(one, safe="") for one in known)])


def mask_known(value: Any, known: list[str]) -> Any:
    match value:
        case str():
            for secret in known:
                value = value.replace(secret, MASK)
            return value
        case dict():
            return {mask_known(name, known): mask_known(one, known) for name, one in value.items()}
        case list():
            return [mask_known(one, known) for one in value]
    return value


def decode(content: bytes, kind: type[T]) -> T:
    """Decode JSON to a type. Raises BadAnswer with the part that does not fit."""
    try:
        return msgspec.json.decode(content, type=kind, strict=False)
    except (msgspec.ValidationError, UnicodeDecodeError):
        pass
    except msgspec.DecodeError as error:
        raise BadAnswer(f"not JSON: {error}") from None
    try:
        return convert(msgspec.json.decode(content), kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(f"not JSON: {error}") from None


def convert(raw: Any, kind: type[T]) -> T:
    """Plain values as a value of this type, for which numbers may be strings and empty things missing."""
    try:
        return msgspec.convert(soften(raw, inspect_type(cast(Hashable, kind))), kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadAnswer(f"unexpected answer: {error}") from None


@cache
def inspect_type(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def soften(raw: Any, info: inspect.Type) -> Any:
    """Adapt plain values to a type. Values that do not fit stay, for `convert` to refuse."""
    match info:
        case inspect.StructType():
            return soften_struct(raw, info)
        case inspect.UnionType():
            return soften(raw, need(info))
        case inspect.VarTupleType():
            items = [] if raw == "" else raw
            return [soften(one, info.item_type) for one in items] if isinstance(items, list) else raw
        case inspect.DictType() if isinstance(raw, dict):
            return {name: soften(one, info.value_type) for name, one in raw.items() if one is not None}
        case inspect.StrType() if isinstance(raw, int | float):
            return str(int(raw) if isinstance(raw, bool) else raw)
        case inspect.IntType() if isinstance(raw, bool):
            return int(raw)
    return raw


def need(info: inspect.Type) -> inspect.Type:
    """Return the type of a value that may be None, without None."""
    if not isinstance(info, inspect.UnionType):
        return info
    return next(one for one in info.types if not isinstance(one, inspect.NoneType))


def soften_struct(raw: Any, info: inspect.StructType) -> Any:
    raw = getattr(info.cls, "gather", lambda same: same)(raw)
    if not isinstance(raw, dict):
        return raw
    types = {one.encode_name: one.type for one in info.fields}
    return {
        name: soften(value, types[name])
        for name, value in raw.items()
        if name in types and not is_empty(value, types[name])
    }


def is_empty(value: Any, info: inspect.Type) -> bool:
    """Return True if a field counts as missing."""
    return value is None or (value == "" and isinstance(need(info), inspect.IntType))


def read_object(content: bytes) -> Mapping[str, Any]:
    """An answer as plain values."""
    found: Mapping[str, Any] = decode(content, dict[str, Any])
    return found
