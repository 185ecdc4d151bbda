"""The effects of an import on the rows of its source."""

from enum import StrEnum, unique


@unique
class MergeAction(StrEnum):
    """The effect of an import on a stored object."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    REFUSED = "refused"  # the source has values that the object cannot have
