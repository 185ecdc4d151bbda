"""No endpoint answers without a token, except those that give one and the document."""

import pytest

from openivr.api.endpoint import Endpoint
from openivr.server.http_process import all_endpoints
from tests.live_server import AGENT, Api

OPEN = {"get_token", "refresh_token", "openapi.json", "v2.0/openapi.json"}
EXPIRED = b'{"errcode":10004,"errmsg":"TOKEN EXPIRED"}'
ENDPOINTS = {endpoint.name: endpoint for endpoint in all_endpoints()}


def test_exactly_these_are_open() -> None:
    assert {path for path, endpoint in ENDPOINTS.items() if endpoint.is_open} == OPEN


def test_there_is_something_to_refuse() -> None:
    assert len(ENDPOINTS) > 60


@pytest.mark.parametrize("query", ["", "access_token=" + "x" * 32, "id=1&ids=1&menu=ivr"])
@pytest.mark.parametrize(
    "endpoint", [e for e in ENDPOINTS.values() if e.name not in OPEN], ids=lambda e: e.name
)
def test_all_others_refuse(reader: Api, endpoint: Endpoint, query: str) -> None:
    body = b'{"id":1}' if endpoint.method == "POST" else None
    answer = reader.send(endpoint.method, f"/openapi/{endpoint.version}/{endpoint.path}?{query}", body, AGENT)
    assert answer.content == EXPIRED


def test_open_ones_do_not(reader: Api) -> None:
    for path in OPEN:
        endpoint = ENDPOINTS[path]
        target = f"/openapi/{endpoint.version}/{endpoint.path}"
        answer = reader.send(endpoint.method, target, b"{}", AGENT)
        assert answer.content != EXPIRED
