"""The process that delivers to webhooks: holds leases, and has a runner for each webhook that it holds.

It may be killed at any moment, because the positions are in the database. Further processes, of this machine
or another, stand by until the leases end.
"""

import asyncio
import secrets
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from openivr.config.settings import Settings
from openivr.server.events.commits import CommitWatch
from openivr.server.supervisor import WorkerContext
from openivr.store.availability import Unavailable
from openivr.store.caches.change_feed import ChangeFeed
from openivr.store.database import Database
from openivr.store.events import webhook_queue
from openivr.store.events.interest import Interest
from openivr.store.events.webhook_queue import LEASE_MS, Webhook
from openivr.store.system import serial_number

if TYPE_CHECKING:
    from openivr.server.webhooks.runner import Sender, WebhookRunner

log = structlog.get_logger(__name__)
RENEW_SECONDS = LEASE_MS / 3000  # a third of the lease, which is in milliseconds
LOOK_SECONDS = 0.02  # between two looks for a commit
RETRY_SECONDS = 1.0  # after the database did not answer
STOP_SECONDS = 2.0  # for a batch to end
MakeSender = Callable[[str], "Sender"]


class WebhookWorker:
    """Delivers for all webhooks whose leases it gets. `make_sender` is called with the serial number."""

    def __init__(
        self, database: Database, node: str, make_sender: MakeSender, show_interest: Callable[[bool], None]
    ) -> None:
        self.owner = f"{node}/{secrets.token_hex(8)}"
        self.runners: dict[int, WebhookRunner] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._database, self._make_sender, self._show_interest = database, make_sender, show_interest
        self._feed = ChangeFeed(database)
        self._commits = CommitWatch(database, self._feed)
        self._sender: Sender | None = None
        self._revision: int | None = None
        self._webhooks: dict[int, Webhook] = {}
        self._renewed = -RENEW_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, and give the leases back."""
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            waiting = asyncio.create_task(self._turn())
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await self.close()

    async def _turn(self) -> None:
        """Follow the configuration, renew the leases, and wait for a commit."""
        try:
            await self.follow()
            self.wake()
            if self._webhooks:
                await self._commits.wait(look=LOOK_SECONDS)
            else:
                await asyncio.sleep(RETRY_SECONDS)
            self._feed.check_file()
        except Unavailable:
            self._commits.forget()
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            log.exception("webhooks cannot be followed")
            await asyncio.sleep(RETRY_SECONDS)

    async def follow(self) -> None:
        """Read the webhooks if the configuration has changed, and renew the leases now and then."""
        revision, webhooks = await self._database.read(webhook_queue.read_webhooks, self._revision)
        now = asyncio.get_running_loop().time()
        if webhooks is not None:
            wanted = {webhook.id: webhook for webhook in webhooks}
            has_changed = wanted != self._webhooks
            self._webhooks = wanted
            self._show_interest(bool(wanted))
        else:
            has_changed = False
        is_due = bool(self._webhooks) and now - self._renewed >= RENEW_SECONDS
        if has_changed or is_due:
            self._renewed = -RENEW_SECONDS  # should the database not answer
            held = await self._database.write(webhook_queue.hold, self.owner, list(self._webhooks))
            self._renewed = now
            await self._reconcile(held)
        self._revision = revision

    async def _reconcile(self, held: dict[int, int]) -> None:
        """Start and end runners, so that there is one for each webhook that this process holds."""
        for id_, task in list(self._tasks.items()):
            is_same = id_ in held and self.runners[id_].webhook == self._webhooks[id_]
            if not is_same or task.done():
                await self._end([id_])
        for id_, position in held.items():
            if id_ not in self._tasks:
                self._start(self._webhooks[id_], position, await self._find_sender())

    def _start(self, webhook: Webhook, position: int, sender: "Sender") -> None:
        from openivr.server.webhooks.runner import WebhookRunner

        runner = WebhookRunner(self._database, self.owner, webhook, position, sender)
        self.runners[webhook.id] = runner
        self._tasks[webhook.id] = asyncio.create_task(runner.run())

    async def _end(self, ids: Sequence[int]) -> None:
        """End runners, each after its batch if that ends soon: what was sent is then not sent again."""
        tasks = [self._tasks.pop(id_) for id_ in ids]
        for id_ in ids:
            self.runners.pop(id_).end()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _find_sender(self) -> "Sender":
        if self._sender is None:
            self._sender = self._make_sender(await self._database.read(serial_number))
        return self._sender

    def wake(self) -> None:
        """Let all runners look for new events."""
        for runner in self.runners.values():
            runner.wake()

    async def close(self) -> None:
        """End the runners and give the leases back."""
        self._commits.close()
        has_leases = bool(self._tasks)
        await self._end(list(self._tasks))
        if self._sender is not None:
            await self._sender.close()
        if has_leases:
            try:
                await self._database.write(webhook_queue.release, self.owner)
            except Unavailable:
                log.warning("the leases of webhooks end by themselves: database unavailable")
        self._feed.close()


def run_worker(settings: Settings, node: str, interest: Interest, worker: WorkerContext) -> None:
    """Deliver to webhooks until SIGTERM or until the supervisor is gone."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, node, interest, worker))


async def serve(settings: Settings, node: str, interest: Interest, worker: WorkerContext) -> None:
    """Run the worker of this process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    loop.add_reader(worker.supervisor, stop.set)
    database = Database(settings.url, is_server=True)

    def make_sender(serial: str) -> "Sender":
        from openivr.server.webhooks.sender import WebhookSender  # not before there is a webhook

        return WebhookSender(serial, settings.webhook_networks)

    def show_interest(exists: bool) -> None:
        interest.show(worker.number, exists=exists)

    worker.report_ready()
    await WebhookWorker(database, node, make_sender, show_interest).run(stop)
    database.close()
