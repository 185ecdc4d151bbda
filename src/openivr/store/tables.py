"""The tables. Those of resources follow from their descriptions. `migrations` creates and changes them.

Beside the objects: `number` gives each dialled number its one owner, `reference` says which object points to
which, `revision` counts committed changes and `change` lists what each of them touched.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from openivr.resources import KINDS, ResourceType
from openivr.resources.resource_type import ORDERS

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
# Compared byte by byte on both databases, whatever the locale.
ORDERED = Text().with_variant(Text(collation="C"), "postgresql")
SEARCH_TEXT = "search_text"  # casefolded
TYPES: dict[str, Text | Integer | JSON] = {"text": Text(), "integer": Integer(), "json": JSON()}


def order_column(sort: str) -> str:
    return f"{sort}_order"


def object_table(kind: ResourceType) -> Table:
    orders = [order_column(sort) for sort in kind.sorts if sort in ORDERS]
    return Table(
        kind.name,
        METADATA,
        Column("id", Integer, primary_key=True, autoincrement=False),
        *(Column(field.name, TYPES[field.stored], nullable=False) for field in kind.fields),
        *(Column(name, Integer, nullable=False, server_default="0") for name in kind.states),
        *(Column(name, ORDERED, nullable=False) for name in orders),
        *(Column(name, Text, nullable=False) for name in (SEARCH_TEXT,) if kind.search_text),
        *(Index(f"ix_{kind.name}_{name}", name, "id") for name in orders),
        *(Index(f"ix_{kind.name}_{name}", name) for name in kind.unique),
    )


OBJECTS: dict[str, Table] = {kind.name: object_table(kind) for kind in KINDS.values()}

REVISION = Table(
    "revision",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: a table of one row
    Column("config", Integer, nullable=False),  # raised by every change of an object
    Column("auth", Integer, nullable=False),  # raised by every change of clients, tokens and addresses
)

CHANGE = Table(
    "change",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("revision", Integer, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("object_id", Integer, nullable=False),
    sqlite_autoincrement=True,
)

COUNTER = Table(
    "counter",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("last", Integer, nullable=False),  # the highest id ever given: ids are not used again
)

NUMBER = Table(
    "number",
    METADATA,
    Column("number", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("object_id", Integer, nullable=False),
    UniqueConstraint("kind", "object_id"),
)

REFERENCE = Table(
    "reference",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("owner_kind", Text, nullable=False),
    Column("owner_id", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_id", Integer, nullable=False),
    Index("ix_reference_owner", "owner_kind", "owner_id"),
    Index("ix_reference_target", "target_kind", "target_id"),
)

HOURS_SWITCH = Table(
    "hours_switch",
    METADATA,
    Column("timezone_id", Integer, primary_key=True, autoincrement=False),  # 0: the default calendar
    Column("period", Text, nullable=False),
    Column("until", BigInteger),  # Unix seconds, null: until it is taken back
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

PROMPT_AUDIO = Table(
    "prompt_audio",
    METADATA,
    Column("prompt_id", ForeignKey("custom_prompt.id", ondelete="CASCADE"), primary_key=True),
    Column("original", LargeBinary, nullable=False),  # as it was uploaded
    Column("telephone", LargeBinary, nullable=False),  # wav, 8 kHz, mono, 16 bit
)

SCENARIO = Table(
    "scenario",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ivr_id", ForeignKey("ivr.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("document", JSON, nullable=False),  # docs/scenarios.md, without name and number
    UniqueConstraint("ivr_id", "name"),
)

API_CLIENT = Table(
    "api_client",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("secret_hash", Text, nullable=False),  # Argon2id
    Column("created", Integer, nullable=False),  # Unix seconds, as every time here
)

TOKEN = Table(
    "token",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("client_id", ForeignKey("api_client.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("family", Text, nullable=False, index=True),  # one login and all its refreshes
    Column("access_hash", Text, nullable=False, unique=True),
    Column("access_expires", Integer, nullable=False, index=True),
    Column("refresh_hash", Text, nullable=False, unique=True),
    Column("refresh_expires", Integer, nullable=False, index=True),
    Column("refreshed", Integer, nullable=False),  # 1 once its refresh token was used
)

LOGIN_FAILURE = Table(
    "login_failure",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", Text, nullable=False, index=True),
    Column("door", Text, nullable=False),  # where it wanted in: "api" or "admin"
    Column("time", Integer, nullable=False),
)

BLOCKED_ADDRESS = Table(
    "blocked_address",
    METADATA,
    Column("address", Text, primary_key=True),
    Column("door", Text, primary_key=True),
    Column("until", Integer, nullable=False),
)

ALLOWED_ADDRESS = Table(
    "allowed_address",
    METADATA,
    Column("network", Text, primary_key=True),  # 192.0.2.0/24; no row at all allows everybody
)

ADMIN = Table(
    "admin",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),  # Argon2id
    Column("must_change", Integer, nullable=False),  # 1 while the password is one that was given out
    Column("changed", Integer, nullable=False),
)

ADMIN_SESSION = Table(
    "admin_session",
    METADATA,
    Column("id", Text, primary_key=True),  # the fingerprint of the secret in the browser's cookie
    Column("admin", ForeignKey("admin.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("created", Integer, nullable=False),
    Column("seen", Integer, nullable=False),
)

SETTING = Table(
    "setting",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

CALL = Table(
    "call_record",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("node", Text, nullable=False),  # the data folder whose calls process has or had it
    Column("run", Text, nullable=False),  # that process
    Column("sequence", Integer, nullable=False),  # of the last entry of the journal that is in here
    Column("revision", Integer, nullable=False),  # of the configuration that the call keeps
    Column("started", BigInteger, nullable=False),  # Unix milliseconds, as every time of a call
    Column("answered", BigInteger),
    Column("ended", BigInteger),  # null: the call is under way
    Column("updated", BigInteger, nullable=False),  # the last that is known of it
    Column("stage", Text, nullable=False),  # what it is doing now: a state of the menu core
    Column("caller", ORDERED, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("called", ORDERED, nullable=False),
    Column("source_kind", Text, nullable=False),  # "trunk" or "extension"
    Column("source_id", Integer, nullable=False),
    Column("source", Text, nullable=False),  # its name or number at that time
    Column("menu", Integer, nullable=False),  # the menu it is in or was in last; 0: none
    Column("path", Text, nullable=False),  # numbers of the menus it went through: "6200 6203"
    Column("keys", Text, nullable=False),  # what was typed, without what is private
    Column("outcome", Text, nullable=False),  # "" while it is under way
    Column("reason", Text, nullable=False),
    Column("legs", JSON, nullable=False),  # who was rung, when, and what came of it
    Column("input", JSON, nullable=False),  # which kinds of digits were negotiated and heard
    Column("media", JSON, nullable=False),  # packets, losses, jitter of each leg
    Column("events", JSON, nullable=False),  # what `simulate` replays
    Column("recording", Text, nullable=False),  # file in the data folder, if it was recorded
    Column("diverted_by", Text, nullable=False),  # number that diverted the call here, "" if none did
    Column("period", Text, nullable=False),  # a `PeriodKind`, "" if nothing depended on it
    Column("holding", Text, nullable=False),  # members that hold it: "-1 0" are the caller and the first leg
    # A list is made from an index alone; the rows, which are wide, are read for what it shows.
    Index("ix_call_record_started", "started", "id", "ended", "outcome", "caller", "called"),
    Index("ix_call_record_outcome", "outcome", "started", "id", "ended"),
    Index("ix_call_record_period", "period", "started", "id", "ended", "outcome"),
    Index("ix_call_record_reason", "reason", "started", "id", "ended"),
    Index("ix_call_record_source", "source_kind", "source_id", "started", "id", "ended", "outcome", "reason"),
    Index("ix_call_record_caller", "caller", "started", "id", "ended"),
    Index("ix_call_record_called", "called", "started", "id", "ended"),
    Index("ix_call_record_ended", "ended"),
)

CALL_MENU = Table(  # which menus a call went through that is over: what the notes say, for lists
    "call_menu",
    METADATA,
    Column("call_id", ForeignKey("call_record.id", ondelete="CASCADE"), primary_key=True),
    Column("menu", Integer, primary_key=True, autoincrement=False),
    Column("started", BigInteger, nullable=False),  # of the call
    Index("ix_call_menu_menu", "menu", "started", "call_id"),
)

CALL_NOTE = Table(
    "call_note",
    METADATA,
    Column("call_id", ForeignKey("call_record.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # among the notes of the call, from 0
    Column("at", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),  # from here on: the fields of `ivr.commands.Note`
    Column("ivr", Integer, nullable=False),
    Column("input", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("trunk", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("detail_limit", Integer, nullable=False),
    Index("ix_call_note_topic", "topic", "at", "ivr"),
    Index("ix_call_note_ivr", "ivr", "topic"),
    sqlite_with_rowid=False,  # the notes of a call lie together: reports read a million of them
)

CDR_ROW = (
    Table(  # a routing stage of a call that is over, as the API lists it: see `store.cdr.routing_stages`
        "cdr_row",
        METADATA,
        Column("id", Integer, primary_key=True, autoincrement=False),  # in the order of commits
        Column("call_id", ForeignKey("call_record.id", ondelete="CASCADE"), nullable=False, index=True),
        Column("ended", BigInteger, nullable=False),  # of the call, Unix milliseconds
        Column("uid", Text, nullable=False),  # from here on: the fields of `routing_stages.CdrRow`
        Column("leg", Integer, nullable=False),
        Column("started", BigInteger, nullable=False),
        Column("call_from", Text, nullable=False),
        Column("call_from_name", Text, nullable=False),
        Column("to_kind", Text, nullable=False),
        Column("to_id", Integer, nullable=False),
        Column("call_to", Text, nullable=False),
        Column("call_to_name", Text, nullable=False),
        Column("disposition", Text, nullable=False),
        Column("call_type", Text, nullable=False),
        Column("duration", Integer, nullable=False),
        Column("ring_duration", Integer, nullable=False),
        Column("talk_duration", Integer, nullable=False),
        Column("src_trunk", Text, nullable=False),
        Column("dst_trunk", Text, nullable=False),
        Column("did_number", Text, nullable=False),
        Column("dod_number", Text, nullable=False),
        Column("is_recorded", Integer, nullable=False),
        Index("ix_cdr_row_call_to", "call_to", "call_id"),
        *(
            Index(
                f"ix_cdr_row_recorded_{name}",
                name,
                *(() if name == "id" else ("id",)),
                sqlite_where=text("is_recorded = 1"),
                postgresql_where=text("is_recorded = 1"),
            )
            for name in ("id", "started")
        ),
    )
)

CDR_CALL = Table(  # a call that is over as a whole
    "cdr_call",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # in the order of commits
    Column("call_id", ForeignKey("call_record.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("ended", BigInteger, nullable=False),  # Unix milliseconds
    Column("uid", Text, nullable=False, index=True),
    Column("started", BigInteger, nullable=False),  # from here on: the fields of `routing_stages.CdrCall`
    Column("call_type", Text, nullable=False),
    Column("call_from", Text, nullable=False),
    Column("call_from_name", Text, nullable=False),
    Column("to_kind", Text, nullable=False),
    Column("to_id", Integer, nullable=False),
    Column("call_to", Text, nullable=False),
    Column("call_to_name", Text, nullable=False),
    Column("last_status", Text, nullable=False),
    Column("call_duration", Integer, nullable=False),
    Column("routing_duration", Integer, nullable=False),
    Column("handling_duration", Integer, nullable=False),
)

CALL_REMARK = Table(  # what people note about a call: each change is a row, the newest one holds
    "call_remark",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("call_id", ForeignKey("call_record.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("remark", Text, nullable=False),  # "" takes the one before it back
    Column("update_entry", Text, nullable=False),  # when: "in_call", or "cdr" after the call
    Column("author", Text, nullable=False),  # the administrator, "" for a client of the API
    Column("at", BigInteger, nullable=False),  # Unix milliseconds
    sqlite_autoincrement=True,
)

CDR_STATE = Table(  # how far both are, so that indexes in memory can follow: see `store.cdr.cdr_index`
    "cdr_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: a table of one row
    Column("last_row", Integer, nullable=False),
    Column("last_call", Integer, nullable=False),
    Column("horizon", BigInteger, nullable=False),  # calls that ended before it may be deleted: Unix ms
    Column("epoch", Integer, nullable=False),  # raised when all data are replaced
)

OUTCOME_SUM = Table(  # numbers of ended calls: see `store.cdr.report_sums`
    "outcome_sum",
    METADATA,
    # of an hour by UTC in which the calls began: its start in Unix milliseconds
    Column("quarter", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome", Text, primary_key=True),
    Column("period", Text, primary_key=True),  # as of `CALL`
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

ACTION_SUM = Table(  # numbers of equal notes of ended calls in menus
    "action_sum",
    METADATA,
    # by UTC in which the calls began: its start in Unix milliseconds
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Text, primary_key=True),  # of the values from here on, which are those of the notes
    Column("topic", Text, nullable=False),
    Column("ivr", Integer, nullable=False),
    Column("input", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

JOURNEY_SUM = Table(  # numbers of ended calls with the same menus and the same end
    "journey_sum",
    METADATA,
    Column("day", BigInteger, primary_key=True, autoincrement=False),  # as of `ACTION_SUM`
    Column("digest", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("kind", Text, nullable=False),  # of the last that the call reached, "" and 0 for none
    Column("target", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

CALL_COUNT = Table(
    "call_count",
    METADATA,
    Column("outcome", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),  # of calls that ended so, deleted ones among them
)

REGISTRATION = Table(
    "registration",
    METADATA,
    Column("extension_id", Integer, primary_key=True, autoincrement=False),
    Column("contact", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),  # Unix seconds
    Column("data", JSON, nullable=False),  # the binding as the registrar keeps it
)

TRUNK_STATE = Table(
    "trunk_state",
    METADATA,
    Column("trunk_id", Integer, primary_key=True, autoincrement=False),
    Column("node", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),  # why, as a code
    Column("answer", Text, nullable=False),  # what the far side said where it rejected us
    Column("since", BigInteger, nullable=False),  # Unix milliseconds
)

VOICEMAIL = Table(
    "voicemail",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("extension_id", Integer, nullable=False, index=True),
    Column("call_id", Text, nullable=False, index=True),
    Column("caller", Text, nullable=False),
    Column("created", BigInteger, nullable=False),  # Unix milliseconds
    Column("milliseconds", Integer, nullable=False),
    Column("heard", Integer, nullable=False),  # 1 once it was played to its owner
    Column("audio", LargeBinary, nullable=False),  # wav, 8 kHz, mono, 16 bit
)

MAIL = Table(  # mail that waits to be sent, and what became of it: see `store.mail.mail_queue`
    "mail",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("message_id", Text, nullable=False),  # its Message-ID, the same for every attempt
    Column("voicemail_id", Text, nullable=False, index=True),  # the message that it is about, "" if none
    Column("extension_id", Integer, nullable=False),  # whose message it is, 0 if none
    Column("recipient", Text, nullable=False),
    Column("to_list", JSON, nullable=False),  # addresses in the header "To"
    Column("cc_list", JSON, nullable=False),
    Column("subject", Text, nullable=False),  # "" for a voicemail message, as is the body
    Column("body", Text, nullable=False),
    Column("has_audio", Integer, nullable=False),  # 1: the message is attached
    Column("after", Text, nullable=False),  # what happens to the message then: `AFTER_NOTIFY`
    Column("created", BigInteger, nullable=False),  # Unix milliseconds, as every time here
    Column("state", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_attempt", BigInteger, nullable=False),
    Column("lease", Text, nullable=False),  # node and a number of the worker that has it until `lease_until`
    Column("lease_until", BigInteger, nullable=False),
    Column("is_sending", Integer, nullable=False),  # 1 from before its text is sent until the answer is known
    Column("answer", Text, nullable=False),  # of the mail server, or what prevented one
    Column("ended", BigInteger),  # null: it waits
    Index("ix_mail_state", "state", "next_attempt"),
    Index("ix_mail_created", "created", "id"),
)

NODE = Table(
    "node",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("alive", BigInteger, nullable=False),  # Unix milliseconds: the last of its calls process
)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("node", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),  # everything before this byte is in the tables
)

EVENT = Table(  # what happened, for consumers that read from a number on: see `store.events.outbox`
    "event",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # in the order of commits
    Column("at", BigInteger, nullable=False, index=True),  # Unix milliseconds
    Column("type", Integer, nullable=False),  # the number of the event in the API
    Column("call_id", Text, nullable=False),  # our id of the call, "" if the event is of none
    Column("message", Text, nullable=False),  # JSON
)

WEBHOOK_STATE = Table(  # how far a webhook is: see `store.events.webhook_queue`
    "webhook_state",
    METADATA,
    Column("webhook_id", ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),  # number of the last event that was taken from the outbox
    Column("owner", Text, nullable=False),  # the process that delivers
    Column("lease_until", BigInteger, nullable=False),  # Unix milliseconds
    Column("missed", BigInteger, nullable=False),  # events that were deleted before they were taken
    Column("delivered_at", BigInteger),  # Unix milliseconds of the last success
    Column("failed_at", BigInteger),  # Unix milliseconds of the last failure
    Column("failure", Text, nullable=False),  # code and detail of the last failure
)

WEBHOOK_DELIVERY = Table(  # events that a webhook has not got at once
    "webhook_delivery",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("webhook_id", ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", BigInteger, nullable=False),  # its number in the outbox, 0 for a test
    Column("type", Integer, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("since", BigInteger, nullable=False),  # Unix milliseconds: it is tried for a day from here on
    Column("due", BigInteger, nullable=False),  # Unix milliseconds of the next attempt
    Column("attempts", Integer, nullable=False),
    Column("is_dead", Integer, nullable=False),  # 1 once no further attempt is made
    Column("failure", Text, nullable=False),
    Index("ix_webhook_delivery_queue", "webhook_id", "is_dead", "event_id"),
    sqlite_autoincrement=True,
)

EVENT_STATE = Table(
    "event_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: a table of one row
    Column("last", BigInteger, nullable=False),  # the highest number ever given to an event
)
