"""The calls process: connects SIP, media, calls and the database."""

import asyncio
import gc
import secrets
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import structlog

from openivr import clock, sounds
from openivr.b2bua.call_manager import CallManager
from openivr.b2bua.context import CallContext, HoursUnavailable, PinUncheckable
from openivr.b2bua.limits import CallLimiter, OutboundCall
from openivr.b2bua.pin_lockout import PinListLockout, PinLockout
from openivr.b2bua.prompt_cache import PromptCache
from openivr.b2bua.transfer import Transfers
from openivr.cdr.journal.entries import (
    BindingAdded,
    BindingRemoved,
    Heartbeat,
    JournalEntry,
    TrunkStateChanged,
)
from openivr.cdr.journal.writer import Journal
from openivr.cdr.retention import RecordClock
from openivr.clock import wall_ms as now
from openivr.config.settings import Settings
from openivr.hours.period import PeriodDecision
from openivr.ivr.hours_code import HoursAction
from openivr.media.media import Media
from openivr.observability import logs
from openivr.observability.disk_space import DiskSpace, DiskState
from openivr.server import os_limits
from openivr.server.binding_times import BindingTimes, number
from openivr.server.call_commands import CallCommands
from openivr.server.component_settings import make_recording_folder, media_settings, sip_settings
from openivr.server.control_socket import BanInfo, ControlRequest, listen
from openivr.server.live_calls import LiveCallRecords
from openivr.server.recovery import RecoveredState, recover, recover_without_database
from openivr.server.sip_accounts import Directories
from openivr.server.sip_sockets import SipSocket
from openivr.server.sound_store import SoundStore
from openivr.server.supervisor import WorkerContext
from openivr.sip.access.access_control import AccessControl
from openivr.sip.access.bans import BanAdministration
from openivr.sip.accounts import AccountDirectory
from openivr.sip.agent import Agent
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import Admission, LocalResponse
from openivr.sip.message.message import Request
from openivr.sip.registrar.keepalive import BindingKeepalive
from openivr.sip.registrar.registrar import Binding
from openivr.sip.registrar.registrar_service import RegistrarService
from openivr.sip.transport.locator import ServerLocator
from openivr.sip.transport.resolver import Resolver
from openivr.sip.trunk import trunk_state
from openivr.sip.trunk.trunk_manager import TrunkManager
from openivr.store.availability import Unavailable
from openivr.store.caches.call_config_cache import CallConfigCache
from openivr.store.caches.saved_state import CALLS_FILE, SAVE_SECONDS, SavedBinding, SavedConfig, save
from openivr.store.caches.saved_state import load as load_saved
from openivr.store.cdr import voicemail
from openivr.store.config import hours_code, pin_lists
from openivr.store.database import Database

log = structlog.get_logger(__name__)
SWITCH_SECONDS = 0.0005  # that a thread may hold the interpreter while an RTP packet is due
COLLECT_SECONDS = 60.0  # between garbage collections while there is no call
SOUND_FOLDER = "last-prompts"
POLL_SECONDS = 0.05  # between two checks for a new configuration
CHECK_SECONDS = 0.5  # between two checks for another file of the database
HEARTBEAT_SECONDS = 15.0
BYE_SECONDS = 0.5  # for the last SIP messages to leave
MEDIA_HOST_SECONDS = 10.0  # to resolve a host name in a session description
HOUR_MS = 3_600_000


def run(settings: Settings, node: str, sip_sockets: tuple[SipSocket, ...], worker: WorkerContext) -> None:
    """Handle calls until SIGTERM or until the supervisor is gone. `node` identifies this data folder."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with logs.output.in_thread():
        asyncio.run(serve(settings, node, sip_sockets, worker))


class Shutdown:
    """State of a shutdown: `draining` is set by the first request, `immediate` by the second."""

    def __init__(self) -> None:
        self.draining, self.immediate = asyncio.Event(), asyncio.Event()

    def request(self) -> None:
        """Start draining, or end at once if that was started before."""
        if self.draining.is_set():
            self.immediate.set()
        self.draining.set()


async def serve(
    settings: Settings, node: str, sip_sockets: tuple[SipSocket, ...], worker: WorkerContext
) -> None:
    loop, shutdown = asyncio.get_running_loop(), Shutdown()
    os_limits.raise_fd_limit(settings.calls.max_calls)
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, shutdown.request)

    def on_supervisor_gone() -> None:
        loop.remove_reader(worker.supervisor)
        shutdown.request()
        shutdown.request()

    loop.add_reader(worker.supervisor, on_supervisor_gone)
    journal = Journal(settings.journal, sip=str(settings.calls.sip[0]), call_soon=loop.call_soon)
    database = Database(settings.url, is_server=True)
    process = CallsProcess(settings, database, journal)
    await process.start(node, sip_sockets)
    os_limits.configure_gc()
    control = await listen(settings.data, process.on_control_request, process.call_commands.carry_out)
    worker.report_ready()
    tasks = [loop.create_task(process.watch_config()), loop.create_task(process.collect_garbage())]
    await shutdown.draining.wait()
    await process.stop(shutdown.immediate)
    for task in tasks:
        task.cancel()
    control.close()
    journal.close()
    database.close()


class CallsProcess:
    """The components of this process, connected."""

    def __init__(self, settings: Settings, database: Database, journal: Journal) -> None:
        self.settings, self.database, self.journal = settings, database, journal
        calls = settings.calls
        self.media = Media(media_settings(calls))
        self.record_clock = RecordClock(settings.journal, boot_id=clock.read_boot_id())
        self.disk = DiskSpace(settings.data, settings.min_free)
        self.access_control = AccessControl(
            secrets.token_bytes(32), is_full=self.is_full, allow_rfc2069=calls.allow_rfc2069
        )
        self.access_control.rate_limiter.set_exempt(calls.proxies)
        self.bans = BanAdministration(self.access_control.rate_limiter)
        self.registrar = RegistrarService(clock.steady)
        self.binding_times = BindingTimes(boot_id=clock.read_boot_id())
        self.agent = Agent(sip_settings(calls, journal.flush), self.access_control, self)
        self.trunks = TrunkManager(
            self.agent, self.registrar, self.access_control.set_trunk_targets, self.on_trunk_state
        )
        # Names in descriptions come from peers, so they do not share the look-ups of trunks.
        self.system_resolver = Resolver()
        locator = ServerLocator(self.system_resolver)
        self.media_hosts = Resolver(locator.find_addresses, MEDIA_HOST_SECONDS)
        self.keepalive = BindingKeepalive(self.agent, self.registrar)
        self.config_cache = CallConfigCache(database, Directories().make, self.on_config)
        self.sounds = SoundStore(database, settings.data / SOUND_FOLDER)
        self.live_calls = LiveCallRecords(journal.run)
        self.context = CallContext(
            loop=asyncio.get_running_loop(),
            agent=self.agent,
            media=self.media,
            prompts=PromptCache(self.sounds, database.run_in_thread),
            limiter=CallLimiter(),
            trunks=self.trunks,
            bindings_of=lambda account: self.registrar.lookup(account.user),
            open_mailbox=self.open_mailbox,
            check_pin=self.check_pin,
            write_entry=self.write_entry,
            now=self.record_clock.now,
            message_folder=settings.journal,
            recording_folder=make_recording_folder(settings),
            records_calls=settings.calls.records,
            resolve_host=self.media_hosts.resolve,
            has_space=self.has_space,
            is_mailbox_full=self.is_mailbox_full,
            switch_hours=self.switch_hours,
        )
        self.call_manager = CallManager(
            self.context, self.config_cache.cached, self.config_cache.current, calls.max_calls
        )
        self.call_manager.transfers = transfers = Transfers(self.call_manager)
        self.call_commands = CallCommands(self.call_manager, transfers, self.live_calls)
        self.pin_lockout = PinLockout()
        self.pin_list_lockout = PinListLockout()
        self._contacts: dict[str, dict[str, Binding]] = {}
        self._binding_changes = 0
        self._saved_version: object = None

    async def start(self, node: str, sip_sockets: Iterable[SipSocket]) -> None:
        """Load the configuration and recover state, then start to listen."""
        state = await self.load_state(node)
        config = self.config_cache.configuration
        self.restore_bindings(state.bindings)
        offset = clock.wall_ms() / 1000 - self.context.loop.time()
        self.context.limiter.restore(to_steady(state.outbound_calls, offset, self.context.loop.time()))
        await self.context.prompts.load(sounds.NAMES)
        await self.context.prompts.load(config.snapshot.prompts)
        await self.agent.start(sip_sockets)
        self.trunks.configure(self.access_control.directory.trunks)

    def restore_bindings(self, rows: Mapping[tuple[int, str], Mapping[str, object]]) -> None:
        """Restore registrations by extension and contact, and record those that have expired meanwhile."""
        loaded = {key: self.binding_times.load(row) for key, row in rows.items()}
        self.registrar.restore(loaded.values())
        for user in self.registrar.registrar.users():
            self._contacts[user] = {binding.contact: binding for binding in self.registrar.lookup(user)}
        for (extension, contact), row in loaded.items():
            if contact not in self._contacts.get(str(row["user"]), {}):
                self.journal.write(BindingRemoved(at=now(), extension=extension, contact=contact))
        self.registrar.watchers.append(self.on_bindings)

    async def load_state(self, node: str) -> RecoveredState:
        """Load the configuration and the state before the last end, from disk if the database is away."""
        try:
            await self.config_cache.current()
            return await self.database.read(recover, node, self.settings.journal, now() - HOUR_MS)
        except Unavailable:
            saved = load_saved(self.settings.data / CALLS_FILE, SavedConfig)
            if saved is None:
                raise
            self.config_cache.start_from(saved)
            return recover_without_database(saved.bindings, self.settings.journal)

    async def save_state(self) -> None:
        """Keep on disk what a start without a database needs, if it has changed."""
        version = (self.config_cache.snapshot, self._binding_changes)
        if version == self._saved_version:
            return
        accounts, store = self.config_cache.configuration.accounts, self.binding_times.store
        bindings = [
            SavedBinding(accounts[user].extension if user in accounts else 0, contact, store(binding))
            for user, contacts in self._contacts.items()
            for contact, binding in contacts.items()
        ]
        state = await self.database.run_in_thread(self.config_cache.to_save, bindings)
        if state is None:
            return
        self._saved_version = version
        try:
            await self.database.run_in_thread(save, self.settings.data / CALLS_FILE, state)
            kept = self.config_cache.configuration.snapshot.prompts
            await self.database.run_in_thread(self.sounds.forget_others, kept)
        except OSError as error:
            log.error("the configuration cannot be kept on disk", error=error.strerror)

    def on_config(self, accounts: AccountDirectory, changed_prompts: frozenset[str]) -> None:
        """Apply a new revision of the configuration."""
        snapshot = self.config_cache.configuration.snapshot
        log.info("new configuration", revision=snapshot.revision)
        self.access_control.configure(accounts)
        self.registrar.configure(accounts.accounts)
        if self.agent.listening:
            self.trunks.configure(accounts.trunks)
        self.context.prompts.discard(changed_prompts)
        # The first caller should not wait for them, nor many callers load the same.
        self.context.spawn(self.context.prompts.load(changed_prompts & snapshot.prompts.keys()))

    async def watch_config(self) -> None:
        """Apply new configurations even without calls, for registrations and trunks; write heartbeats."""
        clock = asyncio.get_running_loop().time
        last_heartbeat, last_check, last_save = 0.0, 0.0, clock()
        while True:
            if clock() - last_heartbeat > HEARTBEAT_SECONDS:
                last_heartbeat = clock()
                self.journal.write(Heartbeat(at=now()))
                self.record_clock.reload()
            await asyncio.sleep(POLL_SECONDS)
            try:
                if clock() - last_check > CHECK_SECONDS:
                    last_check = clock()
                    self.config_cache.feed.check_file()
                await self.config_cache.current()
                if clock() - last_save > SAVE_SECONDS:
                    last_save = clock()
                    await self.save_state()
            except Exception:
                log.exception("configuration cannot be read")
                await asyncio.sleep(1)

    async def collect_garbage(self) -> None:
        """Collect reference cycles while there is no call that the pause could interrupt."""
        while True:
            await asyncio.sleep(COLLECT_SECONDS)
            if not self.call_manager.calls:
                gc.collect()

    def on_invite(self, leg: InboundLeg, admission: Admission) -> None:
        """Pass an incoming call of an authenticated caller to the call manager."""
        if admission.caller is None:
            leg.reject(403)
        else:
            self.call_manager.on_invite(leg, admission.caller)

    def on_register(self, request: Request, admission: Admission) -> LocalResponse:
        """Pass a REGISTER to the registrar."""
        return self.registrar.on_register(request, admission)

    def on_other_request(self, request: Request, admission: Admission) -> LocalResponse | None:
        """Support no other method outside a dialog."""
        return None

    def is_full(self) -> bool:
        """Return True if there is no room for another call."""
        return self.call_manager.is_full()

    def on_control_request(self, request: ControlRequest) -> list[BanInfo]:
        """Return the SIP bans, or those that this request lifts."""
        bans = self.bans.lift(request.lift) if request.lift else self.bans.active()
        if request.lift_all:
            self.bans.clear()
        return [BanInfo(ban.source, ban.user, ban.reason, round(seconds, 1)) for ban, seconds in bans]

    # Events for the journal

    def write_entry(self, entry: JournalEntry) -> None:
        """Write an entry of a call or a message."""
        self.journal.write(entry)
        self.live_calls.on_entry(entry)

    def on_bindings(self, user: str, bindings: tuple[Binding, ...]) -> None:
        """Write the changed registrations of an account."""
        account = self.config_cache.configuration.accounts.get(user)
        before, after = self._contacts.get(user, {}), {binding.contact: binding for binding in bindings}
        self._contacts[user] = after
        self._binding_changes += 1
        extension = account.extension if account else 0
        for contact, binding in after.items():
            if before.get(contact) != binding:
                row = self.binding_times.store(binding)
                expires = int(number(row, "expires"))
                self.journal.write(
                    BindingAdded(at=now(), extension=extension, contact=contact, expires=expires, data=row)
                )
        for contact in before.keys() - after.keys():
            self.journal.write(BindingRemoved(at=now(), extension=extension, contact=contact))

    def on_trunk_state(self, trunk: int, state: trunk_state.TrunkState) -> None:
        """Write the changed state of a trunk."""
        self.journal.write(
            TrunkStateChanged(
                at=now(),
                trunk=trunk,
                state=state.health.value,
                detail=state.reason.value,
                answer=state.answer,
            )
        )

    # Database queries of calls

    async def is_mailbox_full(self, extension: int) -> bool:
        """Return True if the mailbox of an extension holds as many messages as it may."""
        limit = self.settings.calls.mailbox_messages
        try:
            return bool(limit) and await self.database.read(voicemail.count_messages, extension) >= limit
        except Unavailable:
            return False  # the journal takes the message until the database is back

    def has_space(self) -> bool:
        """Return False if free space on the disk is below the floor, or if that cannot be read."""
        try:
            return self.disk.state() is DiskState.OK
        except OSError:
            return False

    async def open_mailbox(self, number: str, pin: str) -> tuple[str, ...] | None:
        """Return the ids of a mailbox's messages. Return None if the PIN is wrong or the mailbox locked.

        Raises PinUncheckable while the database does not answer.
        """
        try:
            messages = await self.database.read(voicemail.open_mailbox, number, pin)
        except Unavailable as error:
            log.error("a mailbox cannot be opened", mailbox=number, reason=str(error))
            raise PinUncheckable from error
        now = self.context.loop.time()
        if self.pin_lockout.is_locked(number, now):
            log.warning("mailbox locked after wrong PINs", mailbox=number)
            messages = None
        if messages is None:
            self.pin_lockout.record_wrong(number, now)
            return None
        self.pin_lockout.reset(number)
        return tuple(message.id for message in messages)

    async def check_pin(self, pin_list: int, caller: str, pin: str) -> bool:
        """Return True if a PIN is in a list, unless the list is locked for the caller.

        Raises PinUncheckable while the database does not answer.
        """
        try:
            is_right = await self.database.read(pin_lists.is_pin_right, pin_list, pin)
        except Unavailable as error:
            log.error("a PIN cannot be checked", pin_list=pin_list, reason=str(error))
            raise PinUncheckable from error
        now = self.context.loop.time()
        if self.pin_list_lockout.is_locked(pin_list, caller, now):
            log.warning("PIN list locked after wrong PINs", pin_list=pin_list, caller=caller)
            is_right = False
        if is_right:
            self.pin_list_lockout.reset(pin_list, caller)
        else:
            self.pin_list_lockout.record_wrong(pin_list, caller, now)
        return is_right

    async def switch_hours(self, extension: int, action: str, pin: str) -> PeriodDecision | None:
        """Do what a feature code asks, and return the period. None: the PIN is wrong, or it may not.

        Raises HoursUnavailable while the database does not answer.
        """
        key, at = f"hours {extension}", self.context.loop.time()
        try:
            by = await self.database.read(hours_code.find_switcher, extension, pin)
            if by is None or self.pin_lockout.is_locked(key, at):
                log.warning("business hours not switched", extension=extension, action=action)
                self.pin_lockout.record_wrong(key, at)
                return None
            self.pin_lockout.reset(key)
            moment = self.context.now() // 1000
            if action == HoursAction.ASK:
                return await self.database.read(hours_code.ask_by_code, moment)
            return await self.database.change_config(hours_code.switch_by_code, action, by, moment)
        except Unavailable as error:
            log.error("business hours cannot be switched", extension=extension, reason=str(error))
            raise HoursUnavailable from error

    # Shutdown

    async def stop(self, immediate: asyncio.Event) -> None:
        """Reject new calls, let active ones end within the drain time, then end the rest."""
        seconds = self.settings.calls.drain_seconds
        log.info("draining calls", calls=len(self.call_manager.calls), seconds=seconds)
        draining = asyncio.create_task(self.agent.drain(seconds))
        interrupt = asyncio.create_task(immediate.wait())
        await asyncio.wait((draining, interrupt), return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()
        interrupt.cancel()
        self.call_commands.placer.close()
        await self.call_manager.close()
        await self.trunks.close()
        await asyncio.sleep(BYE_SECONDS if self.agent.leg_count else 0)
        self.keepalive.close()
        self.agent.close()
        self.media_hosts.close()
        self.system_resolver.close()
        await self.media.close()
        await self.save_state()
        self.config_cache.close()


def to_steady(calls: Iterable[OutboundCall], offset: float, now: float) -> Iterator[OutboundCall]:
    """Convert times from Unix seconds. A future time, from before a step of the clock, becomes `now`."""
    return (replace(call, at=min(call.at - offset, now)) for call in calls)
