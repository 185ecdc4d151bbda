"""The Jinja environment. Values are escaped. An undefined variable is an error."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from openivr.web.core.assets import Assets
from openivr.web.core.urls import resource_url
from openivr.web.messages import has_text, t

FOLDER = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the rail: its path, the key of its label and its icon."""

    path: str
    label: str
    icon: str


# In the order of the rail.
SECTIONS = (
    Section("/menus", "rail.menus", "menu"),
    Section("/people", "rail.people", "people"),
    Section("/routes", "rail.routes", "routes"),
    Section("/hours", "rail.hours", "clock"),
    Section("/prompts", "rail.prompts", "prompts"),
    Section("/calls", "rail.calls", "calls"),
    Section("/reports", "rail.reports", "reports"),
    Section("/settings", "rail.settings", "settings"),
)


def clock(seconds: int, form: str) -> str:
    """Format Unix seconds by the server's clock. `form` is one of time.strftime."""
    return time.strftime(form, time.localtime(seconds))


def mark_code(text: str) -> Markup:
    """Turn what stands between backticks in a sentence into <code>."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)
    )


class Templates:
    """Renders templates. All of them have `t`, `static`, `resource_url` and the rail's `sections`."""

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
            "t": t,
            "has_text": has_text,
            "resource_url": resource_url,
            "clock": clock,
            "static": assets.address,
            "sections": tuple(sections),
        }

    def render(self, template: str, **values: Any) -> str:
        """Render a template. `where` is the path of the rail's current section, "" for none."""
        return self.environment.get_template(template).render({"where": "", **values})
