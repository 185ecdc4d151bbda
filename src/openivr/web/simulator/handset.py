"""A simulated call as the page shows it: its transcript, the audio that plays, and the timers that run."""

from typing import Any, TypeVar

from openivr import sounds
from openivr.cdr.journal.event_codec import TimedEvent, write_events
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.ivr.commands import Dial, Play
from openivr.ivr.model import Destination, IvrSnapshot
from openivr.ivr.periods import in_period
from openivr.ivr.state import IvrState
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import TranscriptLine
from openivr.simulate.words import Why
from openivr.web.core.audio import sound_url
from openivr.web.messages import t, t_code

# by verb: the icon, and the kind whose tint it has. "" stands for the kind of the caller's place
SIGNS = {
    "calls": ("calls", "ivr"),
    "route": ("inbound_route", "ivr"),
    "enters": ("ivr", "ivr"),
    "hears": ("play_prompt", "play_prompt"),
    "finds": ("clock", "nowhere"),
    "announces": ("play_prompt", "play_prompt"),
    "presses": ("ivr", "key"),
    "waits": ("clock", "nowhere"),
    "times_out": ("clock", "nowhere"),
    "rings": ("", ""),
    "reaches": ("", ""),
    "fails": ("warning", "trouble"),
    "forwards": ("right", "extension"),
    "refused": ("wrong", "trouble"),
    "misses": ("warning", "trouble"),
    "records": ("record", "ext_vm"),
    "leaves": ("ext_vm", "ext_vm"),
    "opens": ("ext_vm", "ext_vm"),
    "mailbox": ("ext_vm", "ext_vm"),
    "pin": ("shut", "key"),
    "types_pin": ("shut", "key"),
    "deletes": ("trash", "ext_vm"),
    "ends": ("end_call", "end_call"),
}
# by verb: the section with the words for its object
FAMILIES = {
    "fails": "cause",
    "finds": "period",
    "ends": "why",
    **dict.fromkeys(("leaves", "mailbox", "pin", "types_pin", "rings", "reaches"), "line"),
}
C = TypeVar("C", Dial, Play)
MESSAGE_SECONDS = 3.0  # of silence instead of a simulated message


def describe(call: Simulation, told: int = 0) -> dict[str, Any]:
    """The state of a call for the page, with the lines that it does not have yet."""
    due, session = call.due, call.session
    menu = in_period(call.snapshot, session.ivr, call.moment)
    return {
        "revision": call.snapshot.revision,
        "told": len(call.lines),
        "lines": [describe_line(line) for line in call.lines[told:]],
        "due": [{"at": due[slot].at, "event": describe_event(due[slot])} for slot in due if slot != "play"],
        "play": describe_play(call) if "play" in due else None,
        "dial": describe_dial(call) if session.state is IvrState.DIALLING else None,
        "state": (IvrState.ENDED if call.ended else session.state).value,
        "private": session.private,
        "ended": call.ended,
        "menu": f"{menu.number} {menu.name}",
        "keys": {key: describe_key(call.snapshot, to) for key, to in menu.keys.items()},
    }


def describe_event(event: TimedEvent) -> dict[str, Any]:
    """An event as the page sends it when it happens."""
    (row,) = write_events([event])
    del row["at"]
    return row


def describe_play(call: Simulation) -> dict[str, Any]:
    """The sounds to play in turn, and the event at their end."""
    prompts = last(call, Play).prompts
    names = [describe_sound(call.snapshot, name) for name in prompts]
    return {"event": describe_event(call.due["play"]), "sounds": names}


def describe_dial(call: Simulation) -> dict[str, str]:
    """The party that rings, and the number for which a response can be chosen."""
    dial = last(call, Dial)
    row = call.snapshot.find(dial.kind, dial.target)
    return {"number": dial.number, "name": f"{row.number} {row.name}" if row else dial.number}


def last(call: Simulation, kind: type[C]) -> C:
    """The last command of a kind."""
    return next(c for commands in reversed(call.commands) for c in commands if isinstance(c, kind))


def describe_sound(snapshot: IvrSnapshot, name: str) -> dict[str, Any]:
    """A sound's name, its length in seconds, and its URL, "" for a simulated message."""
    if name in snapshot.prompts:
        return {"name": name, "seconds": snapshot.prompts[name].seconds, "address": sound_url(name)}
    if name in sounds.NAMES:
        return {"name": name, "seconds": sounds.seconds(name), "address": sound_url(name)}
    return {"name": name, "seconds": MESSAGE_SECONDS, "address": ""}


def describe_line(line: TranscriptLine) -> dict[str, Any]:
    """A line of the transcript with its icon and tint."""
    node_kind = line.node.partition("-")[0]
    icon, kind = SIGNS.get(line.what, ("note", ""))
    return {
        "at": line.at,
        "what": line.what,
        "verb": t(f"verb.{line.what}"),
        "text": say_text(line.what, line.text),
        "why": say_why(line),
        "node": line.node,
        "icon": icon or node_kind,
        "kind": kind or node_kind,
    }


def say_text(what: str, text: str) -> str:
    """Return the object of a line in words. Numbers, keys and names stay, as does free text of a test."""
    if what in ("hears", "misses"):
        return ", ".join(map(say_sound, text.split(", ")))
    if what == "times_out":
        return t("line.in_menu", number=text) if text else ""
    code, space, rest = text.partition(" ") if what in ("rings", "reaches") else (text, "", "")
    return t_code(FAMILIES[what], code) + space + rest if what in FAMILIES else text


def say_sound(name: str) -> str:
    """Return the words of a built-in sound, else its name."""
    return t("line.words", words=SOUNDS[name]) if name in SOUNDS else name


def say_why(line: TranscriptLine) -> str:
    """Return the reason of a line in words, "" if it has none. The words of a sound are its text already."""
    about = line.about
    if line.why is Why.SAYS:
        return ""
    if line.why is Why.FAILED:
        about = t_code("cause", about)
    elif line.why is Why.FORWARDED:
        about = t_code("condition", about)
    elif line.why is Why.REFUSED:
        about = t_code("refusal", about)
    elif line.why is Why.NOT_KEPT:
        about = t_code("record_result", about)
    return t(f"because.{line.why}", about=about) if line.why else ""


def describe_key(snapshot: IvrSnapshot, to: Destination) -> dict[str, str]:
    """The destination of a key, short enough for its label."""
    row = snapshot.find(to.kind, to.target)
    return {"kind": to.kind.value, "name": row.name if row else t(f"phone.key_{to.kind.value}")}


def say_outcome(outcome: str) -> str:
    """The response of a party in words."""
    return t(f"outcome.{outcome}")
