"""Tokens over HTTP: get, refresh, revoke, and the check that every other endpoint stands behind.

P-Series: get-access-token, refresh-access-token, revoke-access-token, authorization-rule.
"""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache, partial
from urllib.parse import urlsplit

from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import Query, read_text
from openivr.api.responses import (
    BLOCKED,
    FAILURE,
    IP_FORBIDDEN,
    LIMIT,
    TOKEN_EXPIRED,
    ApiError,
    bad_parameters,
    succeed,
)
from openivr.clock import lifetime
from openivr.resources.errors import Problem
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.secret import fingerprint
from openivr.store.auth import clients, tokens
from openivr.store.auth.logins import TooManyLogins
from openivr.store.auth.tokens import TokenPair, TooManyTokens, UnknownToken
from openivr.store.caches.list_snapshot import ListSnapshot, Network


def check_agent(headers: Mapping[str, str]) -> None:
    """Refuse a request that does not name its program (P-Series: request-structure).

    Only with `--require-user-agent`: the request that the page query-ivr-list shows has no User-Agent.
    """
    if not headers.get("user-agent", "").strip():
        raise bad_parameters(Problem("User-Agent", ProblemCode.REQUIRED_HEADER))


def check_site(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site makes a browser send: -1, and no login is counted.

    Such a page could lock out the programs on the browser's machine by wrong logins from its address.
    """
    origin = headers.get("origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    if is_foreign or headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise ApiError(FAILURE, submsg="requests by pages of other sites are refused")


def check_address(snapshot: ListSnapshot, address: str) -> None:
    """70087 where there is an allow list and the caller is not on it."""
    if snapshot.networks and not is_listed(address, snapshot.networks):
        raise ApiError(IP_FORBIDDEN)


@lru_cache(4096)
def is_listed(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None) or caller
    return any(mapped in network for network in networks)


def check_token(snapshot: ListSnapshot, query: Query) -> str:
    """Return the fingerprint of a valid access token. Raises 10004 for missing, unknown and expired ones."""
    values = query.get("access_token", ())
    kept = fingerprint(values[0]) if len(values) == 1 else ""
    if snapshot.tokens.get(kept, 0) <= lifetime.now():
        raise ApiError(TOKEN_EXPIRED)
    return kept


async def get_token(request: ApiRequest) -> bytes:
    """A pair for a client's id and secret. Wrong ones are counted by address, and lead to a lock-out."""
    body = await request.json()
    client_id, secret = read_text(body, "username"), read_text(body, "password")
    database, policy = request.service.database, request.service.policy
    try:
        find = partial(clients.find_hash, id_=client_id)
        result = await request.service.logins.check(request.address, find, secret)
    except TooManyLogins as error:
        raise ApiError(LIMIT, submsg="too many logins at once; try again in a moment") from error
    if result.blocked_until is not None:
        raise ApiError(BLOCKED, block_expire_time=result.blocked_until)
    if not result.is_right:
        raise ApiError(FAILURE, invalid_param_list=[{"field": "username or password", "value": "error"}])
    issued = await database.change_auth(tokens.issue, policy, client_id, int(lifetime.now()))
    return await answer(request, issued)


async def refresh_token(request: ApiRequest) -> bytes:
    """A new pair for a refresh token."""
    body = await request.json()
    token, policy = read_text(body, "refresh_token"), request.service.policy
    now = int(lifetime.now())
    return await answer(
        request, await request.service.database.change_auth(tokens.refresh, policy, token, now)
    )


async def del_token(request: ApiRequest) -> bytes:
    """End the access token that the request carries, and its refresh token."""
    await request.service.database.change_auth(tokens.revoke, request.token)
    return succeed()


async def answer(request: ApiRequest, result: TokenPair | TooManyTokens | UnknownToken) -> bytes:
    policy = request.service.policy
    match result:
        case TooManyTokens():
            raise ApiError(LIMIT)
        case UnknownToken():
            raise ApiError(TOKEN_EXPIRED)
        case TokenPair():
            await request.service.live.current()  # the token is known if the database goes away now
            return succeed(
                access_token_expire_time=policy.access_life,
                access_token=result.access,
                refresh_token_expire_time=policy.refresh_life,
                refresh_token=result.refresh,
            )


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer"}
PAIR = {
    "access_token_expire_time": COUNT,
    "access_token": TEXT,
    "refresh_token_expire_time": COUNT,
    "refresh_token": TEXT,
}


def needs(*names: str) -> dict[str, object]:
    return {"type": "object", "properties": dict.fromkeys(names, TEXT), "required": list(names)}


ENDPOINTS = (
    Endpoint(
        path="get_token",
        method="POST",
        handle=get_token,
        summary="Log in: a client's id as username and its secret as password",
        body=needs("username", "password"),
        data=PAIR,
        is_open=True,
    ),
    Endpoint(
        path="refresh_token",
        method="POST",
        handle=refresh_token,
        summary="A new pair of tokens for a refresh token",
        body=needs("refresh_token"),
        data=PAIR,
        is_open=True,
    ),
    Endpoint(path="del_token", method="GET", handle=del_token, summary="Revoke the access token"),
)
