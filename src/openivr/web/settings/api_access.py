"""Pages of API access: clients and their tokens, the allow list, and locked-out addresses."""

import ipaddress
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.resources.errors import Duplicate, NotFound, Problem
from openivr.resources.fields import InvalidValue, TextField
from openivr.resources.secret import random_text
from openivr.store.auth import clients, tokens
from openivr.store.auth.clients import ApiClient
from openivr.store.auth.tokens import LiveToken
from openivr.web.core.request import PageRequest, PageRoute, now
from openivr.web.forms.problems import problem_text
from openivr.web.messages import t

WHERE = "/settings"
CLIENTS, ADDRESSES = f"{WHERE}/clients", f"{WHERE}/addresses"
NAME = TextField(name="name", required=True, low=1, high=63)
REFUSED = 422


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """The clients by name, and the active tokens of each."""

    clients: list[ApiClient]
    tokens: dict[str, list[LiveToken]]


@dataclass(frozen=True, slots=True)
class NewClient:
    """A new client with its secret, which is shown only once."""

    id: str
    name: str
    secret: str


async def clients_page(request: PageRequest) -> Response:
    return await render_clients(request)


async def render_clients(
    request: PageRequest, *, name: str = "", problem: str = "", created: NewClient | None = None
) -> Response:
    access = await request.database.read(load_access, now())
    return request.render(
        "settings/clients.html",
        status=REFUSED if problem else 200,
        where=WHERE,
        access=access,
        most=request.app.logins.policy.max_tokens,
        name=name,
        problem=problem,
        created=created,
    )


def load_access(connection: Connection, moment: int) -> ApiAccess:
    live: dict[str, list[LiveToken]] = {}
    for token in tokens.list_live(connection, moment):
        live.setdefault(token.client_id, []).append(token)
    ordered = sorted(clients.list_all(connection), key=lambda client: client.name.casefold())
    return ApiAccess(ordered, live)


async def add_client(request: PageRequest) -> Response:
    """Add a client. Only the page that answers shows its secret."""
    name = request.form_text("name").strip()
    created = NewClient(random_text(), name, random_text())
    try:
        NAME.parse(name)
        await request.database.change_auth(clients.add, name, created.id, created.secret)
    except InvalidValue as bad:
        problem = Problem("name", bad.code, bad.params, name)
        return await render_clients(
            request, name=name, problem=problem_text("client", NAME, problem, {"name": name})
        )
    except Duplicate:
        return await render_clients(request, name=name, problem=t("client.taken", name=name))
    return await render_clients(request, created=created)


async def delete_client_page(request: PageRequest) -> Response:
    access = await request.database.read(load_access, now())
    client = find_client(access, request)
    count = len(access.tokens.get(client.id, ()))
    return request.render("settings/client_delete.html", where=WHERE, client=client, count=count)


def find_client(access: ApiAccess, request: PageRequest) -> ApiClient:
    client_id = request.http.path_params["id"]
    for client in access.clients:
        if client.id == client_id:
            return client
    raise NotFound(f"client {client_id}")


async def delete_client(request: PageRequest) -> Response:
    client = find_client(await request.database.read(load_access, now()), request)
    await request.database.change_auth(clients.revoke, client.id)
    return request.redirect(CLIENTS, [t("client.deleted", name=client.name)])


async def end_token(request: PageRequest) -> Response:
    await request.database.change_auth(tokens.end, request.path_id())
    return request.redirect(CLIENTS, [t("client.token_ended")])


async def addresses_page(request: PageRequest) -> Response:
    return await render_addresses(request)


async def render_addresses(request: PageRequest, *, network: str = "", problem: str = "") -> Response:
    allowed = await request.database.read(clients.allowed)
    blocked = await request.database.read(clients.blocked, now())
    return request.render(
        "settings/addresses.html",
        status=REFUSED if problem else 200,
        where=WHERE,
        allowed=allowed,
        blocked=blocked,
        network=network,
        problem=problem,
    )


async def allow(request: PageRequest) -> Response:
    """Add an address or a network to the allow list."""
    text = request.form_text("network").strip()
    try:
        network = str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return await render_addresses(request, network=text, problem=t("address.bad"))
    await request.database.change_auth(clients.allow, network)
    return request.redirect(ADDRESSES, [t("address.allowed", network=network)])


async def disallow(request: PageRequest) -> Response:
    network = request.form_text("network")
    await request.database.change_auth(clients.disallow, network)
    return request.redirect(ADDRESSES, [t("address.removed", network=network)])


async def unblock(request: PageRequest) -> Response:
    address = request.form_text("address")
    await request.database.change_auth(clients.unblock, address)
    return request.redirect(ADDRESSES, [t("address.unblocked", address=address)])


ROUTES = (
    PageRoute(path=CLIENTS, handle=clients_page),
    PageRoute(path=CLIENTS, handle=add_client, method="POST"),
    PageRoute(path=CLIENTS + "/{id}/delete", handle=delete_client_page),
    PageRoute(path=CLIENTS + "/{id}/delete", handle=delete_client, method="POST"),
    PageRoute(path=f"{WHERE}/tokens/{{id:int}}/end", handle=end_token, method="POST"),
    PageRoute(path=ADDRESSES, handle=addresses_page),
    PageRoute(path=ADDRESSES, handle=allow, method="POST"),
    PageRoute(path=f"{ADDRESSES}/remove", handle=disallow, method="POST"),
    PageRoute(path=f"{ADDRESSES}/unblock", handle=unblock, method="POST"),
)
