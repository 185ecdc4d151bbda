"""The names of uvicorn that are not public, which api/slow_clients.py and api/fast_list.py rely on."""

import ast
import inspect
from functools import cache
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.server import ServerState

from openivr.api import fast_list, slow_clients
from openivr.api.fast_list import FastListProtocol
from openivr.api.slow_clients import LimitedProtocol

OURS = {
    name
    for kind in (LimitedProtocol, FastListProtocol)
    for name, value in vars(kind).items()
    if inspect.isfunction(value) and not hasattr(httptools_impl.HttpToolsProtocol, name)
}
# Each attribute that the two modules use and do not set first, with the sources that must set it.
PROTOCOL = ("client", "cycle", "flow", "loop", "parser", "pipeline", "server_state", "transport")
REQUEST = ("expect_100_continue", "headers", "url")
METHODS = (
    "connection_made",
    "connection_lost",
    "data_received",
    "handle_websocket_upgrade",
    "_should_upgrade",
    "on_body",
    "on_headers_complete",
    "on_message_begin",
    "on_message_complete",
    "on_response_complete",
    "send_400_response",
)


@cache
def assigned(source: object) -> set[str]:
    """List the attributes of `self` that a class assigns."""
    tree = ast.parse(inspect.getsource(source))  # type: ignore[arg-type]
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


@pytest.mark.parametrize("name", METHODS)
def test_the_methods_that_are_overridden_or_called_exist(name: str) -> None:
    assert inspect.isfunction(vars(httptools_impl.HttpToolsProtocol).get(name))


@pytest.mark.parametrize("name", [*PROTOCOL, *REQUEST])
def test_the_protocol_sets_the_attributes_that_are_used(name: str) -> None:
    assert name in assigned(httptools_impl.HttpToolsProtocol)


def test_a_running_request_has_what_is_read_and_set() -> None:
    assert {"disconnected", "response_complete"} <= assigned(httptools_impl.RequestResponseCycle)
    assert "write_paused" in assigned(flow_control.FlowControl)
    assert {"connections", "default_headers"} <= set(vars(ServerState()))


def test_no_other_attribute_of_the_protocol_is_used() -> None:
    """Each name that the modules use of `self` is their own or in the lists above."""
    used = set()
    own = (
        OURS
        | assigned(LimitedProtocol)
        | assigned(FastListProtocol)
        | {"handler", "handshake", "hosts", "shares", "requires_user_agent"}
    )
    for module in (slow_clients, fast_list):
        assert module.__file__ is not None
        for kind in ast.parse(Path(module.__file__).read_text()).body:
            if isinstance(kind, ast.ClassDef) and kind.name.endswith("Protocol"):
                used |= {
                    node.attr
                    for node in ast.walk(kind)
                    if isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "self"
                }
    assert used - own <= {*PROTOCOL, *REQUEST, *METHODS}


def test_uvicorn_is_bounded_to_the_minor_version_that_is_tested() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    major, minor = uvicorn.__version__.split(".")[:2]
    assert f'"uvicorn>={major}.{minor},<{major}.{int(minor) + 1}"' in text
