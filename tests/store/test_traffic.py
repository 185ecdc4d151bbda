"""What goes on at this moment: calls under way and trunks that are up."""

from openivr.store import calls, registrations
from openivr.store.database import Database
from openivr.store.registrations import Traffic, TrunkState
from tests.store.bodies import create


def test_calls_and_trunks(database: Database) -> None:
    with database.reading() as connection:
        assert registrations.count_traffic(connection) == Traffic(0, 0, 0)
    body = {"type": "peer", "hostname": "sip.example.com"}
    trunks = [create(database, "trunk", {**body, "name": name, "enable": on}) for name, on in NAMES]
    with database.writing() as connection:
        states = [TrunkState(ident, "up", "", 0, node) for ident in trunks for node in ("a", "b")]
        registrations.save_trunks(connection, states[:-2])
        registrations.save_trunks(connection, [TrunkState(trunks[-1], "down", "", 0, "a")])
        calls.save(connection, [calls.Record("1"), calls.Record("2", ended=5), calls.Record("3")])
    with database.reading() as connection:
        assert registrations.count_traffic(connection) == Traffic(2, 1, 2)


NAMES = (("One", 1), ("Off", 0), ("Down", 1))
