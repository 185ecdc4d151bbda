"""The simulator: a phone in the page that calls a menu.

The page has the call as a list of its events and sends the whole list after each new one. A `Session` of the
call's snapshot replays them. Sessions are deterministic, so the server stores nothing between requests and
any worker can answer. Audio and time are the browser's: it reports the end of a prompt and each expired
timer.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

import msgspec
from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from openivr.cdr.journal.event_codec import TimedEvent, read_events, write_events
from openivr.ivr.analysis.graph import PathStep, spread
from openivr.ivr.analysis.toll_fraud import lines as outside_lines
from openivr.ivr.events import CallArrived, Digit
from openivr.ivr.inbound_route import IncomingCall, in_order
from openivr.ivr.model import Destination, DestinationKind, Ivr, IvrSnapshot, Trunk, by_id
from openivr.ivr.session import KEYS
from openivr.ivr.state import PASSING, IvrState
from openivr.resources.errors import NotFound
from openivr.simulate.arrival import (
    UnusableMoment,
    UnusableNumber,
    describe_call,
    read_moment,
    show_moment,
)
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.replay import replay_call
from openivr.simulate.scenario import ScenarioError, read_world
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import OUTCOMES, find_unknown
from openivr.store.config.ivr_snapshot import ivr as make_ivr
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.draft import read_draft
from openivr.web.menus.form import MENU_FORM
from openivr.web.messages import t
from openivr.web.simulator.handset import describe, describe_key, describe_line

PATH = "/menus/{id:int}/try"
MAX_BODY = 2 * 1024 * 1024  # of which most would be a draft with thousands of extensions in it
MAX_FIELDS = 50_000
MAX_EVENTS = 1000
MAX_CALL_MS = 4 * 3600 * 1000  # ms; a session ends its call after three hours
MAX_MOMENT = 7_258_118_400  # Unix seconds: 2200, after which a scenario takes no moment
MAX_CALLER = 40
MAX_KEYS = 2000
MAX_PARTIES = 24


class UnusableRequest(ValueError):
    """The request is not a valid call. The text gives the reason."""


class SimulatorRequest(msgspec.Struct):
    """A call so far. `revision` 0 is the newest configuration, `told` the number of lines the page has
    already.

    `draft` is the form of the menu's page if it has unsaved changes. With a `trunk`, by its name, the call
    comes from the outside to the number `called`, and the inbound routes decide where it goes. `moment` is
    that of its arrival in Unix seconds, 0: none. `at` is the same in the time of the default calendar.
    Without either, everything leads where open hours do.
    """

    revision: int = 0
    caller: str = ""
    world: dict[str, Any] = {}
    happenings: list[dict[str, Any]] = []
    told: int = 0
    draft: str = ""
    trunk: str = ""
    called: str = ""
    moment: int = 0
    at: str = ""


def read_call(data: bytes | str) -> SimulatorRequest:
    """Decode a request. Raises UnusableRequest."""
    try:
        return msgspec.json.decode(data, type=SimulatorRequest)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UnusableRequest(str(error)) from error


def play_call(snapshot: IvrSnapshot, ivr: Ivr, sent: SimulatorRequest) -> Simulation:
    """Replay the events of a call to a menu. Raises UnusableRequest."""
    if len(sent.caller) > MAX_CALLER or not sent.caller.isprintable():
        raise UnusableRequest("the caller's number is too long or has signs in it that no number has")
    try:
        world = read_world(sent.world, "pretended")
        happenings = read_events(sent.happenings)
    except (ScenarioError, ValueError) as error:
        raise UnusableRequest(str(error)) from error
    check_order(happenings)
    moment = read_start(snapshot, sent)
    if sent.trunk:
        return replay_call(snapshot, world, happenings, read_incoming(snapshot, sent), moment)
    menu = Destination(DestinationKind.IVR, ivr.id)
    arrival = TimedEvent(0, CallArrived(sent.caller, menu, moment=moment))
    return replay_call(snapshot, world, [arrival, *happenings], start=moment)


def read_start(snapshot: IvrSnapshot, sent: SimulatorRequest) -> int:
    """Read the moment of a call in Unix seconds, 0 for none. Raises UnusableRequest."""
    if not 0 <= sent.moment < MAX_MOMENT:
        raise UnusableRequest("there is no such time")
    try:
        return int(read_moment(snapshot, sent.at)) if sent.at else sent.moment
    except UnusableMoment as error:
        raise UnusableRequest(t("phone.no_moment")) from error


def read_incoming(snapshot: IvrSnapshot, sent: SimulatorRequest) -> IncomingCall:
    """Read the call from the outside. Raises UnusableRequest."""
    try:
        incoming = describe_call(snapshot, sent.trunk, sent.called, sent.caller)
    except UnusableNumber as error:
        raise UnusableRequest(t("phone.no_number")) from error
    if incoming is None:
        raise UnusableRequest(t("phone.no_trunk", name=sent.trunk[:MAX_CALLER]))
    return incoming


def find_warning(call: Simulation) -> str:
    """Return what is wrong with the chosen responses: numbers that no call can depend on."""
    names = list(find_unknown(call.snapshot, call.world))
    return t("phone.unknown_party", names=", ".join(names), count=len(names)) if names else ""


def check_order(happenings: Iterable[TimedEvent]) -> None:
    """Check that a call has one beginning, real keys, and times in order. Raises UnusableRequest."""
    before = count = 0
    for happening in happenings:
        event, count = happening.event, count + 1
        if not before <= happening.at <= MAX_CALL_MS or count > MAX_EVENTS:
            raise UnusableRequest("the call is longer than calls are, or its clock goes backward")
        if isinstance(event, CallArrived) or (isinstance(event, Digit) and event.key not in KEYS):
            raise UnusableRequest("nobody can do that in a call")
        before = happening.at


@dataclass(frozen=True, slots=True)
class SimulatedParty:
    """A phone or trunk whose response can be chosen. `name` is its name in a `World`."""

    name: str
    label: str
    kind: str


def find_parties(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[SimulatedParty]:
    """The phones and trunks that a menu, and all menus it leads to, can ring."""
    lines: dict[int, Trunk] = {}
    for kind, target in spread(snapshot, {(DestinationKind.IVR, ivr.id): PathStep(None, "")}):
        row = snapshot.find(kind, target)
        if isinstance(row, Ivr):
            lines |= {
                trunk.id: trunk for line in outside_lines(snapshot, row.policy) for trunk in line.trunks
            }
        elif row and kind in (DestinationKind.EXTENSION, DestinationKind.RING_GROUP):
            yield SimulatedParty(row.number, f"{row.number} {row.name}", kind)
        elif kind is DestinationKind.EXTERNAL:  # a number that a key names may use any line
            lines |= snapshot.trunks
    for trunk in lines.values():
        yield SimulatedParty(trunk.name, t("phone.line", name=trunk.name), "trunk")


def has_mailbox(snapshot: IvrSnapshot, ivr: Ivr) -> bool:
    """Return True if a caller of the menu can open a mailbox."""
    places = spread(snapshot, {(DestinationKind.IVR, ivr.id): PathStep(None, "")})
    menus = (snapshot.ivrs.get(target) for kind, target in places if kind is DestinationKind.IVR)
    return any(menu.policy.check_voicemail for menu in menus if menu)


async def find_menu(request: PageRequest, revision: int = 0) -> tuple[IvrSnapshot, Ivr]:
    """The menu of the path, in a stored revision or the newest. Raises NotFound or UnusableRequest."""
    snapshot = await request.app.menus.at(revision) if revision else await request.app.menus.current()
    if snapshot is None:
        raise UnusableRequest(t("phone.changed"))
    ivr = snapshot.ivrs.get(request.path_id())
    if ivr is None:
        raise NotFound(f"ivr {request.path_id()}")
    return snapshot, ivr


async def find_called(request: PageRequest, sent: SimulatorRequest) -> tuple[IvrSnapshot, Ivr]:
    """The menu of a call with its unsaved changes. Raises NotFound or UnusableRequest."""
    snapshot, ivr = await find_menu(request, sent.revision)
    if not sent.draft:
        return snapshot, ivr
    ivr = await request.database.read(read_changed_menu, ivr.id, sent.draft)
    return await request.database.run_in_thread(change, snapshot, ivr), ivr


def read_changed_menu(connection: Connection, id_: int, text: str) -> Ivr:
    """The menu as its unsaved form would make it. Raises UnusableRequest if the form has problems."""
    try:
        form = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise UnusableRequest(str(error)) from error
    draft = read_draft(connection, MENU_FORM, id_, form)
    if draft.problems:
        raise UnusableRequest(t("phone.draft_problems"))
    return make_ivr(id_, draft.values)


def change(snapshot: IvrSnapshot, ivr: Ivr) -> IvrSnapshot:
    """A snapshot with one menu replaced."""
    return replace(snapshot, ivrs=by_id({**snapshot.ivrs, ivr.id: ivr}.values()))


async def phone_page(request: PageRequest) -> Response:
    """The phone on a page of its own. The drawer takes it out of that page."""
    return await render_phone(request)


async def render_phone(request: PageRequest, *, status: int = 200, **values: Any) -> Response:
    snapshot, ivr = await find_menu(request)
    parties = await request.database.run_in_thread(
        lambda: [*islice(find_parties(snapshot, ivr), MAX_PARTIES)]
    )
    mailbox = await request.database.run_in_thread(has_mailbox, snapshot, ivr)
    given = {name: request.form_text(name) for name in ("keys", "other", "other_outcome", "mailbox", "pin")}
    given |= {name: request.form_text(name) or request.query(name) for name in ("from", "trunk", "called")}
    given["called"] = given["called"] or find_number(snapshot, ivr)
    given["at"] = request.form_text("at") if "at" in request.form else find_start(request, snapshot)
    given |= {f"party{place}": request.form_text(f"party{place}") for place in range(len(parties))}
    return request.render(
        "phone.html",
        status=status,
        where="/menus",
        ivr=ivr,
        keys={key: describe_key(snapshot, to) for key, to in ivr.keys.items()},
        parties=parties,
        trunks=[trunk.name for trunk in snapshot.trunks.values()][:MAX_PARTIES],
        outcomes=[*OUTCOMES],
        has_mailbox=mailbox,
        has_pins=bool(snapshot.pin_lists),
        given=given,
        is_timed=snapshot.is_timed,
        phone_words=phone_words(),
        menu=ivr.id,
        **({"lines": [], "call": "", "trouble": "", "saved": 0, "name": "", "problem": ""} | values),
    )


def find_start(request: PageRequest, snapshot: IvrSnapshot) -> str:
    """The moment that the form proposes: that of the query, or now if anything depends on it."""
    if asked := request.query("at")[:MAX_CALLER]:
        return asked.replace(" ", "T")
    return show_moment(snapshot, time.time()).replace(" ", "T") if snapshot.is_timed else ""


def find_number(snapshot: IvrSnapshot, ivr: Ivr) -> str:
    """The first called number without wildcards whose inbound route leads to a menu, "" if none does."""
    for route in in_order(snapshot):
        if route.destination == Destination(DestinationKind.IVR, ivr.id):
            for pattern in route.did_patterns:
                if pattern.removeprefix("+").isdecimal():
                    return pattern
    return ""


def phone_words() -> dict[str, str]:
    """The texts that the script needs. It fills in those in braces."""
    states = [state.value for state in IvrState if state not in PASSING]
    words = {state: t(f"phone_state.{state}") for state in (*states, "idle", "calling")}
    words |= {name: t(f"phone.{name}") for name in ("call", "hang_up", "again", "lost")}
    return words | {
        "ringing": t("phone.ringing", name="{name}"),
        "stopped": t("phone.stopped", problem="{problem}"),
    }


async def run_keys(request: PageRequest) -> Response:
    """Run a call without script: play the keys of the form to the end."""
    snapshot, ivr = await find_menu(request)
    sent = SimulatorRequest(
        snapshot.revision,
        request.form_text("from").strip(),
        read_responses(request),
        trunk=request.form_text("trunk"),
        called=request.form_text("called"),
        at=request.form_text("at").strip(),
    )
    try:
        script = read_keys(request.form_text("keys")[:MAX_KEYS])
        call = await request.database.run_in_thread(play_keys, snapshot, ivr, sent, script)
    except ValueError as error:
        return await render_phone(request, status=422, trouble=str(error))
    sent.happenings = write_events(call.events[1:])
    lines = [describe_line(line) for line in call.lines]
    text = msgspec.json.encode(sent).decode()
    return await render_phone(request, lines=lines, call=text, trouble=find_warning(call))


def play_keys(
    snapshot: IvrSnapshot, ivr: Ivr, sent: SimulatorRequest, script: list[str | float | None]
) -> Simulation:
    """Play keys to the end of a call."""
    call = play_call(snapshot, ivr, sent)
    act_out(call, script)
    call.finish()
    return call


def read_responses(request: PageRequest) -> dict[str, Any]:
    """The chosen responses as the world of a scenario."""
    world: dict[str, Any] = {}
    for place in range(MAX_PARTIES):
        name, outcome = request.form_text(f"name{place}"), request.form_text(f"party{place}")
        if name and outcome:
            world[name] = outcome
    if request.form_text("other").strip() and request.form_text("other_outcome"):
        world[request.form_text("other").strip()] = request.form_text("other_outcome")
    if request.form_text("mailbox").strip():
        box = {"pin": request.form_text("pin").strip(), "messages": ["message-1", "message-2"]}
        world["mailboxes"] = {request.form_text("mailbox").strip(): box}
    return world


async def continue_call(request: PageRequest) -> Response:
    """Replay the call of the page and return what follows."""
    try:
        sent = read_call(request.body)
        snapshot, ivr = await find_called(request, sent)
        call = await request.database.run_in_thread(play_call, snapshot, ivr, sent)
    except UnusableRequest as error:
        return JSONResponse({"problem": str(error)}, status_code=409)
    return JSONResponse(describe(call, sent.told) | {"warning": find_warning(call)})


ROUTES = (
    PageRoute(path=PATH, handle=phone_page),
    PageRoute(path=PATH, handle=run_keys, method="POST"),
    PageRoute(path="/menus/{id:int}/call", handle=continue_call, method="POST", max_body=MAX_BODY),
)
