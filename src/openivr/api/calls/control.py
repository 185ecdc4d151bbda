"""Live calls: what they are, and commands to them, `call/*`.

P-Series: query-calls, make-a-call, transfer-a-call, hang-up-a-call.
A channel is one leg of a call; events show its id.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from openivr.api.cdr import ROWS, TEXT, drop_empty, read_text
from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import Query
from openivr.api.query import read_text as read_body_text
from openivr.api.responses import (
    INTERNAL,
    LIMIT,
    NO_CHANNEL,
    NOT_SUPPORTED,
    OPERATION_FAILED,
    PARAMETER,
    ApiError,
    bad_parameters,
    succeed,
)
from openivr.b2bua.call_commands import (
    AnyCommand,
    ChangeTalk,
    CommandOutcome,
    CommandResult,
    DialNumber,
    HangUpChannel,
    MonitorCall,
    MonitorMode,
    QueryCalls,
    TalkAction,
    TransferChannel,
    TransferOperation,
    TransferType,
)
from openivr.resources.errors import Problem, shorten
from openivr.resources.fields import CONTROL
from openivr.resources.problem_codes import ProblemCode

CODES = {
    # Where no calls process runs, there is no call and no channel.
    CommandOutcome.NO_CHANNEL: NO_CHANNEL,
    CommandOutcome.NOT_POSSIBLE: NOT_SUPPORTED,
    CommandOutcome.NOT_ALLOWED: OPERATION_FAILED,
    CommandOutcome.FULL: LIMIT,
    CommandOutcome.STOPPED: NO_CHANNEL,
    CommandOutcome.UNKNOWN: INTERNAL,
}
PROBLEMS = {
    CommandOutcome.UNKNOWN: "the calls did not respond in time; call/query says what holds now",
}
MAX_NUMBER = 64
YES_NO = ("yes", "no")
TYPES = ("inbound", "outbound", "internal")
OTHER_NAMES = {"number": "extension", "from": "extension"}  # what public clients send
MODES = tuple(MonitorMode)
NUMBER: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_NUMBER}
CHANNEL: Mapping[str, Any] = {"type": "string", "description": "Of events or call/query"}
CALL: Mapping[str, Any] = {"call_id": TEXT}


async def carry_out(request: ApiRequest, command: AnyCommand) -> CommandResult:
    """Send a command to the calls process. Raises the documented error if it could not be carried out."""
    result = await request.service.send_command(command)
    if result.outcome is not CommandOutcome.DONE:
        raise refuse_command(result)
    return result


def refuse_command(result: CommandResult) -> ApiError:
    """Return the documented error of a command that was not carried out, or not known to be."""
    if result.outcome is CommandOutcome.WRONG_PARAMETER:
        listed = [{"field": result.parameter, "validation_type": "reference"}]
        return ApiError(PARAMETER, submsg=f"{result.parameter} {result.problem}", invalid_param_list=listed)
    problem = result.problem or PROBLEMS.get(result.outcome, "")
    return ApiError(CODES[result.outcome], **({"submsg": problem} if problem else {}))


async def command_call(request: ApiRequest, command: AnyCommand) -> bytes:
    """Send a command, and answer with the id of its call."""
    return succeed(call_id=(await carry_out(request, command)).call_id)


async def query(request: ApiRequest) -> bytes:
    """Live calls by `call_id`, `type` or `extension`; none is no error."""
    command = QueryCalls(**read_chosen(drop_empty(request.query)))
    result = await request.service.send_command(command)
    if result.outcome is CommandOutcome.UNKNOWN:
        raise refuse_command(result)
    return succeed(data=result.calls)


def read_chosen(query: Query) -> dict[str, str]:
    """Return the one parameter that chooses calls. Raises 40002 without one, and with two."""
    names = {name: OTHER_NAMES.get(name, name) for name in ("call_id", "type", "extension", *OTHER_NAMES)}
    chosen = {name: read_text(query, name) for name in names}
    given = {name: text for name, text in chosen.items() if text is not None}
    if len(given) != 1:
        raise bad_parameters(
            Problem("call_id", ProblemCode.ONE_OF_TWO, {"other": "type, extension"})
            if given
            else Problem("call_id", ProblemCode.REQUIRED)
        )
    ((name, text),) = given.items()
    if name == "type" and text.lower() not in TYPES:
        raise bad_parameters(Problem(name, ProblemCode.CHOICE, {"choices": TYPES}, shorten(text)))
    return {names[name]: text.lower() if name == "type" else text}


async def hang_up(request: ApiRequest) -> bytes:
    """Hang up one member of a call. There are no paging groups."""
    body = await request.json()
    if body.get("paging_number"):
        number = shorten(str(body["paging_number"]))
        raise bad_parameters(Problem("paging_number", ProblemCode.UNSERVED, {"choice": number}, number))
    return await command_call(request, HangUpChannel(channel=read_body_text(body, "channel_id")))


async def dial(request: ApiRequest) -> bytes:
    """Call the caller's phone, then the callee (make-a-call). What becomes of it is in events."""
    body = await request.json()
    command = DialNumber(
        caller=read_number(body, "caller"),
        callee=read_number(body, "callee"),
        dial_permission=read_optional_number(body, "dial_permission"),
        auto_answer=read_word(body, "auto_answer", YES_NO) == "yes",
    )
    return await command_call(request, command)


async def transfer(request: ApiRequest) -> bytes:
    """Transfer a member of a call (transfer-a-call): blind, or attended in two requests."""
    body = await request.json()
    type_ = read_word(body, "type", [each.value for each in TransferType])
    if type_ is None:
        raise bad_parameters(Problem("type", ProblemCode.REQUIRED))
    channel = read_body_text(body, "channel_id")
    word = read_word(body, "attended_operate", [each.value for each in TransferOperation])
    has_number = bool(body.get("number"))
    if type_ == TransferType.BLIND and word:
        raise bad_parameters(Problem("attended_operate", ProblemCode.UNSERVED, {"choice": word}, word))
    if bool(word) is has_number:
        raise bad_parameters(Problem("number", ProblemCode.ONE_OF_TWO, {"other": "attended_operate"}))
    command = TransferChannel(
        type=TransferType(type_),
        channel=channel,
        number=read_optional_number(body, "number"),
        dial_permission=read_optional_number(body, "dial_permission"),
        operation=TransferOperation(word) if word else None,
    )
    return await command_call(request, command)


def read_word(body: Mapping[str, Any], name: str, words: Sequence[str]) -> str | None:
    """Return one of the allowed words, None if it is missing or empty. Raises 40002 for others."""
    word = body.get(name)
    if word in (None, ""):
        return None
    if word not in words:
        choices = {"choices": tuple(words)}
        raise bad_parameters(Problem(name, ProblemCode.CHOICE, choices, shorten(str(word))))
    return str(word)


def read_number(body: Mapping[str, Any], name: str) -> str:
    """Return a number that a body must have, of at most MAX_NUMBER characters. Raises 40002."""
    text = read_body_text(body, name)
    if len(text) > MAX_NUMBER:
        raise bad_parameters(Problem(name, ProblemCode.TOO_LONG, {"high": MAX_NUMBER}, shorten(text)))
    if CONTROL.search(text):
        raise bad_parameters(Problem(name, ProblemCode.CONTROL_CHARACTERS, value=shorten(text)))
    return text


def read_optional_number(body: Mapping[str, Any], name: str) -> str:
    """Return a number, "" if it is missing or empty. Raises 40002."""
    return read_number(body, name) if body.get(name) else ""


async def change_talk(action: TalkAction, request: ApiRequest) -> bytes:
    """Hold, mute or record: all take the channel of a member."""
    channel = read_body_text(await request.json(), "channel_id")
    return await command_call(request, ChangeTalk(channel=channel, action=action))


async def listen(request: ApiRequest) -> bytes:
    """Ring an extension, which then monitors the member of a channel (monitor-a-call)."""
    body = await request.json()
    mode = read_body_text(body, "type")
    if mode not in MODES:
        raise bad_parameters(Problem("type", ProblemCode.CHOICE, {"choices": MODES}, shorten(mode)))
    command = MonitorCall(
        monitor=read_number(body, "monitor"),
        channel=read_body_text(body, "channel_id"),
        mode=MonitorMode(mode),
    )
    return await command_call(request, command)


TALK_SUMMARIES = {
    TalkAction.HOLD: "Hold the call for a member; the other one receives the hold sound",
    TalkAction.UNHOLD: "End the hold of a member",
    TalkAction.MUTE: "Mute a member for all others",
    TalkAction.UNMUTE: "End the muting of a member",
    TalkAction.RECORD_START: "Record the call from now on",
    TalkAction.RECORD_PAUSE: "Pause the recording of the call",
    TalkAction.RECORD_UNPAUSE: "Go on with the recording of the call",
}


def endpoints() -> Iterator[Endpoint]:
    yield Endpoint(
        path="call/query",
        method="GET",
        handle=query,
        summary="Live calls: by the id of a call, by their type or of an extension",
        parameters={
            "call_id": TEXT,
            "type": {"type": "string", "enum": list(TYPES)},
            "extension": {"type": "string", "description": "Its number"},
        },
        data={"data": ROWS["data"]},
    )
    yield post(
        "dial",
        dial,
        "Call an extension, and connect it with a number once it answers",
        caller=NUMBER,
        callee=NUMBER,
        optional={"dial_permission": NUMBER, "auto_answer": {"type": "string", "enum": list(YES_NO)}},
    )
    yield post(
        "transfer",
        transfer,
        "Transfer a member of a call, blind or attended",
        type={"type": "string", "enum": [each.value for each in TransferType]},
        channel_id=CHANNEL,
        optional={
            "number": NUMBER,
            "dial_permission": NUMBER,
            "attended_operate": {"type": "string", "enum": [each.value for each in TransferOperation]},
        },
    )
    yield post("hangup", hang_up, "Hang up one member of a call", channel_id=CHANNEL)
    for action, summary in TALK_SUMMARIES.items():
        yield post(action.value, partial(change_talk, action), summary, channel_id=CHANNEL)
    yield post(
        "listen",
        listen,
        "Ring an extension, and let it monitor a member of a call",
        monitor=NUMBER,
        channel_id=CHANNEL,
        type={"type": "string", "enum": list(MODES)},
    )


def post(
    action: str, handle: Any, summary: str, /, *, optional: Mapping[str, Any] | None = None, **required: Any
) -> Endpoint:
    """Return the endpoint of a command whose answer is the id of its call."""
    body = {
        "type": "object",
        "required": list(required),
        "properties": required | dict(optional or {}),
    }
    return Endpoint(
        path=f"call/{action}",
        method="POST",
        handle=handle,
        summary=f"Live calls: {summary[0].lower()}{summary[1:]}",
        body=body,
        data=CALL,
    )
