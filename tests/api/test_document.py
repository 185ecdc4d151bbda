"""The OpenAPI document: it lists what is served, real answers keep to it, and its fuzzer finds nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from openivr.server.http_process import all_endpoints
from tests.effort import EFFORT, scale
from tests.live_server import AGENT, ROOT, Api, Running, start


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that never locks a wrong log-in out."""
    running = start(tmp_path_factory.mktemp("fuzzed"), "--login-failures", "1000000")
    yield running
    running.stop()


def read_document(api: Api, root: str = ROOT) -> dict[str, Any]:
    document: dict[str, Any] = api.send("GET", root + "openapi.json", headers=AGENT).json()
    return document


@pytest.mark.parametrize("version", ["v1.0", "v2.0"])
def test_the_documents_list_exactly_the_endpoints(reader: Api, version: str) -> None:
    document = read_document(reader, f"/openapi/{version}/")
    assert document["servers"] == [{"url": f"/openapi/{version}"}]
    listed = {
        (path, method.upper()) for path, operations in document["paths"].items() for method in operations
    }
    every = [endpoint for endpoint in all_endpoints() if endpoint.version == version]
    served = {(f"/{endpoint.path}", endpoint.method) for endpoint in every}
    assert listed == served - {
        ("/openapi.json", "GET")
    }  # the document, which is no part of the API it tells of


@schemathesis.check
def check_errcode(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Wrong data is refused, and nothing upsets the server."""
    if response.headers.get("content-type") != ["application/json"]:
        return
    code = response.json().get("errcode")
    assert code != -2, "the server failed"
    is_wrong = case.meta is not None and case.meta.generation.mode == GenerationMode.NEGATIVE
    query = case.query or {}  # unknown names are ignored, and what is left empty is as absent
    is_wrong = is_wrong and UNKNOWN not in query and "" not in query.values()
    assert not (is_wrong and code == 0), f"wrong data was accepted: {case.meta}"


# The phase that sends every boundary of every parameter makes thousands of requests: `make fuzz` has it.
IS_DEEP = EFFORT >= 1
UNKNOWN = "x-schemathesis-unknown-property"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def fuzz(document: dict[str, Any], running: Running, token: str) -> list[str]:
    """What the fuzzer has to say against the server."""
    options = {
        "base-url": running.base + ROOT.rstrip("/"),
        "headers": AGENT,
        "parameters": {"access_token": token},
        "generation": {
            "max-examples": max(2, scale(2)),
            "deterministic": True,
            "with-security-parameters": False,
        },
        "checks": {"enabled": False, **{name: {"enabled": True} for name in (*CHECKS, "check_errcode")}},
        "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": IS_DEEP}},
        "max-failures": 20,
    }
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(options))
    said, count = [], 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for checks in event.recorder.checks.values():
                count += len(checks)
                said += [str(check) for check in checks if check.failure_info]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            said.append(str(event))
    assert count > (1000 if IS_DEEP else 100)
    return said


@pytest.mark.fuzz
def test_the_fuzzer_finds_nothing(fuzzed: Running) -> None:
    api = fuzzed.log_in()
    document = read_document(api)
    del document["paths"]["/del_token"]  # it would end the fuzzer's own token
    said = fuzz(document, fuzzed, api.token)
    assert not said
    assert api.get("ivr/list")["errcode"] == 0
    api.close()
