"""Carries out the commands of programs on the calls of this process."""

from openivr.b2bua.call import Call
from openivr.b2bua.call_commands import (
    AnyCommand,
    ChangeTalk,
    CommandOutcome,
    CommandResult,
    DialNumber,
    HangUpChannel,
    MonitorCall,
    QueryCalls,
    TransferChannel,
    TransferOperation,
    TransferType,
)
from openivr.b2bua.call_manager import CallManager, printable
from openivr.b2bua.consultation import Consultations
from openivr.b2bua.dialplan import NoMatch, dial_from_phone
from openivr.b2bua.monitor import Monitors
from openivr.b2bua.party import Party
from openivr.b2bua.placed_call import CallPlacer, DialRequest
from openivr.b2bua.transfer import Transfers, has_same_extension
from openivr.config.call_config import CallConfig, SipAccount
from openivr.ivr.model import DestinationKind
from openivr.ivr.session import UNCONFIRMED
from openivr.server.live_calls import LiveCallRecords

FULL = CommandResult(outcome=CommandOutcome.FULL, problem="there are as many calls as there may be")
NO_CHANNEL = CommandResult(outcome=CommandOutcome.NO_CHANNEL)


class CallCommands:
    """Finds the call and party that a command is about, and commands them."""

    def __init__(self, call_manager: CallManager, transfers: Transfers, live_calls: LiveCallRecords) -> None:
        self.call_manager, self.live_calls = call_manager, live_calls
        self.placer = CallPlacer(call_manager)
        self.transfers = transfers
        self.consultations = Consultations(call_manager)
        self.monitors = Monitors(call_manager)

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
            case TransferChannel():
                return await self.transfer(command)
            case MonitorCall():
                return await self.monitor(command)

    def hang_up(self, command: HangUpChannel) -> CommandResult:
        """Hang up one party. What follows is what follows if it hangs up itself."""
        channel = self.live_calls.find_channel(command.channel)
        if channel is not None and (placed := self.placer.calls.get(channel.call)):
            result = CommandResult(call_id=self.live_calls.number_of(placed.id))
            placed.close()
            return result
        if channel is not None and (monitor := self.monitors.calls.get(channel.call)):
            result = CommandResult(call_id=self.live_calls.number_of(monitor.id))
            monitor.close()
            return result
        match self.find(command.channel):
            case None:
                return NO_CHANNEL
            case call, party:
                result = CommandResult(call_id=self.live_calls.number_of(call.id))
                if self.consultations.find(party) is not None and party.leg is not None:
                    party.leg.hangup()  # what listens to the party decides what follows
                else:
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
            return FULL
        placed = self.placer.place(config, request)
        if isinstance(placed, NoMatch):
            return refuse_number("callee", placed, rights)
        return CommandResult(call_id=self.live_calls.number_of(placed.id))

    def change_talk(self, command: ChangeTalk) -> CommandResult:
        """Hold, mute or record a call that talks."""
        match self.find(command.channel):
            case None:
                return self.refuse_channel(command.channel)
            case call, _ if self.is_consulting(call):
                return impossible("the member takes part in an attended transfer")
            case call, party:
                is_done = call.change_talk(party, command.action)
                outcome = CommandOutcome.DONE if is_done else CommandOutcome.NOT_POSSIBLE
                return CommandResult(outcome=outcome, call_id=self.live_calls.number_of(call.id))

    def is_consulting(self, call: Call) -> bool:
        """Return True for both calls of an attended transfer that is in progress."""
        parties = filter(None, (call.caller, call.callee))
        return any(self.consultations.find(party) is not None for party in parties)

    async def transfer(self, command: TransferChannel) -> CommandResult:
        """Transfer a member of a call. What becomes of it is in events."""
        if command.operation is TransferOperation.THREEWAY:
            return impossible("there are no conferences of three")
        config = await self.call_manager.load_config()
        found = self.find(command.channel)  # after the wait, so that nothing changes meanwhile
        if found is None:
            return self.refuse_channel(command.channel)
        call, party = found
        if command.operation is not None:
            return self.operate_transfer(party, command.operation)
        other = call.other(party)
        transferor = other if command.type is TransferType.BLIND else party
        if self.consultations.find(party) is not None:
            return impossible("the member takes part in an attended transfer")
        if not party.is_answered or call.session.state in UNCONFIRMED:
            return impossible("the member is not in a conversation")
        if command.type is TransferType.ATTENDED and (party.account is None or other is None):
            return impossible("only an extension that talks to a party can transfer it")
        account = transferor.account if transferor is not None else None
        if command.dial_permission:
            account = find_account(config, command.dial_permission)
        if account is None:
            return wrong("dial_permission", "must be the number of an extension that is switched on")
        if command.type is TransferType.ATTENDED and self.call_manager.is_full():
            return FULL
        number = printable(command.number)
        match = dial_from_phone(config, account, number)
        if isinstance(match, NoMatch):
            return refuse_number("number", match, account.number)
        if command.type is TransferType.BLIND or other is None:
            new = self.transfers.transfer(call, party, config, account, number, match)
        else:
            new = self.consultations.start(
                call, party, other, config=config, account=account, called=number, match=match
            )
        return CommandResult(call_id=self.live_calls.number_of(new.id))

    def operate_transfer(self, transferor: Party, operation: TransferOperation) -> CommandResult:
        """Complete, abort or swap an attended transfer."""
        consultation = self.consultations.find(transferor)
        if consultation is None or transferor is not consultation.transferor:
            return impossible("the member has begun no attended transfer")
        call_id = self.live_calls.number_of(consultation.call.id)
        if not consultation.operate(operation):
            return impossible("the target has not answered")
        return CommandResult(call_id=call_id)

    async def monitor(self, command: MonitorCall) -> CommandResult:
        """Ring an extension, which then receives the call of a channel. Whether it answers is in events."""
        config = await self.call_manager.load_config()
        account = find_account(config, command.monitor)
        if account is None:
            return wrong("monitor", "must be the number of an extension that is switched on")
        match self.find(command.channel):
            case None:
                return NO_CHANNEL
            case call, _ if self.is_consulting(call):
                return impossible("the member takes part in an attended transfer")
            case call, party:
                parties = (call.caller, call.callee)
                if any(each is not None and has_same_extension(each.account, account) for each in parties):
                    return wrong("monitor", "must be another extension than those that talk")
                if not call.can_be_monitored(party):
                    return impossible("the member is no extension that talks, or has a monitor")
                if self.call_manager.is_full():
                    return FULL
                monitor = self.monitors.start(config, account, call, party, command.mode)
                return CommandResult(call_id=self.live_calls.number_of(monitor.id))

    def refuse_channel(self, channel_id: str) -> CommandResult:
        """Return the refusal of a channel that is no party: that of a caller whose phone rings is known."""
        channel = self.live_calls.find_channel(channel_id)
        if channel is not None and channel.call in self.placer.calls:
            return impossible("the phone of the caller rings")
        return NO_CHANNEL

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


def refuse_number(parameter: str, match: NoMatch, rights: str) -> CommandResult:
    """Return the refusal of a number that leads nowhere, or that an extension may not call."""
    if match is NoMatch.UNKNOWN:
        return wrong(parameter, "must be a number that can be called")
    problem = f"extension {rights} may not call this number"
    return CommandResult(outcome=CommandOutcome.NOT_ALLOWED, problem=problem)


def impossible(problem: str) -> CommandResult:
    return CommandResult(outcome=CommandOutcome.NOT_POSSIBLE, problem=problem)


def wrong(parameter: str, problem: str) -> CommandResult:
    return CommandResult(outcome=CommandOutcome.WRONG_PARAMETER, parameter=parameter, problem=problem)
