"""Takes calls as they come in, finds where they lead, and knows those that are under way."""

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from openivr.b2bua.call import Call, Origin, refuse_referral
from openivr.b2bua.cdr_writer import CallHeader, CdrWriter
from openivr.b2bua.context import CallContext
from openivr.b2bua.dialplan import DialplanMatch, NoMatch, dial_in, dial_inside, leads_outside
from openivr.b2bua.party import Party
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.commands import HangupReason, Topic
from openivr.media.rtp.ports import NoFamily, NoPorts
from openivr.sip.access.accounts import CallerIdentity
from openivr.sip.dialog.refer import Referral
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.message.headers import read_address, read_uri
from openivr.sip.message.message import Request
from openivr.sip.sdp.offer_answer import find_host

log = structlog.get_logger(__name__)
LONGEST_NUMBER, LONGEST_NAME = 64, 64
RETRY_AFTER = 10  # seconds
WITHHELD = frozenset(("anonymous", "unavailable", "unknown", "restricted", ""))
PLAIN = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]")
OTHER_FAMILY = '301 openivr "Incompatible network address formats"'  # RFC 3261, section 20.43
CLOSING = "the server was stopped"


@dataclass(frozen=True, slots=True)
class InviteInfo:
    """Who calls whom, as an INVITE says it."""

    caller: str
    name: str
    called: str


class CallManager:
    """All calls of this process."""

    def __init__(
        self,
        house: CallContext,
        at_hand: Callable[[], CallConfig | None],
        configuration: Callable[[], Awaitable[CallConfig]],
        max_calls: int,
    ) -> None:
        self.house, self.max_calls = house, max_calls
        self.at_hand, self.configuration = at_hand, configuration  # the newest one, if known; or in a while
        self.calls: dict[str, Call] = {}
        self.on_referral: Callable[[Call, Party, Referral], object] = refuse_referral
        self.take_over: Callable[[InboundLeg, SipAccount, Party], bool] = lambda *_: False
        self.waiting = 0  # calls that are looked at, but not driven yet

    def is_full(self) -> bool:
        """Whether another call would be too many."""
        return len(self.calls) + self.waiting >= self.max_calls

    def take(self, leg: InboundLeg, caller: CallerIdentity) -> None:
        """A call from somebody who was let in."""
        configuration = self.at_hand()
        if configuration is not None:
            self._begin(configuration, leg, caller)
            return
        self.waiting += 1
        self.house.spawn(self._take_soon(leg, caller))

    async def _take_soon(self, leg: InboundLeg, caller: CallerIdentity) -> None:
        try:
            configuration = await self.configuration()
        except Exception:  # whatever keeps it from being read, the caller must hear something
            leg.reject(500)
            raise
        finally:
            self.waiting -= 1
        self._begin(configuration, leg, caller)

    def _begin(self, configuration: CallConfig, leg: InboundLeg, caller: CallerIdentity) -> None:
        origin = find_origin(configuration, caller)
        if origin is None:
            leg.reject(403)
        elif leg.replaces is not None:
            if not leg.is_terminated:
                self._replace(leg, origin)
        else:
            self._offer(configuration, leg, origin)

    def _offer(self, configuration: CallConfig, leg: InboundLeg, origin: Origin) -> None:
        asked = read_invite(leg.request, origin)
        if isinstance(origin, SipAccount):
            way = dial_inside(configuration, origin, asked.called)
        else:
            way = dial_in(configuration, origin.id, asked.called, asked.caller)
        if isinstance(way, NoMatch):
            self._note(configuration, origin, asked, way, way.value)
            leg.reject(404)
            return
        if leg.is_terminated:  # given up before we knew where it leads
            self._note(configuration, origin, asked, way, HangupReason.CALLER, Topic.ARRIVED)
            return
        party = self._open(leg, asked)
        if party is not None:
            party.account = origin if isinstance(origin, SipAccount) else None
            self.begin(self.make(configuration, origin, party, asked), asked, way)

    def _note(
        self,
        configuration: CallConfig,
        origin: Origin,
        asked: InviteInfo,
        way: DialplanMatch | NoMatch,
        reason: str,
        *topics: Topic,
    ) -> None:
        """Keep a record of a call that is not driven."""
        scribe = CdrWriter(self._new_ident(), self.house.write, self.house.now)
        scribe.begin(facts_of(configuration, origin, asked), is_outside=leads_outside(way))
        scribe.topics.update(topics)
        scribe.finish(reason, {}, {})

    def _new_ident(self) -> str:
        return f"{self.house.now():x}-{secrets.token_hex(4)}"

    def _replace(self, leg: InboundLeg, origin: Origin) -> None:
        """A call that takes the place of another leg; that must be of the same phone's account."""
        account = origin if isinstance(origin, SipAccount) else None
        party = self._open(leg, read_invite(leg.request, origin)) if account is not None else None
        if party is None or account is None:
            leg.reject(403)
            return
        party.account = account
        if not self.take_over(leg, account, party):
            party.hang_up(481)

    def _open(self, leg: InboundLeg, asked: InviteInfo) -> Party | None:
        """Make a party of a leg; None: it was refused, for want of ports or of a codec."""
        try:
            media = self.house.media.open(find_host(leg.body, leg.source.host))
        except NoFamily:
            leg.reject(488, headers=(("Warning", OTHER_FAMILY),))
            return None
        except (NoPorts, ValueError) as error:
            log.error("no port for a call", error=str(error))
            leg.reject(503, headers=(("Retry-After", str(RETRY_AFTER)),))
            return None
        party = Party(media, asked.caller, self.house.now(), self.house.loop.time)
        if not party.receive(leg):
            media.close()
            leg.reject(488)
            return None
        return party

    def make(self, configuration: CallConfig, origin: Origin, party: Party, asked: InviteInfo) -> Call:
        """A call of somebody, to be driven to its end once it has begun."""
        ident = self._new_ident()
        call = Call(
            self.house,
            configuration,
            origin,
            party,
            ident=ident,
            caller_name=asked.name,
            on_end=self._forget,
        )
        self.calls[ident] = call
        call.on_referral = self.on_referral
        if isinstance(origin, TrunkAccount):
            self.house.usage.arrive(origin.id)
            self.house.lines.on_incoming_call(origin.id)
        return call

    def begin(self, call: Call, asked: InviteInfo, way: DialplanMatch) -> None:
        """Let a call follow where it leads."""
        call.begin(facts_of(call.configuration, call.origin, asked), way)

    def _forget(self, call: Call) -> None:
        self.calls.pop(call.id, None)
        if isinstance(call.origin, TrunkAccount):
            self.house.usage.leave(call.origin.id)

    def close(self) -> None:
        """End all calls."""
        for call in list(self.calls.values()):
            call.close(CLOSING)


def facts_of(configuration: CallConfig, origin: Origin, asked: InviteInfo) -> CallHeader:
    """What is known of a call when it begins."""
    is_phone = isinstance(origin, SipAccount)
    return {
        "caller": asked.caller,
        "caller_name": asked.name,
        "called": asked.called,
        "source_kind": "extension" if is_phone else "trunk",
        "source_id": origin.extension if isinstance(origin, SipAccount) else origin.id,
        "source": origin.number if isinstance(origin, SipAccount) else origin.name,
        "revision": configuration.snapshot.revision,
    }


def find_origin(configuration: CallConfig, caller: CallerIdentity) -> Origin | None:
    """Who it is, in the configuration as it is now."""
    if caller.account is not None:
        return configuration.accounts.get(caller.account.user)
    return configuration.trunks.get(caller.trunk.id) if caller.trunk is not None else None


def read_invite(request: Request, origin: Origin) -> InviteInfo:
    """Who calls whom. A phone is believed its extension only; a trunk, what it says."""
    called = user_of(request.uri)
    if isinstance(origin, SipAccount):
        return InviteInfo(origin.number, origin.name, called)
    if called in ("", origin.username):  # a provider that calls us by our registration: To has the number
        to = read_address(request.get("to"))
        called = user_of(to.uri) if to is not None and user_of(to.uri) else called
    source = read_address(request.get("p-asserted-identity")) or read_address(request.get("from"))
    number = user_of(source.uri) if source is not None else ""
    if number.lower() in WITHHELD or "id" in request.tokens("privacy"):
        return InviteInfo("", "", called)
    return InviteInfo(number, PLAIN.sub("", source.display if source else "")[:LONGEST_NAME], called)


def user_of(uri: str) -> str:
    """The user of a URI, without what could be taken for more than a number or a name."""
    parsed = read_uri(uri)
    return PLAIN.sub("", parsed.user)[:LONGEST_NUMBER] if parsed is not None else ""
