"""URLs of the pages of each resource type."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceUrls:
    """The path of a type's list and that of one resource, with `{id}` for its id."""

    list: str
    one: str


# Types without pages are left out.
RESOURCE_URLS: dict[str, ResourceUrls] = {
    "ivr": ResourceUrls("/menus", "/menus/{id}"),
    "extension": ResourceUrls("/people/extensions", "/people/extensions/{id}"),
    "ext_group": ResourceUrls("/people/groups", "/people/groups/{id}"),
    "ring_group": ResourceUrls("/people/ring-groups", "/people/ring-groups/{id}"),
    "company_contact": ResourceUrls("/people/contacts", "/people/contacts/{id}"),
    "phonebook": ResourceUrls("/people/phonebooks", "/people/phonebooks/{id}"),
    "inbound_route": ResourceUrls("/routes/inbound", "/routes/inbound/{id}"),
    "outbound_route": ResourceUrls("/routes/outbound", "/routes/outbound/{id}"),
    "businesshour": ResourceUrls("/hours/weekly", "/hours/weekly/{id}"),
    "holiday": ResourceUrls("/hours/holidays", "/hours/holidays/{id}"),
    "timezone": ResourceUrls("/hours/calendars", "/hours/calendars/{id}"),
    "announcement": ResourceUrls("/hours/announcements", "/hours/announcements/{id}"),
    "trunk": ResourceUrls("/routes/trunks", "/routes/trunks/{id}"),
    "block_numbers": ResourceUrls("/routes/blocked", "/routes/blocked/{id}"),
    "allow_numbers": ResourceUrls("/routes/allowed", "/routes/allowed/{id}"),
    "pin_list": ResourceUrls("/routes/pins", "/routes/pins/{id}"),
    "webhook": ResourceUrls("/settings/webhooks", "/settings/webhooks/{id}"),
    "custom_prompt": ResourceUrls("/prompts", "/prompts/{id}"),
}


def resource_url(kind: str, id_: int) -> str:
    """The page of a resource, "" if its type has no pages."""
    urls = RESOURCE_URLS.get(kind)
    return urls.one.format(id=id_) if urls else ""
