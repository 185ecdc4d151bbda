"""Names of resources from a snapshot of the configuration, which needs no database."""

from collections.abc import Mapping
from typing import Any

from openivr.ivr.model import IvrSnapshot
from openivr.resources.errors import NotFound
from openivr.resources.fields import Names, ResourceName


def names_in(snapshot: IvrSnapshot) -> Names:
    """Looks up the names of what a menu can lead to."""
    rows: Mapping[str, Mapping[int, Any]] = {
        "ivr": snapshot.ivrs,
        "extension": snapshot.extensions,
        "ext_group": snapshot.extension_groups,
        "ring_group": snapshot.ring_groups,
        "pin_list": snapshot.pin_lists,
        "outbound_route": snapshot.outbound_routes,
        "timezone": snapshot.calendars,
    }

    def names(kind: str, id_: int) -> ResourceName:
        row = rows[kind].get(id_)
        if row is None:
            raise NotFound(f"{kind} {id_}")
        number: str = getattr(row, "number", "")
        return ResourceName(row.name or number, number or row.name)

    return names
