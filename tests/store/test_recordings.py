"""Lists of recordings come from an index of the routing stages that have one."""

import pytest

from openivr.store.cdr.recordings import select_recordings
from openivr.store.database import Database
from openivr.store.tables import CDR_ROW


@pytest.mark.parametrize("sort", ["id", "started"])
@pytest.mark.parametrize("is_descending", [False, True])
def test_a_page_of_recordings_is_read_from_its_index(
    database: Database, sort: str, *, is_descending: bool
) -> None:
    columns = [CDR_ROW.c[name] for name in dict.fromkeys((sort, "id"))]
    order = (column.desc() if is_descending else column for column in columns)
    page = select_recordings().order_by(*order).limit(20)
    compiled = page.compile(database.engine)
    names = compiled.positiontup or ()
    with database.reading() as connection:
        if database.is_sqlite:
            values = tuple(compiled.params[name] for name in names)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            plan = connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
        text = str(plan.all())
    assert f"ix_cdr_row_recorded_{sort}" in text
    assert "B-TREE" not in text
