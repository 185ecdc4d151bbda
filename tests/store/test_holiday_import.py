"""An import of holidays, stored."""

from openivr.data_import.holiday_merging import carry_out, preview
from openivr.data_import.merge_action import MergeAction
from openivr.store.database import Database
from tests.store.bodies import create, show

NEW, SAME, CHANGED, REFUSED = MergeAction.NEW, MergeAction.SAME, MergeAction.CHANGED, MergeAction.REFUSED
Fields = dict[str, str | int]


def dated(name: str, dates: str, **more: str | int) -> Fields:
    return {"name": name, "type": "date", "date": dates, **more}


def test_an_import_is_stored_once_and_keeps_what_a_person_set(database: Database) -> None:
    create(database, "timezone", {"name": "Office", "timezone": "Europe/Berlin", "is_default": 1})
    id_ = create(database, "holiday", dated("Easter", "2027/03/28", timezone_id=1, time_period="10:00-12:00"))
    bodies = [dated("Easter", "2027/03/28", time_period="10:00-13:00"), dated("May Day", "2027/05/01")]
    bodies.append(dated("Bad", "2027/02/31"))
    for expected in ([CHANGED, NEW, REFUSED], [SAME, SAME, REFUSED]):
        with database.reading() as connection:
            assert [row.action for row in preview(connection, bodies, 0)] == expected
        with database.changing() as change:
            assert [row.action for row in carry_out(change, bodies, 0)] == expected
    changed = show(database, "holiday", id_)
    assert (changed["time_period"], changed["timezone_id"]) == ("10:00-13:00", 1)
    with database.reading() as connection:
        assert len(preview(connection, [], 1)) == 0
        names = {row.fields["name"] for row in preview(connection, bodies[:2], 1)}
    assert names == {"Easter", "May Day"}
