"""Accepts incoming calls, routes them by the dialplan, and keeps the active ones."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from openivr.b2bua.call import Call, CallerNames, CallOwner, Origin
from openivr.b2bua.cdr_writer import CallHeader, CdrWriter
from openivr.b2bua.context import CallContext
from openivr.b2bua.dialplan import (
    DialplanMatch,
    NoMatch,
    dial_from_phone,
    dial_from_trunk,
    leads_outside,
)
from openivr.b2bua.party import Party
from openivr.cdr.journal.entries import CallEndReason
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.commands import HangupReason, Topic
from openivr.ivr.inbound_route import IncomingCall
from openivr.media.rtp.ports import NoFamily, NoPorts
from openivr.sip.accounts import CallerIdentity
from openivr.sip.dialog.refer import Referral
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.message.caller_id import CallerIdSource, read_caller_id, read_diverting_number
from openivr.sip.message.headers import read_address, read_uri
from openivr.sip.message.message import Request
from openivr.sip.message.phone_number import PhoneNumber, read_phone_number
from openivr.sip.sdp.offer_answer import Warn, find_host

log = structlog.get_logger(__name__)
MAX_NUMBER, MAX_NAME = 64, 64  # characters
NOT_ACCEPTABLE = 488
RETRY_AFTER = 10  # seconds
CLOSE_SECONDS = 2.0  # for messages to be written at a stop; the supervisor kills the process after 5
NOT_PLAIN = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]")


@dataclass(frozen=True, slots=True)
class InviteInfo:
    """Caller and called number of an INVITE."""

    caller: str
    name: str
    called: str
    called_forms: tuple[str, ...] = ()  # other spellings of the called number
    diverted_by: str = ""  # the number that diverted the call here
    contact_name: str = ""  # of the caller, by the company contacts


class TransferHandler(Protocol):
    """Carries out the transfers that phones ask for (see `transfer`)."""

    def on_referral(self, call: Call, transferor: Party, referral: Referral) -> None:
        """A party of a call sent a REFER (RFC 3515)."""
        ...

    def on_replaces(self, leg: InboundLeg, account: SipAccount, party: Party) -> bool:
        """An INVITE with Replaces came (RFC 3891). Return False if it may not replace that leg."""
        ...


class NoTransfers:
    """Rejects all transfers."""

    def on_referral(self, _call: Call, _transferor: Party, referral: Referral) -> None:
        referral.reject(603)

    def on_replaces(self, _leg: InboundLeg, _account: SipAccount, _party: Party) -> bool:
        return False


class CallManager:
    """The active calls of this process.

    `cached_config` returns the newest configuration if it is known, and `load_config` waits for it.
    """

    def __init__(
        self,
        context: CallContext,
        cached_config: Callable[[], CallConfig | None],
        load_config: Callable[[], Awaitable[CallConfig]],
        max_calls: int,
    ) -> None:
        self.context, self.max_calls = context, max_calls
        self.cached_config, self.load_config = cached_config, load_config
        self.calls: dict[str, Call] = {}
        self.transfers: TransferHandler = NoTransfers()
        self._idle = asyncio.Event()
        self.waiting = 0  # calls that wait for the configuration

    def is_full(self) -> bool:
        """Return True if there is no room for another call."""
        return len(self.calls) + self.waiting >= self.max_calls

    def on_invite(self, leg: InboundLeg, caller: CallerIdentity) -> None:
        """Accept a call of a caller that was authenticated."""
        config = self.cached_config()
        if config is not None:
            self._accept(config, leg, caller)
            return
        self.waiting += 1
        self.context.spawn(self._load_and_accept(leg, caller))

    async def _load_and_accept(self, leg: InboundLeg, caller: CallerIdentity) -> None:
        try:
            config = await self.load_config()
        except Exception:  # the INVITE needs a final response, whatever the reason
            leg.reject(500)
            raise
        finally:
            self.waiting -= 1
        self._accept(config, leg, caller)

    def _accept(self, config: CallConfig, leg: InboundLeg, caller: CallerIdentity) -> None:
        origin = find_origin(config, caller)
        if origin is None:
            leg.reject(403)
        elif leg.replaces is not None:
            if not leg.is_terminated:
                self._replace(leg, origin)
        else:
            self._route(config, leg, origin)

    def _route(self, config: CallConfig, leg: InboundLeg, origin: Origin) -> None:
        invite = name_caller(config, origin, read_invite(leg.request, origin))
        match = look_up(config, origin, invite, self.context.now() / 1000)
        if isinstance(match, NoMatch):
            self.record_unrouted(config, origin, invite, match, match.reason)
            leg.reject(match.status)
            return
        if leg.is_terminated:  # cancelled while the configuration was loaded
            self.record_unrouted(config, origin, invite, match, HangupReason.CALLER_HANGUP, Topic.ARRIVED)
            return
        party = self._open(leg, invite)
        if isinstance(party, Party):
            party.account = origin if isinstance(origin, SipAccount) else None
            self.start(self.make(config, origin, party, invite), invite, match)

        elif party == NOT_ACCEPTABLE:
            self.record_unrouted(config, origin, invite, match, CallEndReason.NO_MEDIA)

    def record_unrouted(
        self,
        config: CallConfig,
        origin: Origin,
        invite: InviteInfo,
        match: DialplanMatch | NoMatch,
        reason: HangupReason | CallEndReason,
        *topics: Topic,
    ) -> None:
        """Record a call that never reaches the IVR."""
        cdr_writer = CdrWriter(self.new_call_id(), self.context.write_entry, self.context.event_clock().now)
        cdr_writer.begin(make_header(config, origin, invite), is_outside=leads_outside(match))
        cdr_writer.topics.update(topics)
        cdr_writer.finish(reason, {}, {})

    def new_call_id(self) -> str:
        return f"{self.context.now():x}-{secrets.token_hex(4)}"

    def _replace(self, leg: InboundLeg, origin: Origin) -> None:
        """Let a phone take over another leg of the same account."""
        account = origin if isinstance(origin, SipAccount) else None
        party = self._open(leg, read_invite(leg.request, origin)) if account is not None else None
        if not isinstance(party, Party) or account is None:
            leg.reject(403)
            return
        party.account = account
        if not self.transfers.on_replaces(leg, account, party):
            party.hang_up(481)

    def _open(self, leg: InboundLeg, invite: InviteInfo) -> Party | int:
        """Make the caller's party. Return the status of the rejection if there is no port or no codec."""
        try:
            media = self.context.media.open(find_host(leg.body, leg.source.host))
        except NoFamily:
            leg.reject(NOT_ACCEPTABLE, headers=(("Warning", Warn.ADDRESS.value),))
            return NOT_ACCEPTABLE
        except (NoPorts, ValueError) as error:
            log.error("no RTP port for a call", error=str(error))
            leg.reject(503, headers=(("Retry-After", str(RETRY_AFTER)),))
            return 503
        party = Party(
            media, invite.caller, self.context.now(), self.context.loop.time, self.context.resolve_host
        )
        if not party.receive(leg):
            media.close()
            leg.reject(NOT_ACCEPTABLE, headers=party.explain_rejection(leg, leg.body))
            return NOT_ACCEPTABLE
        return party

    def make(  # noqa: PLR0913 - a call has many circumstances
        self,
        config: CallConfig,
        origin: Origin,
        party: Party,
        invite: InviteInfo,
        *,
        cdr_writer: CdrWriter | None = None,
        owner: CallOwner | None = None,
    ) -> Call:
        """Make a call, which `start` then begins. One whose record has begun goes on in that.

        Another `owner` than the manager passes the end of the call on to it.
        """
        call_id = self.new_call_id() if cdr_writer is None else cdr_writer.call
        call = Call(
            self.context,
            config,
            origin,
            party,
            call_id=call_id,
            names=CallerNames(invite.name, invite.contact_name),
            owner=owner or self,
            cdr_writer=cdr_writer,
        )
        self.calls[call_id] = call
        if isinstance(origin, TrunkAccount):
            self.context.limiter.begin_inbound(origin.id)
            self.context.trunks.on_incoming_call(origin.id)
        return call

    def start(self, call: Call, invite: InviteInfo, match: DialplanMatch) -> None:
        """Offer a call to the IVR at its destination."""
        call.start(make_header(call.config, call.origin, invite), match)

    def on_referral(self, call: Call, party: Party, referral: Referral) -> None:
        """A party of a call asks for a transfer."""
        self.transfers.on_referral(call, party, referral)

    def on_call_end(self, call: Call) -> None:
        """Forget a call that is finished."""
        self.calls.pop(call.id, None)
        if not self.calls:
            self._idle.set()
        if isinstance(call.origin, TrunkAccount):
            self.context.limiter.end_inbound(call.origin.id)

    async def close(self) -> None:
        """End all calls, and wait for the messages that are recorded in them."""
        self._idle.clear()
        for call in list(self.calls.values()):
            call.close(CallEndReason.SERVER_STOPPED)
        if self.calls:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), CLOSE_SECONDS)
        for call in list(self.calls.values()):
            call.close(CallEndReason.SERVER_STOPPED, at_once=True)


def make_header(config: CallConfig, origin: Origin, invite: InviteInfo) -> CallHeader:
    """Gather the facts that are known when a call begins."""
    is_phone = isinstance(origin, SipAccount)
    return {
        "caller": invite.caller,
        "caller_name": invite.contact_name or invite.name,
        "called": invite.called,
        "source_kind": "extension" if is_phone else "trunk",
        "source_id": origin.extension if isinstance(origin, SipAccount) else origin.id,
        "source": origin.number if isinstance(origin, SipAccount) else origin.name,
        "revision": config.snapshot.revision,
        "diverted_by": invite.diverted_by,
    }


def find_origin(config: CallConfig, caller: CallerIdentity) -> Origin | None:
    """Return the account or trunk of a caller in this configuration; None if it was deleted."""
    if caller.account is not None:
        return config.accounts.get(caller.account.user)
    return config.trunks.get(caller.trunk.id) if caller.trunk is not None else None


def look_up(
    config: CallConfig, origin: Origin, invite: InviteInfo, moment: float = 0.0
) -> DialplanMatch | NoMatch:
    """Look up the called number at a moment in Unix seconds."""
    if isinstance(origin, SipAccount):
        return dial_from_phone(config, origin, invite.called)
    return dial_from_trunk(config, incoming_call(origin, invite, moment))


def incoming_call(trunk: TrunkAccount, invite: InviteInfo, moment: float = 0.0) -> IncomingCall:
    """Describe a call over a trunk for the inbound routes."""
    called = (invite.called, *invite.called_forms)
    return IncomingCall(trunk.id, called, invite.caller, invite.name, invite.diverted_by, moment)


def read_invite(request: Request, origin: Origin) -> InviteInfo:
    """Read caller and called number. The caller ID of a phone is always its extension's."""
    called = called_number(request)
    if isinstance(origin, SipAccount):
        return InviteInfo(origin.number, origin.name, printable(called.text))
    if called.text in ("", origin.username):  # called by the registered contact: To has the number
        called = number_in(request.get("to")) or called
    caller = read_caller_id(request, CallerIdSource(origin.get_caller_id_from))
    return InviteInfo(
        printable(caller.number),
        NOT_PLAIN.sub("", caller.name)[:MAX_NAME],
        printable(called.text),
        tuple(map(printable, called.forms[1:])),
        printable(read_diverting_number(request)),
    )


def name_caller(config: CallConfig, origin: Origin, invite: InviteInfo) -> InviteInfo:
    """Look a caller from outside up in the contacts, by every spelling of the number."""
    if isinstance(origin, SipAccount) or not invite.caller:
        return invite
    name = config.contacts.find(origin.number_format.forms(invite.caller))
    return replace(invite, contact_name=name[:MAX_NAME]) if name else invite


def called_number(request: Request) -> PhoneNumber:
    """Return the number in the Request-URI."""
    uri = read_uri(request.uri)
    return read_phone_number(uri) if uri is not None else PhoneNumber("")


def number_in(header: str) -> PhoneNumber | None:
    """Return the number in an address header such as To; None if there is none."""
    address = read_address(header)
    uri = read_uri(address.uri) if address is not None else None
    number = read_phone_number(uri) if uri is not None else PhoneNumber("")
    return number if number.text else None


def printable(number: str) -> str:
    """Return a number without control and other unprintable characters, cut at MAX_NUMBER."""
    return NOT_PLAIN.sub("", number)[:MAX_NUMBER]
