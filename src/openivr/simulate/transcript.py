"""Transcripts: a call line by line, with reasons. Verbs and reasons are codes; `words` has their English."""

from collections.abc import Iterable
from dataclasses import dataclass

from openivr.cdr.journal.entries import CallEndReason
from openivr.ivr.analysis.diagram import make_node
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.ivr.commands import (
    HIDDEN,
    CallTimer,
    Command,
    DeleteMessage,
    Dial,
    Note,
    OpenMailbox,
    Play,
    Record,
    SetTimer,
    Topic,
)
from openivr.ivr.events import CallArrived, Digit, Event
from openivr.ivr.inbound_route import (
    IncomingCall,
    Routing,
    RoutingReason,
    RoutingStep,
    RuleType,
)
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot
from openivr.ivr.number_rule import ANONYMOUS
from openivr.ivr.policy import VOICEMAIL_MAIN
from openivr.ivr.state import IvrState
from openivr.simulate.words import Why, say_text, say_verb, say_why

WAITS_FOR = {
    IvrState.WAITING: Why.WAITS_FOR_KEY,
    IvrState.COLLECTING: Why.WAITS_FOR_LONGER,
    IvrState.DIALLING: Why.WAITS_FOR_ANSWER,
    IvrState.SPELLING: Why.WAITS_FOR_LETTER,
    IvrState.OFFERING: Why.WAITS_FOR_CHOICE,
    IvrState.MAILBOX: Why.WAITS_FOR_DIGIT,
    IvrState.PIN: Why.WAITS_FOR_DIGIT,
    IvrState.KEY_PIN: Why.WAITS_FOR_DIGIT,
    IvrState.MESSAGES: Why.WAITS_FOR_KEY,
}
KIND_WORDS = {
    DestinationKind.EXTENSION: "extension",
    DestinationKind.RING_GROUP: "ring group",
    DestinationKind.EXTERNAL: "outside",
    DestinationKind.IVR: "menu",
    DestinationKind.VOICEMAIL: "voicemail of",
}
STEP_KINDS = {**KIND_WORDS, DestinationKind.RING_GROUP: DestinationKind.RING_GROUP.value}
# reasons of a destination that failed without being rung
UNREACHABLE: dict[DestinationKind | None, Why] = {
    DestinationKind.EXTERNAL: Why.NO_TRUNK,
    DestinationKind.EXTENSION: Why.NO_EXTENSION,
    DestinationKind.VOICEMAIL: Why.NO_MAILBOX,
    DestinationKind.RING_GROUP: Why.NO_MEMBER,
}


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of a transcript. `what` is a verb whose subject is the caller or the menu."""

    at: int  # ms from the start of the call
    what: str
    text: str
    why: Why | None = None
    about: str = ""  # what `why` is about
    node: str = ""  # where the caller is: the id of a node of `ivr.analysis.diagram`


def show_name(snapshot: IvrSnapshot, kind: DestinationKind, target: int, number: str = "") -> str:
    """Return a destination's type, number and name: "extension 1000 Ada Byron"."""
    words = KIND_WORDS.get(kind, kind.value.replace("_", " "))
    row = snapshot.find(kind, target)
    return f"{words} {row.number} {row.name}" if row else f"{words} {number}".strip()


def show_destination(snapshot: IvrSnapshot, to: Destination) -> str:
    """Return a destination's type, number and name: "extension 1000 Ada Byron"."""
    return show_name(snapshot, to.kind, to.target, to.prefix + to.number or to.prompt)


class Narrator:
    """Builds the transcript of a call. A reason comes from a note and is shown with the line it causes."""

    def __init__(self, snapshot: IvrSnapshot) -> None:
        self.lines: list[TranscriptLine] = []
        self._snapshot = snapshot
        self._cause: tuple[Why | None, str] = (None, "")  # of the next line that moves the caller
        self._rung = False
        self._now = 0
        self._node = ""

    def add_routing(self, call: IncomingCall, routing: Routing) -> None:
        """Add the lines of a call from the outside until it arrives or is rejected."""
        trunk = self._snapshot.trunks.get(call.trunk)
        line = f"{routing.called} over {trunk.name if trunk else call.trunk}"
        self._add("calls", line, Why.FROM if call.caller else Why.FROM_WITHHELD, call.caller)
        if routing.decisive and routing.destination:
            self._add("route", routing.decisive.name, *explain_match(routing.decisive))
        else:
            step = routing.decisive
            is_blocked = step is not None and step.rule is RuleType.BLOCK_NUMBERS
            reason = CallEndReason.CALLER_BLOCKED if is_blocked else CallEndReason.NO_INBOUND_ROUTE
            self._add("ends", reason, *explain_rejection(step))

    def add_event(self, now: int, event: Event, secret: bool) -> None:
        """Add the line of an event, if the caller caused it."""
        self._now = now
        if isinstance(event, CallArrived):
            if self.lines:
                return  # `add_routing` has the call
            whom = show_destination(self._snapshot, event.destination)
            if event.destination == VOICEMAIL_MAIN:
                whom = f"voicemail {self._snapshot.voicemail_code}"
            self._add("calls", whom, Why.FROM if event.caller else Why.FROM_WITHHELD, event.caller)
        elif isinstance(event, Digit):
            self._add("presses", HIDDEN if secret else event.key)

    def add_commands(
        self, now: int, commands: Iterable[Command], state: IvrState, place: Destination | None
    ) -> None:
        """Add the lines of commands. `place` is where they bring the caller, None for no change."""
        self._now = now
        if place:
            self._node = make_node(self._snapshot, place).id
        for command in commands:
            if isinstance(command, Note):
                self._add_note(command)
            elif isinstance(command, SetTimer) and command.timer is CallTimer.WAIT and state in WAITS_FOR:
                self._add("waits", f"{command.seconds} s", WAITS_FOR[state])
            else:
                self._add_command(command)

    def _add_command(self, command: Command) -> None:
        match command:
            case Play():
                words = words_of(command.prompts)
                self._add("hears", ", ".join(command.prompts), Why.SAYS if words else None, words)
            case Dial():
                if command.prompt:
                    self._add("hears", command.prompt)
                self._rung = True
                self._add("rings", self._show_dial(command), *self._take_cause())
            case Record():
                self._add("records", self._snapshot.extensions[command.mailbox].number)
            case OpenMailbox():
                self._add("opens", f"mailbox {command.number}")
            case DeleteMessage():
                self._add("deletes", command.message)
            case _:
                pass

    def _show_dial(self, dial: Dial) -> str:
        if dial.kind is not DestinationKind.EXTERNAL:
            return f"{STEP_KINDS[dial.kind]} {dial.number}"
        route = self._snapshot.outbound_routes[dial.target].name
        return f"outside {dial.number} over {route}, {self._snapshot.trunks[dial.trunk].name}"

    def _add_note(self, note: Note) -> None:  # noqa: PLR0912 - one case a topic
        match note.topic:
            case Topic.ENTERED:
                self._add("enters", note.number, *self._take_cause())
            case Topic.PERIOD:
                kind, reason = note.detail.split()
                about = f"{reason} {note.number}".strip()
                self._add("finds", kind, Why.PERIOD, about)
            case Topic.ANNOUNCED:
                self._add("announces", note.detail)
            case Topic.CHOSE:
                self._cause = Why.CHOSE, note.input
            case Topic.INVALID:
                self._add("refused", note.input, Why.REFUSED, note.detail)
                self._cause = Why.INVALID, ""
            case Topic.TIMED_OUT:
                self._cause = Why.TIMED_OUT, ""
                self._add("times_out", self._snapshot.ivrs[note.ivr].number if note.ivr else "")
            case Topic.MISSING:
                self._add("misses", note.detail, Why.NO_PROMPT)
            case Topic.FAILED:
                why = None if self._rung else UNREACHABLE.get(note.kind, Why.GONE)
                self._add("fails", note.detail, why)
                self._cause = Why.FAILED, note.detail
                self._rung = False
            case Topic.FORWARDED:
                to = Destination(note.kind or DestinationKind.END_CALL, note.target, note.number)
                self._add("forwards", show_destination(self._snapshot, to), Why.FORWARDED, note.detail)
                self._rung = False
            case Topic.CONNECTED:
                self._add("reaches", self._show_reached(note))
            case Topic.RECORDED:
                self._add("leaves", "message", Why.MAILBOX, self._snapshot.extensions[note.target].number)
            case Topic.NOT_RECORDED:
                self._add("leaves", "nothing", Why.NOT_KEPT, note.detail)
            case Topic.MAILBOX if note.detail != "deleted":
                self._add("mailbox", note.detail)
            case Topic.PIN:
                self._add("pin", note.detail)
            case Topic.ENDED:
                self._add("ends", note.detail)
            case _:
                pass

    def _show_reached(self, note: Note) -> str:
        kind = note.kind or DestinationKind.END_CALL
        row = self._snapshot.find(kind, note.target)
        return f"{STEP_KINDS[kind]} {row.number if row else note.number}"

    def _take_cause(self) -> tuple[Why | None, str]:
        cause, self._cause = self._cause, (None, "")
        return cause

    def _add(self, what: str, text: str, why: Why | None = None, about: str = "") -> None:
        self.lines.append(TranscriptLine(self._now, what, str(text), why, str(about), self._node))


def explain_match(step: RoutingStep) -> tuple[Why, str]:
    """Return why an inbound route takes a call: by the caller if the route names callers."""
    if step.rule is RuleType.BLOCK_NUMBERS:
        return Why.TAKES_BLOCKED, step.name
    did, caller = step.params.get("did", ""), step.params.get("caller", "")
    if caller == ANONYMOUS:
        return Why.TAKES_WITHHELD, ""
    if caller:
        return Why.TAKES_CALLER, caller
    return (Why.TAKES_NUMBER, did) if did else (Why.TAKES_ALL, "")


def explain_rejection(step: RoutingStep | None) -> tuple[Why | None, str]:
    """Return why a call was rejected, beyond that no inbound route takes it."""
    if step is None:
        return None, ""
    if step.rule is RuleType.BLOCK_NUMBERS:
        return Why.BLOCKED, step.name
    if step.rule is RuleType.TRUNK and step.reason is RoutingReason.DISABLED:
        return Why.TRUNK_DISABLED, ""
    return (Why.NO_DESTINATION, step.name) if step.reason is RoutingReason.NO_DESTINATION else (None, "")


def words_of(prompts: Iterable[str]) -> str:
    """Return the words of built-in prompts. The words of custom prompts are not known."""
    return " ".join(SOUNDS[name] for name in prompts if name in SOUNDS)


def show(lines: Iterable[TranscriptLine]) -> str:
    """Format a transcript as text: seconds, verb, object and reason."""
    return "\n".join(map(_show_line, lines))


def _show_line(line: TranscriptLine) -> str:
    why = say_why(line.why, line.about)
    text = say_text(line.what, line.text)
    return f"{line.at / 1000:8.1f}  {say_verb(line.what):9}  {text}{why and f'  ({why})'}"
