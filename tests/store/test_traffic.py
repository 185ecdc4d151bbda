"""What goes on at this moment: calls under way and trunks that are up."""

from openivr.store.cdr import call_records
from openivr.store.database import Database
from openivr.store.runtime import registrations
from openivr.store.runtime.registrations import Traffic, TrunkStatus
from tests.store.bodies import create


def test_calls_and_trunks(database: Database) -> None:
    with database.reading() as connection:
        assert registrations.count_traffic(connection) == Traffic(0, 0, 0)
    body = {"type": "peer", "hostname": "sip.example.com"}
    trunks = [create(database, "trunk", {**body, "name": name, "enable": on}) for name, on in NAMES]
    with database.writing() as connection:
        states = [TrunkStatus(id_, "up", "", 0, node) for id_ in trunks for node in ("a", "b")]
        registrations.save_trunks(connection, states[:-2])
        registrations.save_trunks(connection, [TrunkStatus(trunks[-1], "down", "", 0, "a")])
        call_records.save(
            connection,
            [
                call_records.CallRecord("1"),
                call_records.CallRecord("2", ended=5),
                call_records.CallRecord("3"),
            ],
        )
    with database.reading() as connection:
        assert registrations.count_traffic(connection) == Traffic(2, 1, 2)


NAMES = (("One", 1), ("Off", 0), ("Down", 1))
