"""Requests of programs that were not written for this server. Names of tests have the number of a row."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from openivr.download.content_disposition import attachment
from tests.api.test_prompts import BOUNDARY, form, post, tone, upload
from tests.live_server import AGENT, Answer, Api, Running, start

PAGE_REQUEST = (
    "GET /openapi/v1.0/ivr/list?access_token={}&page=1&page_size=20&sort_by=id&order_by=asc HTTP/1.1\n"
    "Host: 192.168.5.150:8088\n\n"
)
PAGE_ANSWER = """
{
    "errcode": 0,
    "errmsg": "SUCCESS",
    "total_number": 4,
    "data": [
        {
            "id": 1,
            "number": "6202",
            "name": "VoicePrompt",
            "dial_ext_option": "disable",
            "enb_dial_outb_routes": 0
        },
        {
            "id": 2,
            "number": "6203",
            "name": "VoiceAssist Navigator",
            "dial_ext_option": "disable",
            "enb_dial_outb_routes": 0
        },
        {
            "id": 3,
            "number": "6200",
            "name": "VoiceMenu Navigator",
            "dial_ext_option": "allow",
            "enb_dial_outb_routes": 1
        },
        {
            "id": 4,
            "number": "6201",
            "name": "Virtual Receptionist",
            "dial_ext_option": "all",
            "enb_dial_outb_routes": 1
        }
    ]
}
"""
JSON_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that wants a User-Agent."""
    running = start(tmp_path_factory.mktemp("strict"), "--require-user-agent")
    yield running
    running.stop()


def exchange(address: tuple[str, int], request: bytes) -> tuple[bytes, bytes]:
    """Send these bytes and return head and body of the answer, which names its length."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65_536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length and (part := connection.recv(65_536)):
            body += part
        return head, body


def page_request(token: str) -> bytes:
    return PAGE_REQUEST.format(token).replace("\n", "\r\n").encode()


def pairs(text: bytes | str) -> Any:
    """Return JSON with its objects as lists of pairs, so that the order of names counts."""
    return json.loads(text, object_pairs_hook=list)


def test_a1_the_request_of_the_page_byte_for_byte_gets_the_answer_of_the_page(
    demo: Running, reader: Api
) -> None:
    head, body = exchange(demo.address, page_request(reader.token))
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert pairs(body) == pairs(PAGE_ANSWER)


def test_a1_every_endpoint_serves_requests_without_a_user_agent(reader: Api) -> None:
    for path in ("ivr/list", "ivr/search", "openapi.json", "system/information"):
        assert reader.send("GET", reader.target(path, {}), headers={}).json().get("errcode", 0) == 0


@pytest.mark.parametrize("agent", ["", "User-Agent:\r\n", "User-Agent:  \t\r\n"])
def test_a1_a_strict_server_wants_a_user_agent(strict: Running, agent: str) -> None:
    api = strict.log_in()
    api.close()
    request = page_request(api.token).replace(b"\r\n\r\n", f"\r\n{agent}\r\n".encode())
    _, body = exchange(strict.address, request)
    assert json.loads(body) == {
        "errcode": 40002,
        "errmsg": "PARAMETER ERROR",
        "submsg": "User-Agent is required as a header",
        "invalid_param_list": [{"field": "User-Agent", "validation_type": "required"}],
    }
    _, body = exchange(strict.address, request.replace(b"Host", b"User-Agent: me\r\nHost", 1))
    assert json.loads(body)["total_number"] == 4


@pytest.mark.parametrize("name", ["page", "page_size", "sort_by", "order_by", "search_value"])
@pytest.mark.parametrize("path", ["ivr/list", "ivr/search", "extension/list", "outbound_route/search"])
def test_a2_a_parameter_left_empty_is_as_absent(reader: Api, path: str, name: str) -> None:
    assert reader.query(path, f"{name}=") == reader.query(path, name) == reader.get(path)


def test_a2_a_required_parameter_left_empty_is_missing(reader: Api) -> None:
    for path, name in (("ivr/get", "id"), ("ivr/query", "ids"), ("system/get_menuoptions", "menu")):
        assert reader.query(path, f"{name}=") == reader.get(path)
        assert reader.get(path)["invalid_param_list"] == [{"field": name, "validation_type": "required"}]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/openapi/v2.0/ivr/list", 10001),
        ("/openapi/v2.0/x", 10001),
        ("/openapi/v2.0", 10001),
        ("/openapi/v2.0/get_token", 10001),
        ("/openapi/v1.1/ivr/list", 10003),
        ("/openapi/v3.0/ivr/list", 10003),
        ("/openapi/version/ivr/list", 10003),
        ("/openapi/ivr/list", 10001),
    ],
)
def test_a3_versions_of_the_p_series_and_others(reader: Api, path: str, code: int) -> None:
    assert reader.send("GET", f"{path}?access_token={reader.token}").json()["errcode"] == code


@pytest.mark.parametrize(
    "path",
    [
        "/openapi/v1.0//ivr/list",
        "//openapi/v1.0/ivr/list",
        "/openapi/v1.0/ivr/list/",
        "///openapi//v1.0///ivr//list///",
        "/openapi/v1.0/ivr%2Flist",
    ],
)
def test_a4_slashes_are_merged(reader: Api, path: str) -> None:
    assert reader.send("GET", f"{path}?access_token={reader.token}").json() == reader.get("ivr/list")


@pytest.mark.parametrize(
    "path",
    [
        "/openapi",
        "//openapi",
        "/openapi/",
        "/openapi/nothing",
        "/api",
        "/api/",
        "//api/v2.0.0/login",
        "/api/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
def test_a4_everything_under_the_roots_answers_json(reader: Api, method: str, path: str) -> None:
    answer = reader.send(method, path)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    if method != "HEAD":
        assert answer.json() == {"errcode": 10001, "errmsg": "INTERFACE NOT EXISTED"}


def raw_search(address: tuple[str, int], token: str, text: bytes, parts: int = 1) -> dict:
    """Search for a text that stands in the request line as it is, which is sent in so many parts."""
    request = (
        b"GET /openapi/v1.0/extension/search?access_token=%b&search_value=%b HTTP/1.1\r\nHost: [::1]\r\n\r\n"
    )
    data = request % (token.encode(), text)
    with socket.create_connection(address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = len(data) // parts + 1
        for at in range(0, len(data), step):
            connection.sendall(data[at : at + step])
        answer = connection.recv(65_536)
        while b"}" not in answer:
            answer += connection.recv(65_536)
        document: dict = json.loads(answer.partition(b"\r\n\r\n")[2])
        return document


@pytest.mark.parametrize("parts", [1, 7, 50])
def test_a5_utf8_in_the_query_is_served(server: Running, api: Api, parts: int) -> None:
    body: dict[str, Any] = {
        "first_name": "Jürgen",
        "number": f"18{parts:02}",
        "reg_name": f"j{parts}",
        "type": "SIP",
    }
    body |= {"presence_status": "available", "concurrent_registrations": 1}
    secrets = {"reg_password": "long enough 1", "user_password": "Long enough 1"}
    created = api.post("extension/create", body | secrets)
    assert created["errcode"] == 0, created
    found = raw_search(server.address, api.token, "JÜRG".encode(), parts)
    assert created["id"] in [row["id"] for row in found["data"]]
    wrong = raw_search(server.address, api.token, "J\xdcRG".encode("latin-1"), parts)
    assert (wrong["errcode"], wrong["submsg"]) == (40001, "the query is not UTF-8")


def search_line(token: str, text: str, fields: str = "") -> bytes:
    """A request whose line has a text as it was typed."""
    target = f"/openapi/v1.0/ivr/search?access_token={token}&search_value={text}"
    return f"GET {target} HTTP/1.1\r\nHost: [::1]\r\nX-Note: {text}\r\n{fields}\r\n".encode()


def log_in_line(fields: bytes, body: bytes) -> bytes:
    """A request with a body, which has other characters and lines."""
    return b"POST /openapi/v1.0/get_token HTTP/1.1\r\nHost: [::1]\r\n%b\r\n\r\n%b" % (fields, body)


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


BODY = '{"username": "Jürgen\r\n\r\n"}'.encode()  # no JSON: an answer of its own
BEFORE = {
    "the list that is answered first": b"GET /openapi/v1.0/ivr/list?access_token=TOKEN HTTP/1.1\r\n"
    b"Host: [::1]\r\n\r\n",
    "a body of known length": log_in_line(b"Content-Length: %d" % len(BODY), BODY),
    "a body in chunks": log_in_line(b"Transfer-Encoding: chunked", chunked(BODY, b"\r\n\r\n", BODY)),
    "an empty body": log_in_line(b"Content-Length: 0", b""),
    "an empty line": b"GET /openapi HTTP/1.1\r\nHost: [::1]\r\n\r\n\r\n",
}


@pytest.mark.parametrize("parts", [1, 2, 3, 60, 10_000])
@pytest.mark.parametrize("before", BEFORE)
def test_a5_utf8_is_served_behind_others(demo: Running, reader: Api, before: str, parts: int) -> None:
    """Wherever reads end: what is a request line is known, and only that is encoded."""
    first = BEFORE[before].replace(b"TOKEN", reader.token.encode())
    data = (first + search_line(reader.token, "Bürozeiten")) * 2
    data += search_line(reader.token, "née", "Connection: close\r\n")
    with socket.create_connection(demo.address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = len(data) // parts + 1
        for at in range(0, len(data), step):
            connection.sendall(data[at : at + step])
        answer = b""
        while read := connection.recv(65_536):
            answer += read
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")[1:]]
    codes = [json.loads(body)["errcode"] for body in bodies]
    assert len(codes) == 5, answer
    assert codes[1::2] + codes[4:] == [0, 0, 0]


def test_a5_bodies_keep_their_bytes(api: Api) -> None:
    """Only request lines are touched, also where several requests share a connection."""
    for name in ("Grüße", "née", "日本"):
        id_ = api.post("extension_group/create", json.dumps({"name": name}, ensure_ascii=False).encode())[
            "id"
        ]
        assert api.get("extension_group/get", id=id_)["data"]["name"] == name


WAV = tone("wav", 0.1)


def test_a7_a_preamble_is_ignored(api: Api) -> None:
    parts = form(("is_check", None, b"force"), ("file", "preamble.wav", WAV))
    for preamble in (
        b"This is a multipart message.\r\n",
        b"\r\n",
        f"--{BOUNDARY[:-1]}\r\n".encode(),
        b"x" * 70_000 + b"\r\n",
    ):
        assert post(api, preamble + parts + b"the epilogue")["errcode"] == 0


def reason(answer: dict) -> str:
    assert (answer["errcode"], answer["errmsg"]) == (40001, "PARAMETER SYNTAX ERROR"), answer
    text: str = answer["submsg"]
    return text


def test_a7_a_body_without_its_last_boundary_is_said_to_be_cut(api: Api) -> None:
    whole = form(("is_check", None, b"force"), ("file", "cut.wav", WAV))
    for body in (whole[:-4], whole[: -len(BOUNDARY) - 8], whole[:200], b"garbage", b""):
        assert reason(post(api, body)) == "the body ends before its last boundary"
    assert api.get("custom_prompt/search", search_value="cut.wav")["total_number"] == 0


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"{}", "application/json", "the body must be multipart/form-data"),
        (b"{}", "", "the body must be multipart/form-data"),
        (form(("file", "a.wav", WAV)), "multipart/form-data", "the Content-Type names no boundary"),
        (form(*[("file", "a.wav", WAV)] * 2), None, "the body has more than one file"),
        (form(*[(f"x{n}", None, b"1") for n in range(20)]), None, "the body has more than 10 fields"),
    ],
)
def test_a8_a_refused_upload_says_why(api: Api, body: bytes, content_type: str | None, text: str) -> None:
    kind = f"multipart/form-data; boundary={BOUNDARY}" if content_type is None else content_type
    assert reason(post(api, body, kind)) == text


@pytest.mark.parametrize(
    ("body", "fields", "text"),
    [
        (b"", {}, "the body is empty; it must be a JSON object"),
        (b"{", {}, "the body is not JSON"),
        (b"{} x", {}, "the body is not JSON"),
        (b"[]", {}, "the body must be a JSON object"),
        (b'"text"', {}, "the body must be a JSON object"),
        (
            b'\xef\xbb\xbf{"id": 1}',
            {},
            "the body begins with a byte order mark; send JSON in UTF-8 without one",
        ),
        (b"\xff\xfe{\x00", {}, "the body begins with a byte order mark; send JSON in UTF-8 without one"),
        (b'{"a": "\xff"}', {}, "the body is not UTF-8"),
        (b"id=1&name=x", JSON_FORM, "the body is a form; it must be a JSON object"),
        (
            b"--x\r\n",
            {"Content-Type": "multipart/form-data; boundary=x"},
            "the body is a form; it must be a JSON object",
        ),
        (b"[" * 100_000, {}, "the body is nested too deeply"),
        (b" " * (1024 * 1024 + 1), {}, "the body has more than 1048576 bytes"),
    ],
    ids=lambda value: repr(value)[:16],
)
def test_a8_a_refused_body_says_why(reader: Api, body: bytes, fields: dict, text: str) -> None:
    answer = reader.send("POST", reader.target("ivr/update", {}), body, AGENT | fields)
    assert reason(answer.json()) == text


def test_a8_a_form_may_hold_json_as_curl_sends_it(reader: Api) -> None:
    answer = reader.send("POST", reader.target("ivr/update", {}), b' {"id": 99}', AGENT | JSON_FORM)
    assert answer.json()["errcode"] == 60001


def test_a8_a_refused_query_says_why(reader: Api) -> None:
    many = "&".join(f"x{n}=1" for n in range(100))
    assert reason(reader.query("ivr/list", many)) == "the query has more than 100 parameters"
    assert reason(reader.query("ivr/list", "x=%FF")) == "the query is not UTF-8"


@pytest.mark.parametrize(
    ("name", "plain", "coded"),
    [
        ("closed.wav", "closed.wav", "closed.wav"),
        ("Grüße.wav", "Gr__e.wav", "Gr%C3%BC%C3%9Fe.wav"),
        ("100%.wav", "100_.wav", "100%25.wav"),
    ],
)
def test_a15_a_download_has_its_file_name(api: Api, name: str, plain: str, coded: str) -> None:
    id_ = upload(api, name, WAV)["id"]
    answer = api.send("GET", api.target("custom_prompt/download", {"id": id_}))
    assert (
        answer.headers["content-disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}"
    )


def test_a15_no_name_ends_the_field() -> None:
    name = 'we "are" \\closed.wav'
    coded = "we%20%22are%22%20%5Cclosed.wav"
    assert attachment(name) == f"attachment; filename=\"we _are_ _closed.wav\"; filename*=UTF-8''{coded}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_a15_curl_saves_a_download_under_its_name(server: Running, api: Api, tmp_path: Any) -> None:
    id_ = upload(api, "night.wav", WAV)["id"]
    url = server.base + api.target("custom_prompt/download", {"id": id_})
    subprocess.run(["curl", "-sOJ", "--max-time", "30", url], cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["night.wav"]


def head_and_get(address: tuple[str, int], target: str) -> tuple[Answer, Answer]:
    answers = []
    for method in ("HEAD", "GET"):
        connection = HTTPConnection(*address, timeout=30)
        connection.request(method, target, headers=AGENT)
        response = connection.getresponse()
        names = {name: value for name, value in response.getheaders() if name != "date"}
        answers.append(Answer(response.status, names, response.read()))
        connection.close()
    return answers[0], answers[1]


@pytest.mark.parametrize(
    "target",
    [
        "/openapi/v1.0/ivr/list?access_token=TOKEN",
        "/openapi/v1.0/ivr/get?access_token=TOKEN&id=1",
        "/openapi/v1.0/ivr/get?access_token=TOKEN&id=999",
        "/openapi/v1.0/ivr/list?access_token=wrong",
        "/openapi/v1.0/openapi.json",
        "/openapi/v1.0/nothing",
        "/healthz",
        "/sign-in",
    ],
)
def test_a16_head_is_as_get_without_a_body(server: Running, api: Api, target: str) -> None:
    head, get = head_and_get(server.address, target.replace("TOKEN", api.token))
    varying = {"content-length", "set-cookie"} if target == "/sign-in" else set()
    assert head.status == get.status == 200
    assert head.content == b""
    assert {name: head.headers[name] for name in head.headers if name not in varying} == {
        name: get.headers[name] for name in get.headers if name not in varying
    }
    assert int(get.headers["content-length"]) == len(get.content) > 0


def test_a16_head_changes_nothing(server: Running) -> None:
    api = server.log_in()
    for target in (api.target("ivr/delete", {"id": 4}), api.target("del_token", {})):
        connection = HTTPConnection(*server.address, timeout=30)
        connection.request("HEAD", target, headers=AGENT)
        assert connection.getresponse().status == 200
        connection.close()
    assert api.get("ivr/list")["errcode"] == 0
    assert api.get("ivr/get", id=4)["errcode"] == 0
    api.close()


HIDDEN = {
    "U+202E": "Evil\u202egnp",
    "U+0085": "a\u0085b",
    "U+200B": "a\u200bb",
    "U+3164, a filler of Hangul": "a\u3164b",
    "U+2800, Braille without a dot": "\u2800",
    "U+FEFF": "\ufeffMain",
    "U+2066": "a\u2066b",
    "U+2028": "a\u2028b",
    "U+00AD": "a\u00adb",
    "newline": "a\nb",
}
TEXTS = [
    ("ivr/update", "name"),
    ("extension/update", "first_name"),
    ("extension/update", "title"),
    ("extension_group/update", "name"),
    ("ringgroup/update", "name"),
    ("inbound_route/update", "name"),
    ("outbound_route/update", "name"),
    ("trunk/update", "name"),
]


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize(("path", "field"), TEXTS)
def test_a6_characters_that_nobody_sees_are_refused(api: Api, path: str, field: str, text: str) -> None:
    answer = api.post(path, {"id": 1, field: text})
    assert (answer["errcode"], answer["submsg"]) == (40002, f"{field} has control or invisible characters")


def test_a6_a_file_name_hides_nothing(api: Api) -> None:
    answer = upload(api, "night\u202evaw.wav", WAV)
    assert answer["submsg"] == "file has control or invisible characters"


def test_a6_text_has_one_spelling_and_is_searched_so(api: Api) -> None:
    composed, decomposed = "Z\u00fcrich", "Zu\u0308rich"
    id_ = api.post("extension_group/create", {"name": f"  {decomposed} \u3000"})["id"]
    assert api.get("extension_group/get", id=id_)["data"]["name"] == composed
    assert api.post("extension_group/create", {"name": composed})["errcode"] == 40003
    for text in (composed, decomposed, f" {decomposed.upper()} "):
        found = api.get("extension_group/search", search_value=text)["data"]
        assert [row["id"] for row in found] == [id_]
    answer = api.get("extension_group/search", search_value="a\u200bb")
    assert answer["invalid_param_list"] == [{"field": "search_value", "value": "a\u200bb"}]


def test_a6_a_prompt_is_found_in_either_form(api: Api) -> None:
    id_ = upload(api, "Gru\u0308n.wav", WAV)["id"]
    assert upload(api, "Gr\u00fcn.wav", WAV)["id"] == id_
    assert api.post("ivr/update", {"id": 1, "prompt": "default, Gru\u0308n.wav"})["errcode"] == 0
    assert api.get("ivr/get", id=1)["data"]["prompt"] == "default,Gr\u00fcn.wav"
    play = {"press9_dest": "play_prompt", "press9_dest_prefix": "1", "press9_dest_value": "Gru\u0308n.wav"}
    assert api.post("ivr/update", {"id": 1, **play})["errcode"] == 0
    assert api.get("ivr/get", id=1)["data"]["press9_dest_value"] == "Gr\u00fcn.wav"


def test_a6_words_of_languages_with_marks_stay(api: Api) -> None:
    for number, name in enumerate(("日本 語", "हिन्दी", "Ελλάδα", "😀 hotline")):
        assert api.post("extension_group/create", {"name": f"{name}{number}"})["errcode"] == 0
