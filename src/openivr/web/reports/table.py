"""Tables of a report: the source of plots, of the numbers beside them, and of files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallFilter
from openivr.store.cdr.reports import CallReport, Span
from openivr.web.messages import t
from openivr.web.reports.period import Period

Link = Callable[[CallFilter], str]  # where the calls are listed that are wanted


@dataclass(frozen=True, slots=True)
class TableCell:
    """A text, or a number with the address of the calls behind it. `plain` is what programs read."""

    text: str
    value: int | None = None
    address: str = ""
    plain: str = ""
    kind: str = ""  # of destination, for its sign

    @property
    def raw(self) -> str | int:
        return self.value if self.value is not None else self.plain or self.text


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row. `data` is for the plot."""

    cells: tuple[TableCell, ...]
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableHead:
    """A column's title. `series` names what is drawn in one colour."""

    text: str
    series: str = ""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """One table. `name` is that of its file. `about` says in a sentence what a plot of it shows."""

    name: str
    heads: tuple[TableHead, ...]
    rows: tuple[TableRow, ...]
    about: str = ""

    @property
    def lines(self) -> Iterator[list[str | int]]:
        """The same for a file."""
        yield [head.text for head in self.heads]
        yield from ([cell.raw for cell in row.cells] for row in self.rows)


@dataclass(frozen=True)
class ReportFacts:
    """The data that tables are made from."""

    report: CallReport
    period: Period
    names: Mapping[tuple[str, int], str]  # of destinations that there are: "1000 Ada Byron"
    link: Link

    @cached_property
    def menus(self) -> Mapping[str, str]:
        """The names of menus by their numbers."""
        return {
            name.partition(" ")[0]: name
            for (kind, _), name in self.names.items()
            if kind == DestinationKind.IVR
        }

    def link_in(self, wanted: CallFilter, span: Span | None = None) -> str:
        """The address of calls of the period, or of a part of it."""
        span = span or self.period.span
        return self.link(replace(wanted, since=span.since, until=span.until))


def number(value: int, address: str = "") -> TableCell:
    """A number with the URL of its calls. A zero has no link."""
    return TableCell(f"{value:,}", value, address if value else "")


def heads(*keys: str) -> tuple[TableHead, ...]:
    return tuple(TableHead(t(f"sheet.{key}")) for key in keys)


def percent(part: int, whole: int) -> str:
    return t("sheet.percent", number=round(100 * part / whole)) if whole else ""


def name_destination(facts: ReportFacts, kind: str, target: int) -> str:
    """The name of a destination."""
    if not kind:
        return t("sheet.nowhere")
    name = facts.names.get((kind, target))
    if kind == DestinationKind.VOICEMAIL:
        return t("sheet.voicemail_of", name=name) if name else t("sheet.kind_ext_vm")
    if kind == DestinationKind.EXTERNAL:
        return t("sheet.outside_over", name=name) if name else t("sheet.kind_external_num")
    return name or t(f"sheet.kind_{kind}")
