"""Endpoints as methods, named after the API: client.ivr.list(), client.ivr.get(7), ...

Every method sends one request. Only `each` and `all` read several pages. Arguments that are None are not
sent. Each method raises the ApiError that the server answers.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from openivr.client import answers, models
from openivr.client.calls import Calls
from openivr.client.effects import Ask, File, Got, Steps
from openivr.client.errors import ListChanged
from openivr.client.model_types import Detail, Information, Option, Page, Row, Uploaded
from openivr.client.paging import PAGE_SIZE, Pages, Query
from openivr.client.records import (
    CallNotes,
    CallRecords,
    Mailboxes,
    PresenceStatuses,
    Queues,
    Recordings,
    Reports,
    WholeCalls,
)
from openivr.client.session import Session
from openivr.client.sync_async import Awaiting, Blocking, F, Faced, call
from openivr.client.webhooks import Webhooks

R = TypeVar("R", bound=Row)
D = TypeVar("D", bound=Detail)
V = TypeVar("V")

# Last words of paths that only read: what of raw may be sent twice. Deletes are GET too.
READS = {"list", "search", "get", "query", "information", "capacity", "get_menuoptions", "openapi.json"}
LIST_TRIES = 3


def get(session: Session, path: str, **query: Any) -> Steps[Got]:
    """Ask for something that may be asked for twice."""
    given = {name: str(value) for name, value in query.items() if value is not None}
    return (yield from session.ask(Ask(method="GET", path=path, query=given, is_safe=True)))


def get_file(session: Session, path: str, query: Mapping[str, str]) -> Steps[bytes]:
    """Return the content of a file."""
    ask = Ask(method="GET", path=path, query=query, is_safe=True, is_file=True)
    return (yield from session.ask(ask)).content


def read_data(got: Got, kind: type[V]) -> V:
    """The `data` of an answer."""
    return answers.convert(answers.read_object(got.content).get("data"), kind)


class Listing(Generic[F, R]):
    """All rows of a list, read page by page while they are iterated: `for` or `async for`.

    Raises ListChanged where the list changes meanwhile, PagesIgnored where the server does not page.
    """

    def __init__(self, family: "Readable[F, R, Any]", pages: "Pages[R]") -> None:
        self.family, self.pages = family, pages

    def __iter__(self: "Listing[Blocking, R]") -> Iterator[R]:
        while (query := self.pages.next()) is not None:
            yield from self.pages.take(self.family.face.run(self.family.ask_page(query)))

    async def __aiter__(self: "Listing[Awaiting, R]") -> AsyncIterator[R]:
        while (query := self.pages.next()) is not None:
            for row in self.pages.take(await self.family.face.run(self.family.ask_page(query))):
                yield row


class Readable(Faced[F], Generic[F, R, D]):
    """A family of endpoints for objects of one kind: what reads them, and delete."""

    def __init__(self, face: F, session: Session, path: str, row: type[R], detail: type[D]) -> None:
        super().__init__(face, session)
        self.path, self.row, self.detail = path, row, detail

    @call
    def list(
        self,
        page: int | None = None,
        page_size: int | None = None,
        *,
        sort_by: str | None = None,
        order_by: str | None = None,
    ) -> Steps[Page[R]]:
        """One page of the list, as the server sends it."""
        query = Query(page=page, page_size=page_size, sort_by=sort_by, order_by=order_by)
        return (yield from self.ask_page(query))

    @call
    def search(
        self,
        search_value: str,
        page: int | None = None,
        page_size: int | None = None,
        *,
        sort_by: str | None = None,
        order_by: str | None = None,
    ) -> Steps[Page[R]]:
        """One page of the objects whose number or name contains a text."""
        query = Query(
            page=page, page_size=page_size, sort_by=sort_by, order_by=order_by, search_value=search_value
        )
        return (yield from self.ask_page(query))

    def ask_page(self, query: Query) -> Steps[Page[R]]:
        path = f"{self.path}/{'list' if query.search_value is None else 'search'}"
        got = yield from get(self.session, path, **query.parameters())
        page: Page[R] = answers.decode(got.content, Page[self.row])  # type: ignore[name-defined]
        return page

    def each(
        self,
        search_value: str | None = None,
        *,
        page_size: int = PAGE_SIZE,
        sort_by: str = "id",
        order_by: str = "asc",
    ) -> Listing[F, R]:
        """Iterate over all rows of the list or search, with the checks of `Listing`. Can be used once."""
        pages: Pages[R] = Pages(page_size, sort_by=sort_by, order_by=order_by, search=search_value)
        return Listing(self, pages)

    @call
    def all(
        self,
        search_value: str | None = None,
        *,
        page_size: int = PAGE_SIZE,
        sort_by: str = "id",
        order_by: str = "asc",
    ) -> Steps[tuple[R, ...]]:
        """Return all rows. A list that changes meanwhile is read again, three times in all."""
        for tries_left in reversed(range(LIST_TRIES)):
            pages: Pages[R] = Pages(page_size, sort_by=sort_by, order_by=order_by, search=search_value)
            found: dict[int, R] = {}
            try:
                while (query := pages.next()) is not None:
                    page = pages.take((yield from self.ask_page(query)))
                    found.update((row.id, row) for row in page)
                return tuple(found.values())
            except ListChanged:
                if not tries_left:
                    raise
        raise AssertionError

    @call
    def get(self, id_: int) -> Steps[D]:
        """The whole object of an id."""
        return read_data((yield from get(self.session, f"{self.path}/get", id=id_)), self.detail)

    @call
    def query(self, ids: Iterable[int]) -> Steps[tuple[D, ...]]:
        """Return the whole objects with these ids. Ids that do not exist are missing in the result."""
        named = ",".join(map(str, ids))
        got = yield from get(self.session, f"{self.path}/query", ids=named)
        data = answers.read_object(got.content).get("data")
        found = data if isinstance(data, list) else [data] if data else []
        return tuple(answers.convert(one, self.detail) for one in found)

    @call
    def delete(self, id_: int) -> Steps[None]:
        """Delete an object. Never sent twice."""
        yield from self.session.ask(Ask(method="GET", path=f"{self.path}/delete", query={"id": str(id_)}))


class Family(Readable[F, R, D]):
    """A family whose objects are created and updated with the fields of the API."""

    @call
    def create(self, /, *, more: Mapping[str, Any] | None = None, **fields: Any) -> Steps[int]:
        """Create an object and return its id, 0 if the server returns none. Never sent twice.

        Names are those of the API; `keys` maps keys to destinations. An unknown name raises TypeError. `more`
        has fields that only other servers know.
        """
        body = {**self.detail.to_body(fields), **(more or {})}
        got = yield from self.session.ask(Ask(method="POST", path=f"{self.path}/create", body=body))
        return answers.decode(got.content, Created).id

    @call
    def update(self, id_: int, /, *, more: Mapping[str, Any] | None = None, **fields: Any) -> Steps[None]:
        """Change the named fields of an object, as in `create`. Never sent twice.

        Of `keys` only those that are named change; Destination() clears one.
        """
        body = {"id": id_, **self.detail.to_body(fields), **(more or {})}
        yield from self.session.ask(Ask(method="POST", path=f"{self.path}/update", body=body))


class BusinessHours(Family[F, models.BusinessHourRow, models.BusinessHour]):
    """Business hours, and the switch by hand. Calendar 0 is the default one. OpenIVR only."""

    @call
    def status(self, timezone_id: int = 0) -> Steps[Mapping[str, Any]]:
        """Return the present period of a calendar, its reason, until when, and the next seven changes."""
        got = yield from get(self.session, f"{self.path}/status", timezone_id=timezone_id)
        return read_data(got, dict[str, Any])

    @call
    def switch(
        self, period: str, timezone_id: int = 0, *, until: int | str = "", note: str = ""
    ) -> Steps[Mapping[str, Any]]:
        """Switch a calendar to `open`, `closed` or `holiday`, or back with `auto`, and return its status.

        `until` is in Unix seconds, a local time in ISO 8601 or `next_change`; without it the switch has no
        end. Never sent twice.
        """
        body = {"timezone_id": timezone_id, "period": period, "until": until, "note": note}
        got = yield from self.session.ask(Ask(method="POST", path=f"{self.path}/switch", body=body))
        return read_data(got, dict[str, Any])


class Holidays(Family[F, models.HolidayRow, models.Holiday]):
    """Holidays, and those from files and countries. OpenIVR only."""

    @call
    def import_file(
        self, name: str, content: bytes, *, timezone_id: int = 0, is_check: str = "force"
    ) -> Steps[Mapping[str, Any]]:
        """Import an iCalendar or CSV file into a calendar and return what was done with each holiday.

        `is_check="ask"` only says what would be done. Never sent twice.
        """
        file = File(name, content, {"timezone_id": str(timezone_id), "is_check": is_check})
        got = yield from self.session.ask(Ask(method="POST", path=f"{self.path}/import", file=file))
        return answers.decode(got.content, dict[str, Any])

    @call
    def import_national(
        self,
        country: str,
        region: str = "",
        *,
        language: str = "",
        timezone_id: int = 0,
        is_check: str = "force",
    ) -> Steps[Mapping[str, Any]]:
        """Import the national holidays of this year and the next, as `import_file` does. Never sent twice."""
        body = {
            "country": country,
            "region": region,
            "language": language,
            "timezone_id": timezone_id,
            "is_check": is_check,
        }
        got = yield from self.session.ask(Ask(method="POST", path=f"{self.path}/import_national", body=body))
        return answers.decode(got.content, dict[str, Any])

    @call
    def countries(self) -> Steps[tuple[Mapping[str, Any], ...]]:
        """Return the countries whose national holidays are known, with their regions and languages."""
        got = yield from get(self.session, f"{self.path}/countries")
        return read_data(got, tuple[dict[str, Any], ...])


class Contacts(Family[F, models.ContactRow, models.Contact]):
    """Company contacts, and files of them. The files are OpenIVR's only."""

    @call
    def import_file(
        self, name: str, content: bytes, *, phonebook_id: int = 0, is_check: str = "force"
    ) -> Steps[Mapping[str, Any]]:
        """Import a vCard or CSV file, into a phonebook if one is given, and return what was done with each.

        `is_check="ask"` only says what would be done. Never sent twice.
        """
        file = File(name, content, {"phonebook_id": str(phonebook_id), "is_check": is_check})
        got = yield from self.session.ask(Ask(method="POST", path=f"{self.path}/import", file=file))
        return answers.decode(got.content, dict[str, Any])

    @call
    def export(self, version: str = "csv") -> Steps[bytes]:
        """Return all contacts as a file, `csv` or `vcf`."""
        return (yield from get_file(self.session, f"{self.path}/export", {"format": version}))


class Created(msgspec.Struct):
    """The answer of create."""

    id: int = 0


class Prompts(Readable[F, models.CustomPromptRow, models.CustomPrompt]):
    """Custom prompts: made by upload."""

    @call
    def upload(
        self, name: str, content: bytes, *, is_check: str = "force", keep_level: bool = False
    ) -> Steps[Uploaded]:
        """Add or overwrite a prompt. `is_check="ask"` only checks if the name exists.

        `name` ends in .wav, .mp3 or .gsm; OpenIVR reads .flac, .ogg and .opus as well, and brings the sound
        to the level of others unless `keep_level`. More than 8 MB raise FileSizeExceeded. Never sent twice.
        """
        fields = {"is_check": is_check, **({"keep_level": "1"} if keep_level else {})}
        file = File(name, content, fields)
        got = yield from self.session.ask(Ask(method="POST", path=f"{self.path}/upload", file=file))
        return answers.decode(got.content, Uploaded)

    @call
    def download(self, id_: int, *, version: str = "original") -> Steps[bytes]:
        """The sound of a prompt as it was uploaded, or `telephone`: as it is played. OpenIVR only."""
        query = {"id": str(id_), "format": version}
        return (yield from get_file(self.session, f"{self.path}/download", query))


class System(Faced[F]):
    """Endpoints of the system."""

    @call
    def information(self) -> Steps[Information]:
        """Model, version and time of the server."""
        return read_data((yield from get(self.session, "system/information")), Information)

    @call
    def capacity(self) -> Steps[Mapping[str, Any]]:
        """Return the maximum numbers of extensions and calls. Names of fields differ between servers."""
        return read_data((yield from get(self.session, "system/capacity")), dict[str, Any])

    @call
    def sendemail(  # noqa: PLR0913 - the parts of a mail
        self,
        recipient: Sequence[str],
        subject: str = "",
        body: str = "",
        *,
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
        email_server: str = "follow_system",
    ) -> Steps[None]:
        """Send a mail by the server's mail server. Never sent twice.

        Raises DataNotFound without a mail server, MaxLimitationExceeded while too much mail waits.
        """
        mail = {"email_server": email_server, "recipient": list(recipient), "subject": subject, "body": body}
        lists = {name: list(addresses) for name, addresses in (("cc", cc), ("bcc", bcc)) if addresses}
        yield from self.session.ask(Ask(method="POST", path="system/sendemail", body=mail | lists))

    @call
    def get_menuoptions(self, menu: str, id_: int | None = None) -> Steps[tuple[Option, ...]]:
        """Return the choices of one menu of the API. `id_` is a queue, for queue_agent."""
        got = yield from get(self.session, "system/get_menuoptions", menu=menu, id=id_)
        return read_data(got, tuple[Option, ...])


class Api(Faced[F]):
    """Everything that a client can ask."""

    def __init__(self, face: F, session: Session) -> None:
        super().__init__(face, session)
        self.system: System[F] = System(face, session)
        self.call: Calls[F] = Calls(face, session)
        self.cdr: CallRecords[F] = CallRecords(face, session)
        self.cdr_v2: WholeCalls[F] = WholeCalls(face, session)
        self.queue: Queues[F] = Queues(face, session)
        self.presence_status: PresenceStatuses[F] = PresenceStatuses(face, session)
        self.callnotes: CallNotes[F] = CallNotes(face, session)
        self.call_report: Reports[F] = Reports(face, session)
        self.recording: Recordings[F] = Recordings(face, session)
        self.vm: Mailboxes[F] = Mailboxes(face, session)
        self.webhook: Webhooks[F] = Webhooks(face, session)
        self.custom_prompt: Prompts[F] = Prompts(
            face, session, "custom_prompt", models.CustomPromptRow, models.CustomPrompt
        )
        self.ivr: Family[F, models.IvrRow, models.Ivr] = Family(
            face, session, "ivr", models.IvrRow, models.Ivr
        )
        self.extension: Family[F, models.ExtensionRow, models.Extension] = Family(
            face, session, "extension", models.ExtensionRow, models.Extension
        )
        self.extension_group: Family[F, models.ExtensionGroupRow, models.ExtensionGroup] = Family(
            face, session, "extension_group", models.ExtensionGroupRow, models.ExtensionGroup
        )
        self.ringgroup: Family[F, models.RingGroupRow, models.RingGroup] = Family(
            face, session, "ringgroup", models.RingGroupRow, models.RingGroup
        )
        self.trunk: Family[F, models.TrunkRow, models.Trunk] = Family(
            face, session, "trunk", models.TrunkRow, models.Trunk
        )
        self.inbound_route: Family[F, models.InboundRouteRow, models.InboundRoute] = Family(
            face, session, "inbound_route", models.InboundRouteRow, models.InboundRoute
        )
        self.outbound_route: Family[F, models.OutboundRouteRow, models.OutboundRoute] = Family(
            face, session, "outbound_route", models.OutboundRouteRow, models.OutboundRoute
        )
        self.block_numbers: Family[F, models.BlockedNumberRuleRow, models.BlockedNumberRule] = Family(
            face, session, "block_numbers", models.BlockedNumberRuleRow, models.BlockedNumberRule
        )
        self.allow_numbers: Family[F, models.AllowedNumberRuleRow, models.AllowedNumberRule] = Family(
            face, session, "allow_numbers", models.AllowedNumberRuleRow, models.AllowedNumberRule
        )
        self.pin_list: Family[F, models.PinListRow, models.PinList] = Family(
            face, session, "pin_list", models.PinListRow, models.PinList
        )
        self.timezone: Family[F, models.CalendarRow, models.Calendar] = Family(
            face, session, "timezone", models.CalendarRow, models.Calendar
        )
        self.businesshour: BusinessHours[F] = BusinessHours(
            face, session, "businesshour", models.BusinessHourRow, models.BusinessHour
        )
        self.holidays: Holidays[F] = Holidays(face, session, "holidays", models.HolidayRow, models.Holiday)
        self.announcement: Family[F, models.AnnouncementRow, models.Announcement] = Family(
            face, session, "announcement", models.AnnouncementRow, models.Announcement
        )
        self.company_contact: Contacts[F] = Contacts(
            face, session, "company_contact", models.ContactRow, models.Contact
        )
        self.phonebook: Family[F, models.PhonebookRow, models.Phonebook] = Family(
            face, session, "phonebook", models.PhonebookRow, models.Phonebook
        )

    @call
    def raw(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Steps[Mapping[str, Any]]:
        """Call any endpoint by its path below openapi/v1.0/ and return the answer as plain values.

        A lost answer is only retried if method and last word of the path show that the request reads.
        """
        method, path = method.upper(), path.strip("/")
        ask = Ask(
            method=method,
            path=path,
            query={name: str(value) for name, value in (query or {}).items()},
            body=body,
            is_safe=method == "GET" and path.rpartition("/")[2] in READS,
        )
        return answers.read_object((yield from self.session.ask(ask)).content)

    @call
    def openapi(self) -> Steps[Mapping[str, Any]]:
        """The server's own OpenAPI document. OpenIVR only."""
        ask = Ask(method="GET", path="openapi.json", is_safe=True, is_open=True, is_file=True)
        return answers.read_object((yield from self.session.ask(ask)).content)

    @call
    def log_in(self) -> Steps[None]:
        """Obtain a valid token now. Every method does that by itself."""
        yield from self.session.token()

    @call
    def log_out(self) -> Steps[None]:
        """Give the token back, also where it is shared with other processes."""
        yield from self.session.log_out()
