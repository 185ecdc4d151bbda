"""What can be wrong with a request to change an object. Each carries what the caller needs to mend it."""

import dataclasses
from dataclasses import dataclass

from openivr.resources.problem_codes import Params, ProblemCode, Rule
from openivr.resources.problem_words import predicate


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that cannot be accepted: its API name, and what is wrong with it as a code with parameters.

    `value` is what was sent, shortened; None where it is missing or must not be shown (secrets). In a row of
    a table the parameters have its number (`row`, from 1) and the name of the column (`column`) as well.
    """

    field: str
    code: ProblemCode
    params: Params = dataclasses.field(default_factory=dict)
    value: str | None = None

    @property
    def rule(self) -> Rule:
        """The broken rule, in the API's word."""
        return self.code.rule

    @property
    def text(self) -> str:
        """What is wrong, as an English predicate for the API and the terminal."""
        return predicate(self.code, self.params)


class ObjectError(Exception):
    """Base of everything a store function refuses; nothing was changed."""


class Invalid(ObjectError):
    """One or more fields are missing, malformed or point to nothing."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{p.field} {p.text}" for p in problems))
        self.problems = problems


class Duplicate(ObjectError):
    """A value that must be unique belongs to another object already."""

    def __init__(self, field: str, value: str, kind: str, name: str) -> None:
        super().__init__(f"{field} {value} is used by {kind} {name}")
        self.field, self.value, self.kind, self.name = field, value, kind, name


class NotFound(ObjectError):
    """There is no object with this id."""


class InUse(ObjectError):
    """The object cannot be deleted because others point to it; `users` names them."""

    def __init__(self, users: list[str]) -> None:
        super().__init__("used by " + ", ".join(users))
        self.users = users


def shorten(raw: object, limit: int = 100) -> str:
    """What was sent, as text that is safe to send back."""
    text = raw if isinstance(raw, str) else repr(raw) if isinstance(raw, list | dict) else str(raw)
    return text if len(text) <= limit else text[:limit] + "…"
