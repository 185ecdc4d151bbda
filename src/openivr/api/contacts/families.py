"""Company contacts and phonebooks: `company_contact/*` and `phonebook/*`.

P-Series: search-specific-company-contacts, add-a-company-contact, query-information-of-a-phonebook,
add-a-phonebook, edit-a-phonebook.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openivr.api import crud
from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import read_body_id, read_id, read_ids, read_page, read_search
from openivr.api.responses import NOT_FOUND, ApiError, list_rows, succeed
from openivr.resources.contact import COMPANY_CONTACT, PHONEBOOK
from openivr.store.caches.list_snapshot import ENCODE
from openivr.store.config import contacts

IDS = {"type": "array", "items": {"type": "integer"}, "maxItems": contacts.MAX_SHOWN}


async def list_contacts(request: ApiRequest) -> bytes:
    """List the contacts, or those with `search_value` in their names, numbers, mail address or remark."""
    page, text = read_page(request.query, COMPANY_CONTACT), read_search(request.query)
    total, rows = await request.service.database.read(contacts.list_contacts, text, page)
    return list_rows(total, [ENCODE(row) for row in rows])


async def get_contact(request: ApiRequest) -> bytes:
    """A contact with all its fields."""
    return succeed(data=await request.service.database.read(contacts.fetch_contact, read_id(request.query)))


async def query_contacts(request: ApiRequest) -> bytes:
    """Several contacts."""
    return found(await request.service.database.read(contacts.fetch_contacts, read_ids(request.query)))


def found(data: list[dict[str, Any]]) -> bytes:
    """Answer rows. Raises 60001 if there are none."""
    if not data:
        raise ApiError(NOT_FOUND)
    return succeed(data=data)


async def get_phonebook(request: ApiRequest) -> bytes:
    """A phonebook with its contacts."""
    return succeed(data=await request.service.database.read(contacts.fetch_phonebook, read_id(request.query)))


async def query_phonebooks(request: ApiRequest) -> bytes:
    """Several phonebooks."""
    return found(await request.service.database.read(contacts.fetch_phonebooks, read_ids(request.query)))


async def create_phonebook(request: ApiRequest) -> bytes:
    """Create a phonebook, and put contacts into it."""
    body = await request.json()
    return succeed(id=await request.service.database.change_config(contacts.create_phonebook, body))


async def update_phonebook(request: ApiRequest) -> bytes:
    """Change a phonebook, put contacts into it and take others out."""
    body = await request.json()
    await request.service.database.change_config(contacts.update_phonebook, read_body_id(body), body)
    return succeed()


async def delete_phonebook(request: ApiRequest) -> bytes:
    """Delete a phonebook. Its contacts stay."""
    await request.service.database.change_config(contacts.delete_phonebook, read_id(request.query))
    return succeed()


HANDLERS = {
    "company_contact/list": list_contacts,
    "company_contact/search": list_contacts,
    "company_contact/get": get_contact,
    "company_contact/query": query_contacts,
    "phonebook/get": get_phonebook,
    "phonebook/query": query_phonebooks,
    "phonebook/create": create_phonebook,
    "phonebook/update": update_phonebook,
    "phonebook/delete": delete_phonebook,
}
LISTS = {"phonebook/create": (contacts.ADD,), "phonebook/update": (contacts.ADD, contacts.REMOVE)}


def endpoints() -> Iterator[Endpoint]:
    """The endpoints of both families: those that every type has, with handlers of their own."""
    for kind in (COMPANY_CONTACT, PHONEBOOK):
        for plain in crud.endpoints(kind):
            endpoint = replace(plain, handle=HANDLERS.get(plain.path, plain.handle))
            yield with_lists(endpoint, LISTS[plain.path]) if plain.path in LISTS else endpoint


def with_lists(endpoint: Endpoint, names: tuple[str, ...]) -> Endpoint:
    """Describe the lists of contacts that a body may have."""
    body = endpoint.body or {}
    properties = {**body["properties"], **dict.fromkeys(names, IDS)}
    return replace(endpoint, body={**body, "properties": properties})
