"""Transcripts: a call in words, line by line, with reasons. All English of transcripts is in this module."""

from collections.abc import Iterable
from dataclasses import dataclass

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
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot
from openivr.ivr.state import IvrState

WAITS_FOR = {
    IvrState.WAITING: "a key",
    IvrState.COLLECTING: "another digit, because a longer number may follow",
    IvrState.DIALLING: "an answer",
    IvrState.SPELLING: "a letter",
    IvrState.OFFERING: "1 or *",
    IvrState.MAILBOX: "a digit",
    IvrState.PIN: "a digit",
    IvrState.MESSAGES: "a key",
}
KIND_WORDS = {
    DestinationKind.EXTENSION: "extension",
    DestinationKind.RING_GROUP: "ring group",
    DestinationKind.EXTERNAL: "outside",
    DestinationKind.IVR: "menu",
    DestinationKind.VOICEMAIL: "voicemail of",
}
# reasons of a destination that failed without being rung
NOBODY: dict[DestinationKind | None, str] = {
    DestinationKind.EXTERNAL: "no route with a working trunk takes this number",
    DestinationKind.EXTENSION: "it is gone or disabled",
    DestinationKind.VOICEMAIL: "there is no such mailbox",
    DestinationKind.RING_GROUP: "it has no members who could be rung",
}


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of a transcript. `what` is a verb whose subject is the caller or the menu."""

    at: int  # ms from the start of the call
    what: str
    text: str
    why: str = ""
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
        self._why = ""
        self._rung = False
        self._now = 0
        self._node = ""

    def add_event(self, now: int, event: Event, secret: bool) -> None:
        """Add the line of an event, if the caller caused it."""
        self._now = now
        if isinstance(event, CallArrived):
            whom = show_destination(self._snapshot, event.destination)
            self._add("calls", whom, f"from {event.caller or 'a withheld number'}")
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
                self._add("waits", f"{command.seconds} s", f"for {WAITS_FOR[state]}")
            else:
                self._add_command(command)

    def _add_command(self, command: Command) -> None:
        match command:
            case Play():
                self._add("hears", ", ".join(command.prompts), words_of(command.prompts))
            case Dial():
                self._rung = True
                self._add("rings", self._show_dial(command), self._take_why())
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
            return f"{KIND_WORDS[dial.kind]} {dial.number}"
        route = self._snapshot.outbound_routes[dial.target].name
        return f"outside {dial.number} over {route}, {self._snapshot.trunks[dial.trunk].name}"

    def _add_note(self, note: Note) -> None:
        match note.topic:
            case Topic.ENTERED:
                self._add("enters", note.number, self._take_why())
            case Topic.CHOSE:
                self._why = f"the caller chose {note.input}"
            case Topic.INVALID:
                self._add("refused", note.input, note.detail)
                self._why = "the input was invalid"
            case Topic.TIMED_OUT:
                self._why = "no key came"
                self._add("times out", self._snapshot.ivrs[note.ivr].number if note.ivr else "")
            case Topic.MISSING:
                self._add("misses", note.detail, "there is no such prompt")
            case Topic.FAILED:
                self._add("fails", note.detail, "" if self._rung else NOBODY.get(note.kind, "it is gone"))
                self._why = note.detail
                self._rung = False
            case Topic.CONNECTED:
                self._add("reaches", self._show_reached(note))
            case Topic.RECORDED:
                self._add("leaves", "a message", f"for {self._snapshot.extensions[note.target].number}")
            case Topic.MAILBOX if note.detail != "deleted":
                self._add("mailbox", note.detail)
            case Topic.ENDED:
                self._add("ends", note.detail)
            case _:
                pass

    def _show_reached(self, note: Note) -> str:
        kind = note.kind or DestinationKind.END_CALL
        row = self._snapshot.find(kind, note.target)
        return f"{KIND_WORDS[kind]} {row.number if row else note.number}"

    def _take_why(self) -> str:
        why, self._why = self._why, ""
        return why and f"because {why}"

    def _add(self, what: str, text: str, why: str = "") -> None:
        self.lines.append(TranscriptLine(self._now, what, text, why, self._node))


def words_of(prompts: Iterable[str]) -> str:
    """Return the words of built-in prompts. The words of custom prompts are not known."""
    return " ".join(SOUNDS[name] for name in prompts if name in SOUNDS)


def show(lines: Iterable[TranscriptLine]) -> str:
    """Format a transcript as text: seconds, verb, object and reason."""
    return "\n".join(
        f"{line.at / 1000:8.1f}  {line.what:9}  {line.text}{line.why and f'  ({line.why})'}" for line in lines
    )
