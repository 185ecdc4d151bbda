"""The configuration as calls use it, in immutable values.

The store builds one `IvrSnapshot` per revision. A call keeps the snapshot it started with, so a change in the
middle of a call cannot confuse it. Ids are integers, times are seconds, an absent destination is `None`.
Names of fields and kinds follow the P-Series API (add-an-ivr, query-information-of-an-ivr) where it has one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from openivr.hours.calendar import Calendar
from openivr.ivr.import_remark import ImportRemark
from openivr.ivr.number_format import AS_WRITTEN, NumberFormat


@unique
class DestinationKind(StrEnum):
    """The type of a destination, spelled as the API spells it."""

    END_CALL = "end_call"
    EXTENSION = "extension"
    VOICEMAIL = "ext_vm"
    IVR = "ivr"
    RING_GROUP = "ring_group"
    EXTERNAL = "external_num"
    DIAL_BY_NAME = "dial_by_name"
    PLAY_GREETING = "play_greeting"
    PLAY_PROMPT = "play_prompt"


@dataclass(frozen=True, slots=True)
class Destination:
    """Target of a key, a time-out, a wrong key or an inbound call. Only the fields of its kind are set."""

    kind: DestinationKind
    target: int = 0  # extension, ext_vm, ivr, ring_group: the id of that object
    number: str = ""  # external_num: the number, digits with an optional leading "+"
    prefix: str = ""  # external_num: dialled before the number, to choose an outbound route
    prompt: str = ""  # play_greeting, play_prompt: the name of the prompt
    plays: int = 1  # play_greeting, play_prompt: how often it is played


@dataclass(frozen=True, slots=True)
class ByPeriod:
    """Destinations that depend on the period of a calendar (0: the default one). None is nowhere.

    `open` is None where the destination without a condition holds. A holiday without a destination leads
    where closed hours do.
    """

    calendar: int = 0
    open: Destination | None = None
    closed: Destination | None = None
    holiday: Destination | None = None


@unique
class ExtensionRule(StrEnum):
    """Which extensions a caller may dial from a menu: the API's `dial_ext_option`."""

    DISABLE = "disable"
    ALL = "all"
    ALLOW = "allow"  # only the listed ones
    RESTRICT = "restrict"  # all but the listed ones


@dataclass(frozen=True, slots=True)
class DialPolicy:
    """Numbers that a caller may dial from a menu, beside its keys. The default allows none."""

    extensions: ExtensionRule = ExtensionRule.DISABLE
    extension_ids: frozenset[int] = frozenset()  # the list of `allow` or `restrict`, whichever is in force
    extension_group_ids: frozenset[int] = frozenset()  # the groups of the same list
    call_numbers: bool = False  # enb_dial_call_number: numbers of ring groups
    ring_group_ids: frozenset[int] = frozenset()  # which of them; none are allowed unless listed
    outbound: bool = False  # enb_dial_outb_routes
    outbound_route_ids: tuple[int, ...] = ()  # the routes that may be used, tried in this order
    check_voicemail: bool = False  # enb_dial_check_vm


@dataclass(frozen=True, slots=True)
class Ivr:
    """A menu: what callers hear, how long it waits, and where each key leads."""

    id: int
    number: str
    name: str
    prompts: tuple[str, ...] = ()  # up to five names, played in order as one announcement
    prompt_repeat: int = 3  # how often the announcement is played in all, 1 to 5
    resp_timeout: int = 5  # seconds to wait for a key after each play, 1 to 10
    max_invalid: int = 0  # wrong entries in a row before the time-out destination is taken, 0: no limit
    digit_timeout: int = 3  # seconds to wait for the next digit of a number, 1 to 10
    alert_info: str = ""  # value of Alert-Info on phones that the menu rings
    policy: DialPolicy = DialPolicy()
    keys: Mapping[str, Destination] = field(default_factory=dict)  # "0" to "9", "*", "#"
    timeout: Destination | None = None
    invalid: Destination | None = None
    import_remarks: tuple[ImportRemark, ...] = ()
    by_period: Mapping[str, ByPeriod] = field(default_factory=dict)  # by key, "timeout" and "invalid"
    key_pins: Mapping[str, int] = field(default_factory=dict)  # key -> the PIN list that it asks for


@unique
class ForwardCondition(StrEnum):
    """Conditions on which an extension forwards a call."""

    ALWAYS = "always"  # without ringing
    BUSY = "busy"  # also declined, and do not disturb
    NO_ANSWER = "no_answer"  # also unreachable


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Destinations to which an extension forwards calls, None for none (P-Series: presence settings)."""

    always: Destination | None = None
    busy: Destination | None = None
    no_answer: Destination | None = None

    def find(self, condition: ForwardCondition) -> Destination | None:
        """Return the destination on a condition."""
        return getattr(self, condition.value)  # type: ignore[no-any-return]


NO_FORWARDING = Forwarding()


@dataclass(frozen=True, slots=True)
class Extension:
    """A person or a place that can be rung."""

    id: int
    number: str
    first_name: str = ""
    last_name: str = ""
    enabled: bool = True
    voicemail: bool = True  # has a mailbox
    has_pin: bool = False  # of the mailbox: without one it cannot be opened
    weak_pin: bool = False  # it is among those that are guessed first
    ring_seconds: int = 30  # given up as unanswered after this time
    do_not_disturb: bool = False  # the presence status of that name: busy to every caller
    may_switch_hours: bool = False  # by feature code
    has_hours_pin: bool = False  # which is asked for then
    inside: Forwarding = NO_FORWARDING  # of calls from extensions
    outside: Forwarding = NO_FORWARDING  # of all other calls
    mobile: str = ""  # an outside number that rings together with the phones, "" for none

    @property
    def name(self) -> str:
        """First and last name, or the number of an extension without either."""
        return f"{self.first_name} {self.last_name}".strip() or self.number


@dataclass(frozen=True, slots=True)
class ExtensionGroup:
    """A named set of extensions, used by the lists of a menu."""

    id: int
    name: str
    member_ids: frozenset[int] = frozenset()


@unique
class RingStrategy(StrEnum):
    """Orders in which a ring group rings its members."""

    ALL = "ring_all"
    SEQUENTIAL = "sequentially"
    MEMORY_HUNT = "memory_hunt"  # the first, then the first two, then the first three ...


@dataclass(frozen=True, slots=True)
class RingGroup:
    """Extensions that ring for one number."""

    id: int
    number: str
    name: str
    member_ids: tuple[int, ...] = ()  # extensions, in ringing order
    strategy: RingStrategy = RingStrategy.ALL
    ring_seconds: int = 60  # for the group as a whole
    fail: Destination | None = None  # where an unanswered call goes
    join_prompt: str = ""  # heard by the caller, "" for none
    play_full_join_prompt: bool = False  # before the phones ring; otherwise while they do


@dataclass(frozen=True, slots=True)
class Trunk:
    """A line to the outside."""

    id: int
    name: str
    enabled: bool = True
    number_format: NumberFormat = AS_WRITTEN


@dataclass(frozen=True, slots=True)
class DialPattern:
    """One pattern of an outbound route, and how a number that fits it is changed before it is dialled.

    Letters: X 0-9, Z 1-9, N 2-9, [..] a set, `.` one or more of anything, `!` any number of anything.
    """

    pattern: str
    strip: int = 0  # digits taken off the front
    prepend: str = ""  # then put in front


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of calls over a route from menus. The driver counts calls, and refuses those beyond a limit."""

    simultaneous: int = 4  # calls at a time
    per_hour: int = 60  # calls started in any 3600 s
    per_caller_hour: int = 10  # the same, for one caller's number


@dataclass(frozen=True, slots=True)
class OutboundRoute:
    """A rule for calls to the outside: numbers that fit a pattern go over the trunks, in order."""

    id: int
    name: str
    patterns: tuple[DialPattern, ...] = ()
    trunk_ids: tuple[int, ...] = ()
    position: int = 0  # routes are looked at in ascending order
    enabled: bool = True
    limits: Limits = Limits()
    extension_ids: frozenset[int] = frozenset()  # those that may call over it


@dataclass(frozen=True, slots=True)
class InboundRoute:
    """A rule for calls from the outside: the first one that fits decides where a call goes."""

    id: int
    name: str
    destination: Destination | None = None
    did_patterns: tuple[str, ...] = ()  # the number called; empty fits any
    caller_patterns: tuple[str, ...] = ()  # the number calling; empty fits any
    trunk_ids: tuple[int, ...] = ()  # empty fits any
    alert_info: str = ""  # value of Alert-Info on phones that the call rings, unless a menu has its own
    position: int = 0
    enabled: bool = True
    by_period: ByPeriod | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A prompt that is played before menus and inbound routes from one moment until before another."""

    id: int
    name: str
    prompt: str
    ivr_ids: tuple[int, ...] = ()
    inbound_route_ids: tuple[int, ...] = ()
    begin: int = 0  # Unix seconds, 0: at once
    end: int = 0

    def holds(self, moment: float) -> bool:
        """Return True if it is played at this moment. Without a moment, it is not."""
        return bool(moment) and self.begin <= moment < self.end


@dataclass(frozen=True, slots=True)
class NumberRule:
    """Numbers that are blocked, or that no such rule blocks: the API's `block_numbers`, `allow_numbers`."""

    id: int
    name: str
    numbers: tuple[str, ...] = ()  # numbers and patterns; "anonymous": callers who withhold theirs
    inbound: bool = True  # calls from them
    outbound: bool = False  # calls to them
    destination: Destination | None = None  # of blocked callers; None: they are rejected


@dataclass(frozen=True, slots=True)
class PinList:
    """PINs that a key can ask for. Only the store has the PINs, as hashes."""

    id: int
    name: str
    count: int = 0
    shortest: int = 0  # digits
    longest: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sound that can be played."""

    name: str
    seconds: float
    loudness: int = -23  # LUFS (ITU-R BS.1770) as callers hear it, -70 for silence


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Identified)


def by_id(rows: Iterable[Row]) -> Mapping[int, Row]:
    """Index rows by id, in ascending order of id, read-only."""
    return MappingProxyType({row.id: row for row in sorted(rows, key=lambda row: row.id)})


@dataclass(frozen=True, slots=True, eq=False)
class IvrSnapshot:
    """The configuration at one revision. Build the mappings with `by_id`; prompts are keyed by name."""

    revision: int = 0
    ivrs: Mapping[int, Ivr] = field(default_factory=dict)
    extensions: Mapping[int, Extension] = field(default_factory=dict)
    extension_groups: Mapping[int, ExtensionGroup] = field(default_factory=dict)
    ring_groups: Mapping[int, RingGroup] = field(default_factory=dict)
    trunks: Mapping[int, Trunk] = field(default_factory=dict)
    outbound_routes: Mapping[int, OutboundRoute] = field(default_factory=dict)
    inbound_routes: Mapping[int, InboundRoute] = field(default_factory=dict)
    block_rules: Mapping[int, NumberRule] = field(default_factory=dict)
    allow_rules: Mapping[int, NumberRule] = field(default_factory=dict)
    pin_lists: Mapping[int, PinList] = field(default_factory=dict)
    prompts: Mapping[str, Prompt] = field(default_factory=dict)
    calendars: Mapping[int, Calendar] = field(default_factory=dict)  # 0: the default one
    announcements: Mapping[int, Announcement] = field(default_factory=dict)
    max_call_seconds: int = 10_800  # a call is ended after this time, whatever it does
    voicemail_code: str = "*02"  # dialled in a menu that allows it to hear one's messages

    # Derived: True if anything depends on the period, so that events need the moment.
    is_timed: bool = field(init=False, repr=False)
    # Derived: who owns a number. Extensions win over ring groups over menus; the store admits no clash.
    numbers: Mapping[str, Destination] = field(init=False, repr=False)
    # What was worked out from this snapshot and may be used again, filled by `policy`.
    memo: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        owners = {row.number: Destination(DestinationKind.IVR, row.id) for row in self.ivrs.values()}
        owners |= {
            row.number: Destination(DestinationKind.RING_GROUP, row.id) for row in self.ring_groups.values()
        }
        owners |= {
            row.number: Destination(DestinationKind.EXTENSION, row.id) for row in self.extensions.values()
        }
        object.__setattr__(self, "numbers", MappingProxyType(owners))
        is_timed = any(route.by_period for route in self.inbound_routes.values())
        is_timed = is_timed or any(row.by_period for row in self.ivrs.values())
        is_timed = is_timed or bool(self.announcements)
        object.__setattr__(self, "is_timed", is_timed)

    def ivr_by_number(self, number: str) -> Ivr | None:
        """Find a menu by its number."""
        owner = self.numbers.get(number)
        return self.ivrs[owner.target] if owner and owner.kind is DestinationKind.IVR else None

    def find(self, kind: DestinationKind, target: int) -> Ivr | Extension | RingGroup | None:
        """Find what a destination of this kind points to, if that is something with a number."""
        if kind in (DestinationKind.EXTENSION, DestinationKind.VOICEMAIL):
            return self.extensions.get(target)
        if kind is DestinationKind.RING_GROUP:
            return self.ring_groups.get(target)
        return self.ivrs.get(target) if kind is DestinationKind.IVR else None
