"""Offer and answer (RFC 3264), by examples and by what must hold for any description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.sdp import description as sdp
from openivr.sip.sdp.description import Direction, MediaDescription, SessionDescription
from openivr.sip.sdp.offer_answer import (
    EVENT_PAYLOAD,
    MediaParameters,
    OfferAnswerSession,
    SdpAnswer,
    Warn,
    choose_address,
    explain_rejection,
    find_host,
)

HERE, THERE = "192.0.2.1", "198.51.100.7"


def ours(host: str = HERE, number: int = 77) -> OfferAnswerSession:
    return OfferAnswerSession(host, 40000, number)


def body(*media: str, host: str = THERE, version: int = 1) -> bytes:
    family = "IP6" if ":" in host else "IP4"
    lines = ["v=0", f"o=x 5 {version} IN {family} {host}", "s=call", f"c=IN {family} {host}", "t=0 0", *media]
    return "\r\n".join([*lines, ""]).encode()


AUDIO = ("m=audio 5004 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16")


def answered(
    offer: bytes, session: OfferAnswerSession | None = None, direction: Direction = Direction.SENDRECV
) -> SdpAnswer:
    answer = (session or ours()).answer(offer, direction)
    assert answer
    return answer


def read(written: bytes) -> SessionDescription:
    description = sdp.parse(written)
    assert description
    return description


def test_the_answer_to_a_plain_phone() -> None:
    answer = answered(body(*AUDIO))
    assert answer.body.decode().split("\r\n") == [
        "v=0",
        "o=- 77 77 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 40000 RTP/AVP 0 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]
    assert answer.agreed == MediaParameters(THERE, 5004, "PCMU", 101, 101, sends=True, receives=True)


@pytest.mark.parametrize(
    ("media", "formats", "law", "event"),
    [
        (["m=audio 4 RTP/AVP 8 0"], "8", "PCMA", None),
        (
            ["m=audio 4 RTP/AVP 96 8 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/8000"],
            "8 97",
            "PCMA",
            97,
        ),
        (["m=audio 4 RTP/AVP 0 96", "a=rtpmap:96 TELEPHONE-event/8000/1"], "0 96", "PCMU", 96),
        (
            [
                "m=audio 4 RTP/AVP 9 0 96 97",
                "a=rtpmap:96 telephone-event/16000",
                "a=rtpmap:97 telephone-event/8000",
            ],
            "0 97",
            "PCMU",
            97,
        ),
        (["m=audio 4 RTP/AVP 0 101"], "0", "PCMU", None),
        (["m=audio 4 RTP/AVP 0 8", "a=rtpmap:0 speex/8000"], "8", "PCMA", None),
        (["m=audio 4 RTP/AVP 0 0 8 8"], "0", "PCMU", None),
    ],
)
def test_the_first_codec_that_we_know_and_the_events_as_offered(
    media: list[str], formats: str, law: str, event: int | None
) -> None:
    answer = answered(body(*media))
    assert " ".join(read(answer.body).media[0].formats) == formats
    assert (answer.agreed.law, answer.agreed.events_in, answer.agreed.events_out) == (law, event, event)


def test_a_side_without_events_neither_offers_nor_takes_them() -> None:
    session = OfferAnswerSession(HERE, 40000, 77, has_events=False)
    assert b"telephone-event" not in session.offer()
    answer = session.answer(body(*AUDIO))
    assert answer is not None
    assert read(answer.body).media[0].formats == ("0",)
    assert (answer.agreed.events_in, answer.agreed.events_out) == (None, None)


@pytest.mark.parametrize(
    "media",
    [
        [],
        ["m=audio 0 RTP/AVP 0"],
        ["m=audio 5004 RTP/AVP 96", "a=rtpmap:96 opus/48000/2"],
        ["m=audio 5004 RTP/SAVP 0"],
        ["m=video 5004 RTP/AVP 0"],
        ["m=audio 5004 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"],
        ["m=audio 5004 RTP/AVP 0", "c=IN IP4 224.0.0.1/127"],
        ["m=audio 5004 RTP/AVP 0", "c=IN IP4 255.255.255.255"],
        ["m=audio 70000 RTP/AVP 0"],
        ["m=audio RTP/AVP 0"],
        ["m=audio 5004 RTP/AVP"],
        ["m=audio 5004"],
        ["m="],
    ],
)
def test_offers_with_nothing_for_us_are_refused(media: list[str]) -> None:
    assert ours().answer(body(*media)) is None


def test_other_media_are_refused_in_their_place() -> None:
    offer = body(
        "m=video 6000 RTP/AVP 96",
        "a=rtpmap:96 VP8/90000",
        *AUDIO,
        "m=audio 7000 RTP/AVP 8",
        "m=image 9 udptl t38",
    )
    lines = [line for line in answered(offer).body.decode().split("\r\n") if line.startswith("m=")]
    assert lines == [
        "m=video 0 RTP/AVP 96",
        "m=audio 40000 RTP/AVP 0 101",
        "m=audio 0 RTP/AVP 8",
        "m=image 0 udptl t38",
    ]


@pytest.mark.parametrize(
    ("attribute", "host", "direction", "sends", "receives"),
    [
        ("a=sendrecv", THERE, Direction.SENDRECV, True, True),
        ("a=sendonly", THERE, Direction.RECVONLY, True, False),
        ("a=recvonly", THERE, Direction.SENDONLY, False, True),
        ("a=inactive", THERE, Direction.INACTIVE, False, False),
        ("a=sendrecv", "0.0.0.0", Direction.RECVONLY, True, False),
        ("a=sendrecv", "::", Direction.RECVONLY, True, False),
    ],
)
def test_hold(attribute: str, host: str, direction: Direction, sends: bool, receives: bool) -> None:
    answer = answered(body(*AUDIO, attribute, host=host))
    assert read(answer.body).media[0].direction is direction
    assert (answer.agreed.sends, answer.agreed.receives) == (sends, receives)
    at_session_level = answered(body(attribute, *AUDIO, host=host))
    assert at_session_level.agreed == answer.agreed


def test_we_hold() -> None:
    answer = answered(body(*AUDIO), direction=Direction.SENDONLY)
    assert read(answer.body).media[0].direction is Direction.SENDONLY
    assert (answer.agreed.sends, answer.agreed.receives) == (False, True)


def test_versions_grow_only_when_something_changes() -> None:
    session = ours()
    first = answered(body(*AUDIO), session)
    again = answered(body(*AUDIO, version=2), session)
    held = answered(body(*AUDIO, "a=sendonly", version=3), session)
    back = answered(body(*AUDIO, version=4), session)
    assert first.body == again.body
    assert [read(each.body).version for each in (first, again, held, back)] == [77, 77, 78, 79]
    assert {read(each.body).session for each in (first, held, back)} == {77}


def test_rtcp_where_the_offer_wants_it() -> None:
    assert answered(body(*AUDIO, "a=rtcp:6001")).agreed.rtcp == (THERE, 6001)
    assert answered(body(*AUDIO, "a=rtcp:6001 IN IP4 203.0.113.3")).agreed.rtcp == ("203.0.113.3", 6001)
    assert answered(body(*AUDIO, "a=rtcp:99999")).agreed.rtcp is None
    with_mux = answered(body(*AUDIO, "a=rtcp-mux"))
    assert with_mux.agreed.mux
    assert read(with_mux.body).media[0].has("rtcp-mux")
    assert not answered(body(*AUDIO)).agreed.mux


def test_ipv6() -> None:
    answer = answered(body(*AUDIO, host="2001:db8::7"), ours("2001:db8::1"))
    assert b"o=- 77 77 IN IP6 2001:db8::1" in answer.body
    assert b"c=IN IP6 2001:db8::1" in answer.body
    assert answer.agreed.host == "2001:db8::7"


@pytest.mark.parametrize(("here", "there"), [(HERE, "2001:db8::7"), ("2001:db8::1", THERE)])
def test_a_stream_of_the_other_family_is_none_for_us(here: str, there: str) -> None:
    assert ours(here).answer(body(*AUDIO, host=there)) is None
    session = ours(here)
    session.offer()
    assert session.accept(body(*AUDIO, host=there)) is None
    hold = answered(body(*AUDIO, host="::" if ":" in there else "0.0.0.0"), ours(here))
    assert not hold.agreed.receives


def test_of_two_families_offered_ours_is_taken() -> None:
    both = body(*AUDIO, "c=IN IP6 2001:db8::7", *AUDIO, host=THERE)
    answer = answered(both)
    assert answer.agreed.host == THERE
    assert [media.port for media in read(answer.body).media] == [0, 40000]


@pytest.mark.parametrize(
    ("offer", "source", "host"),
    [
        (b"", "2001:db8::7", "2001:db8::7"),
        (body(*AUDIO), "203.0.113.5", "203.0.113.5"),  # it may be behind NAT
        (body(*AUDIO), "2001:db8::7", THERE),
        (body(*AUDIO, host="2001:db8::7"), THERE, "2001:db8::7"),
        (body(*AUDIO, "c=IN IP6 2001:db8::7", *AUDIO), "2001:db8::5", "2001:db8::5"),
        (body(*AUDIO, "c=IN IP6 2001:db8::7", *AUDIO), "203.0.113.5", "203.0.113.5"),
        (body(*AUDIO, "c=IN IP4 203.0.113.3", host="2001:db8::7"), "203.0.113.5", "203.0.113.5"),
        (body(*AUDIO, host="0.0.0.0"), "2001:db8::7", "2001:db8::7"),
        (body("m=video 4 RTP/AVP 31"), "2001:db8::7", "2001:db8::7"),
        (b"IN IP4 nonsense", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_where_the_sound_of_a_call_is_exchanged_with(offer: bytes, source: str, host: str) -> None:
    assert find_host(offer, source) == host


def test_the_medias_own_connection_wins() -> None:
    assert answered(body(*AUDIO, "c=IN IP4 203.0.113.3")).agreed.host == "203.0.113.3"


def test_our_offer_and_its_answer() -> None:
    session = ours()
    offer = read(session.offer())
    assert offer.media[0].formats == ("0", "8", str(EVENT_PAYLOAD))
    agreed = session.accept(body("m=audio 5004 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"))
    expected = MediaParameters(THERE, 5004, "PCMA", 96, EVENT_PAYLOAD, sends=True, receives=True)
    assert agreed == expected._replace(audio_out=8, audio_in=8)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        body(),
        body("m=audio 0 RTP/AVP 0"),
        body("m=audio 5004 RTP/AVP 18"),
        body("m=audio 5004 RTP/SAVP 0"),
        body("m=video 5004 RTP/AVP 0"),
        body("m=video 5004 RTP/AVP 96", "m=audio 0 RTP/AVP 0"),
    ],
)
def test_answers_that_do_not_answer(answer: bytes) -> None:
    session = ours()
    session.offer()
    assert session.accept(answer) is None


def test_an_answer_without_an_offer() -> None:
    assert ours().accept(body(*AUDIO)) is None


def test_only_offered_codecs_are_taken_from_an_answer() -> None:
    session = OfferAnswerSession(HERE, 40000, 77, ("PCMA",))
    assert read(session.offer()).media[0].formats == ("8", "101")
    agreed = session.accept(body("m=audio 5004 RTP/AVP 0 8"))
    assert agreed
    assert agreed.law == "PCMA"
    assert agreed.events_out is agreed.events_in is None


def test_our_next_offer_keeps_the_places_of_all_media() -> None:
    session = ours()
    answered(body("m=video 6000 RTP/AVP 96", *AUDIO), session)
    again = read(session.offer(Direction.SENDONLY))
    assert [(media.kind, media.port) for media in again.media] == [("video", 0), ("audio", 40000)]
    assert again.version == 78
    assert session.accept(body("m=video 0 RTP/AVP 96", *AUDIO, "a=recvonly"))


NAMES = st.sampled_from(
    ["PCMU/8000", "PCMA/8000", "opus/48000/2", "telephone-event/8000", "speex/16000", "x"]
)
ATTRIBUTES = st.one_of(
    st.builds(lambda payload, name: f"a=rtpmap:{payload} {name}", st.integers(0, 127), NAMES),
    st.sampled_from(["a=sendonly", "a=recvonly", "a=inactive", "a=rtcp-mux", "a=rtcp:9", "c=IN IP4 0.0.0.0"]),
    st.sampled_from(["a=", "b=AS:64", "a=rtpmap:", "c=IN IP4", "a=ptime:30"]),
)
MEDIA = st.builds(
    lambda kind, port, protocol, formats, attributes: [
        f"m={kind} {port} {protocol} {' '.join(map(str, formats))}",
        *attributes,
    ],
    st.sampled_from(["audio", "audio", "video"]),
    st.sampled_from([5004, 65535, 0]),
    st.sampled_from(["RTP/AVP", "RTP/AVP", "RTP/SAVP"]),
    st.lists(st.sampled_from([0, 8, 18, 96, 101]) | st.integers(0, 127), min_size=1, max_size=6),
    st.lists(ATTRIBUTES, max_size=6),
)


@given(st.lists(MEDIA, max_size=4), st.sampled_from(Direction))
def test_an_answer_is_a_valid_part_of_its_offer(media: list[list[str]], direction: Direction) -> None:
    offer = body(*[line for lines in media for line in lines])
    asked, answer = read(offer), ours().answer(offer, direction)
    if answer is None:
        return
    given_back = read(answer.body)
    assert len(given_back.media) == len(asked.media)
    for mine, theirs in zip(given_back.media, asked.media, strict=True):
        assert (mine.kind, mine.protocol) == (theirs.kind, theirs.protocol)
        assert set(mine.formats) <= set(theirs.formats)
        assert mine.port == 0 or theirs.port != 0
        if mine.port:
            assert set(mine.codecs) <= set(theirs.codecs)
            assert not mine.direction.sends or (theirs.direction.receives and direction.sends)
            assert not mine.direction.receives or (theirs.direction.sends and direction.receives)
    assert sum(mine.port != 0 for mine in given_back.media) == 1


@given(st.sampled_from(["PCMU", "PCMA"]), st.sampled_from(Direction), st.sampled_from(Direction))
def test_two_of_us_agree(law: str, wanted: Direction, allowed: Direction) -> None:
    caller, callee = OfferAnswerSession(HERE, 40000, 1, (law,)), OfferAnswerSession(THERE, 50000, 2)
    answer = callee.answer(caller.offer(wanted), allowed)
    assert answer
    agreed = caller.accept(answer.body)
    assert agreed
    assert (agreed.host, agreed.port, agreed.law) == (THERE, 50000, law)
    assert (answer.agreed.host, answer.agreed.port, answer.agreed.law) == (HERE, 40000, law)
    assert (agreed.sends, agreed.receives) == (answer.agreed.receives, answer.agreed.sends)
    assert (agreed.events_in, agreed.events_out) == (answer.agreed.events_out, answer.agreed.events_in)


def look_at_all(description: SessionDescription) -> None:
    for media in description.media:
        media.rtcp()


@given(st.binary())
def test_any_bytes_are_read(data: bytes) -> None:
    for each in (data, body() + data, body(*AUDIO) + data):
        if description := sdp.parse(each):
            look_at_all(description)
        ours().answer(each)
        find_host(each, "2001:db8::1")
        session = ours()
        session.offer()
        session.accept(each)


LINES = st.sampled_from(["m=audio ", "a=rtpmap:", "c=IN IP4 ", "o=", "a=rtcp:", "m=", "v=", "a=fmtp:", ""])


@given(st.lists(st.builds(lambda start, rest: start + rest, LINES, st.text(max_size=30)), max_size=8))
def test_any_lines_are_read(lines: list[str]) -> None:
    if description := sdp.parse(body(*lines)):
        look_at_all(description)
    ours().answer(body(*AUDIO, *lines))


@given(st.lists(MEDIA, max_size=4))
def test_what_is_written_reads_back(media: list[list[str]]) -> None:
    description = read(body(*[line for lines in media for line in lines]))
    again = read(description.write())
    assert again.write() == description.write()
    assert [(one.kind, one.port, one.formats) for one in again.media] == [
        (one.kind, one.port, one.formats) for one in description.media
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"v=1\r\no=- 1 1 IN IP4 1.1.1.1\r\n",
        b"s=-\r\nt=0 0\r\n",
        body(*["m=audio 1 RTP/AVP 0"] * 40),
    ],
)
def test_what_is_no_description(data: bytes) -> None:
    assert sdp.parse(data) is None


def test_bare_line_feeds_are_read() -> None:
    assert sdp.parse(body(*AUDIO).replace(b"\r\n", b"\n")) == sdp.parse(body(*AUDIO))


def test_refusing_keeps_what_was_offered() -> None:
    assert sdp.refuse(MediaDescription("video", 6, "RTP/AVP", ("96",), THERE)) == MediaDescription(
        "video", 0, "RTP/AVP", ("96",)
    )


@pytest.mark.parametrize(
    "answer",
    [
        body(*AUDIO, "m=video 0 RTP/AVP 96"),
        body(*AUDIO, "m=video 5006 RTP/AVP 96", "m=audio 5008 RTP/AVP 8"),
        body("m=video 0 RTP/AVP 96", *AUDIO),
        body("m=audio 0 RTP/AVP 18", *AUDIO),
    ],
)
def test_t6_in_an_answer_with_more_m_lines_the_audio_counts(answer: bytes) -> None:
    session = ours()
    session.offer()
    agreed = session.accept(answer)
    assert agreed
    assert (agreed.host, agreed.port, agreed.law, agreed.events_out) == (THERE, 5004, "PCMU", 101)


def test_t6_in_an_answer_with_fewer_m_lines_the_audio_counts() -> None:
    session = ours()
    answered(body("m=video 6000 RTP/AVP 96", *AUDIO), session)
    session.offer()
    agreed = session.accept(body(*AUDIO))
    assert agreed
    assert agreed.port == 5004


PLAIN = (
    b"v=0",
    b"o=x 5 1 IN IP4 198.51.100.7",
    b"s=c",
    b"c=IN IP4 198.51.100.7",
    b"t=0 0",
    b"m=audio 5004 RTP/AVP 0",
)


def changed(letter: bytes, *lines: bytes, end: bytes = b"\r\n") -> bytes:
    """A plain offer with other lines in the place of the one with this letter."""
    return b"".join(
        line + end for each in PLAIN for line in (lines if each.startswith(letter + b"=") else [each])
    )


T7 = {
    "blank in the user of o=": changed(b"o", b"o=John Doe 5 1 IN IP4 198.51.100.7"),
    "Latin-1 in s=": changed(b"s", "s=Gespräch".encode("latin-1")),
    "Latin-1 in an attribute": changed(b"t", b"t=0 0", "a=tool:Müller".encode("latin-1")),
    "no o=": changed(b"o"),
    "o= without numbers": changed(b"o", b"o=- IN IP4 198.51.100.7"),
    "no s=": changed(b"s"),
    "no t=": changed(b"t"),
    "no v=": changed(b"v"),
    "blank after v=0": changed(b"v", b"v=0 "),
    "a byte order mark": b"\xef\xbb\xbf" + changed(b"x"),
    "empty lines": changed(b"s", b"", b"s=c", b"", b" "),
    "text without =": changed(b"s", b"s=c", b"hello", b"A=1", b"=", b"a"),
    "blanks before lines": changed(b"c", b" c=IN IP4 198.51.100.7"),
    "blanks around =": changed(b"c", b"c = IN IP4 198.51.100.7"),
    "two blanks in m=": changed(b"m", b"m=audio  5004  RTP/AVP  0"),
    "tabs in m=": changed(b"m", b"m=audio\t5004\tRTP/AVP\t0\t"),
    "two blanks in c=": changed(b"c", b"c=IN  IP4  198.51.100.7"),
    "two blanks in o=": changed(b"o", b"o=x  5  1  IN  IP4  198.51.100.7"),
    "a TTL in c=": changed(b"c", b"c=IN IP4 198.51.100.7/127"),
    "small letters in c=": changed(b"c", b"c=in ip4 198.51.100.7"),
    "no net type in c=": changed(b"c", b"c=198.51.100.7"),
    "no c=, but o=": changed(b"c"),
    "a video m-line without formats": changed(b"t", b"t=0 0", b"m=video 5006 RTP/AVP"),
    "an image m-line without formats": changed(b"t", b"t=0 0", b"m=image 9 udptl"),
    "a number of ports": changed(b"m", b"m=audio 5004/2 RTP/AVP 0"),
    "an m-line of one word": changed(b"t", b"t=0 0", b"m=x"),
    "an m-line of nothing": changed(b"t", b"t=0 0", b"m="),
    "an m-line whose port is a word": changed(b"t", b"t=0 0", b"m=video x RTP/AVP 96"),
    "an m-line whose port is too large": changed(b"t", b"t=0 0", b"m=video 70000 RTP/AVP 96"),
    "a trailing NUL": changed(b"x") + b"\0",
    "NULs after lines": changed(b"x", end=b"\0\r\n"),
    "NULs to a full block": changed(b"x") + bytes(400),
    "carriage returns alone": changed(b"x", end=b"\r"),
    "line feeds alone": changed(b"x", end=b"\n"),
    "no end of the last line": changed(b"x").rstrip(),
    "RTP/AVPF": changed(b"m", b"m=audio 5004 RTP/AVPF 0"),
    "small letters in m=": changed(b"m", b"m=Audio 5004 rtp/avp 0"),
    "a broken rtpmap": changed(b"m", b"m=audio 5004 RTP/AVP 0 96", b"a=rtpmap:96", b"a=rtpmap:x PCMU/8000"),
    "a format that is no number": changed(b"m", b"m=audio 5004 RTP/AVP x 0 999"),
    "a broken direction": changed(b"m", b"m=audio 5004 RTP/AVP 0", b"a=sendrecv:x", b"a"),
    "IPv4 within IPv6": changed(b"c", b"c=IN IP6 ::ffff:198.51.100.7"),
    "a broken a=rtcp": changed(b"m", b"m=audio 5004 RTP/AVP 0", b"a=rtcp:x"),
}


@pytest.mark.parametrize("offer", T7.values(), ids=T7)
def test_t7_what_audio_needs_is_read_and_the_rest_is_skipped(offer: bytes) -> None:
    answer = answered(offer)
    agreed = answer.agreed
    assert (agreed.host, agreed.port, agreed.law) == (THERE, 5004, "PCMU")
    assert (agreed.sends, agreed.receives, agreed.rtcp) == (True, True, None)
    asked, given = read(offer).media, read(answer.body).media
    assert [media.port for media in given] == [
        40000 if media.kind.lower() == "audio" else 0 for media in asked
    ]
    assert all(media.formats and media.protocol for media in given)
    assert answer.body.isascii()


def test_t7_the_answer_repeats_bytes_of_any_encoding() -> None:
    answer = answered(changed(b"t", b"t=0 0", "m=vidéo 5006 RTP/AVP 96".encode("latin-1")))
    assert "m=vidéo 0 RTP/AVP 96\r\n".encode("latin-1") in answer.body


def test_t7_the_answer_has_the_profile_of_the_offer() -> None:
    session = ours()
    answer = answered(changed(b"m", b"m=audio 5004 RTP/AVPF 0"), session)
    assert b"m=audio 40000 RTP/AVPF 0\r\n" in answer.body
    assert b" RTP/AVPF " in session.offer()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"c=IN IP4 phone.example.com", "phone.example.com"),
        (b"c=nonsense", "pbx"),
        (b"c=IN IP4", "pbx"),
        (b"c=", "pbx"),
    ],
)
def test_t7_without_an_address_audio_goes_where_sip_comes_from(line: bytes, name: str) -> None:
    agreed = answered(
        changed(b"c", line).replace(b"o=x 5 1 IN IP4 198.51.100.7", b"o=x 5 1 IN IP4 pbx")
    ).agreed
    assert (agreed.host, agreed.port, agreed.receives, agreed.host_name) == ("", 5004, True, name)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("phone.example.com", "phone.example.com"),
        ("PBX", "PBX"),
        ("_sip-1.example.com.", "_sip-1.example.com."),
        ("192.0.2.7", ""),
        ("192.0.2", ""),
        ("192.0.2.7.8", ""),
        ("-", ""),
        (".", ""),
        ("phone..example", ""),
        ("a" * 64 + ".example", ""),
        ("phöne.example", ""),
    ],
)
def test_t7_a_host_name_is_passed_on_to_be_looked_up(host: str, name: str) -> None:
    assert answered(changed(b"c", f"c=IN IP4 {host}".encode())).agreed.host_name == name


@pytest.mark.parametrize(
    ("addresses", "ours", "signalling", "chosen"),
    [
        (("192.0.2.7", "192.0.2.8"), HERE, THERE, "192.0.2.7"),
        (("2001:db8::7", "192.0.2.8"), HERE, THERE, "192.0.2.8"),
        (("192.0.2.8", "2001:db8::7"), "2001:db8::1", "2001:db8::2", "2001:db8::7"),
        (("127.0.0.1",), HERE, THERE, ""),
        (("127.0.0.1",), "127.0.0.1", "127.0.0.1", "127.0.0.1"),
        (("0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.8"), HERE, THERE, "192.0.2.8"),
        ((), HERE, THERE, ""),
    ],
)
def test_t7_of_the_addresses_of_a_name_audio_goes_to_the_first_that_is_fit(
    addresses: tuple[str, ...], ours: str, signalling: str, chosen: str
) -> None:
    assert choose_address(addresses, ours, signalling) == chosen


def test_telephone_events_are_known_by_their_events_alone() -> None:
    lines = ("m=audio 5004 RTP/AVP 0 101", "a=fmtp:101 0-15")
    assert answered(body(*lines)).agreed.events_in == 101
    wide = ("m=audio 5004 RTP/AVP 0 101 96", "a=rtpmap:101 opus/48000/2", "a=fmtp:101 0-15", "a=fmtp:96 x")
    assert answered(body(*wide)).agreed.events_in is None


def test_t7_rtcp_is_not_sent_to_a_name() -> None:
    offer = changed(b"m", b"m=audio 5004 RTP/AVP 0", b"a=rtcp:5009 IN IP4 phone.example.com")
    assert answered(offer).agreed.rtcp is None


@pytest.mark.parametrize(
    ("rtpmap", "law"),
    [
        ("PCMU/8000", "PCMU"),
        ("pcma/8000/1", "PCMA"),
        ("PCMU/8000 ", "PCMU"),
        ("  PCMA/8000", "PCMA"),
        ("PCMU", "PCMU"),
    ],
)
def test_t7_g711_under_a_dynamic_payload_type(rtpmap: str, law: str) -> None:
    lines = ("m=audio 5004 RTP/AVP 98 101", f"a=rtpmap:98 {rtpmap}", *AUDIO[1:])
    answer = answered(body(*lines))
    assert read(answer.body).media[0].formats == ("98", "101")
    assert f"a=rtpmap:98 {law}/8000".encode() in answer.body
    assert (answer.agreed.law, answer.agreed.audio_out, answer.agreed.audio_in) == (law, 98, 98)
    session = ours()
    session.offer()
    agreed = session.accept(body(*lines))
    assert agreed
    assert (agreed.law, agreed.audio_out, agreed.audio_in) == (law, 98, {"PCMU": 0, "PCMA": 8}[law])


@pytest.mark.parametrize("rtpmap", ["PCMU/16000", "PCMU/8000/2", "opus/48000/2"])
def test_only_g711_at_its_own_clock_is_agreed_on(rtpmap: str) -> None:
    assert ours().answer(body("m=audio 5004 RTP/AVP 98", f"a=rtpmap:98 {rtpmap}")) is None


@pytest.mark.parametrize(
    ("offer", "warning"),
    [
        (b"", Warn.OTHER),
        (b"hello", Warn.OTHER),
        (body(), Warn.MEDIA_TYPE),
        (body("m=video 5004 RTP/AVP 31"), Warn.MEDIA_TYPE),
        (body("m=audio 0 RTP/AVP 0"), Warn.MEDIA_TYPE),
        (body("m=audio 5004 RTP/SAVP 0"), Warn.TRANSPORT),
        (body("m=audio 5004 UDP/TLS/RTP/SAVPF 0"), Warn.TRANSPORT),
        (body("m=audio 5004 RTP/AVP 18"), Warn.FORMAT),
        (body("m=audio 5004 RTP/SAVP 0", "m=audio 5006 RTP/AVP 18"), Warn.FORMAT),
        (body("m=audio 5004 RTP/AVP 0", host="2001:db8::7"), Warn.ADDRESS),
        (body("m=audio 5004 RTP/AVP 0", host="224.0.0.1"), Warn.MULTICAST),
    ],
)
def test_t7_a_warning_says_why_nothing_can_be_agreed_on(offer: bytes, warning: Warn) -> None:
    assert ours().answer(offer) is None
    assert explain_rejection(offer, HERE) is warning


def test_t4_comfort_noise_is_agreed_on_if_it_is_offered() -> None:
    answer = answered(body("m=audio 5004 RTP/AVP 0 13 101", *AUDIO[1:]))
    assert read(answer.body).media[0].formats == ("0", "13", "101")
    assert b"a=rtpmap:13 CN/8000" in answer.body
    assert (answer.agreed.noise_out, answer.agreed.noise_in) == (13, 13)
    dynamic = answered(body("m=audio 5004 RTP/AVP 0 97", "a=rtpmap:97 CN/8000"))
    assert (dynamic.agreed.noise_out, dynamic.agreed.noise_in) == (97, 97)
    assert answered(body(*AUDIO)).agreed.noise_in is None
    assert b"CN/" not in ours().offer()
