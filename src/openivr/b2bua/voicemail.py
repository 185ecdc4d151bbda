"""Mailboxes in a call: leaving, playing and deleting messages."""

from collections.abc import Callable, Iterable

from openivr.b2bua.context import CallContext, PinUncheckable
from openivr.b2bua.party import Party
from openivr.b2bua.voicemail_recorder import VoicemailRecorder
from openivr.cdr.journal.entries import MessageDeleted, MessageHeard
from openivr.ivr.commands import DeleteMessage, OpenMailbox, Record
from openivr.ivr.events import Event, MailboxOpened, MailboxRefused, RecordEnded, RecordResult
from openivr.ivr.model import IvrSnapshot


def ignore(_event: Event) -> None:
    """Stands for `dispatch` once the call is finished."""


class Voicemail:
    """Voicemail of one call. `dispatch` gets the end of a recording and the result of opening a mailbox."""

    def __init__(self, context: CallContext, call: str, dispatch: Callable[[Event], object]) -> None:
        self._context, self._call = context, call
        self._dispatch = dispatch
        self._recorder: VoicemailRecorder | None = None
        self.messages: frozenset[str] = frozenset()
        """Ids of the messages in the mailbox that is open."""

    def record(self, command: Record, party: Party) -> None:
        """Record a message."""

        def on_end(result: RecordResult) -> None:
            self._recorder = None
            self._dispatch(RecordEnded(command.token, result))

        self._recorder = VoicemailRecorder(self._context, party, self._call, command.mailbox, on_end)
        self._recorder.start(command.seconds)

    def stop(self) -> None:
        """Stop recording and keep the message. Its end is dispatched once it is written."""
        if self._recorder is not None:
            self._recorder.stop()

    def close(self) -> None:
        """Keep a message that is being recorded, and dispatch nothing more, as the call is finished."""
        self.stop()
        self._dispatch = ignore

    async def open(self, command: OpenMailbox) -> None:
        """Open a mailbox if the PIN is right."""
        try:
            messages = await self._context.open_mailbox(command.number, command.pin)
        except PinUncheckable:
            self._dispatch(MailboxRefused(command.token, command.number, is_unchecked=True))
            return
        if messages is None:
            self._dispatch(MailboxRefused(command.token, command.number))
        else:
            self.messages = frozenset(messages)
            self._dispatch(MailboxOpened(command.token, messages, command.number))

    def mark_heard(self, prompts: Iterable[str]) -> None:
        """Record which of these prompts, played or skipped, are messages of the open mailbox."""
        for name in self.messages.intersection(prompts):
            self._context.write_entry(MessageHeard(at=self._context.now(), id=name))

    def delete(self, command: DeleteMessage, snapshot: IvrSnapshot) -> None:
        """Delete a message permanently."""
        owner = snapshot.numbers.get(command.number)
        extension = owner.target if owner else 0
        self._context.write_entry(
            MessageDeleted(at=self._context.now(), id=command.message, extension=extension)
        )
        self._context.prompts.discard((command.message,))
