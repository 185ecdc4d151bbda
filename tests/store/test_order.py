"""Both databases order alike, and as Python does."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from openivr.resources.order import name_key, number_key
from openivr.store.database import Database
from openivr.store.tables import OBJECTS
from tests.effort import scale

TABLE = OBJECTS["ring_group"]
TEXTS = st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=6), max_size=12)
NUMBERS = st.lists(st.text("0123456789*#+a", min_size=1, max_size=7), max_size=12)
FIXED: dict[str, object] = {
    "ring_strategy": "ring_all",
    "ring_timeout": 5,
    "join_prompt": "",
    "play_full_join_prompt": 0,
}
FIXED |= {"member_list": [], "fail_dest": {}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=scale(20))
@given(names=TEXTS, numbers=NUMBERS)
def test_keys_order_alike(database: Database, names: list[str], numbers: list[str]) -> None:
    pairs = [
        (names[at] if at < len(names) else "x", numbers[at] if at < len(numbers) else "1")
        for at in range(max(len(names), len(numbers)))
    ]
    rows = [
        {
            "id": at,
            "name": name,
            "number": number,
            "name_order": name_key(name),
            "number_order": number_key(number),
        }
        | FIXED
        | {"member_list": [], "fail_dest": {}}
        for at, (name, number) in enumerate(pairs)
    ]
    with database.writing() as connection:
        connection.execute(delete(TABLE))
        if rows:
            connection.execute(insert(TABLE), rows)
        for column, key, at in (("name_order", name_key, 0), ("number_order", number_key, 1)):
            found = list(
                connection.execute(select(TABLE.c.id).order_by(TABLE.c[column], TABLE.c.id)).scalars()
            )
            assert found == sorted(range(len(pairs)), key=lambda i: (key(pairs[i][at]), i))


def test_numbers_stand_as_they_are_dialled() -> None:
    numbers = ["10", "9", "*1", "6200", "100", "1*", "0"]
    assert sorted(numbers, key=number_key) == ["0", "9", "10", "100", "6200", "*1", "1*"]
