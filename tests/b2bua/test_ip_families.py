"""One server that speaks IPv4 and IPv6 at once: each call in the family of its phone, and calls across."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from openivr.sip.sdp.offer_answer import OfferAnswerSession
from openivr.sip.trunk.trunk_state import TrunkHealth
from openivr.softphone.softphone import open_media
from tests.b2bua.handset import Handset, Message, Sound
from tests.b2bua.pbx import in_loop, open_pbx
from tests.b2bua.server_process import ServerProcess, run_server, until
from tests.b2bua.test_two_servers import DID, add_routes, call_through, is_up, press_on, talk
from tests.sip.front import free_port

IPV4, IPV6 = "127.0.0.1", "::1"
WRITTEN = {IPV4: "127.0.0.1", IPV6: "[::1]"}
BOTH = [(IPV4, IPV6), (IPV6, IPV4)]


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """On every address of both families, and at the same port."""
    port = free_port()
    with run_server(
        tmp_path_factory.mktemp("both"), "--sip", f"0.0.0.0:{port}", "--sip", f"[::]:{port}"
    ) as server:
        yield server


def hang_up(one: Handset, other: Handset) -> None:
    one.hang_up()
    other.reply(other.expect("BYE"), 200)


def check_face(message: Message, host: str, port: int) -> None:
    """Whatever a message says of our address is what this peer can reach."""
    assert f"sip:{WRITTEN[host]}:{port}" in message.get("Contact")
    assert f"c=IN IP{6 if ':' in host else 4} {host}\r\n" in message.body
    assert (IPV4 if host == IPV6 else IPV6) not in message.raw.decode()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize(("from_", "to"), BOTH)
def test_a_menu_reached_by_one_family_dials_a_phone_of_the_other(
    server: ServerProcess, from_: str, to: str, transport: str
) -> None:
    ada = server.handset("1000", host=from_, transport=transport)
    grace = server.handset("1001", host=to, transport=transport)
    check_face(ada.call("6200"), from_, server.port)
    ada.sound.listen(5)
    ada.sound.press("1001")
    invite = grace.ring()
    check_face(invite, to, server.port)
    assert invite.get("Via").startswith(f"SIP/2.0/{transport} {WRITTEN[to]}:{server.port};")
    assert f"@{WRITTEN[to]}" in invite.get("From")
    grace.pick_up(invite)
    talk(ada, grace)
    press_on(ada, grace, "7")
    press_on(grace, ada, "4")
    hang_up(grace, ada)
    record = server.new_record()
    assert (record.outcome, record.legs[0]["via"]) == ("connected", f"{WRITTEN[to]}:{grace.here}")
    assert "1001" in record.keys


@pytest.mark.parametrize(("from_", "to"), BOTH)
def test_phones_of_both_families_call_each_other(server: ServerProcess, from_: str, to: str) -> None:
    ada, grace = server.handset("1000", host=from_), server.handset("1001", host=to)
    ada.invite("1001")
    grace.pick_up(grace.ring())
    ada.until_answered()
    talk(ada, grace)
    press_on(ada, grace, "7")
    hang_up(ada, grace)
    assert server.new_record().outcome == "connected"


@pytest.mark.parametrize(("from_", "to"), BOTH)
def test_sound_may_be_of_the_other_family_than_signalling(server: ServerProcess, from_: str, to: str) -> None:
    """A phone with both that writes the address of the other into its description."""
    ada, grace = server.handset("1000", host=from_), server.handset("1001", host=from_)
    ada.sound.close()
    ada.sound = Sound(to)
    ours, theirs = (f"IP{6 if ':' in host else 4} {host}" for host in (from_, to))
    ada.invite("1001", body=ada.offer().replace(ours, theirs))
    grace.pick_up(grace.ring())
    answer = ada.final()
    assert f"c=IN {theirs}\r\n" in answer.body
    ada.confirm(replace(answer, body=""))
    ada.sound.aim(answer.body, to)
    talk(ada, grace)
    press_on(grace, ada, "7")
    hang_up(grace, ada)
    server.new_record()


def test_a_call_under_way_cannot_move_its_sound_to_the_other_family(server: ServerProcess) -> None:
    ada, grace = server.handset("1000"), server.handset("1001", host=IPV6)
    ada.invite("1001")
    grace.pick_up(grace.ring())
    ada.until_answered()
    ada.ask("INVITE", body=ada.offer().replace("IP4 127.0.0.1", "IP6 ::1"))
    refusal = ada.final()
    assert refusal.status == 488
    ada.write(
        ada.build("ACK", ada.target, refusal.get("To"), cseq=int(refusal.get("CSeq").split()[0]), branch="")
    )
    talk(ada, grace)
    hang_up(ada, grace)
    server.new_record()


def test_one_extension_may_have_phones_of_both_families_and_all_ring(server: ServerProcess) -> None:
    server.post("extension/update", id=2, concurrent_registrations=2)
    server.running.settle()
    ada = server.handset("1000")
    desk, laptop = server.handset("1001"), server.handset("1001", host=IPV6)
    ada.invite("1001")
    desk.ring()
    laptop.pick_up(laptop.ring())
    desk.reply(desk.expect("CANCEL"), 200)
    ada.until_answered()
    talk(ada, laptop)
    hang_up(laptop, ada)
    assert {leg["result"] for leg in server.new_record().legs} == {"answered", "answered_elsewhere"}


def test_trunks_of_ipv6_by_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    """From an IPv4 phone over an IPv6 trunk, and back; addresses however they are written."""
    both = ("--sip", f"{IPV4}:0", "--sip", "[::1]:0")
    with (
        run_server(tmp_path_factory.mktemp("a"), *both) as a,
        run_server(tmp_path_factory.mktemp("b"), "--sip", "[::1]:0") as b,
    ):
        (_, inner), (outer,) = a.running.sip_ports, b.running.sip_ports
        peer = {"type": "peer", "hostname": "0:0:0:0:0:0:0:1", "port": outer}
        there = a.post("trunk/create", name="B", **peer)
        back = b.post("trunk/create", name="A", type="peer", hostname="[::1]", port=inner)
        add_routes(a, [there])
        add_routes(b, [back])
        until(lambda: is_up(a, there) and is_up(b, back), "never up")
        ada, grace = a.handset("1000"), b.handset("1001", host=IPV6)
        call_through(ada, grace, DID, "1001")
        assert (a.new_record().legs[0]["via"], b.new_record().source) == ("B", "A")
        alan = b.handset("1000", host=IPV6)
        call_through(alan, a.handset("1001"), DID, "1001")
        assert (b.new_record().legs[0]["via"], a.new_record().source) == ("A", "B")


@in_loop
async def test_who_cannot_be_reached_is_unavailable_and_the_log_says_why(tmp_path: Path) -> None:
    """A phone that registered while the server had IPv6, and a trunk that needs it."""
    async with open_pbx(tmp_path, hosts=(IPV4, IPV6)) as pbx:
        await pbx.phone("1001", host=IPV6)
        pbx.records()  # the clerk has been there
    with capture_logs() as logs:
        async with open_pbx(tmp_path, is_new=False) as pbx:
            pbx.stop_forwarding(2)
            trunk = pbx.create("trunk", name="Six", type="register", hostname="::1", username="us")
            ada = await pbx.phone("1000")
            line = ada.call("1001")
            assert (await line.until_over()).status == 480
            trunks = pbx.process.trunks
            await line.until(
                lambda: trunk in trunks.states and trunks.states[trunk].health is TrunkHealth.DOWN
            )
    told = {(row["event"], row.get("error") or row.get("reason")) for row in logs}
    assert ("no RTP port for a call", "no address of IPv6 is listened on") in told
    assert ("trunk", "no_local_address") in told


@in_loop
async def test_sound_of_a_family_that_the_server_does_not_have_is_refused(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.open_line()
        line.media.close()
        line.media = open_media(IPV6).open(IPV6)
        line.session = OfferAnswerSession(*line.media.address, 1)
        ada.call("6200", line)
        ending = await line.until_over()
        assert ending.status == 488
        assert ending.response is not None
        assert ending.response.get("warning").startswith("301 ")
        line.media.close()
