"""Webhooks in the API: read and replaced as a whole (P-Series: update-webhook-event-push-settings).

The P-Series has one time-out and one number of retries for all webhooks. A change of either here changes
all of them; `query` answers those of the first.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.responses import succeed
from openivr.resources.errors import Invalid, Problem
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import Values
from openivr.resources.webhook import WEBHOOK
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction

LIST, TIMEOUT, RETRIES = (f"webhook_event_push_{name}" for name in ("list", "timeout", "retry_count"))
COMMON = {TIMEOUT: "timeout", RETRIES: "retry_count"}  # name in the API -> field
SHOWN = ("url", "request_method", "event_ids", "name", "enable")
MAX_WEBHOOKS = 50
MAX_NAME = 60  # characters of a name that is made from an address
MASK = "****"  # stands for a secret in answers

Stored = Sequence[tuple[int, Values]]


async def query(request: ApiRequest) -> bytes:
    return succeed(data=await request.service.database.read(show))


def show(connection: Connection) -> dict[str, Any]:
    """Return all webhooks as an answer has them, with a mask in the place of each secret."""
    stored = list(resources.fetch_all(connection, WEBHOOK))
    entries = [{name: values[name] for name in SHOWN} | {"secret": MASK} for _, values in stored]
    return {LIST: entries, **{name: find_common(stored, field) for name, field in COMMON.items()}}


def find_common(stored: Stored, name: str) -> int:
    """Return a value that is the same for all webhooks on a P-Series: that of the first, else the default."""
    default = next(field.default for field in WEBHOOK.fields if field.name == name)
    value: int = stored[0][1][name] if stored else default
    return value


async def update(request: ApiRequest) -> bytes:
    body = await request.json()
    await request.service.database.change_config(change_all, body)
    return succeed()


def change_all(change: ConfigTransaction, body: Mapping[str, Any]) -> None:
    """Change what a body has. Raises Invalid and Duplicate, and then nothing has changed."""
    stored = list(resources.fetch_all(change.connection, WEBHOOK))
    known, problems = dict(stored), list[Problem]()
    common = {name: read_common(body, name, field, stored, problems) for name, field in COMMON.items()}
    if LIST in body:
        entries = read_entries(body[LIST])
        owners = match(entries, stored)
    else:
        entries = [dict[str, Any]() for _ in stored]
        owners = [id_ for id_, _ in stored]
    names = {str(entry.get("name", "")) for entry in entries}
    names |= {known[id_]["name"] for id_ in owners if id_ is not None}
    plan: list[tuple[int | None, dict[str, Any]]] = []
    for row, (entry, id_) in enumerate(zip(entries, owners, strict=True), 1):
        new = {name: value for name, value in entry.items() if name not in COMMON.values()}
        if new.get("secret") == MASK:
            del new["secret"]  # stays as it is
        if id_ is None and "name" not in new:
            new["name"] = make_name(new.get("url"), names)
        new |= {field: common[name] for name, field in COMMON.items() if id_ is None or name in body}
        try:
            WEBHOOK.parse(new, None if id_ is None else known[id_])
        except Invalid as error:
            problems += [place(problem, row) for problem in error.problems]
        plan.append((id_, new))
    if problems:
        raise Invalid(*problems)
    carry_out(change, plan, known)


def read_common(
    body: Mapping[str, Any], name: str, field: str, stored: Stored, problems: list[Problem]
) -> int:
    """Return a value that all webhooks share after a request. A bad one is added to `problems`."""
    spec = next(each for each in WEBHOOK.fields if each.name == field)
    found: list[Problem] = []
    given = {field: body[name]} if name in body else {}
    value: int = spec.read(given, find_common(stored, field), found)
    problems += [Problem(name, problem.code, problem.params, problem.value) for problem in found]
    return value


def carry_out(
    change: ConfigTransaction, plan: Sequence[tuple[int | None, dict[str, Any]]], known: Mapping[int, Values]
) -> None:
    """Delete webhooks that no entry has, change those that differ, and add the others."""
    for gone in known.keys() - {id_ for id_, _ in plan}:
        resources.delete(change, WEBHOOK, gone)
    for id_, own in plan:
        if id_ is None:
            resources.create(change, WEBHOOK, own)
        elif WEBHOOK.parse(own, known[id_]) != known[id_]:
            resources.update(change, WEBHOOK, id_, own)


def read_entries(raw: Any) -> list[dict[str, Any]]:
    """Read the list of a body. Raises Invalid."""
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise Invalid(Problem(LIST, ProblemCode.NOT_ROWS))
    if len(raw) > MAX_WEBHOOKS:
        raise Invalid(Problem(LIST, ProblemCode.TOO_MANY_ITEMS, {"high": MAX_WEBHOOKS}))
    return [dict(entry) for entry in raw]


def match(entries: Sequence[Mapping[str, Any]], stored: Stored) -> list[int | None]:
    """Return the id of the webhook that each entry is: of the same address, else of the same name.

    What is left matches by its place if it has the mask of a secret, which only that webhook can have.
    """
    free = dict(stored)
    owners: list[int | None] = [None] * len(entries)
    for name in ("url", "name"):
        for at, entry in enumerate(entries):
            if owners[at] is None and name in entry:
                same = (id_ for id_, values in free.items() if values[name] == entry[name])
                owners[at] = next(same, None)
                free = {id_: values for id_, values in free.items() if id_ != owners[at]}
    for at, (entry, (id_, _)) in enumerate(zip(entries, stored, strict=False)):
        if owners[at] is None and entry.get("secret") == MASK and id_ in free:
            owners[at] = id_
            del free[id_]
    return owners


def make_name(url: Any, taken: set[str]) -> str:
    """Return a free name for a webhook, from the host of its address, and take it."""
    try:
        host = urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        host = None
    stem, number = (host or WEBHOOK.title)[:MAX_NAME], 1
    name = stem
    while name in taken:
        number += 1
        name = f"{stem[: MAX_NAME - 4]} {number}"
    taken.add(name)
    return name


def place(problem: Problem, row: int) -> Problem:
    """Return a problem of an entry as one of the list."""
    return Problem(LIST, problem.code, {"row": row, "column": problem.field, **problem.params})


ENTRY = {
    "type": "object",
    "properties": {
        **{name: schema for name, schema in WEBHOOK.schema().items() if name not in COMMON.values()},
    },
    "required": ["url", "secret", "event_ids"],
}
PROPERTIES: dict[str, Any] = {
    LIST: {"type": "array", "items": ENTRY, "maxItems": MAX_WEBHOOKS},
    **{name: WEBHOOK.schema()[field] for name, field in COMMON.items()},
}
ENDPOINTS = (
    Endpoint(
        path="webhook/query",
        method="GET",
        handle=query,
        summary="Webhooks: all addresses that receive events; secrets are masked",
        data={"data": {"type": "object", "properties": PROPERTIES}},
    ),
    Endpoint(
        path="webhook/update",
        method="POST",
        handle=update,
        summary="Webhooks: replace the list, the time-out and the number of retries",
        body={"type": "object", "properties": PROPERTIES},
    ),
)
