"""The simulated environment of a call: who answers, who is busy, what is in a mailbox."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from openivr.ivr.digits import Shape, match_shape, parse_pattern
from openivr.ivr.events import Cause, RecordResult
from openivr.ivr.model import DestinationKind, DialPattern, IvrSnapshot

ANSWERS = "answers"
OUTCOMES: dict[str, Cause | None] = {ANSWERS: None} | {cause.value: cause for cause in Cause}
TIMES = ("answer_after", "fail_after", "talk", "message")
MAX_SECONDS = 86_400  # seconds
STAND_IN = "123456789012345"  # the beginning of it is the PIN of a list whose PIN the world does not say


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A voice mailbox: its PIN, and the names of its messages, newest first."""

    pin: str = ""
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """Reactions of everything outside the menu. Times are in seconds.

    `pins` maps the name of a PIN list to the PIN that opens it here, because no real one is known.

    `outcomes` maps a number, or the name of a trunk or a route, to "answers" or to the value of a `Cause`.
    Others answer.
    """

    outcomes: Mapping[str, str] = field(default_factory=dict)
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    answer_after: float = 3
    fail_after: float = 1
    talk: float = 60  # then the callee hangs up
    message: float = 10  # length of a message that the caller leaves
    recording: RecordResult = RecordResult.KEPT  # what becomes of it

    def __post_init__(self) -> None:
        for number, outcome in self.outcomes.items():
            if outcome not in OUTCOMES:
                known = ", ".join(OUTCOMES)
                raise ValueError(f"{number}: {outcome!r} is none of {known}")
        for name in TIMES:
            if not 0 <= getattr(self, name) <= MAX_SECONDS:
                raise ValueError(f"{name}: must be 0 to {MAX_SECONDS} seconds")

    def outcome(self, *names: str) -> Cause | None:
        """Return the outcome of the first of these names that is listed. None: it answers."""
        for name in names:
            if name in self.outcomes:
                return OUTCOMES[self.outcomes[name]]
        return None


def find_unknown(snapshot: IvrSnapshot, world: World) -> Iterator[str]:
    """Yield the names in a world that no call of a configuration can depend on, so that they test nothing."""
    patterns = [pattern for route in snapshot.outbound_routes.values() for pattern in route.patterns]
    for name in world.outcomes:
        owner = snapshot.numbers.get(name)
        is_menu = owner is not None and owner.kind is DestinationKind.IVR
        if is_menu or (
            is_outside(snapshot, name) and not any(may_dial(pattern, name) for pattern in patterns)
        ):
            yield name
    for number in world.mailboxes:
        if not has_mailbox(snapshot, number):
            yield number
    lists = {row.name for row in snapshot.pin_lists.values()}
    yield from (name for name in world.pins if name not in lists)


def right_pin(snapshot: IvrSnapshot, world: World, pin_list: int) -> str:
    """Return the PIN of a list that is right here: the world's, else 1234... with the list's most digits."""
    row = snapshot.pin_lists.get(pin_list)
    return world.pins.get(row.name) or STAND_IN[: row.longest] if row and row.count else ""


def is_outside(snapshot: IvrSnapshot, name: str) -> bool:
    """Return True if a name in a world is no internal number, trunk or route."""
    lines = {trunk.name for trunk in snapshot.trunks.values()}
    lines |= {route.name for route in snapshot.outbound_routes.values()}
    return name not in snapshot.numbers and name not in lines


def may_dial(pattern: DialPattern, sent: str) -> bool:
    """Return True if a trunk may get this number by a pattern, which changes what callers dial."""
    try:
        shape = parse_pattern(pattern.pattern)
    except ValueError:
        return False
    rest = sent.removeprefix(pattern.prepend)
    begins = sent.startswith(pattern.prepend)
    if begins and shape.open_ended and len(shape.places) <= pattern.strip:
        return True  # what is left after stripping can be anything
    kept = Shape(shape.places[pattern.strip :], shape.open_ended)
    return begins and match_shape(rest, kept)[0]


def has_mailbox(snapshot: IvrSnapshot, number: str) -> bool:
    """Return True if this is the number of an extension with a mailbox."""
    owner = snapshot.numbers.get(number)
    if owner is None or owner.kind is not DestinationKind.EXTENSION:
        return False
    return snapshot.extensions[owner.target].voicemail
