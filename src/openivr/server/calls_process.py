"""The calls process: puts signalling, sound, calls and the store's data together."""

import asyncio
import gc
import secrets
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from openivr import sounds
from openivr.b2bua.call_manager import CallManager
from openivr.b2bua.context import CallContext
from openivr.b2bua.limits import Usage
from openivr.b2bua.pin_lockout import PinLockout
from openivr.b2bua.prompt_cache import PromptCache
from openivr.b2bua.transfer import Transfers
from openivr.cdr.journal.entries import BindingAdded, BindingRemoved, Heartbeat, TrunkStateChanged
from openivr.cdr.journal.writer import Journal, now
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.config.settings import CallSettings, Settings
from openivr.media.media import Media, MediaSettings
from openivr.media.rtp.ports import Interface
from openivr.observability import logs
from openivr.server import os_limits
from openivr.server.control_socket import Banned, Question, listen
from openivr.server.recovery import recover
from openivr.server.supervisor import LIFT, WorkerContext
from openivr.sip.access import accounts as directory
from openivr.sip.access.access_control import AccessControl
from openivr.sip.address import Target, normalize_host
from openivr.sip.agent import Agent
from openivr.sip.auth.server import DigestSecret
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.registrar.keepalive import BindingKeepalive
from openivr.sip.registrar.registrar import Binding, to_plain
from openivr.sip.settings import AgentSettings as SipSettings
from openivr.sip.trunk import trunk_state
from openivr.sip.trunk.trunk_manager import TrunkManager
from openivr.store.caches.call_config_cache import CallConfigCache
from openivr.store.cdr import voicemail
from openivr.store.config import prompts
from openivr.store.database import Database

log = structlog.get_logger(__name__)
SWITCH_SECONDS = 0.0005  # a thread must not hold the interpreter for longer while a packet is due
SWEEP_SECONDS = 60.0  # between two collections of garbage while nobody calls
LOOK_SECONDS = 0.05  # between two looks for a new configuration while nobody calls
ALIVE_SECONDS = 15.0  # between two entries of the journal that say no more than that
GOODBYE_SECONDS = 0.5  # for the last messages to leave
HOUR_MS = 3_600_000


def run(settings: Settings, node: str, post: WorkerContext) -> None:
    """Carry calls until SIGTERM, or until the supervisor is gone. `node` names this data folder."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with logs.output.aside():
        asyncio.run(serve(settings, node, post))


class Stop:
    """Asked for once: finish; asked for again: end at once."""

    def __init__(self) -> None:
        self.soon, self.now = asyncio.Event(), asyncio.Event()

    def ask(self) -> None:
        if self.soon.is_set():
            self.now.set()
        self.soon.set()


async def serve(settings: Settings, node: str, post: WorkerContext) -> None:
    loop, stop = asyncio.get_running_loop(), Stop()
    os_limits.raise_fd_limit(settings.calls.max_calls)
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.ask)

    def orphaned() -> None:
        loop.remove_reader(post.supervisor)
        stop.ask()
        stop.ask()

    loop.add_reader(post.supervisor, orphaned)
    told = settings.calls
    journal = Journal(settings.journal, sip=str(told.sip[0]), soon=loop.call_soon)
    database = Database(settings.url)
    exchange = CallsProcess(settings, database, journal)
    await exchange.start(node, post)
    loop.add_signal_handler(LIFT, exchange.door.lift_bans)
    os_limits.configure_gc()
    post.report_ready()
    control = await listen(settings.data, exchange.control)
    tasks = [loop.create_task(exchange.look()), loop.create_task(exchange.sweep())]
    await stop.soon.wait()
    await exchange.stop(stop.now)
    for task in tasks:
        task.cancel()
    control.close()
    journal.close()
    database.close()


class CallsProcess:
    """Everything in this process, connected."""

    def __init__(self, settings: Settings, database: Database, journal: Journal) -> None:
        self.settings, self.database, self.journal = settings, database, journal
        told = settings.calls
        self.media = Media(media_settings(told))
        self.door = AccessControl(secrets.token_bytes(32), self.take_call, is_full=self.is_full)
        self.door.rate_limiter.set_exempt(told.proxies)
        self.agent = Agent(sip_settings(told, journal.flush), self.door)
        self.trunks = TrunkManager(self.agent, self.door, self.note_trunk)
        self.upkeep = BindingKeepalive(self.agent, self.door)
        self.live = CallConfigCache(database, Directories().make, self.configure)
        self.house = CallContext(
            loop=asyncio.get_running_loop(),
            agent=self.agent,
            media=self.media,
            library=PromptCache(Store(database), database.run_in_thread),
            usage=Usage(),
            lines=self.trunks,
            phones=lambda account: self.door.lookup(account.user),
            open_mailbox=self.open_mailbox,
            write=journal.write,
            now=now,
            messages=settings.journal,
            recordings=folder_for_recordings(settings),
        )
        self.switchboard = CallManager(self.house, self.live.cached, self.live.current, told.max_calls)
        transfers = Transfers(self.switchboard)
        self.switchboard.on_referral = transfers.refer
        self.switchboard.take_over = transfers.take_over
        self.lockout = PinLockout()
        self._contacts: dict[str, dict[str, Binding]] = {}

    async def start(self, node: str, post: WorkerContext) -> None:
        """Load what calls go by, then open the door."""
        configuration = await self.live.current()
        memory = await self.database.read(recover, node, self.settings.journal, now() - HOUR_MS)
        self.door.restore(memory.bindings)
        for user in {one["user"] for one in memory.bindings}:
            self._contacts[user] = {found.contact: found for found in self.door.lookup(user)}
        self.door.watchers.append(self.note_bindings)
        self.house.usage.remember(memory.starts)
        await self.house.library.fetch(sounds.NAMES)
        await self.house.library.fetch(configuration.snapshot.prompts)
        await self.agent.start(post.sockets)
        self.trunks.configure(self.door.directory.trunks)

    def configure(self, known: directory.AccountDirectory, changed: frozenset[str]) -> None:
        """Take those whom a new configuration knows; these prompts have changed."""
        log.info("new configuration", revision=self.live.configuration.snapshot.revision)
        self.door.configure(known)
        if self.agent.listening:
            self.trunks.configure(known.trunks)
        self.house.library.forget(changed)
        # The first caller should not wait for them, nor many callers for the same.
        self.house.spawn(self.house.library.fetch(changed & self.live.configuration.snapshot.prompts.keys()))

    async def look(self) -> None:
        """Notice a new configuration also while nobody calls: who may register, which trunks there are."""
        clock = asyncio.get_running_loop().time
        told = 0.0
        while True:
            if clock() - told > ALIVE_SECONDS:
                told = clock()
                self.journal.write(Heartbeat(at=now()))
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.live.current()
            except Exception:
                log.exception("the configuration cannot be read")
                await asyncio.sleep(1)

    async def sweep(self) -> None:
        """Look for garbage in circles while nobody can hear that the process has stopped for it."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if not self.switchboard.calls:
                gc.collect()

    def take_call(self, leg: InboundLeg, caller: directory.CallerIdentity) -> None:
        self.switchboard.take(leg, caller)

    def is_full(self) -> bool:
        return self.switchboard.is_full()

    def control(self, asked: Question) -> list[Banned]:
        """Answer the command line: the bans there are, or those that were lifted."""
        bans = self.door.lift_ban(asked.lift) if asked.lift else self.door.bans()
        return [Banned(ban.source, ban.user, ban.reason, round(seconds, 1)) for ban, seconds in bans]

    # What the database should know

    def note_bindings(self, user: str, bindings: tuple[Binding, ...]) -> None:
        """The phones of an account have changed."""
        account = self.live.configuration.accounts.get(user)
        before, after = self._contacts.get(user, {}), {one.contact: one for one in bindings}
        self._contacts[user] = after
        extension = account.extension if account else 0
        for contact, binding in after.items():
            if before.get(contact) != binding:
                entry = BindingAdded(
                    at=now(),
                    extension=extension,
                    contact=contact,
                    expires=int(binding.expires),
                    data=to_plain(binding),
                )
                self.journal.write(entry)
        for contact in before.keys() - after.keys():
            self.journal.write(BindingRemoved(at=now(), extension=extension, contact=contact))

    def note_trunk(self, ident: int, state: trunk_state.TrunkState) -> None:
        """A trunk is up, or down."""
        self.journal.write(
            TrunkStateChanged(at=now(), trunk=ident, state=state.health.value, detail=state.reason)
        )

    # What calls ask the database

    async def open_mailbox(self, number: str, pin: str) -> tuple[str, ...] | None:
        """The names of the messages of a mailbox, if this is its PIN and it was not guessed at."""
        messages = await self.database.read(voicemail.open_mailbox, number, pin)
        now = self.house.loop.time()
        if self.lockout.is_shut(number, now):
            log.warning("mailbox is shut after wrong PINs", mailbox=number)
            messages = None
        if messages is None:
            self.lockout.fail(number, now)
            return None
        self.lockout.succeed(number)
        return tuple(message.id for message in messages)

    # The end

    async def stop(self, at_once: asyncio.Event) -> None:
        """Take no new calls, let those under way finish up to the limit, then end what is left."""
        seconds = self.settings.calls.drain_seconds
        log.info("taking no new calls", calls=len(self.switchboard.calls), seconds=seconds)
        draining = asyncio.create_task(self.agent.drain(seconds))
        hurried = asyncio.create_task(at_once.wait())
        await asyncio.wait((draining, hurried), return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()
        hurried.cancel()
        self.switchboard.close()
        await self.trunks.close()
        await asyncio.sleep(GOODBYE_SECONDS if self.agent.leg_count else 0)
        self.upkeep.close()
        self.agent.close()
        await self.media.close()
        self.live.close()


class Store:
    """Sounds out of the package and the database, read in threads."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def prompt(self, name: str) -> bytes | None:
        """A custom prompt, or a built-in sound."""
        wav = await self.database.read(prompts.telephone_audio, name)
        if wav is None and name in sounds.NAMES:
            wav = await self.database.run_in_thread(sounds.read, name)
        return wav

    async def message(self, name: str) -> bytes | None:
        """A message of a mailbox."""
        return await self.database.read(voicemail.audio_of, name)


def folder_for_recordings(settings: Settings) -> Path | None:
    """Where the sound of calls is kept, if it is."""
    if not settings.calls.records:
        return None
    folder = settings.recordings
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def media_settings(told: CallSettings) -> MediaSettings:
    """Sound comes in wherever calls do."""
    external = {":" in address: address for address in told.external}
    hosts = dict.fromkeys(at.host for at in (*told.sip, *told.sip_tls))
    return MediaSettings(
        interfaces=tuple(Interface(host, external.get(":" in host, "")) for host in hosts),
        ports=told.rtp_ports,
        inactivity_seconds=told.dead_seconds,
    )


def sip_settings(told: CallSettings, before_send: Callable[[], None]) -> SipSettings:
    """How signalling is set up; what others are told is in the journal before it leaves.

    The places are in the order of the sockets that `processes.plan_calls` opens.
    """
    plain = [Target(protocol, *at) for at in told.sip for protocol in ("UDP", "TCP")]
    return SipSettings(
        listen=(*plain, *(Target("TLS", *at) for at in told.sip_tls)),
        external=told.external,
        certificate=str(told.tls_cert or ""),
        key=str(told.tls_key or ""),
        before_send=before_send,
    )


class Directories:
    """Makes of configurations whom signalling knows; an account that has not changed is made once."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[SipAccount, directory.AuthAccount]] = {}

    def make(self, configuration: CallConfig) -> directory.AccountDirectory:
        """Whom signalling knows."""
        self._made = {user: self._make(user, account) for user, account in configuration.accounts.items()}
        trunks = {ident: make_trunk(trunk) for ident, trunk in configuration.trunks.items() if trunk.enabled}
        return directory.AccountDirectory.make({user: made for user, (_, made) in self._made.items()}, trunks)

    def _make(self, user: str, account: SipAccount) -> tuple[SipAccount, directory.AuthAccount]:
        known = self._made.get(user)
        return known if known is not None and known[0] is account else (account, make_account(account))


def make_account(account: SipAccount) -> directory.AuthAccount:
    return directory.AuthAccount(
        user=account.user,
        secret=DigestSecret.read(account.secret),
        contacts=account.contacts,
        names=frozenset((account.number,)),
    )


def make_trunk(trunk: TrunkAccount) -> trunk_state.TrunkConfig:
    return trunk_state.TrunkConfig(
        id=trunk.id,
        name=trunk.name,
        kind=trunk_state.TrunkType(trunk.kind),
        host=normalize_host(trunk.hostname),
        port=trunk.port,
        protocol=trunk.transport.upper(),
        domain=trunk.domain,
        user=trunk.username,
        auth_user=trunk.auth_name,
        password=trunk.password,
        caller_id=trunk.caller_id,
        max_calls=trunk.max_calls,
    )
