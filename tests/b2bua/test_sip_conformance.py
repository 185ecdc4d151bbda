"""What ready-made stacks get wrong on the wire, probed at the whole server by phones made of bare sockets."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openivr.server import calls_process, component_settings
from openivr.sip.transaction.tables import Timing
from tests.b2bua.handset import EVENTS, PCMA, PCMU, Handset, Message, Sound, is_right, parse
from tests.b2bua.pbx import in_loop, open_pbx
from tests.b2bua.server_process import ServerProcess, run_server, until
from tests.b2bua.test_outbound import DIALLED, add_route, add_trunk

MENU, ENDS_ON_ANY_KEY = "6200", "6202"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with run_server(tmp_path_factory.mktemp("probes")) as served:
        yield served


def test_invite_sent_again(server: ServerProcess) -> None:
    phone = server.handset("1000")
    sent = phone.invite(MENU)
    first = phone.expect(200)
    phone.write(sent)
    assert phone.expect(200, again=True).raw == first.raw
    phone.confirm(first)
    phone.write(sent)  # the ACK has come; a late copy changes nothing
    phone.hang_up()
    assert server.new_record().called == MENU


def test_bye_sent_again(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.call(MENU)
    bye = phone.ask("BYE")
    first = phone.expect(200, "BYE")
    phone.write(bye)
    assert phone.expect(200, "BYE", again=True).raw == first.raw
    assert server.new_record().reason == "caller_hangup"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/dtmf-relay", "Signal=2\r\nDuration=160\r\n"),
        ("application/dtmf-relay", "Signal= 2\nDuration= 250\n"),
        ("application/dtmf", "2"),
    ],
)
def test_info(server: ServerProcess, kind: str, body: str) -> None:
    phone = server.handset("1000")
    phone.call("6203")
    info = phone.ask("INFO", body=body, kind=kind)
    phone.expect(200, "INFO")
    phone.write(info)
    phone.expect(200, "INFO", again=True)
    phone.hang_up()
    record = server.new_record()
    assert (record.keys, record.input["heard"]) == ("2", {"info": 1})


def test_reinvite_to_hold(server: ServerProcess) -> None:
    phone = server.handset("1000")
    first = phone.call(MENU)
    phone.sound.listen(3)
    answer = reinvite(phone, phone.offer("a=sendonly"))
    assert "a=recvonly" in answer.body
    assert version(answer) == version(first) + 1
    answer = reinvite(phone, phone.offer())
    assert "a=recvonly" not in answer.body
    assert version(answer) == version(first) + 2
    phone.sound.listen(3)
    phone.hang_up()
    server.new_record()


def test_reinvite_from_a_new_address(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.call(MENU)
    phone.sound.listen(3)
    other = Sound("127.0.0.1")
    answer = reinvite(phone, phone.offer(port=other.port))
    other.aim(answer.body, "127.0.0.1")
    other.listen(3)
    other.press("1")
    server.until_key()
    other.close()
    phone.hang_up()
    assert server.new_record().keys == "1"


def test_reinvite_with_a_new_codec(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.call(MENU)
    assert phone.sound.receive()[0] == PCMU
    answer = reinvite(phone, phone.offer(law=PCMA))
    assert re.search(r"m=audio \d+ RTP/AVP 8 101", answer.body)
    while phone.sound.receive()[0] != PCMA:
        pass
    phone.hang_up()
    server.new_record()


def reinvite(phone: Handset, offer: str) -> Message:
    """Offer something else within the call; the answer, acknowledged."""
    phone.ask("INVITE", body=offer)
    answer = phone.expect(200, "INVITE")
    phone.confirm(answer)
    return answer


def version(message: Message) -> int:
    """Of a description (RFC 4566, 5.2)."""
    found = re.search(r"^o=\S+ \d+ (\d+)", message.body, re.M)
    assert found is not None
    return int(found[1])


def test_record_route(server: ServerProcess) -> None:
    phone, proxy = server.handset("1000"), server.stranger()
    routes = f"<sip:127.0.0.1:{proxy.here};lr>, <sip:192.0.2.1;lr>"
    phone.invite(ENDS_ON_ANY_KEY, f"Record-Route: {routes}")
    answer = phone.expect(200)
    assert ", ".join(answer.all("Record-Route")) == routes
    phone.confirm(answer)
    phone.sound.press("5")
    bye = proxy.expect("BYE")
    assert ", ".join(bye.all("Route")) == routes
    assert bye.uri == phone.contact.strip("<>")
    proxy.reply(bye, 200)
    assert server.new_record().reason != "caller_hangup"


def test_telephone_event_on_another_payload_type(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.renew()
    phone.invite("6203", body=phone.offer(events=110))
    answer = phone.until_answered()
    assert re.search(r"m=audio \d+ RTP/AVP 0 110", answer.body)
    assert "a=rtpmap:110 telephone-event/8000" in answer.body
    phone.sound.press("9", EVENTS)  # not what was agreed on
    phone.sound.press("2", 110)
    server.until_key()
    phone.hang_up()
    record = server.new_record()
    assert (record.keys, record.input["heard"]) == ("2", {"rfc4733": 1})


def test_require(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.invite(MENU, "Require: foo, 100rel, bar")
    refusal = phone.expect(420)
    assert ", ".join(refusal.all("Unsupported")) == "foo, bar"
    phone.acknowledge(refusal)
    phone.call(MENU)
    phone.hang_up()
    server.new_record()  # of the second call; the first was none


def test_invite_without_sdp(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.invite(MENU, body="")
    answer = phone.expect(200)
    assert "m=audio" in answer.body
    phone.confirm(answer, phone.offer(law=PCMA))
    assert phone.sound.receive()[0] == PCMA
    phone.sound.press("5")
    server.until_key()
    phone.hang_up()
    assert server.new_record().input["heard"] == {"rfc4733": 1}


VIDEO = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 4000 RTP/AVP 99\r\n"


def test_t5_an_invite_with_nothing_that_can_be_agreed_is_recorded_as_such(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.invite(MENU, body=VIDEO)
    refusal = phone.expect(488)
    assert refusal.get("Warning").startswith("30")
    phone.acknowledge(refusal)
    record = server.new_record()
    assert (record.outcome, record.reason, record.called) == ("refused", "no_media", MENU)


def test_t5_an_answer_in_the_ack_without_audio_ends_the_call_with_its_cause(server: ServerProcess) -> None:
    phone = server.handset("1000")
    phone.invite(MENU, body="")
    phone.confirm(phone.expect(200), VIDEO)
    phone.reply(phone.expect("BYE"), 200)
    assert server.new_record().reason == "no_media"


def test_register(server: ServerProcess) -> None:
    """Digest, two phones and a third that takes the place of the first, expiry, leaving: one and all."""
    server.post("extension/update", id=4, concurrent_registrations=2)
    phone = Handset(server.port, "1003", "wrong")
    assert phone.register().status == 401
    phone.password, phone.challenge = server.passwords["1003"], ""
    first, second, third = (f"<sip:1003@127.0.0.1:{port}>" for port in (40001, 40002, 40003))
    until(lambda: phone.register(contact=f"{first}, {second};expires=90").status == 200)
    granted = expiries(phone.register(contact=first, expires=120))
    assert granted.keys() == {first, second}
    assert 110 < granted[first] <= 120
    assert 80 < granted[second] <= 90
    assert expiries(phone.register(contact=third)).keys() == {first, third}
    short = phone.register(contact=first, expires=10)
    assert (short.status, short.get("Min-Expires")) == (423, "60")
    assert expiries(phone.register(contact=first, expires=0)).keys() == {third}
    assert expiries(phone.register(contact="*", expires=0)) == {}
    assert phone.register(contact="*", expires=300).status == 400
    phone.close()


def expiries(response: Message) -> dict[str, int]:
    """The contacts of a 200 to REGISTER, and how long they last."""
    assert response.status == 200
    found = (re.match(r"(<[^>]+>).*;expires=(\d+)", one) for one in contacts(response))
    return {one[1]: int(one[2]) for one in found if one is not None}


def contacts(response: Message) -> list[str]:
    return [one.strip() for value in response.all("Contact") for one in value.split(",")]


# Calls of ours


def drain(sock: socket.socket) -> Iterator[Message]:
    """What has come to a socket that does not wait."""
    while True:
        try:
            yield parse(sock.recv(65535))
        except BlockingIOError:
            return


def test_our_invite_unanswered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the test's own process, with timers of a twentieth: timer B is 32 seconds elsewhere."""
    settings, timing = component_settings.sip_settings, Timing(t1=0.025, t2=0.2, t4=0.25)
    monkeypatch.setattr(calls_process, "sip_settings", lambda *told: replace(settings(*told), timing=timing))

    @in_loop
    async def run() -> None:
        async with open_pbx(tmp_path) as pbx:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
                dead.bind(("127.0.0.1", 0))
                dead.setblocking(False)
                _, trunk = await add_trunk(pbx, "Dead", port=dead.getsockname()[1])
                add_route(pbx, [trunk])
                ada = await pbx.phone("1000")
                line = ada.call(DIALLED)
                assert (await line.until_over()).status == 480
                await pbx.until_quiet()
                sent = [one.raw for one in drain(dead) if one.method == "INVITE"]
            assert 6 <= len(sent) <= 7  # at 0, 1, 3, 7, 15, 31 times T1; at 63 timer B may have been first
            assert len(set(sent)) == 1
            [record] = pbx.records()
            assert (record.outcome, [leg["result"] for leg in record.legs]) == ("missed", ["unavailable"])

    run()


def test_486_to_our_invite(server: ServerProcess) -> None:
    caller, busy = server.handset("1000"), server.handset("1001")
    caller.invite("1001")
    invite = busy.ring()
    caller.expect(180)
    refusal = busy.reply(invite, 486)
    ack = busy.expect("ACK")
    assert ack.all("Via") == invite.all("Via")
    assert ack.get("To") == parse(refusal).get("To")
    assert ack.get("CSeq") == invite.get("CSeq").replace("INVITE", "ACK")
    busy.write(refusal)  # our ACK was lost
    assert busy.expect("ACK", again=True).raw == ack.raw
    caller.acknowledge(caller.expect(486))
    record = server.new_record()
    assert (record.outcome, record.legs[0]["result"], record.legs[0]["status"]) == ("missed", "busy", 486)


@pytest.fixture
def trunk(server: ServerProcess) -> Iterator[Handset]:
    """A provider who wants passwords, and the way there for numbers that begin with 8."""
    provider = server.stranger()
    body = {"type": "peer", "hostname": "127.0.0.1", "username": "us", "password": "a secret"}
    ident = server.post("trunk/create", name="Provider 2", port=provider.here, **body)
    route = server.post(
        "outbound_route/create",
        name="Eight",
        dial_pattern_list=[{"pattern": "8X.", "strip": 1}],
        trunk_list=[{"type": "trunk", "value": str(ident)}],
        ext_list=[{"type": "extension", "value": "1"}],
    )
    yield provider
    server.delete("outbound_route", route)
    server.delete("trunk", ident)


CHALLENGE = 'WWW-Authenticate: Digest realm="provider", algorithm=MD5, qop="auth", nonce="{}"{}'


def test_401_to_our_invite(server: ServerProcess, trunk: Handset) -> None:
    caller = server.handset("1000")
    caller.invite("8441632960000")
    first = trunk.expect("INVITE")
    trunk.reply(first, 401, CHALLENGE.format("one", ""))
    assert trunk.expect("ACK").all("Via") == first.all("Via")
    second = trunk.expect("INVITE")
    assert is_right(second, "a secret", "one")
    assert second.get("Call-ID") == first.get("Call-ID")
    assert number(second) == number(first) + 1
    trunk.pick_up(second)
    caller.until_answered()
    caller.hang_up()
    trunk.reply(trunk.expect("BYE"), 200)
    record = server.new_record()
    assert [leg["result"] for leg in record.legs] == ["answered"]


def test_nonce_gone_stale(server: ServerProcess, trunk: Handset) -> None:
    caller = server.handset("1000")
    caller.invite("8441632960000")
    for nonce, more in (("one", ""), ("two", ", stale=true"), ("three", ", stale=TRUE")):
        trunk.reply(trunk.expect("INVITE"), 401, CHALLENGE.format(nonce, more))
        trunk.expect("ACK")
    last = trunk.expect("INVITE")
    assert is_right(last, "a secret", "three")
    trunk.reply(last, 401, CHALLENGE.format("four", ""))  # the password is wrong, then
    trunk.expect("ACK")
    caller.acknowledge(caller.final())
    assert server.new_record().legs[0]["status"] == 401


def number(request: Message) -> int:
    return int(request.get("CSeq").split()[0])


def test_200_from_another_contact_with_record_route(server: ServerProcess, trunk: Handset) -> None:
    """Its provider is a proxy, behind which somebody else answers."""
    caller, behind = server.handset("1000"), server.stranger()
    caller.invite("8441632960000")
    far = f"sip:desk@127.0.0.1:{behind.here}"
    routes = f"<sip:192.0.2.1;lr>, <sip:127.0.0.1:{trunk.here};lr>"
    ack = trunk.pick_up(trunk.expect("INVITE"), f"Contact: <{far}>", f"Record-Route: {routes}")
    followed = ", ".join(reversed(routes.split(", ")))
    assert (ack.uri, ", ".join(ack.all("Route"))) == (far, followed)
    caller.until_answered()
    caller.hang_up()
    bye = trunk.expect("BYE")
    assert (bye.uri, ", ".join(bye.all("Route"))) == (far, followed)
    trunk.reply(bye, 200)
    server.new_record()


def test_our_bye_unanswered(server: ServerProcess) -> None:
    caller, called = server.handset("1000"), server.handset("1001")
    caller.invite("1001")
    called.pick_up(called.ring())
    caller.until_answered()
    caller.hang_up()
    bye = called.expect("BYE")
    server.new_record()  # the call is over without an answer
    again = called.expect("BYE", again=True)
    assert again.raw == bye.raw
    called.reply(again, 200)


def test_our_cancel_crosses_a_200(server: ServerProcess) -> None:
    caller, called = server.handset("1000"), server.handset("1001")
    caller.invite("1001")
    invite = called.ring()
    caller.expect(180)
    caller.cancel()
    cancel = called.expect("CANCEL")
    assert cancel.all("Via") == invite.all("Via")
    called.reply(invite, 200, body=called.offer())
    ack = called.expect("ACK")
    assert number(ack) == number(invite)
    bye = called.expect("BYE")
    assert number(bye) > number(invite)
    called.reply(cancel, 481)
    called.reply(bye, 200)
    caller.expect(200, "CANCEL")
    caller.acknowledge(caller.expect(487))
    record = server.new_record()
    assert (record.outcome, [leg["result"] for leg in record.legs]) == ("missed", ["cancelled"])
