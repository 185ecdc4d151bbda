"""Messages in the mailboxes of extensions, `vm/*`. Names of fields are ours, as no page is public."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from openivr.api.cdr import ROWS, TEXT, drop_empty, read_text
from openivr.api.display_time import DisplayFormat
from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import MAX_ID, MAX_PAGE, MAX_ROWS, read_integer
from openivr.api.query import read_text as read_body_text
from openivr.api.responses import NOT_FOUND, ApiError, bad_parameters, succeed
from openivr.api.signed_address import sign
from openivr.resources import KINDS
from openivr.resources.errors import NotFound, Problem, shorten
from openivr.resources.problem_codes import ProblemCode
from openivr.store.cdr import voicemail
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.config import resources

STATUSES = ("unread", "read")


async def list_messages(request: ApiRequest) -> bytes:
    """Messages of one mailbox (`ext_id`), or of all, newest first. 60001 if there is no such extension."""
    query, service = drop_empty(request.query), request.service
    extension = read_integer(query, "ext_id", 0, MAX_ID)
    number = read_integer(query, "page", 1, MAX_PAGE) or 1
    size = read_integer(query, "page_size", 1, MAX_ROWS) or MAX_ROWS
    total, messages, names = await service.database.read(load, extension, (number - 1) * size, size)
    return succeed(total_number=total, data=[show(one, names, service.display) for one in messages])


Names = Mapping[int, Mapping[str, Any]]  # the values of extensions by id


def load(
    connection: Connection, extension: int | None, offset: int, limit: int
) -> tuple[int, list[VoicemailMessage], Names]:
    if extension is not None:
        resources.fetch(connection, KINDS["extension"], extension)
    total, messages = voicemail.list_messages(connection, extension, offset, limit)
    ids = sorted({message.extension_id for message in messages})
    return total, messages, resources.fetch_many(connection, KINDS["extension"], ids)


def show(message: VoicemailMessage, names: Names, display: DisplayFormat) -> dict[str, Any]:
    owner = names.get(message.extension_id, {})
    return {
        "msg_id": message.id,
        "ext_id": message.extension_id,
        "ext_num": owner.get("number", ""),
        "ext_name": f"{owner.get('first_name', '')} {owner.get('last_name', '')}".strip(),
        "caller": message.caller,
        "time": display.show(message.created // 1000),
        "timestamp": message.created // 1000,
        "duration": round(message.milliseconds / 1000),
        "status": STATUSES[message.heard],
    }


async def find(request: ApiRequest, id_: str | None) -> tuple[VoicemailMessage, Names]:
    """Return the message that a request names. Raises 40002 and 60001."""
    if id_ is None:
        raise bad_parameters(Problem("msg_id", ProblemCode.REQUIRED))
    return await request.service.database.read(fetch, id_)


def fetch(connection: Connection, id_: str) -> tuple[VoicemailMessage, Names]:
    message = voicemail.find_message(connection, id_)
    if message is None:
        raise NotFound(f"message {id_}")
    return message, resources.fetch_many(connection, KINDS["extension"], [message.extension_id])


async def get(request: ApiRequest) -> bytes:
    """One message without its sound."""
    message, names = await find(request, read_text(drop_empty(request.query), "msg_id"))
    return succeed(data=show(message, names, request.service.display))


async def download(request: ApiRequest) -> bytes:
    """The address of the sound of a message, good for 30 minutes. The message stays unread."""
    message, _ = await find(request, read_text(drop_empty(request.query), "msg_id"))
    return succeed(
        file=f"{message.id}.wav", download_resource_url=await sign(request, "Voicemail", message.id, "wav")
    )


async def update(request: ApiRequest) -> bytes:
    """Mark a message as read or unread."""
    body = await request.json()
    message, _ = await find(request, read_body_text(body, "msg_id"))
    status = read_body_text(body, "status")
    if status not in STATUSES:
        raise bad_parameters(Problem("status", ProblemCode.CHOICE, {"choices": STATUSES}, shorten(status)))
    await request.service.database.write(voicemail.mark, message.id, is_heard=status == "read")
    return succeed()


async def delete(request: ApiRequest) -> bytes:
    """Delete a message."""
    message, _ = await find(request, read_text(drop_empty(request.query), "msg_id"))
    if not await request.service.database.write(voicemail.delete_message, message.id):
        raise ApiError(NOT_FOUND)
    return succeed()


def endpoints() -> Iterator[Endpoint]:
    message: dict[str, Mapping[str, Any]] = {"msg_id": TEXT}
    page = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE}
    yield Endpoint(
        path="vm/query",
        method="GET",
        handle=list_messages,
        summary="Voicemail: messages of one mailbox or of all",
        parameters={
            "ext_id": {"type": "integer", "minimum": 0, "maximum": MAX_ID},
            "page": page,
            "page_size": page | {"maximum": MAX_ROWS},
        },
        data=ROWS,
    )
    for action, handle, data in (
        ("get", get, {"data": {"type": "object"}}),
        ("download", download, {"file": {"type": "string"}, "download_resource_url": {"type": "string"}}),
        ("delete", delete, {}),
    ):
        yield Endpoint(
            path=f"vm/{action}",
            method="GET",
            handle=handle,
            summary=f"Voicemail: {action} a message",
            parameters=message,
            required=("msg_id",),
            data=data,
        )
    yield Endpoint(
        path="vm/update",
        method="POST",
        handle=update,
        summary="Voicemail: mark a message as read or unread",
        body={
            "type": "object",
            "properties": {"msg_id": TEXT, "status": {"type": "string", "enum": list(STATUSES)}},
            "required": ["msg_id", "status"],
        },
    )
