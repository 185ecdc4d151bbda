"""A PBX beside this server: the plan that would make this server like it, and what to say about that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from openivr.client.model_types import Information
from openivr.resources import KINDS
from openivr.store.config import import_export, prompts
from openivr.yeastar_import import passwords
from openivr.yeastar_import.adaptation import Local, adapt
from openivr.yeastar_import.remarks import Level, Remark, group, title
from openivr.yeastar_import.source import OURS, Source

Fields = dict[str, Any]
LEVELS = {Level.ADAPTED: "adapted", Level.LOST: "cannot be kept"}
WORDS = {"create": "new", "update": "changed", "": "as they were"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`given` are new registration passwords: number, name and password of each extension."""

    plan: import_export.ImportPlan
    remarks: list[Remark]
    given: list[tuple[str, str, str]]


def compare(
    connection: Connection, source: Source, *, keeps_others: bool, step: import_export.Step = lambda: None
) -> Comparison:
    """Return the changes of an import. With `keeps_others`, objects of this server alone stay."""
    local = read_local(connection)

    def stored(name: str) -> bytes | None:
        id_ = prompts.find(connection, name)
        return None if id_ is None else prompts.audio(connection, id_)[1]

    found = adapt(source, local, stored)
    if not keeps_others and not any(source.objects.get(kind) for kind in OURS):
        found.entries |= keep_ours(found.entries, local)
    given = passwords.renew(found.entries["extension"], local.get("extension", {}))
    document = {
        kind: [import_export.DocumentEntry(one) for one in some.values()]
        for kind, some in found.entries.items()
    }
    plan = import_export.make_plan(connection, document, keeps_others=keeps_others, step=step)
    return Comparison(plan, found.remarks, given)


def read_local(connection: Connection) -> Local:
    """The entries of what is here, by kind and label."""
    document = import_export.export(connection, with_audio=False)
    return {
        kind: {str(one.get("number") or one.get("name")): one for one in document.get(kind, [])}
        for kind in KINDS
    }


def keep_ours(entries: Mapping[str, Mapping[str, Fields]], local: Local) -> dict[str, dict[str, Fields]]:
    """Return the entries of types that a PBX does not have, as far as what they point to comes over."""
    here = {f"{kind} {label}" for kind, rows in entries.items() for label in rows}
    kept: dict[str, dict[str, Fields]] = {}
    for kind in OURS:
        kept[kind] = {}
        for label, entry in local[kind].items():
            places = [place for place in entry.get("before_list", ()) if place in here]
            calendar = entry.get("timezone_id")
            is_whole = entry["prompt"] in entries["custom_prompt"]
            is_whole = is_whole and (not calendar or calendar in entries["timezone"])
            if places and is_whole:
                kept[kind][label] = {**entry, "before_list": places}
    return kept


def tell_source(information: Information, counts: Mapping[str, int]) -> str:
    """Describe what was read."""
    what = " ".join(filter(None, (information.model_name, information.firmware_version)))
    parts = [f"{count} {title(kind, count)}" for kind, count in counts.items() if count]
    return f"read from {what or 'a PBX'}: {', '.join(parts) or 'nothing'}"


def tell(comparison: Comparison, *, is_dry_run: bool = False) -> list[str]:
    """Return a line for everything that is imported, adapted or dropped."""
    lines = []
    for kind in KINDS:
        items = [
            item for item in comparison.plan.items if item.kind.name == kind and item.new is not item.old
        ]
        counts = {words: sum(item.action == action for item in items) for action, words in WORDS.items()}
        told = [f"{count} {words}" for words, count in counts.items() if count]
        if told:
            lines.append(f"  {title(kind, 2)}: {', '.join(told)}")
    verb = "would come over" if is_dry_run else "came over"
    head = [f"{verb}:", *lines] if lines else [f"{verb}: nothing, all is here already"]
    return [*head, *tell_remarks(comparison.remarks)]


def tell_remarks(remarks: list[Remark]) -> list[str]:
    lines: list[str] = []
    for level in Level:
        told = [f"  {line}" for line in group(one for one in remarks if one.level is level)]
        lines += [f"{LEVELS[level]}:", *told] if told else []
    return lines
