"""Call records: what has happened (P-Series: query-cdr-list, search-specific-cdr, query-cdr-list-v2)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from openivr.client import answers
from openivr.client.effects import Ask, Got, Steps
from openivr.client.model_types import Page
from openivr.client.session import Session
from openivr.client.sync_async import F, Faced, call

V2 = "v2.0"


class WithParties(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that every record of a call has: time, type, caller and callee.

    `call_from` and `call_to` are names with numbers: "Ada Byron<1000>".
    """

    uid: str = ""
    time: str = ""
    call_type: str = ""
    call_from: str = ""
    call_from_number: str = ""
    call_from_name: str = ""
    call_to: str = ""
    call_to_number: str = ""
    call_to_name: str = ""


class CdrRow(WithParties, frozen=True, kw_only=True):
    """One routing stage of a call. The stages of a call have the same `uid` and `call_id`.

    Durations are seconds, `timestamp` is Unix seconds, `time` is in the display format of the server.
    """

    id: int = 0
    timestamp: int = 0
    new_id: str = ""
    call_id: str = ""
    disposition: str = ""
    duration: int = 0
    ring_duration: int = 0
    talk_duration: int = 0
    src_trunk: str = ""
    dst_trunk: str = ""
    did_number: str = ""
    dod_number: str = ""
    record_file: str = ""
    src_addr: str = ""


class CdrCall(WithParties, frozen=True, kw_only=True):
    """A whole call (v2.0)."""

    id: int | str = 0
    last_status: str = ""
    call_duration: int = 0
    routing_duration: int = 0
    handling_duration: int = 0


def ask(session: Session, path: str, version: str, query: Mapping[str, Any]) -> Steps[Got]:
    """Ask for something that may be asked for twice. What is None is not sent."""
    given = {name.rstrip("_"): str(value) for name, value in query.items() if value is not None}
    request = Ask(method="GET", path=path, version=version, query=given, is_safe=True)
    return (yield from session.ask(request))


class CallRecords(Faced[F]):
    """Call records, one row for each routing stage."""

    @call
    def list(
        self,
        page: int | None = None,
        page_size: int | None = None,
        *,
        sort_by: str | None = None,
        order_by: str | None = None,
    ) -> Steps[Page[CdrRow]]:
        """One page of the stages of all calls."""
        query = {"page": page, "page_size": page_size, "sort_by": sort_by, "order_by": order_by}
        got = yield from ask(self.session, "cdr/list", "v1.0", query)
        return answers.decode(got.content, Page[CdrRow])

    @call
    def search(
        self, /, page: int | None = None, page_size: int | None = None, **filters: Any
    ) -> Steps[Page[CdrRow]]:
        """One page of the stages that fit: `start_time`, `end_time`, `call_from`, `call_to`, `status`, ...

        Times are Unix seconds or texts in the display format of the server. `from_` is sent as `from`.
        """
        query = {"page": page, "page_size": page_size, **filters}
        got = yield from ask(self.session, "cdr/search", "v1.0", query)
        return answers.decode(got.content, Page[CdrRow])


class WholeCalls(Faced[F]):
    """Call records of v2.0, one row for each call."""

    @call
    def list(
        self, /, page: int | None = None, page_size: int | None = None, **filters: Any
    ) -> Steps[Page[CdrCall]]:
        """One page of all calls; `sort_by`, `order_by`, `call_from`, `call_to`."""
        query = {"page": page, "page_size": page_size, **filters}
        got = yield from ask(self.session, "cdr/list", V2, query)
        return answers.decode(got.content, Page[CdrCall])

    @call
    def search(
        self, /, page: int | None = None, page_size: int | None = None, **filters: Any
    ) -> Steps[Page[CdrCall]]:
        """One page of the calls that fit: `time_begin`, `time_end`, `last_status`, ..."""
        query = {"page": page, "page_size": page_size, **filters}
        got = yield from ask(self.session, "cdr/search", V2, query)
        return answers.decode(got.content, Page[CdrCall])

    @call
    def detail(self, uid: str) -> Steps[Mapping[str, Any]]:
        """One call: `basic` as in the list, and `timeline` with its stages."""
        got = yield from ask(self.session, "cdr/detail", V2, {"uid": uid})
        return answers.convert(answers.read_object(got.content).get("data"), dict[str, Any])


class RecordingRow(WithParties, frozen=True, kw_only=True):
    """A recording of a call. `duration` is in seconds, `size` in bytes."""

    id: int
    duration: int = 0
    size: int = 0
    file: str = ""


class DownloadAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The path of a file on the server. It can be fetched for 30 minutes, with a token."""

    file: str = ""
    download_resource_url: str = ""


class Recordings(Faced[F]):
    """Recordings of calls."""

    @call
    def list(
        self, /, page: int | None = None, page_size: int | None = None, **filters: Any
    ) -> Steps[Page[RecordingRow]]:
        """One page of all recordings; `sort_by`, `order_by`."""
        query = {"page": page, "page_size": page_size, **filters}
        got = yield from ask(self.session, "recording/list", "v1.0", query)
        return answers.decode(got.content, Page[RecordingRow])

    @call
    def search(
        self, /, page: int | None = None, page_size: int | None = None, **filters: Any
    ) -> Steps[Page[RecordingRow]]:
        """One page of the recordings that fit: `start_time`, `end_time`, `caller`, `callee`, `ids`."""
        query = {"page": page, "page_size": page_size, **filters}
        got = yield from ask(self.session, "recording/search", "v1.0", query)
        return answers.decode(got.content, Page[RecordingRow])

    @call
    def download(
        self, id_: int | None = None, *, file: str | None = None, version: str | None = None
    ) -> Steps[DownloadAddress]:
        """Return the address of a recording, by its id or the name of its file. OpenIVR: `version="mp3"`."""
        query = {"id": id_, "file": file, "format": version}
        got = yield from ask(self.session, "recording/download", "v1.0", query)
        return answers.decode(got.content, DownloadAddress)


class MailboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the mailbox of an extension. `status` is "unread" or "read"."""

    msg_id: str = ""
    ext_id: int = 0
    ext_num: str = ""
    ext_name: str = ""
    caller: str = ""
    time: str = ""
    timestamp: int = 0
    duration: int = 0
    status: str = ""


class Mailboxes(Faced[F]):
    """Messages in mailboxes."""

    @call
    def query(
        self, ext_id: int | None = None, page: int | None = None, page_size: int | None = None
    ) -> Steps[Page[MailboxMessage]]:
        """One page of the messages of an extension, or of all, newest first."""
        query = {"ext_id": ext_id, "page": page, "page_size": page_size}
        got = yield from ask(self.session, "vm/query", "v1.0", query)
        return answers.decode(got.content, Page[MailboxMessage])

    @call
    def get(self, msg_id: str) -> Steps[MailboxMessage]:
        """One message without its sound."""
        got = yield from ask(self.session, "vm/get", "v1.0", {"msg_id": msg_id})
        return answers.convert(answers.read_object(got.content).get("data"), MailboxMessage)

    @call
    def download(self, msg_id: str) -> Steps[DownloadAddress]:
        """Return the address of the sound of a message."""
        got = yield from ask(self.session, "vm/download", "v1.0", {"msg_id": msg_id})
        return answers.decode(got.content, DownloadAddress)

    @call
    def update(self, msg_id: str, status: str) -> Steps[None]:
        """Mark a message as "read" or "unread". Never sent twice."""
        body = {"msg_id": msg_id, "status": status}
        yield from self.session.ask(Ask(method="POST", path="vm/update", body=body))

    @call
    def delete(self, msg_id: str) -> Steps[None]:
        """Delete a message. Never sent twice."""
        yield from self.session.ask(Ask(method="GET", path="vm/delete", query={"msg_id": msg_id}))


class CallNote(msgspec.Struct, frozen=True, kw_only=True):
    """A remark about a call. `registration_time` is in Unix seconds."""

    id: str = ""
    group_id: str = ""
    remark: str = ""
    agent_name: str = ""
    registration_time: int = 0
    update_entry: str = ""


class CallNotes(Faced[F]):
    """Remarks about calls, by the `uid` of the call."""

    @call
    def get(self, id_: str, group_id: str | None = None) -> Steps[tuple[CallNote, ...]]:
        """Return the remarks of a call, the newest first. None: an empty tuple."""
        got = yield from ask(self.session, "callnotes/get", "v1.0", {"id": id_, "group_id": group_id})
        answer = answers.read_object(got.content)
        found = [answer.get("current"), *(answer.get("history") or ())]
        return tuple(answers.convert(note, CallNote) for note in found if note)

    @call
    def update(
        self, id_: str, remark: str, *, update_entry: str = "cdr", group_id: str | None = None
    ) -> Steps[None]:
        """Note a remark about a call; `update_entry` is "in_call" while it is under way. Never sent twice."""
        body = {"id": id_, "remark": remark, "update_entry": update_entry}
        body |= {"group_id": group_id} if group_id else {}
        yield from self.session.ask(Ask(method="POST", path="callnotes/update", body=body))


class Queues(Faced[F]):
    """Queues, as far as they are read."""

    @call
    def list(self, page: int | None = None, page_size: int | None = None) -> Steps[list[Mapping[str, Any]]]:
        """One page of the queues. OpenIVR has none."""
        got = yield from ask(self.session, "queue/list", "v1.0", {"page": page, "page_size": page_size})
        return answers.convert(answers.read_object(got.content).get("queue_list"), list[Mapping[str, Any]])


class PresenceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A presence status that an extension can have."""

    id: int = 0
    name: str = ""


class PresenceStatuses(Faced[F]):
    """Presence statuses of extensions."""

    @call
    def list(self, page: int | None = None, page_size: int | None = None) -> Steps[Page[PresenceStatus]]:
        """One page of the statuses."""
        query = {"page": page, "page_size": page_size}
        got = yield from ask(self.session, "presence_status/list", "v1.0", query)
        return answers.decode(got.content, Page[PresenceStatus])


class Reports(Faced[F]):
    """Reports, by their `type`. `v2` asks for the newer version of the API."""

    @call
    def list(
        self, kind: str, start_time: str, end_time: str, /, *, v2: bool = False, **options: Any
    ) -> Steps[Mapping[str, Any]]:
        """The report of a type over a period, with `ivr_id_list`, `ext_id_list`, ... as its type needs."""
        query = {"type": kind, "start_time": start_time, "end_time": end_time, **options}
        got = yield from ask(self.session, "call_report/list", V2 if v2 else "v1.0", query)
        return answers.read_object(got.content)

    @call
    def download(
        self, kind: str, start_time: str, end_time: str, /, *, v2: bool = False, **options: Any
    ) -> Steps[DownloadAddress]:
        """Return the address of the same report as a CSV file."""
        query = {"type": kind, "start_time": start_time, "end_time": end_time, **options}
        got = yield from ask(self.session, "call_report/download", V2 if v2 else "v1.0", query)
        return answers.decode(got.content, DownloadAddress)

    @call
    def detail(
        self, kind: str, start_time: str, end_time: str, /, *, v2: bool = False, **options: Any
    ) -> Steps[Mapping[str, Any]]:
        """The rows behind a number of a report; `ivr_num` for those of a menu."""
        query = {"type": kind, "start_time": start_time, "end_time": end_time, **options}
        got = yield from ask(self.session, "call_report/detail", V2 if v2 else "v1.0", query)
        return answers.read_object(got.content)
