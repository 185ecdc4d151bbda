"""Templates. Everything that is put into one is escaped; what is not defined is an error."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from openivr.web.core.assets import Assets
from openivr.web.core.urls import address
from openivr.web.messages import has, say

FOLDER = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the rail: its path, its word's key and its icon."""

    path: str
    word: str
    icon: str


# In the order of the rail; those whose path no view serves are left out.
SECTIONS = (
    Section("/menus", "rail.menus", "menu"),
    Section("/people", "rail.people", "people"),
    Section("/routes", "rail.routes", "routes"),
    Section("/prompts", "rail.prompts", "prompts"),
    Section("/calls", "rail.calls", "calls"),
    Section("/reports", "rail.reports", "reports"),
    Section("/settings", "rail.settings", "settings"),
)


def clock(seconds: int, form: str) -> str:
    """A moment, in Unix seconds, by the server's clock: `form` is one of time.strftime."""
    return time.strftime(form, time.localtime(seconds))


def mark_code(text: str) -> Markup:
    """A sentence of a rule, which has between backticks what is to be typed as it is."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)
    )


class Templates:
    """The templates with what all of them use: `say`, `static` and the rail's `sections`."""

    def __init__(self, assets: Assets, sections: Sequence[Section]) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.filters["mark_code"] = mark_code
        self.environment.globals |= {
            "say": say,
            "has_words": has,
            "address": address,
            "clock": clock,
            "static": assets.address,
            "sections": tuple(sections),
        }

    def render(self, template: str, **values: Any) -> str:
        """A template's text. `where` is the path by which the rail knows the page; "" outside of it."""
        return self.environment.get_template(template).render({"where": "", **values})
