"""Descriptions of all resource types of the configuration. `resource_type` explains them."""

from openivr.resources.announcement import ANNOUNCEMENT
from openivr.resources.contact import COMPANY_CONTACT, PHONEBOOK
from openivr.resources.extension import EXTENSION
from openivr.resources.group import EXTENSION_GROUP, RING_GROUP
from openivr.resources.hours import BUSINESSHOUR, HOLIDAY, TIMEZONE
from openivr.resources.ivr import IVR
from openivr.resources.number_rule import ALLOW_NUMBERS, BLOCK_NUMBERS
from openivr.resources.pin_list import PIN_LIST
from openivr.resources.prompt import CUSTOM_PROMPT
from openivr.resources.resource_type import ResourceType
from openivr.resources.route import INBOUND_ROUTE, OUTBOUND_ROUTE
from openivr.resources.trunk import TRUNK
from openivr.resources.webhook import WEBHOOK

__all__ = ["CUSTOM_PROMPT", "KINDS", "ResourceType"]

# In an order in which none but IVRs and prompts' users point forward.
KINDS: dict[str, ResourceType] = {
    kind.name: kind
    for kind in (
        CUSTOM_PROMPT,
        EXTENSION,
        EXTENSION_GROUP,
        RING_GROUP,
        TRUNK,
        TIMEZONE,
        BUSINESSHOUR,
        HOLIDAY,
        OUTBOUND_ROUTE,
        INBOUND_ROUTE,
        BLOCK_NUMBERS,
        ALLOW_NUMBERS,
        PIN_LIST,
        IVR,
        ANNOUNCEMENT,
        PHONEBOOK,
        COMPANY_CONTACT,
        WEBHOOK,
    )
}
