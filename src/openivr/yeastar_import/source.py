"""Reads everything that moves from a PBX."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openivr.client import BlockingClient, DataNotFound
from openivr.client.errors import AccessDenied, ApiError, InterfaceNotExisted, OperationFailed
from openivr.client.model_types import PERIODS, Destination, Detail, Information
from openivr.client.models import Ivr
from openivr.resources import KINDS
from openivr.resources.contact import CONTACT_TYPES
from openivr.resources.destination import UNSERVED
from openivr.yeastar_import.remarks import Remark, lost, title

# kind of object -> the client's family for it; contacts move as files
OURS = ("announcement",)  # the P-Series has none, and neither have older releases
FAMILIES: Mapping[str, str] = {
    kind.name: kind.paths[0] for kind in KINDS.values() if kind.paths and kind.name not in CONTACT_TYPES
}
NEWER = ("timezone", "businesshour", "holiday", *OURS)  # older firmware has no endpoints for these
BATCH = 50  # details asked for at once
UNREADABLE = (InterfaceNotExisted, AccessDenied, OperationFailed)
Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Source:
    """The configuration of a PBX.

    `objects` maps types to ids to objects, `names` maps unsupported types of destinations to ids to names,
    and `sounds` maps prompts to their recordings, as far as available."""

    information: Information
    objects: Mapping[str, Mapping[int, Detail]]
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sounds: Mapping[str, bytes] = field(default_factory=dict)
    remarks: Sequence[Remark] = ()


class Reader:
    """Reads a source in two parts: what there is, then all of it."""

    def __init__(self, client: BlockingClient) -> None:
        self.client = client
        self.ids: dict[str, list[int]] = {}
        self.remarks: list[Remark] = []
        self.can_query: dict[str, bool] = {}

    def count(self) -> int:
        """Find out how many objects there are. A family that may not be read is left out, but menus."""
        for kind, family in FAMILIES.items():
            try:
                self.ids[kind] = [row.id for row in getattr(self.client, family).all()]
            except UNREADABLE as error:
                if kind == "ivr":
                    raise
                self.ids[kind] = []
                if kind in NEWER and isinstance(error, InterfaceNotExisted):
                    continue
                self.remarks.append(lost(f"every {title(kind)}", f"not readable: {error.message}"))
        return sum(map(len, self.ids.values()))

    def read(self, step: Step) -> Source:
        """Read what `count` found."""
        information = self.client.system.information()
        objects = {kind: dict(self.read_kind(kind, ids, step)) for kind, ids in self.ids.items()}
        sounds = dict(self.read_sounds(objects["custom_prompt"]))
        return Source(information, objects, self.read_names(objects), sounds, tuple(self.remarks))

    def read_kind(self, kind: str, ids: Sequence[int], step: Step) -> Iterator[tuple[int, Detail]]:
        family = getattr(self.client, FAMILIES[kind])
        for at in range(0, len(ids), BATCH):
            wanted = ids[at : at + BATCH]
            found = {one.id: one for one in self.query(kind, family, wanted)}
            for id_ in wanted:
                detail = found.get(id_) or self.get(kind, family, id_)
                if detail is not None:
                    yield id_, detail
                step()

    def query(self, kind: str, family: Any, ids: Sequence[int]) -> Sequence[Detail]:
        """Many at once, where the PBX can do that."""
        if not self.can_query.get(kind, True):
            return ()
        try:
            found: Sequence[Detail] = family.query(ids)
        except ApiError:
            self.can_query[kind] = False
            return ()
        return found

    def get(self, kind: str, family: Any, id_: int) -> Detail | None:
        try:
            found: Detail = family.get(id_)
        except DataNotFound:
            self.remarks.append(lost(f"{title(kind)} with id {id_}", "was deleted while it was read"))
            return None
        return found

    def read_sounds(self, prompts: Mapping[int, Detail]) -> Iterator[tuple[str, bytes]]:
        """Recordings, which a P-Series does not hand out over its API."""
        for id_, prompt in prompts.items():
            try:
                yield prompt.name, self.client.custom_prompt.download(id_)  # type: ignore[attr-defined]
            except InterfaceNotExisted:
                return
            except ApiError:
                continue

    def read_names(self, objects: Mapping[str, Mapping[int, Detail]]) -> dict[str, dict[str, str]]:
        """The names of queues and the like that something leads to."""
        kinds = {one.dest for details in objects.values() for d in details.values() for one in leads(d)}
        return {kind: self.options(kind) for kind in sorted(kinds.intersection(UNSERVED))}

    def options(self, menu: str) -> dict[str, str]:
        try:
            return {one.value: one.text for one in self.client.system.get_menuoptions(menu)}
        except ApiError:
            return {}


def leads(detail: Detail) -> Iterator[Destination]:
    """Every destination of an object."""
    if isinstance(detail, Ivr):
        for key in detail.keys.values():
            yield key
            yield from filter(None, map(key.of_period, PERIODS))
    for field_name in detail.__struct_fields__:
        value = getattr(detail, field_name)
        if isinstance(value, Destination):
            yield value
