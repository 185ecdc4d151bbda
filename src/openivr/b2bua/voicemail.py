"""What a call does with mailboxes: a message is left, messages are heard and deleted."""

from collections.abc import Callable, Iterable

from openivr.b2bua.context import CallContext
from openivr.b2bua.party import Party, ignore
from openivr.b2bua.voicemail_recorder import VoicemailRecorder
from openivr.cdr.journal.entries import MessageDeleted, MessageHeard
from openivr.ivr.commands import DeleteMessage, OpenMailbox, Record
from openivr.ivr.events import Event, MailboxOpened, MailboxRefused, RecordEnded
from openivr.ivr.model import IvrSnapshot


class Voicemail:
    """One call's. `tell` is told when a recording ends by itself, and what opening a mailbox gave."""

    def __init__(self, house: CallContext, call: str, tell: Callable[[Event], object]) -> None:
        self._house, self._call = house, call
        self._tell = tell
        self._recorder: VoicemailRecorder | None = None
        self.messages: frozenset[str] = frozenset()
        """Names of the messages of the mailbox that is open."""

    def record(self, command: Record, party: Party) -> None:
        """Take a message."""

        def ended() -> None:
            self._recorder = None
            self._tell(RecordEnded(command.token))

        self._recorder = VoicemailRecorder(self._house, party, self._call, command.mailbox, ended)
        self._recorder.start(command.seconds)

    def stop(self) -> None:
        """Keep the message that is being left, if one is."""
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            recorder.stop()

    def close(self) -> None:
        """The call is over: keep the message, and tell it nothing any more."""
        self.stop()
        self._tell = ignore

    async def open(self, command: OpenMailbox) -> None:
        """Open a mailbox, if the PIN is right."""
        messages = await self._house.open_mailbox(command.number, command.pin)
        if messages is None:
            self._tell(MailboxRefused(command.token))
        else:
            self.messages = frozenset(messages)
            self._tell(MailboxOpened(command.token, messages))

    def mark_heard(self, prompts: Iterable[str]) -> None:
        """Note which of these sounds are messages that were new."""
        for name in self.messages.intersection(prompts):
            self._house.write(MessageHeard(at=self._house.now(), id=name))

    def delete(self, command: DeleteMessage, snapshot: IvrSnapshot) -> None:
        """Delete a message for ever."""
        owner = snapshot.numbers.get(command.number)
        extension = owner.target if owner else 0
        self._house.write(MessageDeleted(at=self._house.now(), id=command.message, extension=extension))
        self._house.library.forget((command.message,))
