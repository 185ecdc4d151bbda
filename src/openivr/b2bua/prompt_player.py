"""Plays prompts to a caller, one `Play` at a time; what is not in memory is fetched first."""

from collections.abc import Callable
from functools import partial

from openivr.b2bua.context import CallContext
from openivr.b2bua.party import Party, ignore
from openivr.ivr.commands import Play


class PromptPlayer:
    """One call's. `on_end` is told of plays that came to their end, with what was missing."""

    def __init__(self, house: CallContext, on_end: Callable[[Play, tuple[str, ...]], None]) -> None:
        self._house, self._on_end = house, on_end
        self._play: Play | None = None

    def start(self, play: Play, party: Party, messages: frozenset[str]) -> None:
        """Play this in the place of what is playing. `messages`: which of the prompts may be messages."""
        self._play = play
        if self._house.library.at_hand(play.prompts) is None:
            party.media.stop()
            self._house.spawn(self._fetch(play, party, messages))
        else:
            self._sound(play, party)

    async def _fetch(self, play: Play, party: Party, messages: frozenset[str]) -> None:
        await self._house.library.fetch(play.prompts, messages)
        if self._play is play:
            self._sound(play, party)

    def _sound(self, play: Play, party: Party) -> None:
        clips = self._house.library.at_hand(play.prompts) or []
        if clips:
            party.media.play(clips, partial(self._ended, play))
        else:
            self._house.loop.call_soon(self._ended, play)

    def _ended(self, play: Play) -> None:
        if self._play is play:
            self._play = None
            self._on_end(play, self._house.library.missing(play.prompts))

    def stop(self, token: int, party: Party) -> None:
        """Stop this play, if it is the one that plays."""
        if self._play is not None and self._play.token == token:
            self.forget()
            party.media.stop()

    def close(self) -> None:
        """Tell nothing any more."""
        self._play = None
        self._on_end = ignore

    def forget(self) -> None:
        """Nothing is told of what plays now: something else is going on."""
        self._play = None
