"""Carries out the commands of programs on the calls of this process."""

from openivr.b2bua.call import Call
from openivr.b2bua.call_commands import (
    AnyCommand,
    ChangeTalk,
    CommandOutcome,
    CommandResult,
    DialNumber,
    HangUpChannel,
    QueryCalls,
)
from openivr.b2bua.call_manager import CallManager, printable
from openivr.b2bua.dialplan import NoMatch
from openivr.b2bua.party import Party
from openivr.b2bua.placed_call import CallPlacer, DialRequest
from openivr.config.call_config import CallConfig, SipAccount
from openivr.ivr.model import DestinationKind
from openivr.server.live_calls import LiveCallRecords

NO_CHANNEL = CommandResult(outcome=CommandOutcome.NO_CHANNEL)


class CallCommands:
    """Finds the call and party that a command is about, and commands them."""

    def __init__(self, call_manager: CallManager, live_calls: LiveCallRecords) -> None:
        self.call_manager, self.live_calls = call_manager, live_calls
        self.placer = CallPlacer(call_manager)

    async def carry_out(self, command: AnyCommand) -> CommandResult:
        """Carry out a command. What cannot be done changes nothing."""
        match command:
            case QueryCalls():
                return CommandResult(calls=list(self.live_calls.query(command)))
            case HangUpChannel():
                return self.hang_up(command)
            case DialNumber():
                return await self.dial(command)
            case ChangeTalk():
                return self.change_talk(command)

    def hang_up(self, command: HangUpChannel) -> CommandResult:
        """Hang up one party. What follows is what follows if it hangs up itself."""
        channel = self.live_calls.find_channel(command.channel)
        if channel is not None and (placed := self.placer.calls.get(channel.call)):
            result = CommandResult(call_id=self.live_calls.number_of(placed.id))
            placed.close()
            return result
        match self.find(command.channel):
            case None:
                return NO_CHANNEL
            case call, party:
                result = CommandResult(call_id=self.live_calls.number_of(call.id))
                call.hang_up(party)
                return result

    async def dial(self, command: DialNumber) -> CommandResult:
        """Ring the caller's phones. Whether one answers, and the callee, is in events."""
        config = await self.call_manager.load_config()
        rights = command.dial_permission or command.caller
        request = read_dial(config, command, rights)
        if isinstance(request, CommandResult):
            return request
        if self.call_manager.is_full():
            return CommandResult(
                outcome=CommandOutcome.FULL, problem="there are as many calls as there may be"
            )
        placed = self.placer.place(config, request)
        if placed is NoMatch.UNKNOWN:
            return wrong("callee", "there is no such number")
        if isinstance(placed, NoMatch):
            problem = f"extension {rights} may not call this number"
            return CommandResult(outcome=CommandOutcome.NOT_ALLOWED, problem=problem)
        return CommandResult(call_id=self.live_calls.number_of(placed.id))

    def change_talk(self, command: ChangeTalk) -> CommandResult:
        """Hold, mute or record a call that talks."""
        match self.find(command.channel):
            case None:
                return NO_CHANNEL
            case call, party:
                is_done = call.change_talk(party, command.action)
                outcome = CommandOutcome.DONE if is_done else CommandOutcome.NOT_POSSIBLE
                return CommandResult(outcome=outcome, call_id=self.live_calls.number_of(call.id))

    def find(self, channel_id: str) -> tuple[Call, Party] | None:
        """Return the call and party of a channel. None: there is no such leg, or it has ended."""
        channel = self.live_calls.find_channel(channel_id)
        call = self.call_manager.calls.get(channel.call) if channel is not None else None
        party = call.party_at(channel.place) if call is not None and channel is not None else None
        return (call, party) if call is not None and party is not None else None


def read_dial(config: CallConfig, command: DialNumber, rights: str) -> DialRequest | CommandResult:
    """Find the extensions of a command. Return the refusal of one that cannot be dialled."""
    caller, permitted = find_account(config, command.caller), find_account(config, rights)
    if caller is None:
        return wrong("caller", "must be the number of an extension that is switched on")
    if permitted is None:
        return wrong("dial_permission", "must be the number of an extension that is switched on")
    callee = printable(command.callee)
    if callee == command.caller:
        return wrong("callee", "must be another number than the caller's")
    return DialRequest(caller, callee, permitted, command.auto_answer)


def find_account(config: CallConfig, number: str) -> SipAccount | None:
    """Return the account of an extension that may be used; None if there is none with this number."""
    destination = config.snapshot.numbers.get(number)
    if destination is None or destination.kind is not DestinationKind.EXTENSION:
        return None
    extension = config.snapshot.extensions.get(destination.target)
    return config.account_of(destination.target) if extension and extension.enabled else None


def wrong(parameter: str, problem: str) -> CommandResult:
    return CommandResult(outcome=CommandOutcome.WRONG_PARAMETER, parameter=parameter, problem=problem)
