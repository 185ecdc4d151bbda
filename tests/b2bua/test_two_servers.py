"""Two servers that call each other: A registers at B as one of B's trunks, B knows A as a peer."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from openivr.sip.trunk.trunk_state import TrunkHealth
from openivr.store.runtime.registrations import list_trunks
from tests.b2bua.handset import EVENTS, FRAME, Handset, encode
from tests.b2bua.server_process import ServerProcess, run_server, until
from tests.sip.front import free_port

DID = "441632960123"


@dataclass
class Pair:
    """The servers A and B."""

    a: ServerProcess
    b: ServerProcess


def add_trunk(server: ServerProcess, name: str, **fields: object) -> int:
    return server.post("trunk/create", name=name, hostname="127.0.0.1", **fields)


def add_routes(server: ServerProcess, trunks: list[int]) -> None:
    """Out over the trunks with an 8 before the number; in to the menu 6201, where all may be dialled."""
    listed = [{"type": "trunk", "value": str(trunk)} for trunk in trunks]
    server.post(
        "outbound_route/create",
        name="There",
        dial_pattern_list=[{"pattern": "8X.", "strip": 1}],
        trunk_list=listed,
        ext_list=[{"type": "extension", "value": "1"}],
    )
    server.post(
        "inbound_route/create",
        name="Here",
        did_pattern_list=[{"did_pattern": DID}],
        trunk_list=listed,
        def_dest="ivr",
        def_dest_value=str(server.ivr("6201")),
    )


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with run_server(tmp_path_factory.mktemp("a")) as a, run_server(tmp_path_factory.mktemp("b")) as b:
        account = {"username": "pbx-a", "password": "a secret of both"}
        add_routes(b, [add_trunk(b, "A", type="account", **account)])
        b.running.settle()  # a login that is refused is tried again only after a while
        dead = add_trunk(a, "Dead", type="peer", transport="tcp", port=free_port())
        line = add_trunk(a, "B", type="register", port=b.port, **account)
        add_routes(a, [dead, line])
        until(lambda: is_up(a, line), "never registered")
        yield Pair(a, b)


def is_up(server: ServerProcess, trunk: int) -> bool:
    with server.running.database() as database, database.reading() as connection:
        return any(one.trunk_id == trunk and one.state == TrunkHealth.UP for one in list_trunks(connection))


@pytest.fixture
def pair(servers: Pair) -> Iterator[Pair]:
    servers.a.forget_records()
    servers.b.forget_records()
    yield servers
    servers.a.close_handsets()
    servers.b.close_handsets()


def talk(one: Handset, other: Handset) -> None:
    """Each hears what the other says, byte by byte, for every server on the way passes on what it got."""
    for speaker, listener, seed in ((one, other, 1), (other, one, 2)):
        said = encode(np.random.default_rng(seed).normal(0, 3000, 20 * FRAME))
        packets = [said[at : at + FRAME] for at in range(0, len(said), FRAME)]
        speaker.sound.reach(listener.sound)
        for packet in packets:
            speaker.sound.send(packet)
        first = listener.sound.listen(1)
        while first != packets[0]:  # what it has been played before
            first = listener.sound.listen(1)
        assert first + listener.sound.listen(19) == said


def press_on(speaker: Handset, listener: Handset, key: str) -> None:
    """A key of one is heard by the other as the event that it is (RFC 4733)."""
    speaker.sound.press(key)
    kind, payload = listener.sound.receive()
    while kind != EVENTS:
        kind, payload = listener.sound.receive()
    assert payload[0] == int(key)


def call_through(there: Handset, here: Handset, number: str, keys: str) -> None:
    """From a phone over a trunk to the other server's menu, and by keys to a phone there."""
    there.renew()
    there.invite(f"8{number}")
    there.until_answered()
    there.sound.listen(20)  # the greeting has begun
    there.sound.press(keys)
    here.pick_up(here.ring())
    talk(there, here)
    press_on(there, here, "7")
    press_on(here, there, "4")
    there.hang_up()
    here.reply(here.expect("BYE"), 200)


def test_a_call_over_a_trunk_that_registers_after_one_that_is_dead(pair: Pair) -> None:
    ada, grace = pair.a.handset("1000"), pair.b.handset("1001")
    call_through(ada, grace, DID, "1001")
    ours, theirs = pair.a.new_record(), pair.b.new_record()
    assert (ours.outcome, [(leg["via"], leg["result"]) for leg in ours.legs]) == (
        "connected",
        [("Dead", "unavailable"), ("B", "answered")],
    )
    assert (theirs.source, theirs.called, theirs.path, theirs.keys) == ("A", DID, "6201", "1001•")
    assert (theirs.outcome, theirs.legs[0]["number"]) == ("connected", "1001")
    assert ours.reason == theirs.reason == "caller_hangup"


def test_a_call_back_to_where_the_trunk_has_registered_from(pair: Pair) -> None:
    ada, grace = pair.b.handset("1000"), pair.a.handset("1001")
    call_through(ada, grace, DID, "1001")
    ours, theirs = pair.b.new_record(), pair.a.new_record()
    assert [(leg["via"], leg["result"]) for leg in ours.legs] == [("A", "answered")]
    assert (theirs.source, theirs.called, theirs.outcome) == ("B", DID, "connected")


def test_a_call_over_a_peer(pair: Pair) -> None:
    peer = add_trunk(pair.b, "A, by address", type="peer", port=pair.a.port)
    route = next(one for one in pair.b.api.get("outbound_route/list")["data"] if one["name"] == "There")
    trunks = [{"type": "trunk", "value": str(peer)}]
    pair.b.post("outbound_route/update", id=route["id"], trunk_list=trunks)
    ada, grace = pair.b.handset("1000"), pair.a.handset("1001")
    call_through(ada, grace, DID, "1001")
    before = [{"type": "trunk", "value": str(find_trunk(pair.b, "A"))}]
    pair.b.post("outbound_route/update", id=route["id"], trunk_list=before)
    pair.b.delete("trunk", peer)
    ours, theirs = pair.b.new_record(), pair.a.new_record()
    assert [(leg["via"], leg["result"]) for leg in ours.legs] == [("A, by address", "answered")]
    assert (theirs.source, theirs.outcome) == ("B", "connected")


def test_a_busy_phone_is_busy_through_both(pair: Pair) -> None:
    """A call straight to an extension of B, by a number that A's route makes of it."""
    inbound = pair.b.post(
        "inbound_route/create",
        name="Direct",
        did_pattern_list=[{"did_pattern": "5551001"}],
        trunk_list=[{"type": "trunk", "value": str(find_trunk(pair.b, "A"))}],
        def_dest="extension",
        def_dest_value="2",
    )
    ada, grace = pair.a.handset("1000"), pair.b.handset("1001")
    ada.renew()
    ada.invite("85551001")
    grace.reply(grace.ring(), 486)
    grace.expect("ACK")
    refusal = ada.final()
    ada.acknowledge(refusal)
    assert refusal.status == 486
    assert pair.a.new_record().outcome == pair.b.new_record().outcome == "missed"
    pair.b.delete("inbound_route", inbound)


def find_trunk(server: ServerProcess, name: str) -> int:
    return next(int(row["id"]) for row in server.api.get("trunk/list")["data"] if row["name"] == name)
