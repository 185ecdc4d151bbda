"""Makes a call of the demo and draws its messages: `make ladder` writes demo-call.md and its picture.

Two softphones record every message that they send and receive, and the server is a separate process, so the
picture shows what was on the wire. A test makes the call again and compares.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server that the tests start

from openivr.cli.call import find_account
from openivr.cli.snapshot import load
from openivr.simulate.transcript import TranscriptLine as Told
from openivr.simulate.transcript import show
from openivr.sip.address import Target
from openivr.sip.auth.client import HashedLogin
from openivr.sip.auth.server import DigestSecret
from openivr.sip.message.message import Message, Request, Response, read
from openivr.sip.settings import Trace
from openivr.softphone.conversation import GOODBYE_SECONDS, CallPlan
from openivr.softphone.server_log import ServerLog
from openivr.softphone.softphone import Softphone, SoftphoneCall, open_media
from openivr.softphone.terminal import TerminalCall, hold
from openivr.softphone.trace import show as show_message
from tests.live_server import Running, start

DOCS = Path(__file__).parent
CALLER, SERVER, CALLED = "Grace 1001", "OpenIVR", "Ada 1000"
PLACES = (CALLER, SERVER, CALLED)
KEY_AFTER, RING_SECONDS, TALK_SECONDS = 2.0, 1.0, 2.0
NOTED = (
    "hears",
    "gets",
    "waits",
    "rings",
    "reaches",
    "ends",
)  # actions of the server that the picture shows
LONGEST_NOTE = 60
ROW = 34  # pixels
COLUMNS = dict(zip(PLACES, (190, 520, 850), strict=True))
WIDTH = 960
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.time { fill: #59636e; text-anchor: end; } .label { text-anchor: middle; } .head { font-weight: 600; }
.line { stroke: #8c959f; } .arrow { stroke: #0969da; stroke-width: 1.5; } .media { stroke-dasharray: 5 4; }
.back { fill: #ffffff; } .tip { fill: #0969da; } .note { fill: #ddf4ff; stroke: #54aeff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .time { fill: #9198a1; } .line { stroke: #656c76; } .arrow { stroke: #4493f8; }
  .back { fill: #0d1117; } .tip { fill: #4493f8; } .note { fill: #121d2f; stroke: #1f6feb; }
}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A message, a key or a note. `to` is "" for a note; `at` is in ms since the caller's INVITE."""

    at: int
    sender: str
    to: str
    label: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Taken:
    """A recorded call: its messages, and the output of the caller's terminal."""

    messages: list[Step]
    told: list[Told]

    def steps(self) -> list[Step]:
        """Return all steps of the picture in order. The answer, known to both sides, aligns their clocks."""
        answer = next(s.at for s in self.messages if s.to == CALLER and s.label.startswith("200"))
        ahead = next(line.at for line in self.told if line.what == "answered") - answer
        told = [as_step(replace(line, at=line.at - ahead)) for line in self.told if is_drawn(line)]
        return sorted([*self.messages, *told], key=lambda step: step.at)


def make_call() -> Taken:
    """Make the call: Grace presses 1 in the menu, Ada answers, talks and hangs up."""
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder), command="serve")
        try:
            return asyncio.run(hold_call(server))
        finally:
            server.stop()


async def hold_call(server: Running) -> Taken:
    wire: list[tuple[float, str, str, bytes]] = []
    told: list[Told] = []
    target = Target("UDP", "127.0.0.1", server.sip_port)
    media = open_media()
    ada = await Softphone(target, login_of(server, "1000"), trace=keep(wire, CALLED)).start(media)
    ada.on_call = lambda line, _request: take_call(line)
    if await ada.register() != 200:
        raise RuntimeError("the called phone could not register")
    story = ServerLog(server.data / "journal", "1001", "6200", lambda: load(server.data, ""))
    grace = TerminalCall(target, login_of(server, "1001"), told.append, story=story, trace=keep(wire, CALLER))
    await hold(grace, CallPlan("6200", script=[KEY_AFTER, "1"], reports_audio=False))
    async with asyncio.timeout(GOODBYE_SECONDS):
        await ada.until_answered("BYE")
    ada.close()
    await media.close()
    return Taken(list(read_wire(wire)), told)


def login_of(server: Running, number: str) -> HashedLogin:
    account = find_account(server.data, "", number)
    return HashedLogin(account.user, DigestSecret.read(account.secret).hashes)


def keep(wire: list[tuple[float, str, str, bytes]], place: str) -> Trace:
    """Return a trace function that records the messages of one phone with time, sender and receiver."""

    def trace(is_sent: bool, _peer: Target, data: bytes) -> None:
        way = (place, SERVER) if is_sent else (SERVER, place)
        wire.append((time.monotonic(), *way, data))

    return trace


def take_call(line: SoftphoneCall) -> None:
    """Ring, then answer, then hang up, after fixed times."""
    loop = asyncio.get_running_loop()
    line.ring()
    loop.call_later(RING_SECONDS, line.answer)
    loop.call_later(RING_SECONDS + TALK_SECONDS, line.hang_up)


def read_wire(wire: Iterable[tuple[float, str, str, bytes]]) -> Iterator[Step]:
    """Yield the messages of the call, without registrations and retransmissions."""
    began = None
    seen: set[tuple[str, str, str]] = set()
    for at, sender, to, data in wire:
        message = read(data)
        if message is None or method_of(message) in ("REGISTER", "OPTIONS"):
            continue
        if began is None:
            began = at
        key = sender, label_of(message), message.get("cseq")
        if key not in seen:  # else it is a retransmission
            seen.add(key)
            yield Step(round(1000 * (at - began)), sender, to, label_of(message), data)


def method_of(message: Message) -> str:
    return message.method if isinstance(message, Request | Response) else ""


def label_of(message: Message) -> str:
    """Return a short label of a message."""
    has_login = isinstance(message, Request) and "authorization" in message.headers
    extra = [*(["credentials"] if has_login else []), *(["SDP"] if message.body else [])]
    tail = f" + {' + '.join(extra)}" if extra else ""
    if isinstance(message, Response):
        return f"{message.status} {message.reason} ({message.method}){tail}"
    return f"{method_of(message)}{tail}"


def is_drawn(line: Told) -> bool:
    return line.what == "sends" or (line.what in NOTED and not line.text.startswith("180"))


def as_step(line: Told) -> Step:
    """Return the step of a transcript line: a key, or an action of the server."""
    if line.what == "sends":
        return Step(line.at, CALLER, SERVER, f"key {line.text} (RTP, RFC 4733)")
    why = f" ({line.why})" if line.why else ""
    text = f"{line.what} {line.text}{why}"
    return Step(line.at, SERVER, "", text if len(text) < LONGEST_NOTE else f"{line.what} {line.text}")


def lanes(steps: Iterable[Step]) -> dict[str, list[str]]:
    """Return what every run has in common: the messages between each phone and the server, in order.

    100 Trying is left out, because it is only sent after a delay.
    """
    found: dict[str, list[str]] = {CALLER: [], CALLED: []}
    for step in steps:
        if not step.label.startswith("100 "):
            place = step.to if step.sender == SERVER else step.sender
            arrow = "<-" if step.sender == SERVER else "->"
            found[place].append(f"{arrow} {step.label}")
    return found


def read_page(text: str) -> list[Step]:
    """Read the messages back from the table of the page."""
    rows = re.findall(r"^\| +([\d.]+) \| (.+?) → (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return [Step(round(1000 * float(at)), sender, to, label) for at, sender, to, label in rows]


# The page


def write_page(taken: Taken) -> str:
    """Write the page around the table that `read_page` reads."""
    rows = [f"| {s.at / 1000:.3f} | {s.sender} → {s.to} | {s.label} |" for s in taken.messages]
    offer = next(s for s in taken.messages if "credentials" in s.label)
    answer = next(s for s in taken.messages if s.to == CALLER and s.label.startswith("200"))
    rung = next(s for s in taken.messages if s.to == CALLED)
    shown = "\n".join(show_step(step) for step in (offer, answer, rung))
    return PAGE.format(told=show(taken.told), rows="\n".join(rows), shown=shown)


def show_step(step: Step) -> str:
    lines = show_message(0, False, Target("UDP", "127.0.0.1", 5060), step.data).split("\n", 1)[1]
    return f"{step.sender} → {step.to}, at {step.at / 1000:.3f} s:\n\n```\n{lines.rstrip()}\n```\n"


def draw(taken: Taken) -> str:
    """Draw the picture as SVG."""
    steps = taken.steps()
    height = 60 + ROW * len(steps) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' aria-label="Messages of a call between two telephones and OpenIVR">',
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
    ]
    for place, x in COLUMNS.items():
        parts.append(f'<text class="label head" x="{x}" y="24">{place}</text>')
        parts.append(f'<line class="line" x1="{x}" x2="{x}" y1="36" y2="{height - 10}"/>')
    parts += (draw_step(step, 70 + ROW * row) for row, step in enumerate(steps))
    return "\n".join([*parts, "</svg>", ""])


def draw_step(step: Step, y: int) -> str:
    when = f'<text class="time" x="80" y="{y + 4}">{step.at / 1000:.3f} s</text>'
    label = escape(step.label)
    if not step.to:
        width = 7 * len(step.label) + 20
        left = COLUMNS[SERVER] - width / 2
        return (
            f'{when}<rect class="note" x="{left:g}" y="{y - 13}" width="{width}" height="24" rx="4"/>'
            f'<text class="label" x="{COLUMNS[SERVER]}" y="{y + 4}">{label}</text>'
        )
    start_x, end_x = COLUMNS[step.sender], COLUMNS[step.to]
    back = -8 if end_x > start_x else 8
    kind = "arrow" if step.data else "arrow media"
    return (
        f'{when}<text class="label" x="{(start_x + end_x) / 2:g}" y="{y - 4}">{label}</text>'
        f'<line class="{kind}" x1="{start_x}" x2="{end_x}" y1="{y + 3}" y2="{y + 3}"/>'
        f'<path class="tip" d="M{end_x} {y + 3} l{back} -4 v8 z"/>'
    )


PAGE = """# A call, message by message

Grace calls the demo's menu 6200 and presses 1. Ada's phone rings, she answers, they talk, and she hangs up.
The call was made with two softphones and `openivr serve` on one machine, and its SIP messages were recorded.
`make ladder` makes the call again; a test compares the messages.

![Grace's phone, OpenIVR and Ada's phone, with the messages between them](images/demo-call.svg)

Output in Grace's terminal (`openivr call 6200 --as 1001 --keys "2s 1"`):

```
{told}
```

All messages, with seconds since the first INVITE:

| s | from and to | message |
|---|---|---|
{rows}

The first INVITE has no credentials, because the server has not challenged it yet. The menu answers at once,
so that the caller hears the prompt. Ada is called on a leg of her own, and the RTP of both legs is relayed:
OpenIVR is a back-to-back user agent, and neither phone learns the address of the other.

## Three messages in full

{shown}"""


def main() -> None:
    taken = make_call()
    (DOCS / "demo-call.md").write_text(write_page(taken), encoding="utf-8")
    (DOCS / "images" / "demo-call.svg").write_text(draw(taken), encoding="utf-8")


if __name__ == "__main__":
    main()
