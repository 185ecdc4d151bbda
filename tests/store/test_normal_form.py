"""Names that the release before stored as they were typed have one form after the migration."""

import importlib

from sqlalchemy import update

from openivr.store.database import Database
from openivr.store.tables import OBJECTS
from tests.store.bodies import create, ivr

MIGRATION = importlib.import_module("openivr.store.migrations.versions.0014_normal_form")
COMPOSED, DECOMPOSED = "Gr\u00fcn.wav", "Gru\u0308n.wav"
TWICE = ("\u00e9.wav", "e\u0301.wav")


def test_a6_stored_text_gets_one_form_with_what_refers_to_it(database: Database) -> None:
    names = ["a.wav", "b.wav", "c.wav"]
    ids = [create(database, "custom_prompt", {"name": name}) for name in names]
    group = create(database, "ext_group", {"name": "Sales"})
    plays = {"press1_dest": "play_prompt", "press1_dest_prefix": "1", "press1_dest_value": "a.wav"}
    menu = create(database, "ivr", ivr(prompt="default,a.wav,c.wav", **plays))
    prompt_table, menu_table, group_table = OBJECTS["custom_prompt"], OBJECTS["ivr"], OBJECTS["ext_group"]
    with database.writing() as connection:  # as they were stored before
        for id_, name in zip(ids, (DECOMPOSED, *TWICE), strict=True):
            connection.execute(update(prompt_table).where(prompt_table.c.id == id_).values(name=name))
        keys = {"1": {"dest": "play_prompt", "prefix": "1", "value": DECOMPOSED, "allow_out_record": 0}}
        prompt = f"default,{DECOMPOSED},{TWICE[1]}"
        connection.execute(update(menu_table).values(prompt=prompt, keys=keys, name="Zu\u0308rich"))
        connection.execute(update(group_table).values(name="Verkau\u0308fe", name_order="verkau\u0308fe"))
        MIGRATION.normalise(connection)
        prompts = connection.execute(prompt_table.select().order_by("id")).all()
        assert [row.name for row in prompts] == [COMPOSED, *TWICE]  # two that would become one stay
        row = connection.execute(menu_table.select().where(menu_table.c.id == menu)).one()
        assert (row.prompt, row.name) == (f"default,{COMPOSED},{TWICE[1]}", "Z\u00fcrich")
        assert row.keys["1"]["value"] == COMPOSED
        named = connection.execute(group_table.select().where(group_table.c.id == group)).one()
        assert (named.name, named.name_order) == ("Verka\u00fcfe", "verka\u00fcfe")
