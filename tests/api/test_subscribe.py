"""`subscribe` over a real socket: the exact bytes, refusals, numbers, gaps and every end of a connection."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import uvloop
from sqlalchemy import delete
from wsproto.events import BytesMessage, Ping, TextMessage

from openivr.config.settings import Settings
from openivr.resources.secret import fingerprint
from openivr.server import bootstrap
from openivr.server.events import hub, websocket
from openivr.store.auth import clients, tokens
from openivr.store.auth.tokens import TokenPair, TokenPolicy
from openivr.store.database import Database
from openivr.store.events import outbox
from openivr.store.events.outbox import EventReport
from openivr.store.system import serial_number
from openivr.store.tables import ALLOWED_ADDRESS, EVENT
from tests.api.test_sockets import GUARD, Site, run, serving
from tests.event_socket import Closed, EventSocket, Rejected
from tests.live_server import AGENT, ROOT, Api

SUCCESS = '{"errcode":0,"errmsg":"SUCCESS"}'
STATUS, END, DIGIT = 30011, 30012, 30017


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("subscribe")
    bootstrap.prepare(Settings(data=folder), is_demo=True)
    return folder


class Store:
    """The database beside the server, as the CDR worker writes it."""

    def __init__(self, data: Path) -> None:
        self.database = Database(f"sqlite:///{data / 'openivr.db'}")

    def report(self, *types: int, **message: Any) -> None:
        with self.database.writing() as connection:
            outbox.append(connection, [EventReport(type_, 10**13, message) for type_ in types])

    def last(self) -> int:
        with self.database.reading() as connection:
            return outbox.read_range(connection).last


@pytest.fixture
def store(data: Path) -> Store:
    return Store(data)


async def subscribed(site: Site, *topics: int, **fields: Any) -> EventSocket:
    events = await EventSocket.open(site.port, site.token)
    answer = await events.subscribe(*topics, **fields)
    assert answer["errcode"] == 0, answer
    return events


def test_a_public_program_is_answered_byte_by_byte(data: Path, store: Store) -> None:
    """What yeastar-events sends: two topics, then a heartbeat as bare text."""

    async def scenario(site: Site) -> None:
        events = await EventSocket.open(site.port, site.token)
        events.say('{"topic_list": [30011, 30012]}')
        assert await events.text() == SUCCESS
        events.say("heartbeat")
        assert await events.text() == "heartbeat response"
        await asyncio.to_thread(store.report, STATUS, call_id="1.2", members=[])
        with store.database.reading() as connection:
            serial = serial_number(connection)
        expected = {"type": STATUS, "sn": serial, "msg": '{"call_id":"1.2","members":[]}'}
        assert await events.text() == json.dumps(expected, separators=(",", ":"))
        events.close()

    run(data, scenario)


def test_a_program_may_ask_for_everything_that_a_p_series_has(data: Path, store: Store) -> None:
    """What a call centre's program sends: all topics from 30007 to 30030, some of which cannot occur here."""

    async def scenario(site: Site) -> None:
        events = await subscribed(site, *range(30007, 30031))
        await asyncio.to_thread(store.report, 30022, ext_number="1000", option="CREATE")
        event = json.loads(await events.text())
        assert event == {"type": 30022, "msg": '{"ext_number":"1000","option":"CREATE"}'}, "no sn on its page"
        events.close()

    run(data, scenario)


def test_only_what_was_asked_for_comes_and_a_new_list_takes_the_place_of_the_old(
    data: Path, store: Store
) -> None:
    async def scenario(site: Site) -> None:
        events = await subscribed(site, END)
        await asyncio.to_thread(store.report, STATUS, END, 90001, n=1)
        assert (await events.event())["type"] == END
        assert await events.subscribe(90001) == {"errcode": 0, "errmsg": "SUCCESS"}
        await asyncio.to_thread(store.report, END, 90001, n=2)
        event = await events.event()
        assert (event["type"], event["msg"]) == (90001, {"n": 2})
        events.close()

    run(data, scenario)


def test_our_own_events_are_objects_and_those_of_old_pages_are_texts(data: Path, store: Store) -> None:
    async def scenario(site: Site) -> None:
        events = await subscribed(site, 90001, DIGIT)
        await asyncio.to_thread(store.report, DIGIT, 90001, n=1)
        first, second = json.loads(await events.text()), json.loads(await events.text())
        assert (first["msg"], second["msg"]) == ('{"n":1}', {"n": 1})
        events.close()

    run(data, scenario)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", 40001),
        ("[30011]", 40001),
        ("{}", 40002),
        ('{"topic_list":30011}', 40002),
        ('{"topic_list":[true]}', 40002),
        ('{"topic_list":[30004]}', 40002),
        ('{"topic_list":[90099]}', 40002),
        ('{"topic_list":["x"]}', 40002),
        ('{"topic_list":[30011.5]}', 40002),
        (json.dumps({"topic_list": [30011] * 101}), 40002),
        ('{"topic_list":[30011],"after":-1}', 40002),
        ('{"topic_list":[30011],"after":"x"}', 40002),
    ],
)
def test_a_wrong_list_is_refused_and_changes_nothing(data: Path, store: Store, text: str, code: int) -> None:
    async def scenario(site: Site) -> None:
        events = await subscribed(site, STATUS)
        events.say(text)
        assert json.loads(await events.text())["errcode"] == code
        await asyncio.to_thread(store.report, STATUS, n=3)
        assert (await events.event())["msg"] == {"n": 3}
        events.close()

    run(data, scenario)


def test_numbers_let_a_subscriber_go_on_where_it_was(data: Path, store: Store) -> None:
    async def scenario(site: Site) -> None:
        last = await asyncio.to_thread(store.last)
        events = await EventSocket.open(site.port, site.token)
        assert await events.subscribe(STATUS, after=None) == {
            "errcode": 0,
            "errmsg": "SUCCESS",
            "after": last,
        }
        await asyncio.to_thread(store.report, STATUS, END, STATUS, n=4)
        numbers = [(await events.event())["number"] for _ in range(2)]
        assert numbers == [last + 1, last + 3]
        events.close()
        await asyncio.to_thread(store.report, STATUS, n=5)  # while nobody listens
        again = await EventSocket.open(site.port, site.token)
        answer = await again.subscribe(STATUS, after=last + 1)
        assert answer == {"errcode": 0, "errmsg": "SUCCESS", "after": last + 1}
        assert [(await again.event())["number"] for _ in range(2)] == [last + 3, last + 4]
        await asyncio.to_thread(store.report, STATUS, n=6)
        assert (await again.event())["number"] == last + 5
        again.close()

    run(data, scenario)


def test_more_than_a_page_that_was_missed_comes_before_what_is_new(
    data: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(site: Site) -> None:
        last = await asyncio.to_thread(store.last)
        other = await subscribed(site, STATUS)  # keeps the hub at the newest
        await asyncio.to_thread(store.report, *[STATUS] * 1200)
        assert [(await other.event())["type"] for _ in range(1200)]
        events = await subscribed(site, STATUS, after=last)
        await asyncio.to_thread(store.report, STATUS)
        assert [(await events.event())["number"] for _ in range(1201)] == list(range(last + 1, last + 1202))
        other.close()
        events.close()

    run(data, scenario)


def test_who_comes_too_late_learns_which_events_are_gone(data: Path, store: Store) -> None:
    async def scenario(site: Site) -> None:
        last = await asyncio.to_thread(store.last)
        await asyncio.to_thread(store.report, *[STATUS] * 5)

        def forget() -> None:
            with store.database.writing() as connection:
                connection.execute(delete(EVENT).where(EVENT.c.id <= last + 3))

        await asyncio.to_thread(forget)
        events = await EventSocket.open(site.port, site.token)
        answer = await events.subscribe(STATUS, after=last)
        assert answer["gap"] == [last + 1, last + 3]
        assert [(await events.event())["number"] for _ in range(2)] == [last + 4, last + 5]
        events.close()

    run(data, scenario)


@pytest.mark.parametrize(
    ("token", "headers", "status", "code"),
    [
        ("wrong", {}, 401, 10004),
        ("", {}, 401, 10004),
        (None, {"Origin": "https://elsewhere.example"}, 403, -1),
        (None, {"Sec_Fetch_Site": "cross-site"}, 403, -1),
    ],
)
def test_a_handshake_is_checked_like_a_request(
    data: Path, token: str | None, headers: dict[str, str], status: int, code: int
) -> None:
    async def scenario(site: Site) -> None:
        with pytest.raises(Rejected) as refused:
            await EventSocket.open(site.port, site.token if token is None else token, **headers)
        assert refused.value.status == status
        assert json.loads(refused.value.content)["errcode"] == code

    run(data, scenario)


def test_an_address_that_is_not_allowed_is_refused(data: Path, store: Store) -> None:
    async def scenario(site: Site) -> None:
        with store.database.changing("auth") as change:
            change.connection.execute(ALLOWED_ADDRESS.insert().values(network="192.0.2.0/24"))
        try:
            with pytest.raises(Rejected) as refused:
                await EventSocket.open(site.port, site.token)
            assert json.loads(refused.value.content)["errcode"] == 70087
        finally:
            with store.database.changing("auth") as change:
                change.connection.execute(delete(ALLOWED_ADDRESS))

    run(data, scenario)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /openapi/v1.0/ivr/list?access_token=%s HTTP/1.1\r\nUpgrade: websocket\r\n",
        b"POST /openapi/v1.0/subscribe?access_token=%s HTTP/1.1\r\nUpgrade: websocket\r\n",
        b"GET /openapi/v1.0/subscribe?access_token=%s HTTP/1.1\r\nUpgrade: h2c\r\n",
        b"GET /openapi/v1.0/subscribe?access_token=%s HTTP/1.1\r\nUpgrade: websocket\r\n",  # without a key
    ],
)
def test_nothing_else_is_upgraded(data: Path, head: bytes) -> None:
    async def scenario(site: Site) -> None:
        answer = await site.talk(
            head % site.token.encode() + b"Host: localhost\r\nConnection: Upgrade\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 400"), answer
        await site.check()

    run(data, scenario)


def test_silence_ends_a_connection_and_a_heartbeat_keeps_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.05)

    async def scenario(site: Site) -> None:
        silent, other = await subscribed(site, STATUS), await subscribed(site, STATUS)
        ending = asyncio.create_task(silent.closed())
        beats = 0
        while not ending.done():
            other.say("heartbeat")
            assert await other.text() == "heartbeat response"
            beats += 1
            await asyncio.wait((ending,), timeout=0.05)
        assert (ending.result().code, ending.result().reason) == (1001, "60 s of silence")
        assert beats > 5
        other.close()

    run(data, scenario)


def issue(store: Store) -> TokenPair:
    with store.database.changing("auth") as change:
        clients.find_hash(change.connection, "test")
        tokens.make_room(change.connection, TokenPolicy(), "test", 10**10)
        pair = tokens.issue(change.connection, TokenPolicy(), "test", 10**10)
    assert isinstance(pair, TokenPair)
    return pair


def test_the_end_of_a_token_ends_the_connection_and_a_refreshed_one_keeps_it(
    data: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.05)

    async def scenario(site: Site) -> None:
        first, second = issue(store), issue(store)
        ended = await EventSocket.open(site.port, first.access)
        kept = await EventSocket.open(site.port, second.access)
        for each in (ended, kept):
            await each.subscribe(STATUS)
        with store.database.changing("auth") as change:
            fresh = tokens.refresh(change.connection, TokenPolicy(grace=-(10**11)), second.refresh, 10**10)
            assert isinstance(fresh, TokenPair)
            tokens.revoke(change.connection, fingerprint(first.access))
        end = await ended.closed()
        assert (end.code, end.reason) == (1008, "the access token has ended")
        kept.say("heartbeat")
        assert await kept.text() == "heartbeat response"
        with store.database.changing("auth") as change:
            tokens.revoke(change.connection, fingerprint(fresh.access))
        assert (await kept.closed()).code == 1008

    run(data, scenario)


def test_a_subscriber_that_does_not_read_is_cut_off_and_others_are_not(
    data: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MAX_UNSENT", 200_000)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0.2)

    async def scenario(site: Site) -> None:
        slow, other = await subscribed(site, STATUS), await subscribed(site, END)
        while live_connections(site) == 2:
            await asyncio.to_thread(store.report, *[STATUS] * 50, END, text="x" * 10_000)
            assert (await other.event())["type"] == END
        end = await slow.closed()
        assert end.code in (1008, 1006)
        other.say("heartbeat")
        assert await other.text() == "heartbeat response"
        other.close()

    hubs: list[hub.EventHub] = []
    make = hub.EventHub.__init__

    def keep(self: hub.EventHub, *arguments: Any) -> None:
        hubs.append(self)
        make(self, *arguments)

    monkeypatch.setattr(hub.EventHub, "__init__", keep)

    def live_connections(_site: Site) -> int:
        return sum(each.is_open for each in hubs[-1].subscribers)

    run(data, scenario)


def test_messages_that_are_no_text_or_too_long_end_the_connection(data: Path) -> None:
    async def scenario(site: Site) -> None:
        binary = await subscribed(site, STATUS)
        binary.writer.write(binary.socket.send(BytesMessage(b"\0")))
        assert (await binary.closed()).code == 1003
        long = await subscribed(site, STATUS)
        long.say("x" * 70_000)
        assert (await long.closed()).code == 1009
        broken = await subscribed(site, STATUS)
        broken.writer.write(b"\xff\xff\xff\xff")
        assert (await broken.closed()).code == 1002

    run(data, scenario)


def test_a_ping_is_answered_and_parts_of_a_message_belong_together(data: Path) -> None:
    async def scenario(site: Site) -> None:
        events = await EventSocket.open(site.port, site.token)
        events.writer.write(events.socket.send(Ping(b"there?")))
        for part, is_last in (('{"topic_', False), ('list":[30011]}', True)):
            events.writer.write(events.socket.send(TextMessage(part, message_finished=is_last)))
        assert await events.text() == SUCCESS
        assert events.pongs == [b"there?"]
        events.close()

    run(data, scenario)


def test_a_server_that_stops_says_so(data: Path) -> None:
    async def main() -> Closed:
        async with asyncio.timeout(GUARD):
            async with serving(data) as site:
                events = await subscribed(site, STATUS)
                ending = asyncio.create_task(events.closed())
            return await ending

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()).code == 1012


def test_many_subscribers_each_get_each_event_once(data: Path, store: Store) -> None:
    async def scenario(site: Site) -> None:
        every = [await subscribed(site, STATUS) for _ in range(60)]
        for n in range(5):
            await asyncio.to_thread(store.report, STATUS, n=n)
        for events in every:
            assert [(await events.event())["msg"]["n"] for _ in range(5)] == list(range(5))
            events.close()

    run(data, scenario)


def test_a_request_without_an_upgrade_is_refused_as_on_a_p_series(reader: Api) -> None:
    answer = reader.send("GET", reader.target("subscribe", {}), headers=AGENT)
    assert (answer.status, answer.json()["errcode"]) == (400, 40001)
    answer = reader.send("GET", f"{ROOT}subscribe?access_token=wrong", headers=AGENT)
    assert (answer.status, answer.json()["errcode"]) == (200, 10004)
