"""Errors of a request to change an object, with the details that a client needs."""

import dataclasses
from dataclasses import dataclass

from openivr.resources.problem_codes import Params, ProblemCode, Rule
from openivr.resources.problem_words import predicate


@dataclass(frozen=True, slots=True)
class Problem:
    """A refused field: its API name, and the problem as a code with parameters.

    `value` is what was sent, shortened. It is None if it is missing or secret. In a table the parameters also
    have the number of the row (`row`, from 1) and the name of the column (`column`).
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
        """Return the problem as an English predicate, for the API and the terminal."""
        return predicate(self.code, self.params)


class ObjectError(Exception):
    """Base class of refusals of store functions. Nothing was changed."""


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
    """The object cannot be deleted, because `users` point to it."""

    def __init__(self, users: list[str]) -> None:
        super().__init__("used by " + ", ".join(users))
        self.users = users


def shorten(raw: object, limit: int = 100) -> str:
    """Return a value as text that is safe to send back."""
    text = raw if isinstance(raw, str) else repr(raw) if isinstance(raw, list | dict) else str(raw)
    return text if len(text) <= limit else text[:limit] + "…"
