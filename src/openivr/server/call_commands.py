"""Carries out the commands of programs on the calls of this process."""

from openivr.b2bua.call import Call
from openivr.b2bua.call_commands import (
    AnyCommand,
    CommandOutcome,
    CommandResult,
    HangUpChannel,
    QueryCalls,
)
from openivr.b2bua.call_manager import CallManager
from openivr.b2bua.party import Party
from openivr.server.live_calls import LiveCallRecords

NO_CHANNEL = CommandResult(outcome=CommandOutcome.NO_CHANNEL)


class CallCommands:
    """Finds the call and party that a command is about, and commands them."""

    def __init__(self, call_manager: CallManager, live_calls: LiveCallRecords) -> None:
        self.call_manager, self.live_calls = call_manager, live_calls

    async def carry_out(self, command: AnyCommand) -> CommandResult:
        """Carry out a command. What cannot be done changes nothing."""
        match command:
            case QueryCalls():
                return CommandResult(calls=list(self.live_calls.query(command)))
            case HangUpChannel():
                return self.hang_up(command)

    def hang_up(self, command: HangUpChannel) -> CommandResult:
        """Hang up one party. What follows is what follows if it hangs up itself."""
        match self.find(command.channel):
            case None:
                return NO_CHANNEL
            case call, party:
                result = CommandResult(call_id=self.live_calls.number_of(call.id))
                call.hang_up(party)
                return result

    def find(self, channel_id: str) -> tuple[Call, Party] | None:
        """Return the call and party of a channel. None: there is no such leg, or it has ended."""
        channel = self.live_calls.find_channel(channel_id)
        call = self.call_manager.calls.get(channel.call) if channel is not None else None
        party = call.party_at(channel.place) if call is not None and channel is not None else None
        return (call, party) if call is not None and party is not None else None
