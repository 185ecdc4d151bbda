"""What PostgreSQL would choke on gets the same answers as on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.api.families import IVR
from tests.live_server import Api, start

MISSING = {"errcode": 60001, "errmsg": "DATA NOT FOUND"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A client, logged in, of a server on PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("server")
    with postgres.running() as socket:
        url = f"postgresql+psycopg://postgres@/postgres?host={socket}"
        running = start(folder, "--database", url)
        api = running.log_in()
        yield api
        api.close()
        running.stop()


def test_ids_that_no_column_holds(api: Api) -> None:
    for id_ in (2**31, 10**17):
        assert api.get("ivr/get", id=id_) == MISSING
        assert api.get("ivr/delete", id=id_) == MISSING
        assert api.get("ivr/query", ids=id_) == MISSING
        assert api.get("custom_prompt/download", id=id_) == MISSING
        for sign in (1, -1):
            assert api.post("ivr/update", {"id": sign * id_}) == MISSING
            fields = {"press1_dest": "ivr", "press1_dest_value": str(sign * id_)}
            assert api.post("ivr/create", IVR.body(**fields))["errcode"] == 40002


def test_pages_beyond_every_offset(api: Api) -> None:
    for path in ("ivr/list", "ivr/search"):
        assert api.get(path, page=10**12, page_size=10_000)["total_number"] == 4


def test_texts_that_no_column_holds(api: Api) -> None:
    play = {"press1_dest": "play_prompt", "press1_dest_prefix": "1", "press1_dest_value": "a\0.wav"}
    for fields in ({"name": "a\0"}, {"prompt": "a\0.wav"}, play):
        assert api.post("ivr/create", IVR.body(**fields))["errcode"] == 40002
    assert api.query("ivr/search", "search_value=%00")["errcode"] == 40002
    assert api.post("get_token", {"username": "a\0", "password": "b\0"})["errcode"] == -1
