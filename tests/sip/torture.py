# ruff: noqa: E501 - header lines as long as they are sent
"""Messages after RFC 4475, one for each of its own, by its names: the same trouble in words of ours."""

SDP = "v=0\r\no=- 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0\r\n"


def build(text: str, body: str | bytes = "", length: int | None = None) -> bytes:
    """Put a message together; `LENGTH` in the text becomes the true length of the body."""
    content = body if isinstance(body, bytes) else body.encode()
    head = text.strip("\n").replace("LENGTH", str(len(content) if length is None else length))
    return head.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


def request(
    start: str, *changes: str, method: str = "", body: str = "", without: tuple[str, ...] = ()
) -> bytes:
    """An ordinary request but for its start line and some headers."""
    method = method or start.partition(" ")[0]
    lines = {
        "via": "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKkdjuw",
        "max-forwards": "Max-Forwards: 70",
        "from": "From: <sip:caller@example.net>;tag=1234",
        "to": "To: <sip:user@example.com>",
        "call-id": "Call-ID: torture@192.0.2.10",
        "cseq": f"CSeq: 8 {method}",
        "contact": "Contact: <sip:caller@192.0.2.10>",
        **({"type": "Content-Type: application/sdp"} if body else {}),
        "length": "Content-Length: LENGTH",
    }
    for change in changes:
        name = change.partition(":")[0].strip().lower()
        lines[{"l": "length", "content-length": "length", "content-type": "type"}.get(name, name)] = change
    for name in without:
        del lines[name]
    return build("\n".join([start, *lines.values()]), body)


VALID = {
    "wsinv": build(
        r"""
INVITE sip:desk@chair.example.com;unknownparam SIP/2.0
TO :
 sip:desk@chair.example.com ;   tag    = 1918n
from   : "J R \\\""       <sip:jr@example.com>
  ;
  tag = 98as
MaX-fOrWaRdS: 0068
Call-ID: wsinv@192.0.2.1
Content-Length   : LENGTH
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \"\"" <sip:jr@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33
""",
        SDP,
    ),
    "intmeth": request(
        "!interesting-Method0123456789_*+`.%indeed'~"
        " sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"
        " SIP/2.0",
        'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>',
        "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\";tag=_tok",
        "extensionHeader-!.%*+_`'~: \ufeff大停電",
    ),
    "esc01": request("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0", body=SDP),
    "escnull": request(
        "REGISTER sip:example.com SIP/2.0",
        "To: sip:null-%00-null@example.com",
        "From: sip:null-%00-null@example.com;tag=839923423",
        "Contact: <sip:%00@host5.example.com>, <sip:%00%00@host5.example.com>",
    ),
    "esc02": request(
        "RE%47IST%45R sip:registrar.example.com SIP/2.0",
        'To: "%Z%45" <sip:resource@example.com>',
        'From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23',
        "Contact: <sip:alias1@host1.example.com>, <sip:alias%32@host2.example.com>",
    ),
    "lwsdisp": request(
        "OPTIONS sip:user@example.com SIP/2.0", "From: caller<sip:caller@example.com>;tag=323"
    ),
    "longreq": request(
        "INVITE sip:user@example.com SIP/2.0",
        'To: "I have a user name of ' + "extreme " * 60 + '" <sip:user@example.com:6000;' + "p" * 300 + "=v>",
        "From: sip:" + "long" * 100 + "@example.net;tag=12" + "982" * 60,
        "Via: "
        + ", ".join(f"SIP/2.0/TCP sip{n}.example.com;branch=z9hG4bK{'very' * 30}{n}" for n in range(30)),
        "X-Long: " + "very-" * 1000,
        body=SDP,
    ),
    "dblreq": request("REGISTER sip:example.com SIP/2.0")
    + request("INVITE sip:joe@example.com SIP/2.0", body=SDP),
    "semiuri": request("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"),
    "transports": request(
        "OPTIONS sip:user@example.com SIP/2.0",
        "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw, SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf,"
        "SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj, SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en",
    ),
    "mpart01": request(
        "MESSAGE sip:kumiko@example.org SIP/2.0",
        'Content-Type: multipart/mixed;boundary="7a9cbec02ceef655"',
        body="--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n"
        "Content-Type: application/octet-stream\r\n\r\n\x00\x01\x02\r\n--7a9cbec02ceef655--\r\n",
    ),
    "baddate": request(
        "INVITE sip:user@example.com SIP/2.0", "Date: Fri, 01 Jan 2010 16:00:00 EST", body=SDP
    ),
    "badbranch": request("OPTIONS sip:user@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"),
    "unksm2": request(
        "REGISTER sip:example.com SIP/2.0",
        "To: isbn:2983792873",
        "From: <http://www.example.com>;tag=3234233",
        "Contact: <name:John_Smith>",
    ),
    "regaut01": request(
        "REGISTER sip:example.com SIP/2.0", "Authorization: NoOneKnowsThisScheme opaque-data=here"
    ),
    "zeromf": request("OPTIONS sip:user@example.com SIP/2.0", "Max-Forwards: 0"),
    "cparam01": request(
        "REGISTER sip:example.com SIP/2.0", "Contact: sip:+19725552222@gw1.example.net;unknownparam"
    ),
    "cparam02": request(
        "REGISTER sip:example.com SIP/2.0", "Contact: <sip:+19725552222@gw1.example.net;unknownparam>"
    ),
    "regescrt": request(
        "REGISTER sip:example.com SIP/2.0", "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>"
    ),
    "regbadct": request(
        "REGISTER sip:example.com SIP/2.0", "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"
    ),
    "inv2543": request(
        "INVITE sip:UserB@example.com SIP/2.0",
        "Via: SIP/2.0/UDP ift.client.example.com",
        "From: <sip:+13035551111@ift.client.example.net;user=phone>",
        "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>",
        body=SDP,
        without=("contact", "max-forwards"),
    ),
}
# Requests that the reader lets through and an agent refuses, with the status that it gives.
# Display names that should be quoted: the RFC allows to infer the missing quotes.
VALID |= {
    "quotbal": request(
        "INVITE sip:user@example.com SIP/2.0", 'To: "Mr. J. User <sip:user@example.com>', body=SDP
    ),
    "baddn": request(
        "OPTIONS sip:user@example.org SIP/2.0", "From: Bell, Alexander <sip:b@example.org>;tag=4"
    ),
}
REFUSED = {
    "escruri": (400, request("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0", body=SDP)),
    "ltgtruri": (400, request("INVITE <sip:user@example.com> SIP/2.0", body=SDP)),
    "unkscm": (416, request("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0")),
    "novelsc": (416, request("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0")),
    "bext01": (
        420,
        request(
            "OPTIONS sip:user@example.com SIP/2.0",
            "Proxy-Require: noProxiesSupportThis, nothingSupportsThis",
            "Require: nothingSupportsThis, nothingSupportsThisEither",
        ),
    ),
    "invut": (
        415,
        request(
            "INVITE sip:user@example.com SIP/2.0", "Content-Type: application/unknownformat", body="<a></a>"
        ),
    ),
    "sdp01": (406, request("INVITE sip:user@example.com SIP/2.0", "Accept: text/nobodyKnowsThis", body=SDP)),
    "intmeth": (405, VALID["intmeth"]),
    "esc02": (405, VALID["esc02"]),
}
# Requests that the reader finds fault with.
FAULTY = {
    "badinv01": (
        400,
        request(
            "INVITE sip:user@example.com SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.15;;,;,,",
            'Contact: "Joe" <sip:joe@example.org>;;;;',
            body=SDP,
        ),
    ),
    "clerr": (400, request("INVITE sip:user@example.com SIP/2.0", "Content-Length: 9999", body=SDP)),
    "ncl": (400, request("INVITE sip:user@example.com SIP/2.0", "Content-Length: -999", body=SDP)),
    "scalar02": (
        400,
        request(
            "REGISTER sip:example.com SIP/2.0",
            "CSeq: 36893488147419103232 REGISTER",
            "Max-Forwards: 300",
            "Expires: 10000000000000000000000000000000",
        ),
    ),
    "lwsruri": (400, request("INVITE sip:user@example.com; lr SIP/2.0", body=SDP)),
    "lwsstart": (400, request("INVITE  sip:user@example.com  SIP/2.0", body=SDP)),
    "trws": (400, request("OPTIONS sip:remote-target@example.com SIP/2.0  ")),
    "badaspec": (
        400,
        request("OPTIONS sip:user@example.org SIP/2.0", 'To: "Watson, T" < t.watson@example.org >'),
    ),
    "badvers": (505, request("OPTIONS sip:user@example.org SIP/7.0")),
    "mismatch01": (400, request("OPTIONS sip:user@example.org SIP/2.0", "CSeq: 8 INVITE")),
    "mismatch02": (400, request("NEWMETHOD sip:user@example.org SIP/2.0", "CSeq: 8 INVITE")),
    "insuf": (400, request("INVITE sip:user@example.com SIP/2.0", without=("call-id", "from", "to"))),
    "multi01": (
        400,
        request(
            "INVITE sip:user@company.com SIP/2.0",
            "Call-ID: multi01.1\nCall-ID: multi01.2",
            "CSeq: 5 INVITE\nCSeq: 59 INVITE",
            "To: sip:user@company.com\nTo: sip:other@company.com",
            "From: sip:caller@example.net;tag=1\nFrom: sip:other@example.net;tag=2",
            body=SDP,
        ),
    ),
    "mcl01": (
        400,
        request(
            "OPTIONS sip:user@example.com SIP/2.0",
            "Content-Length: 13\nContent-Length: 5",
            body="123456789abcd",
        ),
    ),
}
_RESPONSE = """
SIP/2.0 {start}
Via: SIP/2.0/UDP {via}
From: <sip:user@example.com>;tag=839923423
To: <sip:user@example.com>;tag=83942
Call-ID: response@192.0.2.10
CSeq: {cseq} INVITE
Content-Length: 0
"""
RESPONSES = {
    "unreason": (
        200,
        build(
            _RESPONSE.format(
                start="200 = 2**3 * 5**2 но сто девяносто девять - простое",
                via="192.0.2.198;branch=z9hG4bK1324923",
                cseq=35,
            )
        ),
    ),
    "noreason": (
        100,
        build(_RESPONSE.format(start="100 ", via="192.0.2.105;branch=z9hG4bK2398ndaoe", cseq=35)),
    ),
    "bcast": (
        200,
        build(
            _RESPONSE.format(
                start="200 OK", via="192.0.2.198;branch=z9hG4bK1;received=255.255.255.255", cseq=35
            )
        ),
    ),
    "scalarlg": (
        None,
        build(
            _RESPONSE.format(
                start="503 Service Unavailable", via="192.0.2.1;branch=z9hG4bK1", cseq=9292394834772304023312
            )
        ),
    ),
    "bigcode": (
        None,
        build(_RESPONSE.format(start="4294967301 better not", via="192.0.2.105;branch=z9hG4bK2398", cseq=35)),
    ),
}
