"""What the server is configured with, described once: see `kind` for how, and one module per family."""

from openivr.objects.extension import EXTENSION
from openivr.objects.group import EXTENSION_GROUP, RING_GROUP
from openivr.objects.ivr import IVR
from openivr.objects.kind import Kind
from openivr.objects.prompt import CUSTOM_PROMPT
from openivr.objects.route import INBOUND_ROUTE, OUTBOUND_ROUTE
from openivr.objects.trunk import TRUNK

__all__ = ["CUSTOM_PROMPT", "KINDS", "Kind"]

# In an order in which none but IVRs and prompts' users point forward.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        CUSTOM_PROMPT,
        EXTENSION,
        EXTENSION_GROUP,
        RING_GROUP,
        TRUNK,
        OUTBOUND_ROUTE,
        INBOUND_ROUTE,
        IVR,
    )
}
