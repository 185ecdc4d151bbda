"""`openivr serve` with the demo, as a process, for tests that look at it from outside alone."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openivr.ivr.state import IvrState
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter, CallRecord
from tests.b2bua.handset import Handset
from tests.live_server import Api, Running, start

WAIT = 20.0
LOOK = 0.02


def until(condition: Callable[[], bool], what: str = "it never came to be so") -> None:
    """Poll until another process has done something."""
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(LOOK)


@dataclass
class ServerProcess:
    """A running server, its API and its phones."""

    running: Running
    api: Api
    passwords: dict[str, str]
    handsets: list[Handset] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # records

    @property
    def port(self) -> int:
        return self.running.sip_port

    def handset(self, number: str, **options: Any) -> Handset:
        """A phone of an extension, registered."""
        phone = Handset(self.port, number, self.passwords[number], **options)
        self.handsets.append(phone)
        assert phone.register().status == 200
        return phone

    def stranger(self) -> Handset:
        """A phone that nobody knows, or a provider."""
        phone = Handset(self.port)
        self.handsets.append(phone)
        return phone

    def post(self, path: str, **body: Any) -> int:
        """Ask the API for a change; the id of what it made."""
        answer = self.api.post(path, body)
        assert answer["errcode"] == 0, answer
        return int(answer.get("id", 0))

    def ivr(self, number: str) -> int:
        """The id of a menu."""
        menus = self.api.get("ivr/list")["data"]
        return next(int(menu["id"]) for menu in menus if menu["number"] == number)

    def until_registered(self, number: str) -> None:
        """Wait until a phone of an extension is there."""

        def is_there() -> bool:
            rows = self.api.get("extension/list")["data"]
            row = next(row for row in rows if row["number"] == number)
            return bool(row["online_status"]["sip_phone"]["status"])

        until(is_there, "not registered")

    def delete(self, kind: str, ident: int) -> None:
        answer = self.api.get(f"{kind}/delete", id=ident)
        assert answer["errcode"] == 0, answer

    def records(self) -> list[CallRecord]:
        """All records, oldest first."""
        with self.running.database() as database, database.reading() as connection:
            found = call_records.list_calls(connection, CallFilter())[1]
            whole = call_records.load(connection, [record.id for record in found])
        return [whole[record.id] for record in reversed(found)]

    def new_records(self, number: int = 1) -> list[CallRecord]:
        """The records of the calls since the last time, all of which must be over, and be so many."""
        new: list[CallRecord] = []

        def are_written() -> bool:
            new[:] = [record for record in self.records() if record.id not in self.seen]
            return len(new) >= number and not any(record.is_live for record in new)

        until(are_written, "no record")
        assert len(new) == number, new
        self.seen.update(record.id for record in new)
        return list(new)

    def forget_records(self) -> None:
        """Look at none of the records that there are now."""
        self.seen.update(record.id for record in self.records())

    def live(self) -> list[CallRecord]:
        """The records of the calls under way."""
        return [record for record in self.records() if record.is_live and record.id not in self.seen]

    def until_key(self) -> None:
        """Wait until a key was heard in a call under way."""
        until(lambda: any(record.keys for record in self.live()), "no key")

    def until_stage(self, stage: IvrState) -> None:
        """Wait until a call is so far."""
        until(lambda: any(record.stage == stage.value for record in self.live()), f"never {stage.value}")

    def new_record(self) -> CallRecord:
        """The record of the one call since the last time."""
        return self.new_records()[0]

    def close_handsets(self) -> None:
        for phone in self.handsets:
            phone.close()
        self.handsets.clear()


@contextmanager
def run_server(folder: Path, *options: str) -> Iterator[ServerProcess]:
    """Start it, and stop it in the end."""
    running = start(folder, "--drain-calls", "0", *options, command="serve")
    api = running.log_in()
    passwords = json.loads((running.data / "demo-secrets.json").read_text())["extensions"]
    server = ServerProcess(running, api, passwords)
    try:
        yield server
    finally:
        server.close_handsets()
        api.close()
        running.stop()
