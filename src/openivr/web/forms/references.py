"""Resources and destinations as pages name them and forms have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openivr.resources.destination import OUTSIDE, PLAYS, TARGETS
from openivr.resources.errors import NotFound
from openivr.resources.fields import Names, ResourceName
from openivr.web.core.urls import resource_url
from openivr.web.messages import t


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """A resource that a list or a destination names. `name` is None if it has been deleted."""

    kind: str
    id: int
    name: ResourceName | None

    @property
    def value(self) -> str:
        """The reference as forms have it."""
        return f"{self.kind}:{self.id}"

    @property
    def display_name(self) -> str:
        """Number and name. The same text in a form finds the resource again."""
        return self.name.display_name if self.name else t("object.gone")

    @property
    def url(self) -> str:
        """The page of the resource, "" if it has none."""
        return resource_url(self.kind, self.id) if self.name else ""


@dataclass(frozen=True, slots=True)
class DestinationView:
    """A destination: its type, its prefix and its target as typed. `ref` is the resource that it leads to."""

    type: str
    prefix: str
    target: str
    ref: ResourceRef | None = None

    @property
    def title(self) -> str:
        """The name of the target, or the label of a type without one."""
        if self.type in TARGETS:
            return self.ref.name.name if self.ref and self.ref.name else t("destination.gone")
        if self.type in PLAYS:
            return self.target
        if self.type == OUTSIDE:
            return self.prefix + self.target
        return t(f"destination.{self.type or 'nowhere'}")

    @property
    def detail(self) -> str:
        """A remark beside the title, "" for none."""
        if self.type in TARGETS:
            number = self.ref.name.number if self.ref and self.ref.name else self.target
            return t("destination.voicemail_of", number=number) if self.type == "ext_vm" else number
        if self.type in PLAYS and self.prefix.isdecimal():
            return t("destination.plays", count=int(self.prefix))
        return t("destination.outside") if self.type == OUTSIDE else ""

    @property
    def words(self) -> str:
        return f"{self.title} ({self.detail})" if self.detail else self.title

    @property
    def url(self) -> str:
        return self.ref.url if self.ref else ""


def make_ref(kind: str, id_: int, names: Names) -> ResourceRef:
    try:
        return ResourceRef(kind, id_, names(kind, id_))
    except NotFound:
        return ResourceRef(kind, id_, None)


def make_destination(value: Mapping[str, str], names: Names, typed: str | None = None) -> DestinationView:
    """A destination as it is stored, or as a body has it with a target that was `typed` and names nothing."""
    kind, prefix, target = value["dest"], value["prefix"], value["value"]
    if typed is not None:
        return DestinationView(kind, prefix, typed)
    if kind not in TARGETS or not target.isdecimal():
        return DestinationView(kind, prefix, target)
    ref = make_ref(TARGETS[kind], int(target), names)
    return DestinationView(kind, prefix, ref.display_name if ref.name else "", ref)


def make_refs(items: Any, names: Names) -> list[ResourceRef]:
    """The resources of a list, stored (`id`) or as a body has it (`value`)."""
    return [make_ref(item["type"], int(item.get("id", item.get("value"))), names) for item in items]
