"""One process: its input, relay, timers, HTTP edge and background loops, started and stopped in the right order."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog
import uvloop
from fastapi import APIRouter, FastAPI

from shared import contracts
from shared.contracts.topics import Topic
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.clock import Clock, backoff
from shared.runtime.database.database import Database
from shared.runtime.database.migrate import check_schema
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.errors import Misconfigured
from shared.runtime.http.server import HttpServer
from shared.runtime.kafka.record import EventDecoder, ReceivedRecord
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.outbox.relay import Relay
from shared.runtime.process import logging, metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.supervision import BackgroundLoop, sleep_or_stop, supervise
from shared.runtime.processing import inbox, redelivery
from shared.runtime.processing.batch import BatchHandler
from shared.runtime.subscription.subscription import Subscription
from shared.runtime.timers.timers import FireTimers, LockCases, TimerLoop

_PRUNE_PERIOD = 3600.0
_MEASURE_PERIOD = 5.0
_EXIT_CODE_HUNG = 70
_GC_THRESHOLD = 50_000
"""A batch makes tens of thousands of objects that go with it; collecting after every 700 of them took a fifth of the CPU time."""
_OUTBOX_BACKLOG = (
    "SELECT coalesce(sum(messages), 0) AS size, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age FROM outbox"
)
log = structlog.get_logger(__name__)


class Service:
    """Put together by a service's `bootstrap.build`, then run; see the package's page for the interface."""

    def __init__(self, name: str, settings: RuntimeSettings, migrations: str | None = None) -> None:
        self.name = name
        self.settings = settings
        self.clock = Clock.parse(settings.clock, settings.environment)
        self.key_ring = EncryptionKeyRing.parse(settings.sealing_keys)
        self.health = Health()
        self.database = Database(settings, name)
        self.relay = Relay(self.database, settings, self.health)
        self.stopping = asyncio.Event()
        self._migrations = migrations
        self._http = HttpServer(name, settings, self.health)
        self._subscription = Subscription(self.database, self.clock, self.health, settings)
        self._subscribed = False
        self._loops: dict[str, BackgroundLoop] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._relay_stop = asyncio.Event()
        self._relay_task: asyncio.Task[None] | None = None
        self._hung = False

    @property
    def app(self) -> FastAPI:
        """The FastAPI application, for exception handlers and middleware."""
        return self._http.app

    @property
    def http_port(self) -> int:
        """The port that HTTP is bound to, once started."""
        return self._http.port

    @property
    def watermark(self) -> Watermark:
        """How far the input has been read; there is one once `subscribe` was called."""
        return self._subscription.watermark

    @property
    def subscription(self) -> Subscription:
        """The one subscription."""
        return self._subscription

    def subscribe(
        self,
        topics: Sequence[Topic],
        group: str,
        handler: BatchHandler,
        *,
        decode: EventDecoder | None = None,
        verify: Callable[[ReceivedRecord], None] | None = None,
        event_types: Mapping[str, frozenset[str]] | None = None,
        own_echoes: Collection[tuple[str, str]] = (),
    ) -> None:
        """Read these topics with one subscriber; once a service. Partition n of each is then read by the same process.

        `concerns` names by topic the event types that matter; others are passed over unread, also those newer than this service.
        So are the `repeated`, by type and `ce_by`: what the service decided itself and another tells again.
        """
        if self._subscribed:
            raise Misconfigured("a service has one subscriber for all of its topics: give them to one subscribe()")
        self._subscribed = True
        self._subscription.configure(
            topics, group, handler, decode=decode or contracts.decode_body, verify=verify, event_types=event_types, own_echoes=own_echoes
        )
        self._loops["replay"] = self._subscription.redelivery.run
        self._loops["lag"] = self._subscription.measure_lag

    def add_timers(self, lock_cases: LockCases, fire_timers: FireTimers) -> None:
        """Fire the due timers of the partitions that are read here; after `subscribe`."""
        timers = TimerLoop(self.database, self.clock, self.watermark, lock_cases=lock_cases, fire_timers=fire_timers, health=self.health)
        self._loops["timers"] = partial(timers.run, settings=self.settings)

    def include_router(self, router: APIRouter) -> None:
        """Serve these routes too."""
        self._http.app.include_router(router)

    def add_background_loop(self, name: str, loop: BackgroundLoop) -> None:
        """Run `loop(stop)` beside the rest; it starts again when it fails and returns soon after `stop` is set."""
        self._loops[name] = loop

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, stop; exits hard when something hangs longer than the stop timeout."""
        logging.configure(self.settings.log_level, self.name)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stopping.set)
        try:
            await self.start()
            gc.freeze()  # procedures and models stay for good: no collection looks at them again
            gc.set_threshold(_GC_THRESHOLD)
            await self.stopping.wait()
            async with asyncio.timeout(self.settings.stop_timeout):
                await self.stop()
        except TimeoutError:
            log.exception("the stop took too long, leaving as it is")
            self._hung = True
        if self._hung:
            os._exit(_EXIT_CODE_HUNG)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Service"]:
        """Started for the length of a block."""
        try:
            await self.start()
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        """Serve HTTP (unready), wait for the database, check its schema, start relay and loops, then join the group."""
        self.health.set_trouble("starting", "not all parts have started")
        await self._http.start()
        await self._wait_for_database()
        if self.stopping.is_set():
            return
        self._relay_task = self._spawn("relay", self.relay.run, self._relay_stop)
        self._loops.setdefault("housekeeping", self._housekeeping)
        await self._subscription.start(self.stopping)
        self._tasks = [self._spawn(name, loop, self.stopping) for name, loop in self._loops.items()]
        self.health.clear_trouble("starting")
        log.info("started", http_port=self.http_port)

    async def stop(self) -> None:
        """Unready; end the loops; stop polling, finish the batch, leave the group; finish the relay's cycle; close the pool."""
        self.health.set_trouble("stopping", "the process is stopping")
        self.stopping.set()
        # Before the consumer, which some of them ask: a stopped one does not answer.
        await self._finish(self._tasks)
        if not await self._subscription.stop(self.settings.stop_timeout / 2):
            self._hung = True
            log.error("the broker's client did not stop, its threads are left to the process's end")
        await self._http.stop()
        self._relay_stop.set()
        self.database.outbox_added.set()
        await self._finish([self._relay_task] if self._relay_task else [])
        await self.database.close()
        log.info("stopped")

    async def _finish(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Wait for the tasks, cancel those that are late."""
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self.settings.stop_timeout / 4)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _spawn(self, name: str, loop: BackgroundLoop, stop: asyncio.Event) -> asyncio.Task[None]:
        return asyncio.create_task(supervise(name, loop, stop, self.health), name=name)

    async def _wait_for_database(self) -> None:
        for attempt in range(1_000_000):
            try:
                if self._migrations is None:
                    await self.database.ping()
                else:
                    await check_schema(self.database, self._migrations)
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                trouble = f"PostgreSQL cannot be used ({redacted_reason(error)}): check DATABASE_URL, its user and its password"
                self.health.set_trouble("database", trouble)
                log.warning("waiting for the database", reason=trouble)
                await sleep_or_stop(self.stopping, backoff(attempt, initial_seconds=0.2, max_seconds=3.0))
                if self.stopping.is_set():
                    return
            else:
                self.health.clear_trouble("database")
                return

    async def _housekeeping(self, stop: asyncio.Event) -> None:
        """Measure the queues often, forget old inbox ids now and then."""
        rounds = 0
        while not stop.is_set():
            async with self.database.transaction() as tx:
                row = await tx.fetchrow(_OUTBOX_BACKLOG)
                await redelivery.update_dead_letter_gauges(tx, self.clock.now())
            if row is not None:
                metrics.OUTBOX_MESSAGES.set(row["size"])
                metrics.OUTBOX_AGE.set(row["age"])
            if rounds % int(_PRUNE_PERIOD / _MEASURE_PERIOD) == 0:
                await inbox.prune(self.database)
            rounds += 1
            await sleep_or_stop(stop, _MEASURE_PERIOD)


def run_service(build: Callable[[], Service]) -> None:
    """Build a service and run it to its end on uvloop: the whole of a `__main__`."""

    async def whole() -> None:
        await build().run()

    try:
        uvloop.run(whole())
    except (Misconfigured, ProcedureError) as error:
        sys.exit(f"Error: {error}")
