"""Plays prompts to a caller, one `Play` command at a time."""

from collections.abc import Callable
from functools import partial

from openivr.b2bua.context import CallContext
from openivr.b2bua.party import Party
from openivr.ivr.commands import Play


def ignore(_play: Play, _missing: tuple[str, ...]) -> None:
    """Stands for `on_end` once the call is finished."""


class PromptPlayer:
    """Plays the prompts of one call. `on_end` gets each play that ended, with the missing prompts."""

    def __init__(self, context: CallContext, on_end: Callable[[Play, tuple[str, ...]], None]) -> None:
        self._context, self._on_end = context, on_end
        self._play: Play | None = None

    def start(self, play: Play, party: Party, messages: frozenset[str]) -> None:
        """Play, replacing the current play. `messages` names the prompts that may be voicemail messages."""
        self._play = play
        if self._context.prompts.cached(play.prompts) is None:
            party.media.stop()
            self._context.spawn(self._load(play, party, messages))
        else:
            self._start_clips(play, party)

    async def _load(self, play: Play, party: Party, messages: frozenset[str]) -> None:
        await self._context.prompts.load(play.prompts, messages)
        if self._play is play:
            self._start_clips(play, party)

    def _start_clips(self, play: Play, party: Party) -> None:
        clips = self._context.prompts.cached(play.prompts) or []
        if clips:
            party.media.play(clips, partial(self._on_clips_end, play))
        else:
            self._context.loop.call_soon(self._on_clips_end, play)

    def _on_clips_end(self, play: Play) -> None:
        if self._play is play:
            self._play = None
            self._on_end(play, self._context.prompts.missing(play.prompts))

    def stop(self, token: int, party: Party) -> tuple[str, ...]:
        """Stop the play with this token, if it is the current one. Return its prompts."""
        play = self._play
        if play is None or play.token != token:
            return ()
        self.forget()
        party.media.stop()
        return play.prompts

    def close(self) -> None:
        """Stop calling `on_end`, as the call is finished."""
        self._play = None
        self._on_end = ignore

    def forget(self) -> None:
        """Ignore the end of the current play, because other audio replaces it."""
        self._play = None
