"""The parts of the terminal's telephone that need no socket."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.cdr.journal import writer
from openivr.cdr.journal.entries import CallBegan, CallEnded, CallStepped, LegChanged, LegRecord, LegResult
from openivr.cdr.journal.event_codec import TimedEvent, describe
from openivr.cdr.journal.writer import Journal
from openivr.ivr.events import CallArrived, Digit, Event, HungUp
from openivr.ivr.model import Destination, DestinationKind, Ivr, IvrSnapshot, by_id
from openivr.media.audio.g711 import FRAME, Law, encode
from openivr.media.audio.tone import sines
from openivr.media.dtmf.rfc4733 import DIGITS
from openivr.media.rtp.packet import Packet
from openivr.simulate.transcript import TranscriptLine
from openivr.sip.address import Target
from openivr.sip.message.message import PHRASES, Response
from openivr.sip.termination import FailureReason, from_failure, from_response
from openivr.softphone.audio_levels import LOUD_PACKETS, QUIET_PACKETS, LevelDetector
from openivr.softphone.keyboard import Keyboard
from openivr.softphone.reorder_buffer import ReorderBuffer
from openivr.softphone.result import CallResult, classify, describe_status, explain
from openivr.softphone.server_log import ServerLog, find_sip_address
from openivr.softphone.trace import show

SOUND = encode(sines((440,), 0.02, 20), Law.PCMA)
QUIET = bytes(Law.PCMA.silence) * FRAME


class Struck:
    """A keyboard, and what it reported."""

    def __init__(self) -> None:
        self.keys, self.stops = "", 0
        self.lines: list[str] = []
        self.keyboard = Keyboard(self._key, self.lines.append, self._stop)

    def _key(self, key: str) -> None:
        self.keys += key

    def _stop(self) -> None:
        self.stops += 1


def test_digits_are_reported_and_other_characters_are_not() -> None:
    struck = Struck()
    struck.keyboard.strike("1 x#a€D\n".encode())
    assert (struck.keys, struck.stops) == ("1#AD", 0)


@pytest.mark.parametrize("data", [b"q", b"Q", b"h", b"\x04", b""])
def test_somebody_hangs_up(data: bytes) -> None:
    struck = Struck()
    struck.keyboard.strike(data)
    assert struck.stops == 1


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_any_bytes_can_be_struck(pieces: list[bytes]) -> None:
    struck = Struck()
    for piece in pieces:
        struck.keyboard.strike(piece)
    assert set(struck.keys) <= set(DIGITS)


@given(st.lists(st.sampled_from(["1", "w2 3", "ä", ""])), st.lists(st.integers(1, 5)), st.booleans())
def test_lines_come_whole_however_they_are_cut(lines: list[str], cuts: list[int], is_ended: bool) -> None:
    data = "\n".join(lines).encode() + b"\n" * is_ended
    struck, place = Struck(), 0
    for size in itertools.chain(cuts, itertools.repeat(3)):
        struck.keyboard.feed(data[place : place + size])
        place += size
        if place >= len(data) + size:
            break
    assert struck.lines == [line for line in lines if line]


def changes(*runs: tuple[bytes, int]) -> list[str]:
    """What is heard of runs of packets, with the number of the packet."""
    hearing = LevelDetector()
    payloads = [payload for payload, count in runs for _ in range(count)]
    packets = [Packet(8, False, place, 160 * place, 1, payload) for place, payload in enumerate(payloads)]
    heard = [(place, hearing.take(packet, Law.PCMA)) for place, packet in enumerate(packets)]
    return [f"{place} {change}" for place, change in heard if change]


def test_sound_begins_soon_and_pauses_of_speech_are_no_silence() -> None:
    assert changes((QUIET, 100)) == []
    assert changes((QUIET, 5), (SOUND, 9)) == [f"{5 + LOUD_PACKETS - 1} sound"]
    assert changes((SOUND, 9), (QUIET, QUIET_PACKETS - 1), (SOUND, 9)) == ["2 sound"]
    assert changes((SOUND, 9), (QUIET, 200)) == ["2 sound", f"{9 + QUIET_PACKETS - 1} silence"]
    assert changes((SOUND, 2), (QUIET, 9)) == []


def line(at: int, what: str = "") -> TranscriptLine:
    return TranscriptLine(at, what, "")


def test_what_two_tell_comes_in_the_order_of_its_times() -> None:
    telling = ReorderBuffer(delay=100)
    telling.add([line(10, "a"), line(50, "b")])
    assert list(telling.take(109)) == []
    telling.add([line(10, "c"), line(20, "d")])
    assert [one.what for one in telling.take(120)] == ["a", "c", "d"]
    assert [one.what for one in telling.take_all()] == ["b"]
    assert telling.take_all() == []


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, CallResult.BUSY) for status in (486, 600)),
        *((status, CallResult.NO_ANSWER) for status in (408, 480, 487)),
        *((status, CallResult.REFUSED) for status in (401, 403, 404, 488, 603)),
        *((status, CallResult.UNREACHABLE) for status in (500, 503)),
    ],
)
def test_what_a_refusal_means(status: int, verdict: CallResult) -> None:
    ending = from_response(Response(status, PHRASES[status], {}))
    assert classify(ending) is verdict
    assert explain(ending) or status in (500,)
    assert describe_status(status) == f"{status} {PHRASES[status]}"


@pytest.mark.parametrize("why", [FailureReason.TIMEOUT, FailureReason.TRANSPORT, FailureReason.NAME])
def test_a_server_that_says_nothing_is_unreachable(why: FailureReason) -> None:
    assert classify(from_failure(why)) is CallResult.UNREACHABLE
    assert explain(from_failure(why)) == ""


def test_a_trace_shows_messages_without_answers_to_challenges() -> None:
    data = b'INVITE sip:1 SIP/2.0\r\nAuthorization: Digest realm="r", response="0badc0de"\r\n\r\nv=0\r\n'
    shown = show(1.25, True, Target("UDP", "::1", 5060), data)
    assert shown.splitlines() == [
        "--- 1.250 s, to [::1]:5060, UDP",
        "INVITE sip:1 SIP/2.0",
        'Authorization: Digest realm="r", response="..."',
        "",
        "v=0",
    ]


# The server's side of the story

MENU = Ivr(1, "6200", "Main", resp_timeout=10, keys={"1": Destination(DestinationKind.END_CALL)})
SNAPSHOT = IvrSnapshot(ivrs=by_id([MENU]))


def write_call(journal: Journal, call: str, source: str) -> None:
    journal.write(
        CallBegan(
            call=call,
            n=1,
            at=1000,
            revision=1,
            caller=source,
            called="6200",
            source_kind="extension",
            source_id=1,
            source=source,
        )
    )
    events: tuple[tuple[int, Event], ...] = (
        (0, CallArrived(source, Destination(DestinationKind.IVR, 1))),
        (700, Digit("1")),
        (900, HungUp()),
    )
    for number, (at, event) in enumerate(events, 2):
        journal.write(CallStepped(call=call, n=number, at=1000 + at, event=describe(TimedEvent(at, event))))
    leg = LegRecord(
        kind="extension", target=1, number="1001", via="192.0.2.1:5060", began=1000, result=LegResult.BUSY
    )
    journal.write(LegChanged(call=call, n=8, at=1950, leg=0, state=leg))
    journal.write(CallEnded(call=call, n=9, at=2000, outcome="menu", reason="caller_hangup"))


def test_the_next_call_of_an_extension_is_told_from_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write_call(journal, "before", "1000")
    story = ServerLog(tmp_path, "1000", "6200", lambda: SNAPSHOT)
    assert list(story.poll()) == []
    write_call(journal, "other", "1001")
    assert list(story.poll()) == []
    write_call(journal, "ours", "1000")
    write_call(journal, "after", "1000")
    told = [(one.at, one.what, one.text) for one in story.poll()]
    assert told[:2] == [(1000, "calls", "menu 6200 Main"), (1000, "enters", "6200")]
    assert (1700, "gets", "1") in told
    assert told[-3:] == [
        (1700, "ends", "end_call"),
        (1950, "phone", "1001 at 192.0.2.1:5060"),
        (2000, "kept", "openivr calls show ours"),
    ]
    assert (story.call, story.is_finished) == ("ours", True)
    assert list(story.poll()) == []
    journal.close()


def test_the_journal_says_where_the_last_server_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_sip_address(tmp_path) == ""
    for time, sip in enumerate(("127.0.0.1:5060", "[::1]:5070")):
        monkeypatch.setattr(writer, "wall_ms", lambda time=time: time)
        journal = Journal(tmp_path, sip=sip)
        assert find_sip_address(tmp_path) == sip
        journal.close()


def test_files_that_are_tidied_away_in_between_do_no_harm(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    story = ServerLog(tmp_path, "1000", "6200", lambda: SNAPSHOT)
    for path in tmp_path.iterdir():
        path.unlink()
    assert list(story.poll()) == []
