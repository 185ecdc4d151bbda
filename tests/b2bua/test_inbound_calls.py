"""Calls from the outside go where the simulator says: the dialplan on random configurations, and real SIP."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.call_manager import look_up, read_invite
from openivr.b2bua.dialplan import DialplanMatch
from openivr.config.call_config import CallConfig, TrunkAccount
from openivr.ivr.inbound_route import IncomingCall
from openivr.ivr.model import Destination, DestinationKind, Extension, InboundRoute, IvrSnapshot, Trunk, by_id
from openivr.simulate.arrival import describe_call
from openivr.simulate.simulation import Simulation
from openivr.sip.message.message import Request, read

PEOPLE = by_id(Extension(number, str(1000 + number)) for number in range(1, 5))
PLACES = [Destination(DestinationKind.EXTENSION, id_) for id_ in PEOPLE]
NUMBERS = ("441632960000", "+441632960000", "+44-1632-96.00(00)", "01632960000", "100", "sales", "Anonymous")
CALLERS = ("447700900123", "+447700900123", "2000", "anonymous", "Restricted", "grace")
PATTERNS = st.lists(
    st.sampled_from(
        (
            "441632960000",
            "+44163296XXXX",
            "0.",
            "[1-4]!",
            "anonymous",
            "sales",
            "N.",
            "+44-1632",
            "restricted",
        )
    ),
    max_size=2,
    unique=True,
).map(tuple)
ROUTES = st.lists(
    st.builds(
        InboundRoute,
        id=st.integers(1, 99),
        name=st.just("Route"),
        destination=st.sampled_from((*PLACES, None)),
        did_patterns=PATTERNS,
        caller_patterns=PATTERNS | st.just(()),
        trunk_ids=st.lists(st.sampled_from((1, 2)), max_size=1).map(tuple),
        position=st.integers(0, 3),
        enabled=st.booleans() | st.just(True),
    ),
    max_size=6,
    unique_by=lambda route: route.id,
)


def account(id_: int) -> TrunkAccount:
    settings = {"username": "", "auth_name": "", "password": "", "caller_id": "", "max_calls": 0}
    return TrunkAccount(id_, f"Line {id_}", "peer", True, "udp", "192.0.2.1", 5060, "", **settings)  # type: ignore[arg-type]


def invite(called: str, caller: str, *headers: str) -> Request:
    lines = (
        f"INVITE sip:{called}@pbx SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        f"From: <sip:{caller}@192.0.2.1>;tag=1",
        f"To: <sip:{called}@pbx>",
        "Call-ID: a",
        "CSeq: 1 INVITE",
        *headers,
    )
    request = read(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(request, Request)
    return request


@given(
    routes=ROUTES,
    trunk=st.sampled_from((1, 2)),
    called=st.sampled_from(NUMBERS),
    caller=st.sampled_from(CALLERS),
    is_private=st.booleans(),
)
def test_the_simulator_chooses_what_a_real_call_chooses(
    routes: list[InboundRoute], trunk: int, called: str, caller: str, is_private: bool
) -> None:
    trunks = by_id([Trunk(1, "Line 1"), Trunk(2, "Line 2")])
    snapshot = IvrSnapshot(extensions=PEOPLE, trunks=trunks, inbound_routes=by_id(routes))
    config = CallConfig(snapshot, trunks={1: account(1), 2: account(2)})
    headers = ("Privacy: id",) if is_private else ()
    match = look_up(config, account(trunk), read_invite(invite(called, caller, *headers), account(trunk)))
    is_withheld = is_private or caller in ("anonymous", "Restricted")
    typed = describe_call(snapshot, f"line {trunk}", called, "withheld" if is_withheld else caller)
    assert isinstance(typed, IncomingCall)
    simulation = Simulation(snapshot)
    simulation.receive(typed)
    arrived = [happening.event for happening in simulation.events][:1]
    if isinstance(match, DialplanMatch):
        assert [getattr(event, "destination", None) for event in arrived] == [match.destination]
        assert not simulation.is_rejected
    else:
        assert simulation.is_rejected
        assert arrived == []
