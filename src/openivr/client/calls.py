"""Live calls: what they are, and commands to them.

P-Series: query-calls, make-a-call, transfer-a-call, hang-up-a-call.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from openivr.client import answers
from openivr.client.effects import Ask, Steps
from openivr.client.records import ask
from openivr.client.sync_async import F, Faced, call


class CallMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a live call. `kind` is "extension", "inbound" or "outbound".

    An extension has a `number`, the others have `from_`, `to` and `trunk_name`. `member_status` is one of
    ALERT, RING, EARLYMEDIA, ANSWERED, ANSWER, HOLD and BYE.
    """

    kind: str
    channel_id: str = ""
    member_status: str = ""
    call_path: str = ""
    number: str = ""
    from_: str = msgspec.field(name="from", default="")
    to: str = ""
    trunk_name: str = ""


class CallInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A live call and its members, the caller first."""

    call_id: str
    members: tuple[CallMember, ...] = ()


class CallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command: the id of the call that it was for."""

    call_id: str = ""


class Calls(Faced[F]):
    """Live calls. A channel is one leg of a call; commands are never sent twice."""

    @call
    def query(
        self, *, call_id: str | None = None, type_: str | None = None, extension: str | None = None
    ) -> Steps[tuple[CallInfo, ...]]:
        """Return live calls: one by its id, those of a type ("inbound", "outbound", "internal") or of an
        extension. Give one of the three.
        """
        query = {"call_id": call_id, "type_": type_, "extension": extension}
        got = yield from ask(self.session, "call/query", "v1.0", query)
        rows = answers.read_object(got.content).get("data") or []
        return tuple(read_call(row) for row in answers.convert(rows, list[dict[str, Any]]))

    @call
    def dial(
        self,
        caller: str,
        callee: str,
        *,
        dial_permission: str | None = None,
        auto_answer: bool | None = None,
    ) -> Steps[str]:
        """Ring the caller's phone, then the callee, and return the id of the call. It may still fail.

        `dial_permission` is the extension whose rights are used. Raises OperationFailed if it has none.
        """
        answer = None if auto_answer is None else "yes" if auto_answer else "no"
        return (
            yield from self.command(
                "dial", caller=caller, callee=callee, dial_permission=dial_permission, auto_answer=answer
            )
        )

    @call
    def transfer(
        self,
        channel_id: str,
        number: str | None = None,
        *,
        type_: str = "blind",
        dial_permission: str | None = None,
        attended_operate: str | None = None,
    ) -> Steps[str]:
        """Transfer a member of a call to a number, and return the id of the call that it goes on in.

        `type_="attended"` names the transferor instead, who talks to the target first. Then
        `attended_operate` is "complete", "abort" or "swap".
        """
        return (
            yield from self.command(
                "transfer",
                type=type_,
                channel_id=channel_id,
                number=number,
                dial_permission=dial_permission,
                attended_operate=attended_operate,
            )
        )

    @call
    def hangup(self, channel_id: str) -> Steps[str]:
        """Hang up one member of a call, and return the id of the call."""
        return (yield from self.command("hangup", channel_id=channel_id))

    @call
    def hold(self, channel_id: str) -> Steps[str]:
        """Hold the call for the member of this channel: the other one receives the hold sound."""
        return (yield from self.command("hold", channel_id=channel_id))

    @call
    def unhold(self, channel_id: str) -> Steps[str]:
        """Take a call up again for the member that holds it."""
        return (yield from self.command("unhold", channel_id=channel_id))

    @call
    def mute(self, channel_id: str) -> Steps[str]:
        """Mute one member of a call for all others."""
        return (yield from self.command("mute", channel_id=channel_id))

    @call
    def unmute(self, channel_id: str) -> Steps[str]:
        """End the muting of one member of a call."""
        return (yield from self.command("unmute", channel_id=channel_id))

    @call
    def record_start(self, channel_id: str) -> Steps[str]:
        """Record a call from now on. A call that is recorded already answers 70132."""
        return (yield from self.command("record_start", channel_id=channel_id))

    @call
    def record_pause(self, channel_id: str) -> Steps[str]:
        """Leave out what is said from now on of the recording of a call."""
        return (yield from self.command("record_pause", channel_id=channel_id))

    @call
    def record_unpause(self, channel_id: str) -> Steps[str]:
        """Go on with the recording of a call after a pause."""
        return (yield from self.command("record_unpause", channel_id=channel_id))

    @call
    def listen(self, monitor: str, channel_id: str, mode: str = "listen") -> Steps[str]:
        """Ring an extension, which then monitors the member of a channel. Return the id of its call.

        With the mode "whisper" that member receives the monitor, with "barge" both do.
        """
        return (yield from self.command("listen", monitor=monitor, channel_id=channel_id, type=mode))

    def command(self, action: str, **body: Any) -> Steps[str]:
        """Send a command without the fields that are None."""
        given = {name: value for name, value in body.items() if value is not None}
        got = yield from self.session.ask(Ask(method="POST", path=f"call/{action}", body=given))
        return answers.decode(got.content, CallAnswer).call_id


def read_call(row: Mapping[str, Any]) -> CallInfo:
    """Read a call; each member is an object under the name of its kind."""
    members = (
        answers.convert({**fields, "kind": kind}, CallMember)
        for member in row.get("members") or ()
        for kind, fields in member.items()
    )
    return CallInfo(call_id=str(row.get("call_id", "")), members=tuple(members))
