"""PostgreSQL's NOTIFY as a nudge: it says that there may be new events, never which.

A nudge that is lost delays events until the next look at the outbox, and loses none.
"""

import threading
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from openivr.store.events.outbox import CHANNEL

log = structlog.get_logger(__name__)
WAIT_SECONDS = 1.0  # for a nudge, until the thread looks whether it has to end
RETRY_SECONDS = 2.0  # after the connection was lost


class Listener:
    """Listens in a thread of its own, and calls `nudge` there."""

    def __init__(self, engine: Engine, nudge: Callable[[], None]) -> None:
        self._engine, self._nudge = engine, nudge
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; it may take WAIT_SECONDS."""
        self._end.set()

    def join(self) -> None:
        """Wait until the thread has ended, after `close`."""
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._listen()
            except (SQLAlchemyError, OSError) as error:
                log.warning("notifications of the database are interrupted", error=type(error).__name__)
            except Exception as error:
                log.warning("notifications of the database are interrupted", error=type(error).__name__)
            self._end.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        pooled = self._engine.raw_connection()
        driver: Any = pooled.driver_connection
        pooled.detach()  # from the pool, which is for transactions
        try:
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
            self._nudge()  # for what was committed before
            while not self._end.is_set():
                for _ in driver.notifies(timeout=WAIT_SECONDS, stop_after=1):
                    self._nudge()
        finally:
            driver.close()
