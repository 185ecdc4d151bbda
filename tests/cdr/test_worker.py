"""The CDR worker: every call has exactly one record, whoever is killed and however often."""

import ctypes
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.json import decode
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from openivr import clock
from openivr.cdr import worker
from openivr.cdr.journal.entries import (
    BindingAdded,
    BindingRemoved,
    CallEntry,
    CallStepped,
    MessageDeleted,
    MessageHeard,
    MessageLeft,
    TrunkStateChanged,
)
from openivr.cdr.journal.event_codec import TimedEvent, describe, read_events
from openivr.cdr.journal.reader import list_files
from openivr.cdr.journal.writer import Journal
from openivr.cdr.retention import RetentionPolicy
from openivr.cdr.worker import CdrWorker
from openivr.ivr.events import HungUp
from openivr.ivr.model import IvrSnapshot
from openivr.media.audio.tone import sines
from openivr.media.recording.wavfile import WavFile
from openivr.resources import KINDS
from openivr.resources.extension import EXTENSION
from openivr.resources.order import ListQuery
from openivr.simulate.replay import replay_call
from openivr.simulate.world import World
from openivr.store.caches import list_snapshot as store_snapshot
from openivr.store.caches.list_snapshot import EMPTY, apply_changes
from openivr.store.cdr import call_records, report_sums, reports, voicemail
from openivr.store.cdr.call_records import CallFilter, CallRecord
from openivr.store.cdr.reports import CallReport, Span
from openivr.store.config import resources
from openivr.store.database import Database
from openivr.store.events.event_types import EventType
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_server import save_mail_server
from openivr.store.runtime import registrations
from openivr.store.tables import CALL, CALL_NOTE, EVENT
from tests.cdr.simulated_calls import START, many, record
from tests.cdr.test_call_events import follow
from tests.mail.conftest import SERVER


def write(folder: Path, entries: list[CallEntry], **options: Any) -> None:
    journal = Journal(folder, **options)
    for entry in entries:
        journal.write(entry)
    journal.close()


def commit(database: Database, folder: Path) -> None:
    CdrWorker(database, "node", folder).catch_up()


def records(database: Database) -> list[CallRecord]:
    with database.reading() as connection:
        total, rows = call_records.list_calls(connection, CallFilter(), limit=10_000)
        assert total == len(rows)
        found = call_records.load(connection, [row.id for row in rows])
        return [found[row.id] for row in rows]


def events(database: Database) -> list[tuple[int, int, str, dict[str, Any]]]:
    """Number, type, call and message of every event."""
    with database.reading() as connection:
        rows = connection.execute(select(EVENT).order_by(EVENT.c.id)).all()
    return [(row.id, row.type, row.call_id, decode(row.message)) for row in rows]


def test_a_call_leaves_one_record_that_replays(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    call = record(snapshot, "a-call", "3")
    write(tmp_path, call.end())
    commit(database, tmp_path)
    commit(database, tmp_path)
    [found] = records(database)
    assert (found.id, found.caller, found.called, found.source) == ("a-call", "2000", "6200", "1000")
    assert found.started == START
    assert found.answered is not None
    assert found.ended == START + call.now
    assert found.path.split()[0] in {ivr.number for ivr in snapshot.ivrs.values()}
    assert (found.outcome, found.reason) == ("menu", "menu_timeout")
    assert found.legs[0]["result"] == "answered"
    told = replay_call(snapshot, World(), read_events(found.events))
    assert told.lines == call.lines
    assert told.notes == call.notes
    with database.reading() as connection:
        assert [one.note for one in call_records.notes_of(connection, "a-call")] == call.notes


def test_a_pin_is_nowhere_and_the_call_replays_without_it(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    [menu] = [ivr for ivr in snapshot.ivrs.values() if ivr.policy.check_voicemail][:1]
    call = record(snapshot, "a-call", menu=menu.id)
    call.press("*02")
    call.wait(4)
    call.press("1000#")
    call.press("9876#1000#1234#2")
    write(tmp_path, call.end())
    text = b"".join(path.read_bytes() for path in tmp_path.glob("*.jsonl")).decode()
    keys = "".join(line.split('"key":"')[1][0] for line in text.splitlines() if '"key":"' in line)
    assert "9876" not in keys
    assert "1234" not in keys
    assert "••••#" in keys
    commit(database, tmp_path)
    [found] = records(database)
    told = replay_call(snapshot, World(), read_events(found.events))
    assert told.notes == call.notes
    assert sorted({line.text for line in told.lines if line.what == "mailbox"}) == ["opened", "refused"]


def test_a_call_under_way_is_shown(database: Database, snapshot: IvrSnapshot, tmp_path: Path) -> None:
    call = record(snapshot, "a-call")
    write(tmp_path, call.entries)
    commit(database, tmp_path)
    with database.reading() as connection:
        assert call_records.list_calls(connection, CallFilter(is_live=True))[0] == 1
        assert call_records.list_calls(connection, CallFilter(is_live=False))[0] == 0
    [found] = records(database)
    assert found.is_live
    assert found.stage == "announcing"


def test_calls_of_a_dead_process_end_where_it_died(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    call = record(snapshot, "a-call", "3")
    write(tmp_path, call.entries)
    commit(database, tmp_path)
    Journal(tmp_path).write(TrunkStateChanged(at=1, trunk=1, state="registered"))
    commit(database, tmp_path)
    [found] = records(database)
    assert (found.outcome, found.reason) == ("interrupted", "server_interrupted")
    assert found.ended == START + call.now
    assert found.events


def test_another_node_leaves_ours_alone(database: Database, snapshot: IvrSnapshot, tmp_path: Path) -> None:
    write(tmp_path / "one", record(snapshot, "a-call").entries)
    commit(database, tmp_path / "one")
    write(tmp_path / "two", [])
    CdrWorker(database, "other", tmp_path / "two").catch_up()
    assert records(database)[0].is_live


def test_entries_that_are_in_already_change_nothing(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    write(tmp_path, record(snapshot, "a-call", "3").end())
    commit(database, tmp_path)
    before = records(database), events(database), count_year(database)
    assert before[2].journeys
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM journal")
    commit(database, tmp_path)
    assert (records(database), events(database), count_year(database)) == before


def test_the_events_of_a_call_are_numbered_with_its_record(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    write(tmp_path, record(snapshot, "a-call", "3").end())
    commit(database, tmp_path)
    found = events(database)
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))
    types = [type_ for _, type_, call, _ in found if call == "a-call"]
    assert types[0] == 30011
    assert 30017 in types
    assert 90001 in types
    assert types[-1] == 30012
    ended = found[-1][3]
    assert (ended["call_from"], ended["status"], ended["type"]) == ("2000", "ANSWERED", "Internal")
    assert {message["call_id"] for _, type_, call, message in found if call and type_ != 30008} == {
        ended["call_id"]
    }
    busy = [message for _, type_, _, message in found if type_ == 30008 and message["extension"] == "1000"]
    assert [message["status"] for message in busy] == ["Busy", "Idle"]


def test_a_call_of_a_dead_process_ends_for_subscribers_too(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    write(tmp_path, record(snapshot, "a-call", "3").entries)
    commit(database, tmp_path)
    before = len(events(database))
    write(tmp_path, [])
    CdrWorker(database, "node", tmp_path).catch_up()
    told = [(type_, message) for _, type_, _, message in events(database)[before:]]
    assert [type_ for type_, _ in told] == [30011, 30008, 30012]
    [member] = told[0][1]["members"]
    assert member["extension"]["member_status"] == "BYE"
    assert told[1][1] == {"extension": "1000", "status": "Idle"}


def test_registrations_and_trunks_are_reported_where_they_change(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    with database.changing() as change:
        trunk = resources.create(
            change, KINDS["trunk"], {"name": "Line", "type": "peer", "hostname": "192.0.2.9"}
        )
    before = len(events(database))
    journal = Journal(tmp_path)
    data = {"target": {"transport": "UDP", "host": "192.0.2.7", "port": 5060}}
    for contact in ("sip:a@192.0.2.7", "sip:b@192.0.2.7", "sip:a@192.0.2.7"):
        journal.write(BindingAdded(at=1, extension=1, contact=contact, expires=2**40, data=data))
    for contact in ("sip:a@192.0.2.7", "sip:b@192.0.2.7", "sip:c@192.0.2.7"):
        journal.write(BindingRemoved(at=2, extension=1, contact=contact))
    for state, detail in (("up", "answers"), ("up", "answers"), ("down", "no_answer")):
        journal.write(TrunkStateChanged(at=3, trunk=trunk, state=state, detail=detail))
    journal.write(TrunkStateChanged(at=3, trunk=99, state="up"))
    commit(database, tmp_path)
    phone = {"extension": "1000", "kind": "Sip", "registered_ip": "192.0.2.7"}
    line = {"trunk_name": "Line", "kind": "PJSIP", "registered_ip": "192.0.2.9:5060"}
    assert [(type_, message) for _, type_, _, message in events(database)[before:]] == [
        (30007, phone | {"status": "Registered"}),
        (30007, phone | {"status": "Unregistered"}),
        (30010, line | {"status": 1}),
        (30010, line | {"status": 42}),
    ]


def count_year(database: Database) -> CallReport:
    """Return the numbers of all calls, which come from sums."""
    with database.reading() as connection:
        return reports.read_report(connection, Span(0, 100_000 * report_sums.DAY))


def test_an_entry_that_the_database_refuses_holds_up_no_other(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = call_records.save

    def refuse(connection: Connection, found: Iterable[CallRecord]) -> None:
        rows = list(found)
        if any(row.id == "call-001" for row in rows):
            raise ValueError("refused")
        take(connection, rows)

    monkeypatch.setattr(call_records, "save", refuse)
    write(tmp_path, list(many(snapshot, 3)))
    commit(database, tmp_path)
    assert {found.id for found in records(database)} == {"call-000", "call-002"}
    assert all(found.outcome == "menu" for found in records(database))


def test_a_database_that_does_not_answer_is_asked_again(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, record(snapshot, "a-call").end())
    cdr_worker = CdrWorker(database, "node", tmp_path)

    def fail(*_arguments: object) -> None:
        raise OperationalError("", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(call_records, "save", fail)
        assert cdr_worker.work() == 1.0
    assert records(database) == []
    cdr_worker.work()
    assert len(records(database)) == 1


def test_files_that_are_in_the_database_are_removed(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    write(tmp_path, list(many(snapshot, 5)), file_bytes=2000)
    assert len(list_files(tmp_path)) > 3
    cdr_worker = CdrWorker(database, "node", tmp_path)
    cdr_worker.tidy()
    assert len(list_files(tmp_path)) > 3
    cdr_worker.catch_up()
    cdr_worker.tidy()
    cdr_worker.tidy()
    assert len(list_files(tmp_path)) == 1
    assert len(records(database)) == 5


def test_old_records_are_deleted(database: Database, snapshot: IvrSnapshot, tmp_path: Path) -> None:
    recent = record(snapshot, "recent", start=int(time.time() * 1000)).end()
    write(tmp_path, [*record(snapshot, "old").end(), *record(snapshot, "live").entries, *recent])
    CdrWorker(database, "node", tmp_path, RetentionPolicy(records=0)).catch_up()
    CdrWorker(database, "node", tmp_path, RetentionPolicy(records=0)).tidy()
    assert len(records(database)) == 3
    CdrWorker(database, "node", tmp_path, RetentionPolicy(records=30)).tidy()
    assert {found.id for found in records(database)} == {"recent", "live"}
    with database.reading() as connection:
        assert call_records.notes_of(connection, "old") == []


def test_registrations_show_in_the_list_of_extensions(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    later = int(time.time()) + 60
    for contact in ("sip:a@192.0.2.1", "sip:b@192.0.2.1"):
        journal.write(
            BindingAdded(at=1, extension=1, contact=contact, expires=later, data={"contact": contact})
        )
    commit(database, tmp_path)
    with database.reading() as connection:
        first = apply_changes(connection, EMPTY)
        assert [row.contact for row in registrations.list_registrations(connection)] == [
            "sip:a@192.0.2.1",
            "sip:b@192.0.2.1",
        ]
    assert online(database, first) == {1: 1, 2: 0}
    journal.write(BindingRemoved(at=1, extension=1, contact="sip:a@192.0.2.1"))
    commit(database, tmp_path)
    assert online(database, first) == {1: 1, 2: 0}
    journal.write(BindingRemoved(at=1, extension=1, contact="sip:b@192.0.2.1"))
    commit(database, tmp_path)
    assert online(database, first) == {1: 0, 2: 0}
    journal.write(BindingAdded(at=1, extension=2, contact="sip:c@192.0.2.1", expires=1, data={}))
    commit(database, tmp_path)
    CdrWorker(database, "node", tmp_path).tidy()
    assert online(database, first) == {1: 0, 2: 1}, "the calls process is alive, and would report the end"
    monkeypatch.setattr(worker, "SILENT_SECONDS", 0.0)
    CdrWorker(database, "node", tmp_path).tidy()
    assert online(database, first) == {1: 0, 2: 0}


def online(database: Database, before: store_snapshot.ListSnapshot) -> dict[int, int]:
    with database.reading() as connection:
        fresh = apply_changes(connection, EMPTY).lists[EXTENSION.name]
        stepped = apply_changes(connection, before).lists[EXTENSION.name]
    pages = [decode(b"[%b]" % b",".join(index.page(ListQuery(0, 2)))) for index in (fresh, stepped)]
    assert pages[0] == pages[1]
    return {row["id"]: row["online_status"]["sip_phone"]["status"] for row in pages[0]}


def test_a_message_and_the_mail_about_it_are_stored_together(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    wish = {"email_addr": "sam@example.com", "new_vm_notify": "with_attachment", "after_vm_notify": "delete"}
    with database.changing() as change:
        resources.update(change, EXTENSION, 1, wish)
        save_mail_server(change.connection, SERVER)
    for id_, owner in (("m1", 1), ("m2", 2)):
        (tmp_path / f"{id_}.wav").write_bytes(b"RIFF sound")
        entry = MessageLeft(
            at=START,
            id=id_,
            extension=owner,
            call="c",
            caller="2000",
            milliseconds=1500,
            file=f"{id_}.wav",
        )
        write(tmp_path, [entry])  # type: ignore[list-item]
    commit(database, tmp_path)
    with database.reading() as connection:
        [mail] = mail_queue.list_mail(connection)
        assert voicemail.find_message(connection, mail.voicemail_id) is not None
    assert (mail.id, mail.recipient, mail.has_audio, mail.after, mail.state) == (
        "voicemail-m1",
        "sam@example.com",
        1,
        "delete",
        "waiting",
    )


def test_messages_come_with_their_sound(database: Database, snapshot: IvrSnapshot, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    (tmp_path / "m1.wav").write_bytes(b"RIFF sound")
    for ident in ("m1", "m2"):
        journal.write(
            MessageLeft(
                at=START,
                id=ident,
                extension=1,
                call="c",
                caller="2000",
                milliseconds=1500,
                file=f"{ident}.wav",
            )
        )
    commit(database, tmp_path)
    assert not (tmp_path / "m1.wav").exists()
    with database.reading() as connection:
        total, [message] = voicemail.list_messages(connection, 1)
        assert total == 1
        assert (message.id, message.caller, message.milliseconds, message.heard) == ("m1", "2000", 1500, 0)
        assert voicemail.audio_of(connection, "m1") == b"RIFF sound"
        assert voicemail.list_messages(connection, 2) == (0, [])
    journal.write(MessageHeard(at=1, id="m1"))
    commit(database, tmp_path)
    with database.reading() as connection:
        assert voicemail.list_messages(connection)[1][0].heard == 1
    journal.write(MessageDeleted(at=1, id="m1", extension=1))
    commit(database, tmp_path)
    with database.reading() as connection:
        assert voicemail.list_messages(connection) == (0, [])
        assert voicemail.audio_of(connection, "m1") is None


def speak(path: Path, seconds: float, silence: float = 0.0) -> None:
    """What a killed process leaves of a message: a tone, then silence."""
    file = WavFile(path, 1)
    file.append(sines((440,), seconds, 10).tobytes() + bytes(int(silence * 8000) * 2))
    file.close()


def messages(database: Database) -> list[voicemail.VoicemailMessage]:
    with database.reading() as connection:
        return voicemail.list_messages(connection)[1]


def test_what_was_said_into_a_mailbox_outlives_the_process(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    write(tmp_path, record(snapshot, "a-1").entries)
    for name, seconds in (("vm-a-1-3.wav", 2.0), ("vm-a-1-4.wav", 0.4), ("vm-b-1-3.wav", 2.0)):
        speak(tmp_path / name, seconds)
    speak(tmp_path / "vm-a-1-6.wav", 0.08, silence=5.0)  # a click, and nothing more
    (tmp_path / "vm-a-1-5.wav").write_bytes(b"no sound")
    commit(database, tmp_path)
    assert messages(database) == []
    write(tmp_path, record(snapshot, "b-1").entries)  # another process, in which somebody speaks now
    commit(database, tmp_path)
    [message] = messages(database)
    assert (message.id, message.extension_id, message.call_id) == ("vm-a-1-3", 3, "a-1")
    assert (message.caller, message.milliseconds) == (records(database)[0].caller, 2000)
    assert [path.name for path in tmp_path.glob("*.wav")] == ["vm-b-1-3.wav"]


def test_who_hung_up_while_a_message_was_kept_was_not_interrupted(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    for ident, reason in (("a-1", ""), ("a-2", "caller_lost")):
        call = record(snapshot, ident)
        gone = describe(TimedEvent(call.now, HungUp(reason)))
        call.entries.append(CallStepped(**call.head(), event=gone, stage="keeping", menu=1))
        write(tmp_path, call.entries)
    speak(tmp_path / "vm-a-1-3.wav", 2.0)
    write(tmp_path, record(snapshot, "b-1").entries)  # another process
    commit(database, tmp_path)
    found = {one.id: (one.outcome, one.reason) for one in records(database) if not one.is_live}
    assert found == {"a-1": ("message", "caller_hangup"), "a-2": ("menu", "caller_lost")}
    assert [message.call_id for message in messages(database)] == ["a-1"]


def test_the_sound_of_a_call_that_was_cut_off_stays_with_its_record(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    speak(folder / "one.wav", 1)
    for ident in ("one", "two"):
        write(tmp_path, record(snapshot, ident).entries)
    write(tmp_path, [])
    CdrWorker(database, "node", tmp_path, recordings=folder).catch_up()
    assert {found.id: found.recording for found in records(database)} == {"one": "one.wav", "two": ""}


def test_old_recordings_and_messages_are_deleted(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    long_ago = time.time() - 40 * 86_400
    for name in ("old", "new"):
        speak(folder / f"{name}.wav", 1)
        start = int(1000 * (long_ago if name == "old" else time.time()))
        write(tmp_path, record(snapshot, name, start=start).entries)
        with database.writing() as connection:
            voicemail.save(connection, voicemail.VoicemailMessage(name, 1, name, "", start, 1000), b"sound")
    os.utime(folder / "old.wav", (long_ago, long_ago))
    write(tmp_path, [])

    def tidy(keep: RetentionPolicy) -> tuple[set[str], set[str], set[str]]:
        cdr_worker = CdrWorker(database, "node", tmp_path, keep, folder)
        cdr_worker.catch_up()
        cdr_worker.tidy()
        return (
            {path.stem for path in folder.glob("*.wav")},
            {found.recording for found in records(database)},
            {message.id for message in messages(database)},
        )

    both = {"old", "new"}
    assert tidy(RetentionPolicy(records=0, recordings=0, messages=0)) == (both, {"old.wav", "new.wav"}, both)
    assert tidy(RetentionPolicy(records=0, recordings=0, messages=30)) == (
        both,
        {"old.wav", "new.wav"},
        {"new"},
    )
    assert tidy(RetentionPolicy(records=0, recordings=30)) == ({"new"}, {"", "new.wav"}, {"new"})


def test_a_recording_is_deleted_with_its_record(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    speak(tmp_path / "old.wav", 1)
    os.utime(tmp_path / "old.wav", (1, 1))
    CdrWorker(database, "node", tmp_path, RetentionPolicy(records=30, recordings=0), tmp_path).tidy()
    assert not (tmp_path / "old.wav").exists()


def write_calls(folder: Path, snapshot: IvrSnapshot, count: int, first: int, written: ctypes.c_int) -> None:
    """Write calls to the journal, and count in `written` those that are whole."""
    journal = Journal(folder, file_bytes=20_000)
    for at in range(count):
        written.value = at
        # Of today, because the worker deletes events that are older than a day.
        for entry in record(snapshot, f"call-{first + at:05d}", "3", start=clock.wall_ms()).end():
            journal.write(entry)
            time.sleep(0.0002)  # a call takes its time: most kills are to come in the middle of one


def keep_records(url: str, folder: Path) -> None:
    cdr_worker = CdrWorker(Database(url), "node", folder)
    while True:
        cdr_worker.work()
        cdr_worker.tidy()


def check_events(database: Database, found: list[CallRecord], whole: list[CallEntry]) -> None:
    """The numbers have no gap, and each call has the events of its entries, once and in order."""
    told = events(database)
    assert [number for number, *_ in told] == list(range(1, len(told) + 1))
    of_calls: dict[str, list[int]] = {}
    for _, type_, call, _ in told:
        if call and type_ != EventType.EXTENSION_STATUS:  # a report of all calls of an extension
            of_calls.setdefault(call, []).append(type_)
    for one in found:
        empty = CallRecord(one.id, "node", "run", started=START)
        entries = [msgspec.structs.replace(entry, call=one.id) for entry in whole[: one.sequence]]
        expected = [int(report.type) for report in follow(entries, empty)]
        if one.outcome == "interrupted":
            expected.append(EventType.CALL_STATUS)
        assert of_calls[one.id] == [*expected, EventType.CALL_END]


def test_kills_lose_and_double_nothing(database: Database, snapshot: IvrSnapshot, tmp_path: Path) -> None:
    """Writer and worker are killed at random moments, again and again; then all calls are compared."""
    random.seed(11)
    fork = multiprocessing.get_context("fork")
    url = database.url.render_as_string(hide_password=False)
    database.engine.dispose()
    for round_number in range(8):
        written = fork.Value("i", 0, lock=False)  # a lock would outlive its killed owner
        first = round_number * 2000
        writer = fork.Process(target=write_calls, args=(tmp_path, snapshot, 2000, first, written))
        storing = fork.Process(target=keep_records, args=(url, tmp_path))
        for process in random.sample([writer, storing], 2):
            process.start()
        for process in random.sample([writer, storing], 2):
            wanted = random.randint(3, 40)
            while process is writer and written.value < wanted and writer.is_alive():
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.05))
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
    Journal(tmp_path).close()
    commit(database, tmp_path)
    found = records(database)
    whole = record(snapshot, "x", "3").end()
    assert len(found) > 16
    check_events(database, found, whole)
    for one in found:
        assert not one.is_live
        expected = "menu" if one.sequence == len(whole) else "interrupted"
        assert one.outcome == expected
        assert len(one.events) <= sum(isinstance(entry, CallStepped) for entry in whole)
    assert sum(one.outcome == "interrupted" for one in found) <= 8
    with database.reading() as connection:
        notes = connection.execute(select(func.count()).select_from(CALL_NOTE)).scalar_one()
        assert connection.execute(select(func.count()).select_from(CALL)).scalar_one() == len(found)
    each = sum(len(entry.notes) for entry in whole if hasattr(entry, "notes"))
    assert notes <= each * len(found)
    assert notes >= each * sum(one.outcome == "menu" for one in found)
