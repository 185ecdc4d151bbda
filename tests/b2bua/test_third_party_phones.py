"""baresip, linphone and SIPp at `openivr serve`: keys, sound, transfers, hold, hanging up at every point."""

import io
import subprocess
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from openivr import sounds
from openivr.ivr.builtin_sounds import GREETING
from openivr.ivr.state import IvrState
from tests.b2bua.handset import Handset, decode, encode
from tests.b2bua.server_process import ServerProcess, run_server, until
from tests.b2bua.third_party_phones import Baresip, Samples, baresip, linphone
from tests.sip.phones import find

RATE = 8000
MENU = "6210"
PROVIDER_NUMBER = "441632960123"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with run_server(tmp_path_factory.mktemp("foreign")) as served:
        served.post(
            "ivr/create",
            number=MENU,
            name="Probe",
            prompt="default",
            prompt_repeat=1,
            resp_timeout=10,
            digit_timeout=1,
            dial_ext_option="disable",
            press1_dest="extension",
            press1_dest_value="2",
            press2_dest="ext_vm",
            press2_dest_value="3",
        )
        yield served


@pytest.fixture(scope="module")
def ada(shared_server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baresip]:
    """baresip as extension 1000, with much to say."""
    with dial_tone(shared_server, tmp_path_factory.mktemp("ada"), "1000", speech(1)) as phone:
        yield phone


def dial_tone(
    server: ServerProcess, folder: Path, number: str, sound: Samples, account: str = ""
) -> AbstractContextManager[Baresip]:
    """A baresip that is an extension."""
    address = f"127.0.0.1:{server.port};transport=udp"
    return baresip(folder, address, number, server.passwords[number], sound=sound, account=account)


def call(phone: Baresip, server: ServerProcess, number: str) -> None:
    phone.say("dial", f"sip:{number}@127.0.0.1:{server.port}")


# Sound


def speech(seed: int, seconds: float = 20) -> Samples:
    """Noise in the band of a telephone, unlike any other; louder and softer as words are."""
    noise = np.random.default_rng(seed).normal(0, 1, int(RATE * seconds))
    shaped = np.convolve(noise, np.hanning(9), "same")
    return np.asarray(shaped / np.abs(shaped).max() * 16_000)


def greeting() -> Samples:
    with wave.open(io.BytesIO(sounds.read(GREETING))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def likeness(said: Samples, heard: Samples) -> float:
    """How much of what was said was heard just so: the share of its quarters of a second, where it was loud,
    that are somewhere in what was heard with a correlation above 0.95. PCMU alone costs less than 0.01.
    """
    pieces = [said[at : at + RATE // 4] for at in range(0, len(said) - RATE // 4, RATE // 4)]
    loud = [piece for piece in pieces if piece.std() > 500]
    assert loud
    return sum(correlate(piece, heard) > 0.95 for piece in loud) / len(loud)


def correlate(piece: Samples, heard: Samples) -> float:
    """The highest normalised cross-correlation of a piece with a part of what was heard."""
    size = 2 ** int(np.ceil(np.log2(len(heard) + len(piece))))
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    places = len(heard) - len(piece) + 1
    energy = np.convolve(heard**2, np.ones(len(piece)), "valid") if places > 0 else np.zeros(1)
    return float((product[: len(energy)] / np.sqrt((piece**2).sum() * np.maximum(energy, 1))).max())


def test_what_the_measure_of_sound_says() -> None:
    said = speech(3, 2)
    assert likeness(said, np.concatenate([np.zeros(777), said, speech(4, 1)])) == 1
    assert likeness(said, speech(4, 3)) == 0
    assert likeness(said, np.concatenate([said[:8000], speech(4, 1)])) == pytest.approx(0.5, abs=0.1)


def test_baresip_hears_the_greeting_and_presses_a_key(server: ServerProcess, ada: Baresip) -> None:
    call(ada, server, "6200")
    ada.expect("CALL_ESTABLISHED")
    server.until_stage(IvrState.WAITING)
    ada.say("sndcode", "3")
    server.until_key()
    ada.say("hangup")
    ada.expect("CALL_CLOSED")
    record = server.new_record()
    assert (record.keys, record.path, record.outcome) == ("3", "6200 6202", "menu")
    assert record.input == {"negotiated": ["rfc4733"], "heard": {"rfc4733": 1}}
    assert likeness(greeting(), ada.heard()) > 0.8


def test_two_phones_hear_each_other(server: ServerProcess, ada: Baresip, tmp_path: Path) -> None:
    with dial_tone(server, tmp_path, "1001", speech(2), ";answermode=auto") as grace:
        call(ada, server, "1001")
        grace.expect("CALL_ESTABLISHED")
        ada.expect("CALL_ESTABLISHED")
        server.until_stage(IvrState.CONNECTED)
        until(lambda: min(ada.hears(), grace.hears()) > 2)
        ada.say("hangup")
        grace.expect("CALL_CLOSED")
        assert server.new_record().outcome == "connected"
        assert likeness(speech(1)[:RATE], grace.heard()) > 0.7
        assert likeness(speech(2)[:RATE], ada.heard()) > 0.7


# Keys


@pytest.mark.parametrize(
    ("settings", "heard", "number"),  # a number for each: the one before has not signed off
    [
        ("use_rfc2833=1\nuse_info=0", {"rfc4733": 1}, "1003"),
        ("use_rfc2833=0\nuse_info=1", {"info": 1}, "1002"),
    ],
)
def test_linphone_hears_the_greeting_and_presses_a_key(
    server: ServerProcess, tmp_path: Path, settings: str, heard: dict[str, int], number: str
) -> None:
    with linphone(tmp_path, settings) as phone:
        phone.say(f"register sip:{number}@127.0.0.1 sip:127.0.0.1:{server.port} {server.passwords[number]}")
        server.until_registered(number)
        phone.say(f"call sip:6200@127.0.0.1:{server.port}")
        server.until_stage(IvrState.ANNOUNCING)
        phone.say("3")
        server.until_key()
        phone.say("terminate")
        record = server.new_record()
        assert (record.path, record.input["heard"]) == ("6200 6202", heard)


def tone(key: str, seconds: float) -> Samples:
    """A key as its two tones (ITU-T Q.23)."""
    row, column = divmod("123A456B789C*0#D".index(key), 4)
    at = np.arange(int(RATE * seconds)) * 2 * np.pi / RATE
    low, high = (697, 770, 852, 941)[row], (1209, 1336, 1477, 1633)[column]
    return np.asarray(6000 * (np.sin(low * at) + np.sin(high * at)))


IN_BAND = """<?xml version="1.0"?><scenario name="tones">
<send retrans="500"><![CDATA[
INVITE sip:{number}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:0207946000@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:0207946000@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<nop><action><exec rtp_stream="{sound},1,0,PCMU/8000"/></action></nop>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>"""


def test_sipp_presses_keys_as_tones(server: ServerProcess, tmp_path: Path) -> None:
    """Over a trunk; the key `3` is wrong in this menu, and ends the call."""
    trunk = server.post(
        "trunk/create", name="SIPp", type="peer", hostname="127.0.0.1", port=1, transport="tcp"
    )
    route = server.post(
        "inbound_route/create",
        name="SIPp",
        trunk_list=[{"type": "trunk", "value": str(trunk)}],
        def_dest="ivr",
        def_dest_value=str(server.ivr(MENU)),
    )
    server.running.settle()
    pause = np.zeros(RATE)
    sound = tmp_path / "tones.ul"
    sound.write_bytes(encode(np.concatenate([pause, tone("3", 0.1), pause])))
    scenario = tmp_path / "scenario.xml"
    scenario.write_text(IN_BAND.format(number=PROVIDER_NUMBER, sound=sound))
    where = [f"127.0.0.1:{server.port}", "-i", "127.0.0.1", "-t", "t1"]
    how = ["-sf", str(scenario), "-m", "1", "-nostdin", "-timeout", "20", "-timeout_error"]
    run = subprocess.run(
        [find("sipp"), *where, *how], cwd=tmp_path, capture_output=True, timeout=30, check=False
    )
    assert run.returncode == 0, run.stderr
    record = server.new_record()
    assert (record.keys, record.reason) == ("3", "invalid_key")
    assert record.input == {"negotiated": ["inband"], "heard": {"inband": 1}}
    server.delete("inbound_route", route)
    server.delete("trunk", trunk)


# Transfers and hold


def test_baresip_sends_its_caller_on(server: ServerProcess, ada: Baresip, tmp_path: Path) -> None:
    """Ada calls a menu, is put through to Grace, and Grace sends her on to Alan."""
    alan = server.handset("1002")
    with dial_tone(server, tmp_path, "1001", speech(2), ";answermode=auto") as grace:
        call(ada, server, MENU)
        ada.expect("CALL_ESTABLISHED")
        ada.say("sndcode", "1")
        grace.expect("CALL_ESTABLISHED")
        server.until_stage(IvrState.CONNECTED)
        grace.say("transfer", f"sip:1002@127.0.0.1:{server.port}")
        alan.pick_up(alan.ring())
        grace.expect("CALL_CLOSED")
        alan.sound.send(b"\xff" * 160)
        assert likeness(speech(1), decode(alan.sound.listen(50))) > 0
        alan.hang_up()
        ada.expect("CALL_CLOSED")
    first, second = server.new_records(2)
    assert (first.outcome, first.reason, first.path) == ("connected", "transferred", MENU)
    assert (second.called, second.outcome, second.reason) == ("1002", "connected", "callee_hangup")


def test_baresip_holds_and_resumes(server: ServerProcess, ada: Baresip) -> None:
    grace = server.handset("1001")
    call(ada, server, "1001")
    grace.pick_up(grace.ring())
    ada.expect("CALL_ESTABLISHED")
    grace.sound.listen(10)
    ada.say("hold")
    assert ada.expect("CALL_REMOTE_SDP")["param"] == "answer"
    grace.sound.quieten()
    ada.say("resume")
    assert ada.expect("CALL_REMOTE_SDP")["param"] == "answer"
    grace.sound.listen(10)
    grace.hang_up()
    ada.expect("CALL_CLOSED")
    assert server.new_record().outcome == "connected"


def test_baresip_is_held_muted_and_recorded_by_a_program(server: ServerProcess, ada: Baresip) -> None:
    """baresip receives the hold sound while Grace holds, and Grace silence while baresip is muted."""
    grace = server.handset("1001")
    call(ada, server, "1001")
    grace.pick_up(grace.ring())
    ada.expect("CALL_ESTABLISHED")
    grace.sound.listen(10)
    (live,) = server.api.get("call/query", extension="1001")["data"]
    caller, callee = (member["extension"]["channel_id"] for member in live["members"])

    def act(action: str, channel: str) -> None:
        answer = server.api.post(f"call/{action}", {"channel_id": channel})
        assert answer == {"errcode": 0, "errmsg": "SUCCESS", "call_id": live["call_id"]}

    act("record_start", callee)
    grace.sound.listen(50)
    act("hold", callee)
    assert server.api.post("call/hold", {"channel_id": callee})["errcode"] == 70132
    grace.sound.listen(230)  # more than a period of the hold sound
    act("unhold", callee)
    act("mute", caller)
    silent = 0
    for _ in range(500):
        silent = silent + 1 if grace.sound.listen(1) == b"\xff" * 160 else 0
        if silent == 20:
            break
    assert silent == 20
    act("unmute", caller)
    act("record_pause", caller)
    alan = server.handset("1002")
    listen = {"monitor": "1002", "channel_id": callee}
    assert server.api.post("call/listen", listen)["errcode"] == 40002
    assert server.api.post("call/listen", listen | {"type": "spy"})["errcode"] == 40002
    assert server.api.post("call/listen", listen | {"type": "listen"})["errcode"] == 0
    alan.pick_up(alan.ring())
    alan.sound.send(b"\xff" * 160)
    assert likeness(speech(1), decode(alan.sound.listen(50))) > 0
    assert server.api.post("call/listen", listen | {"type": "barge"})["errcode"] == 70132
    grace.hang_up()
    ada.expect("CALL_CLOSED")
    alan.reply(alan.expect("BYE"), 200)
    assert correlate(sine(523, 0.3), ada.heard()) > 0.9
    assert [bool(record.recording) for record in server.new_records(2)] == [True, False]
    (row,) = server.api.get("recording/list")["data"]
    assert row["duration"] >= 5


def test_a_program_dials_for_baresip_transfers_it_and_hangs_it_up(
    server: ServerProcess, ada: Baresip
) -> None:
    """baresip rings first, then Grace; then baresip goes on to Alan."""
    grace, alan = server.handset("1001"), server.handset("1002")
    placed = server.api.post("call/dial", {"caller": "1000", "callee": "1001"})
    assert placed["errcode"] == 0
    ada.expect("CALL_INCOMING")
    ada.say("accept")
    ada.expect("CALL_ESTABLISHED")
    grace.pick_up(grace.ring())
    grace.sound.listen(10)
    (live,) = server.api.get("call/query", call_id=placed["call_id"])["data"]
    own = live["members"][0]["extension"]["channel_id"]
    body = {"type": "blind", "channel_id": own, "number": "1002"}
    moved = server.api.post("call/transfer", body)
    grace.reply(grace.expect("BYE"), 200)
    alan.pick_up(alan.ring())
    alan.sound.listen(10)
    (live,) = server.api.get("call/query", call_id=moved["call_id"])["data"]
    own = live["members"][0]["extension"]["channel_id"]
    assert server.api.post("call/hangup", {"channel_id": own})["errcode"] == 0
    ada.expect("CALL_CLOSED")
    alan.reply(alan.expect("BYE"), 200)
    assert [record.outcome for record in server.new_records(2)] == ["connected", "connected"]


def sine(frequency: float, seconds: float) -> Samples:
    return np.asarray(6000 * np.sin(2 * np.pi * frequency * np.arange(int(RATE * seconds)) / RATE))


# Hanging up, at every point of a call


def ring(phone: Baresip, _house: ServerProcess, grace: Handset) -> None:
    """Nobody has answered yet: this is a CANCEL."""
    grace.ring()


def announce(phone: Baresip, server: ServerProcess, _grace: Handset) -> None:
    server.until_stage(IvrState.ANNOUNCING)


def await_key(_phone: Baresip, server: ServerProcess, _grace: Handset) -> None:
    server.until_stage(IvrState.WAITING)


def ring_from_menu(phone: Baresip, server: ServerProcess, grace: Handset) -> None:
    phone.expect("CALL_ESTABLISHED")
    phone.say("sndcode", "1")
    grace.ring()
    server.until_stage(IvrState.DIALLING)


def talk(phone: Baresip, server: ServerProcess, grace: Handset) -> None:
    phone.expect("CALL_ESTABLISHED")
    phone.say("sndcode", "1")
    grace.pick_up(grace.ring())
    server.until_stage(IvrState.CONNECTED)


def hear_the_mailbox(phone: Baresip, server: ServerProcess, _grace: Handset) -> None:
    phone.expect("CALL_ESTABLISHED")
    phone.say("sndcode", "2")
    server.until_stage(IvrState.INVITING)


def leave_a_message(phone: Baresip, server: ServerProcess, _grace: Handset) -> None:
    hear_the_mailbox(phone, server, _grace)
    phone.say("sndcode", "#")
    server.until_stage(IvrState.RECORDING)
    until(lambda: bool(list((server.running.data / "journal").glob("vm-*.wav"))))


Point = Callable[[Baresip, ServerProcess, Handset], None]


@pytest.mark.parametrize(
    ("number", "point", "expected"),
    [
        ("1001", ring, ("missed", ["cancelled"])),
        (MENU, announce, ("menu", [])),
        (MENU, await_key, ("menu", [])),
        (MENU, ring_from_menu, ("menu", ["cancelled"])),
        (MENU, talk, ("connected", ["answered"])),
        (MENU, hear_the_mailbox, ("menu", [])),
        (MENU, leave_a_message, ("message", [])),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_hanging_up_leaves_one_record(
    server: ServerProcess, ada: Baresip, number: str, point: Point, expected: tuple[str, list[str]]
) -> None:
    outcome, legs = expected
    grace = server.handset("1001")
    call(ada, server, number)
    point(ada, server, grace)
    ada.say("hangup")
    record = server.new_record()
    assert (record.outcome, record.reason) == (outcome, "caller_hangup")
    assert [leg["result"] for leg in record.legs] == legs
    assert not server.live()
    if legs == ["cancelled"]:
        assert grace.expect("CANCEL").method == "CANCEL"
    elif legs:
        grace.reply(grace.expect("BYE"), 200)
