"""Do some dial patterns take every number that another one takes? Patterns as sets of numbers."""

from collections.abc import Iterable, Iterator, Sequence

from openivr.ivr.digits import MAX_DIGITS, Shape, read_shape

DIGITS = frozenset("0123456789")
MAX_PIECES = 500  # of one pattern; more are not compared further


def covers(wide: Sequence[Shape], narrow: Shape) -> bool:
    """Return True if every number that `narrow` takes is taken by one of `wide`.

    Each pattern of `wide` is cut out of `narrow`, and nothing may be left. A comparison that needs more than
    `MAX_PIECES` pieces is given up as False.
    """
    pieces = list(_by_length(narrow))
    for shape in wide:
        pieces = [rest for piece in pieces for rest in _cut(piece, shape)]
        if len(pieces) > MAX_PIECES:
            return False
    return not pieces


def _by_length(shape: Shape) -> Iterator[tuple[frozenset[str], ...]]:
    """Split a pattern into one of each length. Characters beyond its places are digits."""
    yield shape.places
    if shape.open_ended:
        for length in range(len(shape.places) + 1, MAX_DIGITS + 1):
            yield (*shape.places, *[DIGITS] * (length - len(shape.places)))


def _cut(piece: tuple[frozenset[str], ...], shape: Shape) -> Iterator[tuple[frozenset[str], ...]]:
    """Yield what is left of a pattern of fixed length without the numbers of another pattern."""
    size = len(shape.places)
    fits = len(piece) == size or (shape.open_ended and len(piece) > size)
    if not fits or any(not (have & cut) for have, cut in zip(piece, shape.places, strict=False)):
        yield piece
        return
    for at, cut in enumerate(shape.places):
        rest = piece[at] - cut
        if rest:
            before = tuple(have & other for have, other in zip(piece[:at], shape.places, strict=False))
            yield (*before, rest, *piece[at + 1 :])


def readable(patterns: Iterable[str]) -> list[Shape]:
    """Read patterns, without those that cannot be read. A leading "+" does not count."""
    return [shape for shape in (read_shape(pattern.removeprefix("+")) for pattern in patterns) if shape]
